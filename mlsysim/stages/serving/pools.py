"""The arguments of `DisaggregatedModel.solve`: two pools of replicas of one engine."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.stages.domains import Measure, Whole
from mlsysim.stages.knobs import about, knob
from mlsysim.stages.machine import Fleet
from mlsysim.stages.serving.design import (
    FLEETS,
    MODELS,
    EngineDesign,
    LoadDesign,
    ServingDesign,
)

LAYOUT = tuple(
    name
    for name, item in ServingDesign.knobs().items()
    if name not in EngineDesign.knobs() and not item.positional
)
"""What is chosen for each pool apart: how its replicas are laid out, and how many there are."""


def _of(pool: str, name: str) -> Any:
    """Declare the argument of a pool that means what a `ServingDesign`'s does."""
    plain = ServingDesign.knobs()[name]
    return knob(
        plain.domain,
        f"Of the pool for {pool}: {plain.text[0].lower()}{plain.text[1:]}",
        default=plain.default,
        unit=plain.unit,
        applies=plain.applies,
    )


@dataclass(frozen=True)
class DisaggregatedDesign(EngineDesign, LoadDesign):
    """A pool for prefill and one for decode."""

    model: LanguageModel = field(metadata=about(MODELS, "What is served."))
    prefill_fleet: Fleet = field(
        metadata=about(
            FLEETS,
            "On what prompts are prefilled.  A pool is checked against its own fleet, and both "
            "together against a cluster that they share.",
        )
    )
    decode_fleet: Fleet = field(metadata=about(FLEETS, "On what tokens are decoded."))
    batch_size: int = field(
        metadata=about(Whole(), "Sequences that a decode replica holds at a time.", unit="sequence")
    )
    _: KW_ONLY
    prefill_tp_size: int = _of("prefill", "tp_size")
    prefill_pp_size: int = _of("prefill", "pp_size")
    prefill_ep_size: int = _of("prefill", "ep_size")
    prefill_redundant_experts: int = _of("prefill", "redundant_experts")
    prefill_attention_dp_size: int = _of("prefill", "attention_dp_size")
    prefill_replicas: int = _of("prefill", "replicas")
    decode_tp_size: int = _of("decode", "tp_size")
    decode_pp_size: int = _of("decode", "pp_size")
    decode_ep_size: int = _of("decode", "ep_size")
    decode_redundant_experts: int = _of("decode", "redundant_experts")
    decode_attention_dp_size: int = _of("decode", "attention_dp_size")
    decode_replicas: int = _of("decode", "replicas")
    transfer_bandwidth: Any = knob(
        Measure("GB/s", above=True),
        "Out of one accelerator of the prefill pool, in one direction, in GB/s or as a quantity; "
        "the slower of the two fleets' networks unless given.",
        default=None,
        unit="GB/s",
    )

    @property
    def prefill(self) -> ServingDesign:
        """The pool for prefill, which takes one prompt at a time in every group of every stage."""
        groups = self.prefill_attention_dp_size * self.prefill_pp_size
        return self._pool("prefill", batch_size=groups, draft_tokens=0, draft_model=None)

    @property
    def decode(self) -> ServingDesign:
        """The pool for decode, to which prefixes come with the prompts."""
        return self._pool("decode", batch_size=self.batch_size, prefixes=0, host_cache=None)

    def _pool(self, pool: str, **own: Any) -> ServingDesign:
        shared = {name: getattr(self, name) for name in ("model", *EngineDesign.knobs())}
        layout = {name: getattr(self, f"{pool}_{name}") for name in ("fleet", *LAYOUT)}
        return ServingDesign(**{**shared, **layout, **own})
