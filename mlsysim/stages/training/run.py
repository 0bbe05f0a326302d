"""Everything that is known about a training run before memory and time are computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mlsysim.catalog.calibration import Calibration
from mlsysim.expr.functions import maximum, minimum, where
from mlsysim.physics.state import StateBytes, StateWidth
from mlsysim.stages.kinds import heaviest, is_zero, kinds_of
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.machine import Machine
from mlsysim.stages.per_stage import stages_listed
from mlsysim.stages.shape import ModelShape
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.frozen import FrozenWidth
from mlsysim.stages.training.layout import Layout
from mlsysim.stages.training.split import StagePart, frozen_others, listed_stages


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A model, a machine, and how the one is laid out on the other.

    Parameters
    ----------
    design, layout
        What the planner chose, and the counts that follow.
    shape, machine
        The model and the fleet as plain numbers.
    width
        Bytes per number of the precision.
    state
        Bytes per parameter, as the frameworks meant keep it.
    gradient
        Bytes per gradient on the wire and in kernels.
    frozen
        Bytes per frozen weight.
    efficiency, wide_efficiency
        Fraction of the peak that matrix products reach, and of the peak in 16 bits.
    calibration
        What the hardware achieves.
    """

    design: TrainingDesign
    layout: Layout
    shape: ModelShape
    machine: Machine
    width: StateWidth
    state: StateBytes
    gradient: Any
    frozen: FrozenWidth
    efficiency: Any
    wide_efficiency: Any
    calibration: Calibration

    def repeated(self, layers: Any) -> Any:
        """Give the share of the layers of a stage that full recomputation repeats."""
        counted: Any = self.design.recompute_layers
        return 1 if counted is None else self._share(counted, layers)

    def repeated_of(self, layers: Any) -> Any:
        """Give the same share of the layers of the model that have a backward pass."""
        counted: Any = self.design.recompute_layers
        if counted is None:
            return 1
        if not stages_listed(counted):
            return self._share(counted * self.design.pp_size, layers)
        groups = self.layout.groups
        return self._share(
            sum(group.count * group.slowest.recompute_layers for group in groups), layers
        )

    def _share(self, counted: Any, layers: Any) -> Any:
        return minimum(counted * self.design.virtual_stages / maximum(layers, 1), 1)

    def of_part(self, part: StagePart) -> "TrainingRun":
        """Give the same with another stage of the pipeline in question."""
        if part is self.layout.groups[-1].slowest and not listed_stages(self.design):
            return self
        design = replace(self.design, recompute_layers=part.recompute_layers)
        return replace(self, layout=self.layout.of_part(part, self.shape), design=design)

    @cached_property
    def others(self) -> tuple[LayerShape, ...]:
        """The kinds of layers that do not stand in front, heaviest first."""
        return kinds_of(self.shape, "others")

    @cached_property
    def kinds(self) -> tuple[LayerShape, ...]:
        """That which stands in front, and the others; one alone where it is both."""
        front: LayerShape = self.shape.front
        alone = len(self.others) == 1 and front is self.others[0]
        return self.others if alone else (front, *self.others)

    def over(self, values: Sequence[Any], layers: Any, others: Any) -> Any:
        """Add the values of `kinds` up over some layers, so many of which do not stand in front.

        Of those, the kinds that give most are as many as a stage may have.
        """
        front, *rest = values
        if not rest:
            return layers * front
        if len(rest) == 1:
            return layers * front + others * (rest[0] - front)
        return (layers - others) * front + heaviest(others, self.others, rest)

    def on_stage(self, figure: str) -> Any:
        """Add a figure of `LayerShape` up over the layers of the slowest stage."""
        values = [getattr(kind, figure) for kind in self.kinds]
        return self.over(values, self.layout.layers, self.layout.other_layers)

    def over_model(self, values: Sequence[Any]) -> Any:
        """Add the values of `kinds` up over the whole model."""
        return self.over(values, self.shape.layers, self.shape.other_layers)

    @property
    def useful(self) -> Any:
        """The tokens of a sequence that are not padding."""
        design = self.design
        if design.document_len is None:
            return design.seq_len
        return where(design.packed, design.seq_len, minimum(design.document_len, design.seq_len))

    @property
    def filled(self) -> Any:
        """The share of these."""
        return 1 if self.design.document_len is None else self.useful / self.design.seq_len

    @property
    def tunes_tables(self) -> bool:
        """Whether embeddings and the head are trained, and all else that has no adapters."""
        return self.design.adapter_rank is None

    @property
    def has_frozen_layers(self) -> bool:
        """Whether layers at the bottom may be frozen."""
        return not is_zero(self.design.frozen_layers)

    @property
    def is_partly_frozen(self) -> bool:
        """Whether any weight may be frozen."""
        return self.has_frozen_layers or not self.tunes_tables

    @cached_property
    def trained_part(self) -> "TrainingRun":
        """The same with the layers alone that have a backward pass."""
        layout = self.layout
        others = layout.other_layers
        return self._with_layers(layout.layers - layout.frozen, others - self.asleep(others), 0)

    @cached_property
    def frozen_part(self) -> "TrainingRun":
        """The same with the layers alone that have none."""
        frozen = self.layout.frozen
        return self._with_layers(frozen, self.asleep(self.layout.other_layers), frozen)

    def asleep(self, others: Any) -> Any:
        """Count the frozen layers of the stage among so many that do not stand in front."""
        return frozen_others(self.layout.frozen, self.layout.layers, others, self.shape.spread)

    def _with_layers(self, layers: Any, others: Any, frozen: Any) -> "TrainingRun":
        layout = replace(
            self.layout, layers=layers, other_layers=others, others_held=(others,), frozen=frozen
        )
        return replace(self, layout=layout)
