"""Catalogue files of the user's own: what they can say, and every way to get them wrong."""

from pathlib import Path

import pytest

from mlsysim.catalog import Confidence, Models, Systems, load_catalog
from mlsysim.errors import CatalogError, InputError, UnitError, UnknownNameError
from mlsysim.units import magnitude

GOOD = """
[accelerators.My_Chip]
peaks.bf16 = "500 Tflop/s"
memory_capacity = "64 GiB"
memory_bandwidth = "2 TB/s"
link_bandwidth = "200 GB/s"
scale_up_domain = 8
unit_price = { value = "9000 USD", source = "quotation", confidence = "B", note = "2025" }

[nodes.My_Node]
accelerator = "My_Chip"
accelerators = 8
nic_bandwidth = "50 GB/s"
max_power = "6 kW"

[clusters.My_Fleet]
node = "My_Node"
nodes = 16
fabric = "IB_NDR"

[models.My_Model]
layers = 4
hidden = 256
ffn = 1024
heads = 8
vocab = 1000
max_context = 512
stated_parameters = 4708608

[vision_models.My_Net]
parameters = 1000
forward_flops = "2 Mflop"
products = 12

[fabrics.My_Fabric]
bandwidth = "1.6 Tbit/s"

[grids.My_Site]
electricity_price = "0.07 USD/kWh"
carbon_intensity = "0.03 kg/kWh"
pue = 1.1
"""


