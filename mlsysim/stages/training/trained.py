"""What of the whole model is trained, and what a run has to save of it to go on."""

from collections.abc import Callable
from typing import Any

from mlsysim.expr.functions import minimum, where
from mlsysim.stages.layer_shape import LayerShape
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.split import frozen_others


def trained_parameters(run: TrainingRun) -> Any:
    """Count the parameters of the whole model that are trained."""
    return _layers(run) + _tables(run)


def checkpoint_bytes(run: TrainingRun) -> Any:
    """Measure what a checkpoint holds (byte): all that a step changes, and frozen layers.

    That is each trained weight with what the optimizer keeps of it, ``N_t (w_s + o)``: 14 bytes
    with Adam in mixed precision, 12 where the shard is the master copy.  Gradients are computed
    anew.  Frozen layers go with the rest of their model; what adapters stand beside is elsewhere
    already, and is not saved again (Hu et al. 2021, arXiv 2106.09685, section 4.2).
    """
    state = run.state
    saved = _layers(run) * (state.shard + state.optimizer)
    saved = saved + _tables(run) * (state.shard + state.table_optimizer)
    if run.design.adapter_rank is not None or not run.has_frozen_layers:
        return saved
    width = run.frozen
    asleep = _below(
        run, lambda kind: width.own * kind.parameters + width.routed * kind.routed_parameters
    )
    return saved + asleep + state.working * _frozen_tables(run)


def _layers(run: TrainingRun) -> Any:
    """Count what is trained of all layers."""
    each = [_trained(run, kind) for kind in run.kinds]
    found = run.over_model(each)
    return found - _below(run, lambda kind: _trained(run, kind)) if run.has_frozen_layers else found


def _trained(run: TrainingRun, kind: LayerShape) -> Any:
    rank = run.design.adapter_rank
    if rank is None:
        return kind.parameters + kind.routed_parameters
    return rank * (kind.adapter_whole + kind.adapter_divided + kind.adapter_experts)


def _tables(run: TrainingRun) -> Any:
    """Count what is trained of what is in no layer."""
    if not run.tunes_tables:
        return 0
    everything = run.shape.tables + run.shape.own_head
    return everything - _frozen_tables(run) if run.has_frozen_layers else everything


def _frozen_tables(run: TrainingRun) -> Any:
    """Count the embedding, which frozen layers freeze with them unless it is also the head."""
    embedding = where(run.shape.is_tied, 0, run.shape.tables)
    return where(run.design.frozen_layers > 0, embedding, 0)


def _below(run: TrainingRun, figure: Callable[[LayerShape], Any]) -> Any:
    """Add a figure of a layer up over the frozen ones."""
    shape = run.shape
    below = minimum(run.design.frozen_layers, shape.layers)
    others = frozen_others(below, shape.layers, shape.other_layers, shape.spread)
    return run.over([figure(kind) for kind in run.kinds], below, others)
