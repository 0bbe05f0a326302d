"""Number formats: in how many bits a weight or a cached number is kept, scales included."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

import enum
from dataclasses import dataclass

from mlsysim.catalog.fields import choice, count, text
from mlsysim.catalog.record import Record


class Coverage(enum.StrEnum):
    """Which matrices of a layer a checkpoint keeps in a format; the others stay in 16 bits.

    Embeddings, the head, norms, biases and routers stay in 16 bits in any case.
    """

    LAYERS = "attention and MLPs"
    EXPERTS = "MLPs of a mixture of experts; attention and MLPs of a dense model"
    CACHE = "keys and values"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NumberFormat(Record):
    """How a number is kept in memory, which is not how it is multiplied.

    Parameters
    ----------
    element_bits
        Of one number.
    block
        Numbers that share a scale; 0 where so many do (a channel, a tensor) that it does not count.
    scale_bits, zero_bits
        Of the scale of a block, and of its zero point if it has one.
    arithmetic
        The precision that multiplies such numbers as they are; empty where they are always widened
        first.
    coverage
        What of a model is kept so.

    Examples
    --------
    >>> from mlsysim.catalog import Models
    >>> Models.Formats.mxfp4.bits, Models.Formats.int4.bits
    (4.25, 4.15625)
    """

    element_bits: int = count()
    block: int = count(0, least=0)
    scale_bits: int = count(0, least=0)
    zero_bits: int = count(0, least=0)
    arithmetic: str = text("")
    coverage: Coverage = choice(Coverage.LAYERS)

    def __post_init__(self) -> None:
        if bool(self.block) != bool(self.scale_bits):
            raise self._refuse("block and scale_bits go together; state both")
        if self.zero_bits and not self.block:
            raise self._refuse("zero_bits need a block that shares them; state block")

    @property
    def bits(self) -> float:
        """Bits of a number with its part of what its block shares."""
        shared = (self.scale_bits + self.zero_bits) / self.block if self.block else 0.0
        return self.element_bits + shared

    @property
    def width(self) -> float:
        """The same in bytes."""
        return self.bits / 8
