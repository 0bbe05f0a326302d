"""The notebooks of the gallery run, cell by cell, as the build of the documentation runs them."""

import re
from pathlib import Path
from typing import Any

import pytest

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(GALLERY.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_a_notebook_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its cells, one after the other, in a folder from which the models are reached."""
    folder = tmp_path / "docs" / "gallery"
    folder.mkdir(parents=True)
    (tmp_path / "models").symlink_to(GALLERY.parents[1] / "models")
    monkeypatch.chdir(folder)
    cells = CELL.findall(page.read_text(encoding="utf-8"))
    assert cells
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile(cell, str(page), "exec"), names)  # noqa: S102 - our own pages


def test_the_index_names_every_notebook() -> None:
    """None is left out of the documentation."""
    index = (GALLERY.parent / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert f"\ngallery/{page.stem}\n" in index
