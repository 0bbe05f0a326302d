"""What a stage's result tells a report about its design (`mlsysim.report.breakdowns`)."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any


def parts_of(result: Any, prefix: str, *, without: Collection[str]) -> dict[str, Any]:
    """Collect the fields that are the parts of a whole: those that share a prefix.

    Parameters
    ----------
    result
        A dataclass whose field ``<prefix>total``, or whatever it is called, is
        the sum of the others.
    prefix
        How their names begin.
    without
        The endings of those fields that are no parts.
    """
    names = (item.name for item in fields(result) if item.name.startswith(prefix))
    endings = {name: name.removeprefix(prefix) for name in names}
    return {
        ending.replace("_", " "): getattr(result, name)
        for name, ending in endings.items()
        if ending not in without
    }


def layout_text(total: Any, factors: Mapping[str, Any]) -> str:
    """Write how a machine is divided: ``8,192 accelerators = 8 tp x 4 pp x 256 dp``.

    Parameters
    ----------
    total
        The accelerators that are paid for.
    factors
        Name of each way to divide them -> its size; ways that do not divide are
        left out.  What their product leaves over is said to be spare.
    """
    if int(total) == 1:
        return "1 accelerator"
    used = 1
    for size in factors.values():
        used *= int(size)
    split = {name: int(size) for name, size in factors.items() if int(size) > 1}
    product = " x ".join(f"{size:,} {name}" for name, size in split.items()) or "1"
    spare = int(total) - used
    return f"{int(total):,} accelerators = {product}" + (f" + {spare:,} spare" if spare > 0 else "")
