"""Vision models: networks whose cost is stated per image, not per token."""

# ruff: noqa: RUF009 - the calls below make field descriptors, not shared defaults

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.fields import count
from mlsysim.catalog.measures import measure
from mlsysim.catalog.record import Record


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class VisionModel(Record):
    """A network that maps one image to scores.

    Parameters
    ----------
    parameters
        How many numbers it learns.
    forward_flops
        Arithmetic of one image, forward; one multiply and one add are two flops.
    products
        Matrix products and convolutions of a forward pass, one after another; elementwise kernels
        are part of them.
    image_size
        Height and width of the image in pixels.
    """

    parameters: int = count()
    forward_flops: Any = measure("Gflop")
    products: int = count()
    image_size: int = count(224)
