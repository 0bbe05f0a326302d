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

# Chip, by what is left of its name without blanks and hyphens -> name of the catalogue.
_CHIPS = {
    "GB300": "GB300",
    "GB200": "GB200",
    "GH200": "GH200_96GB",
    "B300": "B300_SXM",
    "B200": "B200_SXM",
    "H200": "H200_SXM",
    "H20": "H20_SXM",
    "H800": "H800_SXM",
    "H100": "H100_SXM",
    "A800": "A800_SXM",
    "A100": "A100_80GB_SXM",
    "A30": "A30",
    "A10": "A10G",
    "A10G": "A10G",
    "L40S": "L40S",
    "L40": "L40",
    "L4": "L4",
    "RTXPRO6000": "RTX_PRO_6000_Server",
    "V100": "V100_SXM2_32GB",
    "P100": "P100_SXM",
    "T4": "T4",
    "MI355X": "MI355X",
    "MI350X": "MI350X",
    "MI325X": "MI325X",
    "MI300X": "MI300X",
    "MI250X": "MI250X",
    "MI250": "MI250X",
    "TPUV7": "TPU7x",
    "TPU7X": "TPU7x",
    "IRONWOOD": "TPU7x",
    "TPUV6E": "TPU_v6e",
    "TPUTRILLIUM": "TPU_v6e",
    "TRILLIUM": "TPU_v6e",
    "TPUV5P": "TPU_v5p",
    "TPUV5E": "TPU_v5e",
    "TPUV5LITE": "TPU_v5e",
    "TPUV4": "TPU_v4",
    "TPUV3": "TPU_v3",
    "TPUV2": "TPU_v2",
    "TRAINIUM3": "Trainium3",
    "TRAINIUM2": "Trainium2",
    "TRAINIUM": "Trainium1",
    "TRAINIUM1": "Trainium1",
    "TRN2": "Trainium2",
    "TRN1": "Trainium1",
    "GAUDI3": "Gaudi3",
    "GAUDI2": "Gaudi2",
}
_VENDORS = {"NVIDIA", "AMD", "INTEL", "GOOGLE", "AWS", "HABANA", "INSTINCT", "TESLA", "CLOUD"}
# Form -> chip in its usual form -> name of the catalogue in this one.
_FORMS = {
    "PCIE": {
        "H100_SXM": "H100_PCIe",
        "A100_80GB_SXM": "A100_80GB_PCIe",
        "V100_SXM2_32GB": "V100_PCIe",
    },
    "NVL": {"H100_SXM": "H100_NVL"},
    "40GB": {"A100_80GB_SXM": "A100_40GB_SXM"},
}
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
    # The chip is the longest beginning that is one: "TPU", "TPU V5", "TPU V5 LITE".
    for end in range(len(tokens), 0, -1):
        name = _CHIPS.get("".join(tokens[:end]))
        if name is not None:
            return _formed(name, tokens[end:])
    return None


def _formed(name: str, tokens: list[str]) -> str:
    joined = " ".join(tokens).replace(" GB", "GB").split()
    for form, others in _FORMS.items():
        if form in joined and name in others:
            return others[name]
    return name


def _tokens(words: str) -> list[str]:
    tokens = without_remark(words).upper().translate(str.maketrans("-_,", "   ")).split()
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
