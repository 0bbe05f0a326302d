"""What kind of prediction an answer is made of: by which model, on what, of what.

How far a prediction can be trusted depends on all three (`mlsysim.report.accuracy`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.node import Node

FLEETS: Mapping[str, tuple[str, ...]] = {
    "DistributedModel": ("fleet",),
    "ServingModel": ("fleet",),
    "ContinuousBatchingModel": ("fleet",),
    "DisaggregatedModel": ("prefill_fleet", "decode_fleet"),
    "SingleNodeModel": ("accelerator",),
}
"""The models that predict speed and memory, with the arguments that say on what."""

BASES: Mapping[str, str] = {
    "ContinuousBatchingModel": "ServingModel",
    "DisaggregatedModel": "ServingModel",
}
"""Model -> the one whose passes it puts together, and whose accuracy it inherits."""

ADDERS = ("GoodputModel", "EconomicsModel", "ServingEconomicsModel", "MixedFleetModel")
"""Models that add up what others predict: in a pipeline, the accuracy told is that of those."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One kind of prediction.

    Parameters
    ----------
    stage
        The model that predicts.
    accelerator, family
        On what, and the family whose calibration it has; an accelerator without one is alone.
    mixture
        Whether the model that runs has experts.
    """

    stage: str
    accelerator: str
    family: str
    mixture: bool

    @property
    def kind(self) -> str:
        """Of what: ``"dense"`` or ``"mixture"``."""
        return "mixture" if self.mixture else "dense"


def evidence_on(stage: str, fleet: Cluster | Node | Accelerator, model: Any) -> Evidence:
    """Name the kind of a prediction."""
    accelerator = fleet if isinstance(fleet, Accelerator) else fleet.accelerator
    family = accelerator.calibration.name if accelerator.has("calibration") else accelerator.name
    return Evidence(
        stage=stage,
        accelerator=accelerator.name,
        family=family,
        mixture=isinstance(model, LanguageModel) and bool(model.experts),
    )


def evidence_of(result: Any, changes: Mapping[str, Any] | None = None) -> tuple[Evidence, ...]:
    """Name the kinds of predictions in the result of a pipeline, each once.

    Parameters
    ----------
    result
        The result, on plain values; of anything else than a pipeline nothing is known.
    changes
        Arguments that are to be taken as something else.
    """
    arguments = getattr(result, "arguments", None)
    if not isinstance(arguments, Mapping):
        return ()
    given = {**arguments, **(changes or {})}
    return tuple(dict.fromkeys([*_of_stages(result, given), *_of_designs(given)]))


def _of_stages(result: Any, given: Mapping[str, Any]) -> Iterator[Evidence]:
    for stage, names in FLEETS.items():
        if stage in result:
            fleets = (given.get(name) for name in names)
            yield from (
                evidence_on(stage, fleet, given.get("model"))
                for fleet in fleets
                if isinstance(fleet, (Cluster, Node, Accelerator))
            )


def _of_designs(given: Mapping[str, Any]) -> Iterator[Evidence]:
    """List those of the replicas of which a mixed fleet has some."""
    replicas = given.get("replicas")
    if not isinstance(replicas, Mapping):
        return
    used = [pool for pool, count in replicas.items() if count]
    for design in given.get("designs", ()):
        if any(pool.endswith(f"_on_{design.name}") for pool in used):
            yield from design.evidence
