"""On what a row ran: the name of the catalogue, and what its words say beyond it."""

from measured.prose import figure, first

from mlsysim.catalog import Systems
from mlsysim.units import magnitude
from mlsysim.validation.accelerators import accelerator_of

_GIGABITS_PER_GIGABYTE = 8
_SAME = 0.15
_OMNI_PATH_LINK = 100.0  # Gb/s
_NODES = (
    (r"\bA3 ?Mega\b", "GCP_a3_mega"),
    (r"\bGCP A3\b", "GCP_a3_high"),
    (r"\bp4de\b", "AWS_p4de"),
    (r"\bp4d\b", "AWS_p4d"),
    (r"\bp5en\b", "AWS_p5en"),
    (r"\bp5e\b", "AWS_p5e"),
    (r"\bp5\b", "AWS_p5"),
)


def hardware(words: str, count: int, per_node: int | None) -> dict[str, object]:
    """Give the columns that say on what a row ran."""
    record = accelerator_of(words)
    if record is None:
        return {"accelerator": words}
    found: dict[str, object] = {"accelerator": record.name}
    if (node := first(words, _NODES)) and node in Systems.Nodes:
        found["node"] = node
    size = figure(words.partition("(")[0], r"(\d+) ?GB\b(?!/)")
    if size and abs(size / magnitude(record.memory_capacity, "GiB") - 1) >= _SAME:
        found["memory_gib"] = size
    speed = figure(words, r"([\d.]+) ?TB/s")
    if speed and abs(speed / magnitude(record.memory_bandwidth, "TB/s") - 1) >= _SAME:
        found["memory_tb_s"] = speed
    link = figure(words, r"NVLink ([\d.]+) ?GB/s")  # both ways
    if link and link / 2 != magnitude(record.link_bandwidth, "GB/s"):
        found["link_gb_s"] = link / 2
    if power := figure(words, r"(\d+) ?W\b"):
        found["power_w"] = power
    if network := _network(words, min(per_node or 8, count)):
        found["network_gb_s"] = network
    return found


def _network(words: str, inside: int) -> float | None:
    """Give what leaves a node for each accelerator, in GB/s."""
    if each := figure(words, r"([\d.]+) ?Gb/s per GPU"):
        return each / _GIGABITS_PER_GIGABYTE
    if port := figure(words, r"\b8x([\d.]+) ?GB/s"):
        return 8 * port / inside
    whole = figure(words, r"([\d.]+) ?Gbps")
    if links := figure(words, r"Omni-Path (\d+) links"):
        whole = links * _OMNI_PATH_LINK
    if first(words, ((r"Jean Zay", "four links"),)):
        whole = 4 * _OMNI_PATH_LINK
    if first(words, ((r"p3\.16xlarge", "25 Gb/s"),)):
        whole = 25.0
    return None if whole is None else whole / _GIGABITS_PER_GIGABYTE / inside
