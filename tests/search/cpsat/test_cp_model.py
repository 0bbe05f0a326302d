"""OR-Tools works whether or not pandas was imported, before or after it, by whom ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from mlsysim.search.cpsat.cp_model import Deferred, import_without

DEFERRED = "from mlsysim.search.cpsat.cp_model import cp_model"
OWN = "from ortools.sat.python import cp_model"
PANDAS = "import pandas"
SERIES = """
import pandas, typing
model = cp_model.CpModel()
x = model.new_int_var_series("x", pandas.Index([1, 2]), 0, 3)
model.maximize(sum(x))
solver = cp_model.CpSolver()
solver.solve(model)
assert list(solver.values(x)) == [3, 3]
assert isinstance(x, pandas.Series)
hints = typing.get_type_hints(cp_model.CpModel.new_int_var_series)
assert hints["index"] is pandas.Index, hints
"""


@pytest.mark.parametrize(
    "imports",
    [
        [DEFERRED],
        [DEFERRED, PANDAS],
        [PANDAS, DEFERRED],
        [DEFERRED, OWN],
        [OWN, DEFERRED],
        [DEFERRED, PANDAS, OWN],
    ],
    ids=" then ".join,
)
def test_methods_about_series_work_in_any_order_of_imports(imports: list[str]) -> None:
    """Whoever uses OR-Tools beside the package gets its pandas interface, annotations included."""
    lines = [*imports, "import sys", "named = sys.modules.get('pandas')"]
    kept = [*lines, SERIES, "assert named in (None, pandas)"]
    subprocess.run([sys.executable, "-c", "\n".join(kept)], check=True)  # noqa: S603 - our own text


def test_only_the_named_import_is_deferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module gets the stand-in for one import, real modules for others, and no finder stays."""
    (tmp_path / "heavy_part.py").write_text("VALUE = 7\n")
    (tmp_path / "user_part.py").write_text(
        "import json\n"
        "import heavy_part as hp\n"
        "def annotated(x: hp.Thing) -> None: ...\n"
        "def value(): return hp.VALUE\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    try:
        user = import_without("user_part", Deferred("heavy_part", "hp"))
        assert sys.meta_path == finders
        assert "heavy_part" not in sys.modules
        assert user.json is sys.modules["json"]
        assert user.annotated.__annotations__["x"] == "hp.Thing"
        assert user.value() == 7
        assert sys.modules["heavy_part"].VALUE == 7
        with pytest.raises(AttributeError, match="'heavy_part' has no attribute 'Thing'"):
            user.hp.Thing  # noqa: B018 - asked for, to fail
    finally:
        for name in ("heavy_part", "user_part"):
            sys.modules.pop(name, None)


def test_what_is_imported_already_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is deferred that costs nothing any more."""
    (tmp_path / "another_user.py").write_text("import json as j\n")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        user = import_without("another_user", Deferred("json", "j"))
        assert user.j is sys.modules["json"]
    finally:
        sys.modules.pop("another_user", None)
