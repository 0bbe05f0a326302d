"""Training a language model on a fleet, with tensor, pipeline and data parallelism."""

from dataclasses import replace

from mlsysim.catalog.calibration import Calibration
from mlsysim.physics.flops import recomputed_flops
from mlsysim.physics.state import gradient_width, optimizer_bytes, state_of, state_width
from mlsysim.problem.verdict import Check
from mlsysim.stages.amounts import gigabytes
from mlsysim.stages.calibration import calibration_of
from mlsysim.stages.error_classes import Pace, times
from mlsysim.stages.knobs import takes
from mlsysim.stages.machine import machine_of
from mlsysim.stages.mapping import mapped
from mlsysim.stages.shape import shape_of
from mlsysim.stages.stage import ForwardModel
from mlsysim.stages.training.arithmetic import arithmetic_of, core_flops, model_flops
from mlsysim.stages.training.design import TrainingDesign
from mlsysim.stages.training.distributed_result import (
    DistributedResult,
    layout_metrics,
    memory_metrics,
    time_metrics,
    use_metrics,
)
from mlsysim.stages.training.frozen import frozen_width
from mlsysim.stages.training.layout import lay_out, layout_checks
from mlsysim.stages.training.memory import host_check, memory_of
from mlsysim.stages.training.run import TrainingRun
from mlsysim.stages.training.time import time_of
from mlsysim.stages.training.trained import checkpoint_bytes, trained_parameters
from mlsysim.stages.training.work import work_of


class DistributedModel(ForwardModel):
    """Predict the step time, throughput and memory of a training run.

    The replicas of ``tp_size * cp_size * pp_size`` accelerators share the global batch;
    the fullest replica and the fullest stage set the pace.  The formulas are in
    `mlsysim.physics`.

    Parameters
    ----------
    calibration
        What the hardware achieves of what it promises; that of the accelerator's
        family in the catalogue unless given.

    Examples
    --------
    >>> from mlsysim.catalog import Models, Systems
    >>> result = DistributedModel().solve(
    ...     model=Models.Language.Llama3_70B,
    ...     fleet=Systems.Clusters.Frontier_8K,
    ...     batch_size=128, tp_size=8, pp_size=4, efficiency=0.45,
    ... )
    >>> result.feasible, result.data_parallel_size
    (True, 256)
    """

    produces = ("effective_throughput", "utilization", "checkpoint_size")

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    @takes(TrainingDesign)
    def solve(self, design: TrainingDesign) -> DistributedResult:
        """Evaluate one design.

        Returns
        -------
        DistributedResult
            Metrics, and the checks that a design must pass to be feasible.

        Raises
        ------
        ParameterError
            If an argument is out of range.
        Infeasible
            If the accelerators have no arithmetic of this precision.
        MissingFigureError
            If a figure is needed that the catalogue does not have.
        """
        calibration = self.calibration or mapped(calibration_of, design.fleet.accelerator)
        machine = mapped(machine_of, design.fleet, design.precision, calibration, calibration)
        # Without adapters there is one shape, whatever they would be attached to.
        targets = None if design.adapter_rank is None else design.adapter_targets
        shape, width = (
            mapped(shape_of, design.model, targets),
            mapped(state_width, design.precision),
        )
        gradient = gradient_width(design.gradient_bytes, width.gradient)
        measured = design.efficiency is None
        pace = self.pace(design.fleet, design.model)
        found = _evaluate(
            TrainingRun(
                design=design,
                layout=lay_out(design, shape, machine),
                shape=shape,
                machine=machine,
                width=width,
                state=state_of(
                    design.sharding,
                    width,
                    gradient,
                    optimizer_bytes(design.optimizer, design.moment_bytes, shape.hidden),
                    master=design.master_weights,
                ),
                gradient=gradient,
                frozen=mapped(frozen_width, design.model, design.precision, design.base_format),
                efficiency=machine.efficiency if measured else design.efficiency,
                wide_efficiency=machine.wide_efficiency if measured else design.efficiency,
                calibration=calibration,
            ),
            pace,
        )
        return replace(found, checks={**found.checks, **self.support(pace)})


def _evaluate(run: TrainingRun, pace: Pace) -> DistributedResult:
    design, layout, machine = run.design, run.layout, run.machine
    work = work_of(run)
    arithmetic, frozen = arithmetic_of(run)
    time = times(time_of(run, work, arithmetic), pace.step)
    held, total = memory_of(run, work)
    offloaded = layout.per_node * held.offloaded
    held, total = times(held, pace.memory), pace.memory * total
    amounts = memory_metrics(held, total, machine.memory_capacity, offloaded)
    fits = Check.at_most(amounts["memory_per_accelerator"], amounts["memory_capacity"])
    computed = design.batch_size * design.seq_len
    tokens = design.batch_size * run.useful
    return DistributedResult(
        checks={
            **layout_checks(design, layout, run.shape, machine),
            "memory": fits,
            "host memory": host_check(run, offloaded),
        },
        **amounts,
        **time_metrics(time, tokens),
        **layout_metrics(design, layout),
        trained_parameters=trained_parameters(run),
        checkpoint_size=gigabytes(checkpoint_bytes(run)),
        parallelism={
            "tp": design.tp_size,
            "pp": design.pp_size,
            "cp": design.cp_size,
            "dp": layout.data,
        },
        **use_metrics(
            layout,
            time,
            design.batch_size,
            # Padding has no attention core, which is a mean over all tokens.
            tokens * model_flops(run, arithmetic, frozen)
            + (computed - tokens) * core_flops(arithmetic, frozen),
            recomputed_flops(
                design.recompute,
                computed * (arithmetic.repeatable - frozen.repeatable),
                computed * (arithmetic.core - frozen.core),
                computed * (arithmetic.up - frozen.up),
                run.repeated_of(run.shape.layers - design.frozen_layers),
            ),
            machine.peak,
        ),
    )
