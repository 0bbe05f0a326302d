"""What is frozen in fine-tuning: weights without gradients, which are read and not updated."""

from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.state import state_width
from mlsysim.stages.serving.formats import attention_width, stored_width


@dataclass(frozen=True, kw_only=True)
class FrozenWidth:
    """Bytes per frozen weight.

    Parameters
    ----------
    own, routed
        Of layers, those of routed experts apart.
    widened
        Whether they are widened to be multiplied.
    """

    own: Any
    routed: Any
    widened: bool


def frozen_width(model: LanguageModel, precision: str, base_format: str | None) -> FrozenWidth:
    """Look up what frozen weights take: as working weights unless they have a format of their own.

    Parameters
    ----------
    model
        Of a mixture of experts some formats cover the experts only.
    precision
        Arithmetic of the matrix products.
    base_format
        Format of the frozen weights.
    """
    working = state_width(precision).weight
    if base_format is None:
        return FrozenWidth(own=working, routed=working, widened=False)
    routed = stored_width(base_format)
    own = attention_width(model, precision, base_format, None)
    return FrozenWidth(own=own, routed=routed, widened=routed < working)
