"""Catalogue files whose records start from another record, and state only what differs."""

from pathlib import Path

import pytest

from mlsysim.catalog import Confidence, Systems, load_catalog
from mlsysim.errors import CatalogError, InputError, UnknownNameError
from mlsysim.units import magnitude

GOOD = """
[accelerators.Leased]
like = "H100_SXM"
rental_prices = { ours = "1.9 USD/hour" }
unit_price = { value = "25 kUSD", source = "quotation", confidence = "B" }
calibration = "H100_fitted"

[accelerators.Cheaper]
like = "Leased"
unit_price = "20 kUSD"

[calibrations.H100_fitted]
sustained = 0.8

[models.Shallow]
like = "Llama3_8B"
layers = 16
stated_parameters = 0
"""


def write(folder: Path, text: str) -> Path:
    """Write a catalogue file."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_not_stated_is_as_before(tmp_path: Path) -> None:
    """Prices change, the silicon does not; each figure keeps or gets its own support."""
    mine = load_catalog(write(tmp_path, GOOD)).accelerators
    original = Systems.Accelerators.H100_SXM
    assert mine.Leased.name == "Leased"
    assert mine.Leased.peaks == original.peaks
    assert mine.Leased.figures["peaks.bf16"].source == original.figures["peaks.bf16"].source
    assert magnitude(mine.Leased.rental_price, "USD/hour") == pytest.approx(1.9)
    price = mine.Leased.figures["unit_price"]
    assert (price.source, price.confidence) == ("quotation", Confidence.B)
    assert magnitude(mine.Cheaper.unit_price, "USD") == 20_000
    assert mine.Cheaper.rental_prices == mine.Leased.rental_prices


def test_fitted_constants_come_through_the_same_door(tmp_path: Path) -> None:
    """What `mlsysim validate --fit` writes is a table that an accelerator can name."""
    mine = load_catalog(write(tmp_path, GOOD))
    assert mine.accelerators.Leased.calibration is mine.calibrations.H100_fitted
    assert mine.accelerators.Leased.calibration.sustained == 0.8


def test_figures_that_follow_from_others_follow_them(tmp_path: Path) -> None:
    """Half the layers of Llama 3 8B: all of them dense, and half the parameters in layers."""
    model = load_catalog(write(tmp_path, GOOD)).models.Shallow
    assert model.dense_layers == 16
    # 8,030,261,248 less sixteen layers: attention, MLP and two norms each
    layer = 2 * 4096 * (4096 + 1024) + 3 * 4096 * 14_336 + 2 * 4096
    assert model.parameters == 8_030_261_248 - 16 * layer


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('[accelerators.A]\nlike = "H100"', UnknownNameError, "A.like: no accelerator is called"),
        ('[accelerators.A]\nlike = "Llama3_8B"', UnknownNameError, "no accelerator is called"),
        ("[accelerators.A]\nlike = 3", CatalogError, "A.like: 3 is not a text"),
        ('[accelerators.A]\nlike = "A"', CatalogError, "A is like A, without a beginning"),
        (
            '[accelerators.A]\nlike = "B"\n[accelerators.B]\nlike = "A"',
            CatalogError,
            "A is like B is like A, without a beginning",
        ),
        (
            '[accelerators.A]\nlike = "H100_SXM"\nprice = "3 USD"',
            CatalogError,
            "A.price: unknown key 'price'",
        ),
        ('[accelerators.A]\nlik = "H100_SXM"', CatalogError, "did you mean 'like'"),
        (
            '[accelerators.A]\nhugging_face = "x"',
            CatalogError,
            "A.hugging_face: unknown key 'hugging_face'",
        ),
        (
            '[models.M]\nhugging_face = "nowhere.json"',
            CatalogError,
            "M.hugging_face: ",
        ),
        (
            '[models.M]\nlike = "Llama3_8B"\nlayers = 16',
            CatalogError,
            "a shape of your own has stated_parameters = 0",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    text: str, error: type[InputError], message: str, tmp_path: Path
) -> None:
    """The message begins with the file and the path of the key."""
    path = write(tmp_path, text)
    with pytest.raises(error) as caught:
        load_catalog(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
