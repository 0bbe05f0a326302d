"""Which accelerator of the catalogue a cell names, as people write it.

A cell is a name of the catalogue, or words such as "H100-SXM5-80GB, 500 W": a chip, its form,
and the size of its memory, its bandwidth or a power limit.  What is not as in the catalogue
replaces it, as do the columns ``memory_gib``, ``memory_tb_s``, ``link_gb_s`` and ``power_w``.
Below its design power an accelerator clocks down: its peaks are scaled by the square root of the
power, between the cube root of dynamic power alone and the proportion of a clock at its lowest
voltage.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog import Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.units import magnitude
from mlsysim.validation.words import without_remark

# What is left of a name without blanks and hyphens -> name of the catalogue.  Others are found by
# the beginning of their name there: "H100" of "H100_SXM".
_SPELLINGS = {
    "A10": "A10G",
    "MI250": "MI250X",
    "TPUV7": "TPU7x",
    "IRONWOOD": "TPU7x",
    "TPUTRILLIUM": "TPU_v6e",
    "TRILLIUM": "TPU_v6e",
    "TPUV5LITE": "TPU_v5e",
    "TRAINIUM": "Trainium1",
    "TRN1": "Trainium1",
    "TRN2": "Trainium2",
    "RTXPRO6000": "RTX_PRO_6000_Server",
}
_VENDORS = {"NVIDIA", "AMD", "INTEL", "GOOGLE", "AWS", "HABANA", "INSTINCT", "TESLA", "CLOUD"}
_FORMS = {"PCIE", "NVL"}
# Labels count in powers of ten or two and leave out what the driver takes: not another size.
_SAME_SIZE = 0.15


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a row states about its accelerators; None is what the catalogue says.

    Parameters
    ----------
    memory
        Size in GiB.
    bandwidth, link
        Of the memory in TB/s, and of the links in one direction in GB/s.
    power
        The limit in W.
    """

    memory: float | None = None
    bandwidth: float | None = None
    link: float | None = None
    power: float | None = None


@functools.cache
def catalogue_name(words: str) -> str | None:
    """Give the catalogue's name of an accelerator, or None where it has none.

    Examples
    --------
    >>> catalogue_name("A100-SXM4-80GB (llm-analysis README says 40GB)")
    'A100_80GB_SXM'
    >>> catalogue_name("abacus")
    """
    if words in Systems.Accelerators:
        return words
    tokens = _tokens(words)
    # The first words that are a chip, and of these the most: "TPU V5 LITE" before "TPU V5".
    for start in range(len(tokens)):
        for end in range(len(tokens), start, -1):
            chip, others = "".join(tokens[start:end]), tokens[end:]
            if chip in _SPELLINGS:
                return _SPELLINGS[chip]
            if forms := _forms().get(chip):
                return max(forms, key=functools.partial(_likeness, others))
    return None


@functools.cache
def _forms() -> dict[str, list[str]]:
    """List the accelerators of the catalogue by chip: by what their name begins with, or is."""
    found: dict[str, list[str]] = {}
    for name in Systems.Accelerators:
        first, *rest = name.upper().split("_")
        for chip in {first, "".join([first, *rest])}:
            if any(one.isdigit() for one in chip):
                found.setdefault(chip, []).append(name)
    return found


def _likeness(others: list[str], name: str) -> tuple[bool, bool, bool, float]:
    """Rank forms of a chip: by the form, by the memory, and else the large one on a board."""
    parts = name.upper().split("_")
    memory = magnitude(Systems.Accelerators[name].memory_capacity, "GiB")
    return (
        not _FORMS.isdisjoint({*others} & {*parts}),
        not {*others}.isdisjoint(part for part in parts if part.endswith("GB")),
        any(part.startswith("SXM") for part in parts),
        memory,
    )


def _tokens(words: str) -> list[str]:
    said = without_remark(words).upper().translate(str.maketrans("-_,;", "    "))
    tokens = f"{said} ".replace(" GB ", "GB ").split()
    return [token for token in tokens if token not in _VENDORS]


def accelerator_of(words: str) -> Accelerator | None:
    """Find an accelerator as its data sheet has it, or None.

    Examples
    --------
    >>> accelerator_of("GB200 NVL72").name
    'GB200'
    """
    name = catalogue_name(words)
    return None if name is None else Systems.Accelerators[name]


@functools.cache
def stated_accelerator(words: str, figures: Figures) -> Accelerator | None:
    """Find an accelerator, with the figures that a row states.

    Examples
    --------
    >>> stated_accelerator("V100-SXM2-16GB", Figures()).memory_capacity.m_as("GiB")
    16.0
    >>> stated_accelerator("A100", Figures(link=200.0)).link_bandwidth.m_as("GB/s")
    200.0
    """
    record = accelerator_of(words)
    if record is None:
        return None
    changes: dict[str, Any] = {}
    size = figures.memory or _said(words, "GB")
    if size and abs(size / magnitude(record.memory_capacity, "GiB") - 1) >= _SAME_SIZE:
        changes["memory_capacity"] = f"{size} GiB"
    if bandwidth := figures.bandwidth or _said(words, "TB/S"):
        changes["memory_bandwidth"] = f"{bandwidth} TB/s"
    if figures.link:
        changes["link_bandwidth"] = f"{figures.link} GB/s"
    power = figures.power or _said(words, "W")
    if power and record.has("thermal_design_power"):
        changes |= _limited(record, power)
    return record.replace(**changes) if changes else record


def _said(words: str, unit: str) -> float | None:
    """Read a figure in a name such as "H100-SXM5-80GB", with or without a blank before the unit."""
    tokens = _tokens(words)
    for before, token in zip(["", *tokens], tokens, strict=False):
        number = before if token == unit else token.removesuffix(unit)
        if number != token and number.replace(".", "", 1).isdigit():
            return float(number)
    return None


def _limited(record: Accelerator, watts: float) -> dict[str, Any]:
    """Clock an accelerator down to a power limit."""
    share = watts / magnitude(record.thermal_design_power, "W")
    if share >= 1:
        return {}
    peaks = {name: record.peak(name) * math.sqrt(share) for name in record.precisions}
    return {"peaks": peaks, "thermal_design_power": f"{watts:g} W"}
