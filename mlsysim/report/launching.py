"""Who can run an answer, in words, and what to add to the question for those who cannot."""

from collections.abc import Iterator, Sequence

from mlsysim.files.launching import Launched
from mlsysim.launch.cures import Refusal


def launch_lines(launched: Sequence[Launched], *, several: bool = False) -> Iterator[str]:
    """Say which frameworks can run a design, or all of several; then what the others object to.

    Each objection has its cure.
    """
    subject, every = ("All of them can", "all ") if several else ("Can", "")
    able = [item.framework.name for item in launched if not item.refusals]
    unable = [item.framework.name for item in launched if item.refusals]
    if able and unable:
        yield f"{subject} be launched by {_listed(able)}, not {every}by {_listed(unable)}:"
    elif able:
        yield f"{subject} be launched by {_listed(able)}"
    elif several:
        yield f"Not all of them can be launched by {_listed(unable)}:"
    else:
        yield f"Cannot be launched by {_listed(unable)}:"
    objections: dict[tuple[str, ...], list[str]] = {}
    for item in launched:
        for refusal in item.refusals:
            objections.setdefault(_objection(refusal), []).append(item.framework.name)
    for (reason, *cure), names in objections.items():
        yield f"  {'all' if len(names) == len(launched) > 1 else _listed(names)}: {reason}"
        yield from cure


def _objection(refusal: Refusal) -> tuple[str, ...]:
    """Give the reason, and the cure on lines of its own, so that it can be copied."""
    lines = refusal.cure.lines
    if not lines:
        return (f"{refusal.broken}; {refusal.cure.words}",)
    return (f"{refusal.broken}; under [constraints] add", *(f"    {line}" for line in lines))


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