def write(folder: Path, text: str) -> Path:
    """Write a catalogue file."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file(tmp_path: Path) -> None:
    """Records refer to one another and to the package; units are written as text."""
    mine = load_catalog(write(tmp_path, GOOD))
    fleet = mine.clusters.My_Fleet
    assert fleet.accelerators == 128
    assert fleet.accelerator is mine.accelerators.My_Chip
    assert fleet.fabric is Systems.Fabrics.IB_NDR
    assert magnitude(fleet.capital_cost, "USD") == 128 * 9000
    assert mine.accelerators.My_Chip.figures["unit_price"].confidence is Confidence.B
    assert mine.accelerators.My_Chip.figures["unit_price"].note == "2025"
    assert mine.models.My_Model.parameters == 4_708_608
    assert magnitude(mine.grids.My_Site.carbon_intensity, "g/kWh") == pytest.approx(30)
    assert magnitude(mine.fabrics.My_Fabric.bandwidth, "GB/s") == pytest.approx(200)


def test_a_file_finds_its_own_and_the_packages_records(tmp_path: Path) -> None:
    """One search serves both, and proposes names of both."""
    mine = load_catalog(str(write(tmp_path, GOOD)))
    assert mine.find("My_Fleet") is mine.clusters.My_Fleet
    assert mine.find("Llama3_70B") is Models.Language.Llama3_70B
    with pytest.raises(UnknownNameError, match="'My_Fleet'"):
        mine.find("My_Flet")
    with pytest.raises(UnknownNameError, match="'My_Chip'"):
        _ = mine.accelerators.My_Chop


CHIP = '[accelerators.X]\npeaks.bf16 = "1 Tflop/s"\nmemory_bandwidth = "2 TB/s"\n'
FULL = CHIP + 'memory_capacity = "64 GiB"\n'


@pytest.mark.parametrize(
    ("text", "error", "place", "cure"),
    [
        (CHIP, CatalogError, "accelerators.X", "'memory_capacity' is missing; write e.g."),
        (FULL + "memmory = 1", CatalogError, "accelerators.X.memmory", "did you mean 'memory_"),
        (FULL + 'name = "Y"', CatalogError, "accelerators.X.name", "unknown key"),
        (CHIP + "memory_capacity = 64", UnitError, "X.memory_capacity", "write '64 GiB'"),
        (CHIP + 'memory_capacity = "6 GB/s"', UnitError, "X.memory_capacity", "does not measure"),
        (CHIP + 'memory_capacity = "6 GB/"', UnitError, "X.memory_capacity", "not a unit"),
        (CHIP + 'memory_capacity = "-6 GB"', CatalogError, "X.memory_capacity", "not a positive"),
        (CHIP + "memory_capacity = inf", UnitError, "X.memory_capacity", "has no unit"),
        (CHIP + "memory_capacity = true", UnitError, "X.memory_capacity", "not an amount"),
        (CHIP + "memory_capacity = { size = 3 }", CatalogError, "X.memory_capacity", "`size`"),
        (
            CHIP + 'memory_capacity = { value = "6 GB", confidence = "D" }',
            CatalogError,
            "X.memory_capacity",
            "confidence (A, B or C)",
        ),
        (FULL + 'peaks.bf61 = "1 Tflop/s"', CatalogError, "X.peaks", "did you mean 'bf16'"),
        (FULL + 'peaks.fp8 = "1 TB/s"', UnitError, "X.peaks", "fp8: 1 TB/s is in"),
        (FULL + "rental_prices = 3", CatalogError, "X.rental_prices", "write [X.rental_prices]"),
        (FULL + "rental_prices.Me = 3", UnitError, "X.rental_prices", "write '3 USD/hour'"),
        (FULL + "scale_up_domain = 0", CatalogError, "X.scale_up_domain", "at least 1"),
        (FULL + "scale_up_domain = 8.0", CatalogError, "X.scale_up_domain", "whole number"),
        (FULL + 'confidence = "Z"', CatalogError, "X.confidence", "not one of A, B, C"),
        (FULL + "full_mesh = 1", CatalogError, "X.full_mesh", "neither true nor false"),
        (FULL + FULL, CatalogError, "mine.toml", "is not TOML"),  # the name twice
        (FULL + "[fabrics.X]\nbandwidth = '1 GB/s'", CatalogError, "fabrics.X", "choose another"),
        (FULL.replace(".X", ".H100_SXM"), CatalogError, "accelerators.H100_SXM", "'My_H100_SXM'"),
        (FULL.replace(".X", '."My chip"'), CatalogError, "accelerators.My chip", "underscores"),
        ("[accelerator.X]", CatalogError, "accelerator", "did you mean 'accelerators'"),
        ("accelerators = 3", CatalogError, "accelerators", "write [accelerators.My_Name]"),
        ("[accelerators]\nX = 3", CatalogError, "accelerators.X", "write [X]"),
        (
            "[nodes.X]\naccelerators = 8\naccelerator = 'H100_SMX'",
            UnknownNameError,
            "nodes.X.accelerator",
            "did you mean 'H100_SXM'",
        ),
        (
            "[nodes.X]\naccelerators = 8\naccelerator = 'DGX_H100'",
            UnknownNameError,
            "nodes.X.accelerator",
            "no accelerator is called 'DGX_H100'",
        ),
        (
            "[nodes.X]\naccelerators = 8\naccelerator = 8",
            CatalogError,
            "nodes.X.accelerator",
            "not an Accelerator",
        ),
        (
            "[nodes.X]\naccelerators = 8\naccelerator = 'H100_SXM'\nscale_up_domain = 16",
            CatalogError,
            "nodes.X",
            "scale_up_domain is 16",
        ),
        ("[grids.X]\npue = 0.9", CatalogError, "grids.X.pue", "from 1"),
        ("[grids.X]\npue = nan", CatalogError, "grids.X.pue", "from 1"),
        ("this is not TOML", CatalogError, "mine.toml", "is not TOML"),
    ],
)
def test_bad_files(
    tmp_path: Path, text: str, error: type[InputError], place: str, cure: str
) -> None:
    """Each mistake is refused with the file, the path of the key, and the cure."""
    with pytest.raises(error) as caught:
        load_catalog(write(tmp_path, text))
    message = str(caught.value)
    assert "mine.toml: " in message
    assert place in message
    assert cure in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A wrong path is bad input, not a traceback of the operating system."""
    with pytest.raises(CatalogError, match=r"nowhere\.toml: cannot be read"):
        load_catalog(tmp_path / "nowhere.toml")
