"""Write fitted constants into the data files of the catalogue, each with its error."""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from mlsysim.validation.left_out import Fitted

_FILES = ("calibrations.toml", "serving_calibrations.toml", "runtimes.toml")


def write_constants(fit: Fitted) -> Iterator[Path]:
    """Put every constant where its section has it, and give the files that were changed."""
    folder = Path(str(resources.files("mlsysim.catalog"))) / "data"
    for file in _FILES:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        changed = text
        for owner, name, value, error in fit.values():
            changed = _changed(changed, owner or fit.common, name, value, error)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
            yield path


def _changed(text: str, section: str, name: str, value: float, error: float) -> str:
    """Replace value and error of one figure of one section; its source and its note stay."""
    begin = text.find(f"\n[{section}]\n")
    if begin < 0:
        return text
    end = text.find("\n[", begin + 1)
    part = text[begin : end if end >= 0 else len(text)]
    figures = f"value = {value:.4g}, error = {error:.2g}"
    pattern = (
        rf"\n{name} = (\{{ value = [^,}}]+(?:, error = [^,}}]+)?(?P<rest>[^\n]*)\}}|[^\n{{]+)\n"
    )

    def line(match: re.Match[str]) -> str:
        rest = (match.group("rest") or " ").rstrip()
        return f"\n{name} = {{ {figures}{rest} }}\n"

    return text[:begin] + re.sub(pattern, line, part) + text[begin + len(part) :]
