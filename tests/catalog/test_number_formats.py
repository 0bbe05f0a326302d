"""Number formats: their bits, and what a model published in one takes."""

import re
from typing import Any

import pytest

from mlsysim.catalog import Models, NumberFormat, Precision
from mlsysim.errors import CatalogError

# element bits + (scale bits + zero bits) / block
BITS = {
    "bf16": 16,
    "fp8": 8,
    "fp8_block": 8 + 32 / (128 * 128),
    "mxfp8": 8 + 8 / 32,
    "nvfp4": 4 + 8 / 16,
    "mxfp4": 4 + 8 / 32,
    "int4": 4 + (16 + 4) / 128,
    "int4_symmetric": 4 + 16 / 128,
    "int4_g32": 4 + 16 / 32,
    "int8_per_token_head": 8 + 32 / 128,
}


@pytest.mark.parametrize(("name", "bits"), BITS.items())
def test_a_format_takes_its_element_and_its_part_of_what_a_block_shares(
    name: str, bits: float
) -> None:
    """Scales and zero points are kept too."""
    assert Models.Formats[name].bits == bits
    assert Models.Formats[name].width == bits / 8


@pytest.mark.parametrize("record", Models.Formats.values(), ids=str)
def test_the_title_tells_the_bits(record: NumberFormat) -> None:
    """What is listed is what is computed, to the digits shown."""
    found = re.search(r"\(([\d.]+) bits\)", record.title)
    assert found is not None
    assert float(found[1]) == pytest.approx(record.bits, abs=5e-4)


def test_every_precision_is_kept_somehow_and_every_arithmetic_is_one() -> None:
    """Weights are kept as they are multiplied unless something else is said."""
    assert set(Precision) <= set(Models.Formats)
    for record in Models.Formats.values():
        assert record.arithmetic == "" or record.arithmetic in set(Precision)


def test_fp4_is_nvfp4() -> None:
    """The name of the arithmetic stands for the format of those who make it."""
    assert Models.Formats.fp4.bits == Models.Formats.nvfp4.bits
    assert "NVFP4" in Models.Formats.fp4.title


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"element_bits": 4, "block": 32}, "block and scale_bits go together"),
        ({"element_bits": 4, "zero_bits": 4}, "zero_bits need a block"),
    ],
)
def test_a_half_stated_scale_is_refused(stated: dict[str, Any], message: str) -> None:
    """Bits that nobody shares cannot be divided."""
    with pytest.raises(CatalogError, match=message):
        NumberFormat(name="Mine", **stated)


def test_models_name_the_format_that_they_are_published_in() -> None:
    """Where the catalogue knows it."""
    assert Models.Language.GPT_OSS_120B.native_format is Models.Formats.mxfp4
    assert Models.Language.DeepSeek_V3.native_format is Models.Formats.fp8_block
    assert not Models.Language.Llama3_70B.has("native_format")
