"""Which accelerator of the catalogue a measured row names, and how it differs from it.

Sources write "H100-SXM5-80GB (DGX Cloud)" or "A100-80GB (1600 Gbps RoCE)".  What
stands before the parenthesis names the accelerator.  A memory size, a memory
bandwidth, an NVLink bandwidth or a power limit that is stated and differs from
the catalogue's replaces the catalogue's.  Below its design power an accelerator
clocks down: its peaks are scaled by the square root of the power, between the
cube root of dynamic power alone and the proportion of a clock at its lowest voltage.
"""

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mlsysim.catalog import Systems
from mlsysim.catalog.accelerator import Accelerator
from mlsysim.units import magnitude

# The first pattern that is found in the name; the more special ones come first.
_NAMES = (
    (r"\bGB300", "GB300"),
    (r"\bGB200", "GB200"),
    (r"\bGH200", "GH200_96GB"),
    (r"\bB300", "B300_SXM"),
    (r"\bB200", "B200_SXM"),
    (r"\bH200", "H200_SXM"),
    (r"\bH20\b", "H20"),
    (r"\bH800", "H800_SXM"),
    (r"\bH100\b.*(PCIE|NVL\b)", "H100_PCIe"),
    (r"\bH100", "H100_SXM"),
    (r"\bA800", "A800"),
    (r"\bA100\b.*PCIE", "A100_80GB_PCIe"),
    (r"\bA100\b.*40 ?GB", "A100_40GB_SXM"),
    (r"\bA100", "A100_80GB_SXM"),
    (r"\bA30\b", "A30"),
    (r"\bA10G?\b", "A10G"),
    (r"\bL40S", "L40S"),
    (r"\bRTX PRO 6000\b.*SERVER", "RTX_PRO_6000_Server"),
    (r"\bL4\b", "L4"),
    (r"\bV100\b.*PCIE", "V100_PCIe"),
    (r"\bV100", "V100_SXM2_32GB"),
    (r"\bP100", "P100_SXM"),
    (r"\bT4\b", "T4"),
    (r"\bMI355X?", "MI355X"),
    (r"\bMI350X?", "MI350X"),
    (r"\bMI325X?", "MI325X"),
    (r"\bMI300X?", "MI300X"),
    (r"\bMI250X?", "MI250X"),
    (r"\bTPU.?V7|TPU7X|IRONWOOD", "TPU7x"),
    (r"\bTPU.?V6|TRILLIUM", "TPU_v6e"),
    (r"\bTPU.?V5P", "TPU_v5p"),
    (r"\bTPU.?V5(E|LITE)?", "TPU_v5e"),
    (r"\bTPU.?V4", "TPU_v4"),
    (r"\bTPU.?V3", "TPU_v3"),
    (r"\bTPU.?V2", "TPU_v2"),
    (r"\b(TRAINIUM|TRN).?3", "Trainium3"),
    (r"\b(TRAINIUM|TRN).?2", "Trainium2"),
    (r"\b(TRAINIUM|TRN).?1?", "Trainium1"),
    (r"\bGAUDI.?3", "Gaudi3"),
    (r"\bGAUDI.?2", "Gaudi2"),
)


@dataclass(frozen=True, kw_only=True)
class _Variant:
    """An accelerator that is another one but for some figures.

    Parameters
    ----------
    base
        The other one.
    source
        Who says so.
    figures
        What differs.
    """

    base: str
    source: str
    figures: Mapping[str, Any] = field(default_factory=dict)


_VARIANTS = {
    "A800": _Variant(
        base="A100_80GB_SXM",
        source="NVIDIA A800 data sheet; NVLink of 400 GB/s both ways",
        figures={"link_bandwidth": "200 GB/s"},
    ),
    "H20": _Variant(
        base="H100_SXM",
        source="NVIDIA H20 data sheet",
        figures={
            "peaks": {"bf16": "148 Tflop/s", "fp16": "148 Tflop/s", "fp8": "296 Tflop/s"},
            "memory_capacity": "96 GiB",
            "memory_bandwidth": "4 TB/s",
        },
    ),
    "MI350X": _Variant(
        base="MI355X",
        source="AMD MI350X data sheet",
        figures={
            "peaks": {
                "bf16": "2300 Tflop/s",
                "fp16": "2300 Tflop/s",
                "fp8": "4600 Tflop/s",
                "fp4": "9200 Tflop/s",
                "int8": "4600 Tflop/s",
            },
            "thermal_design_power": "1000 W",
        },
    ),
}

# Labels count in powers of ten or two and leave out what the driver takes: not another size.
_SAME_SIZE = 0.15


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
    before = words.partition("(")[0].upper().replace("_", " ")
    return next((name for pattern, name in _NAMES if re.search(pattern, before)), None)


@functools.cache
def accelerator_of(words: str) -> Accelerator | None:
    """Find an accelerator, with the figures that the words themselves state.

    Returns
    -------
    Accelerator or None
        None where the catalogue has nothing of that name.

    Examples
    --------
    >>> accelerator_of("V100-SXM2-16GB (Jean Zay, 4 per node)").memory_capacity.m_as("GiB")
    16.0
    >>> accelerator_of("H800-SXM-80GB (NVLink 400 GB/s)").link_bandwidth.m_as("GB/s")
    200.0
    """
    record = named_accelerator(words)
    if record is None:
        return None
    changes = _stated(words, record)
    return record.replace(**changes) if changes else record


def named_accelerator(words: str) -> Accelerator | None:
    """Find an accelerator as its data sheet has it, or None."""
    name = catalogue_name(words)
    if name is None:
        return None
    variant = _VARIANTS.get(name)
    if variant is None:
        return Systems.Accelerators[name]
    base = Systems.Accelerators[variant.base]
    return base.replace(name=name, title="", source=variant.source, **variant.figures)


def _stated(words: str, record: Accelerator) -> Mapping[str, Any]:
    """Read the figures that the words state where they are not the record's."""
    changes: dict[str, Any] = {}
    before = words.partition("(")[0]
    if (size := re.search(r"(\d+) ?GB\b(?!/)", before)) and not _near(
        float(size[1]), magnitude(record.memory_capacity, "GiB")
    ):
        changes["memory_capacity"] = f"{size[1]} GiB"
    if (speed := re.search(r"([\d.]+) ?TB/s", words)) and not _near(
        float(speed[1]), magnitude(record.memory_bandwidth, "TB/s")
    ):
        changes["memory_bandwidth"] = f"{speed[1]} TB/s"
    if (limit := re.search(r"(\d+) ?W\b", words)) and record.has("thermal_design_power"):
        changes |= _limited(record, float(limit[1]))
    if link := re.search(r"NVLink ([\d.]+) ?GB/s", words):
        changes["link_bandwidth"] = f"{float(link[1]) / 2} GB/s"
    return MappingProxyType(changes)


def _limited(record: Accelerator, watts: float) -> dict[str, Any]:
    """Clock an accelerator down to a power limit."""
    share = watts / magnitude(record.thermal_design_power, "W")
    if share >= 1:
        return {}
    peaks = {name: record.peak(name) * math.sqrt(share) for name in record.precisions}
    return {"peaks": peaks, "thermal_design_power": f"{watts:g} W"}


def _near(stated: float, known: float) -> bool:
    return abs(stated / known - 1) < _SAME_SIZE
