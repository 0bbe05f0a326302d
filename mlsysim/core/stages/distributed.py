"""Training a language model on a fleet, with tensor, pipeline and data parallelism."""

from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.core.stage import ForwardModel
from mlsysim.core.stages.arguments import (
    check_flag,
    check_number,
    check_option,
    check_record,
    check_whole,
)
from mlsysim.core.stages.calibration import Calibration
from mlsysim.core.stages.distributed_result import (
    DistributedResult,
    layout_metrics,
    memory_metrics,
    time_metrics,
    use_metrics,
)
from mlsysim.core.stages.layout import Choices, lay_out, layout_checks
from mlsysim.core.stages.machine import efficiency_of, machine_of
from mlsysim.core.stages.mapping import mapped
from mlsysim.core.stages.shape import shape_of
from mlsysim.core.stages.training_memory import memory_of
from mlsysim.core.stages.training_run import Run, arithmetic_of, work_of
from mlsysim.core.stages.training_time import time_of
from mlsysim.physics.flops import recomputed_flops, training_flops
from mlsysim.physics.state import STATE_WIDTHS, gradient_width, state_width
from mlsysim.problem.verdict import Check

RECOMPUTE = ("none", "selective", "full")


class DistributedModel(ForwardModel):
    """Predict the step time, throughput and memory of a training run.

    The replicas of ``tp_size * pp_size`` accelerators share the global batch;
    the fullest replica and the fullest stage set the pace.  The formulas are in
    `mlsysim.physics`.  Expert parallelism is not modelled yet: all experts
    are split by tensor parallelism alone.

    Parameters
    ----------
    calibration
        What the hardware achieves of what it promises.

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

    produces = ("effective_throughput", "utilization")

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration or Calibration()

    def solve(  # noqa: PLR0913 - these are the knobs of a training run
        self,
        model: LanguageModel,
        fleet: Cluster,
        batch_size: int,
        *,
        tp_size: int = 1,
        pp_size: int = 1,
        precision: str = "fp16",
        efficiency: float | None = None,
        seq_len: int = 2048,
        micro_batch_size: int = 1,
        virtual_stages: int = 1,
        zero_stage: int = 1,
        recompute: str = "selective",
        sequence_parallel: bool = False,
        gradient_bytes: int = 4,
        nodes: int | None = None,
    ) -> DistributedResult:
        """Evaluate one design.

        Parameters
        ----------
        model
            What is trained.
        fleet
            On what.
        batch_size
            Sequences per step over all replicas.  Replicas beyond it are idle: paid
            for, without work.
        tp_size
            Accelerators that share each layer.  It must divide the heads and the MLP; a group
            that does not fit a scale-up domain communicates over the network.
        pp_size
            Accelerators in a row that share the stack of layers, ``ceil(L / pp_size)`` each.
        precision
            Arithmetic of the matrix products.  In 8 and 4 bits, weights and
            activations are still kept in 16.
        efficiency
            Fraction of the dense peak that large matrix products reach; element-wise
            kernels and launches come on top.  The accelerator's best measured one unless given.
        seq_len
            Tokens per sequence.
        micro_batch_size
            Sequences that go through the pipeline together; the last microbatch may be smaller
            and costs as much.
        virtual_stages
            Chunks of layers per pipeline stage (interleaved 1F1B); above 1 the
            microbatches must come in multiples of `pp_size`.
        zero_stage
            What replicas share: 0 nothing, 1 optimizer states (Megatron-LM's
            distributed optimizer), 2 gradients too, 3 weights too.
        recompute
            What the backward pass computes again: nothing, the attention core (as fused
            attention does), or whole layers.
        sequence_parallel
            Whether norms and residuals are split along the sequence, within tensor parallelism.
        gradient_bytes
            Bytes per gradient, in memory and on the wire: 4 or 2.
        nodes
            How many nodes of the fleet are used and paid for; all unless given.

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
        check_record("model", model, LanguageModel)
        check_record("fleet", fleet, Cluster)
        check_option("precision", precision, STATE_WIDTHS)
        check_option("recompute", recompute, RECOMPUTE)
        check_option("gradient_bytes", gradient_bytes, (2, 4))
        machine = mapped(machine_of, fleet, precision, self.calibration)
        if efficiency is None:
            efficiency = mapped(efficiency_of, fleet.accelerator, precision)
        choices = Choices(
            batch_size=batch_size,
            tensor=tp_size,
            pipeline=pp_size,
            virtual_stages=virtual_stages,
            micro_batch=micro_batch_size,
            seq_len=seq_len,
            nodes=machine.nodes if nodes is None else nodes,
            zero_stage=zero_stage,
            recompute=recompute,
            sequence_parallel=sequence_parallel,
            efficiency=efficiency,
        )
        _check(choices)
        shape, width = mapped(shape_of, model), mapped(state_width, precision)
        return _evaluate(
            Run(
                choices=choices,
                layout=lay_out(choices, shape, machine),
                shape=shape,
                machine=machine,
                width=width,
                gradient=gradient_width(gradient_bytes, width.gradient),
                calibration=self.calibration,
            )
        )


def _evaluate(run: Run) -> DistributedResult:
    choices, layout, machine = run.choices, run.layout, run.machine
    work, arithmetic = work_of(run), arithmetic_of(run)
    time = time_of(run, work, arithmetic)
    amounts = memory_metrics(memory_of(run, work), machine.memory_capacity)
    fits = Check.at_most(amounts["memory_per_accelerator"], amounts["memory_capacity"])
    tokens = choices.batch_size * choices.seq_len
    core = run.shape.layers * arithmetic.core
    in_layers = core + arithmetic.layers
    return DistributedResult(
        checks={**layout_checks(choices, layout, run.shape, machine), "memory": fits},
        **amounts,
        **time_metrics(time, tokens),
        **layout_metrics(layout),
        **use_metrics(
            layout,
            time,
            choices.batch_size,
            training_flops(tokens * (in_layers + arithmetic.head)),
            recomputed_flops(choices.recompute, tokens * in_layers, tokens * core),
            machine.peak,
        ),
    )


def _check(choices: Choices) -> None:
    check_whole("batch_size", choices.batch_size)
    check_whole("tp_size", choices.tensor)
    check_whole("pp_size", choices.pipeline)
    check_whole("seq_len", choices.seq_len)
    check_whole("micro_batch_size", choices.micro_batch)
    check_whole("virtual_stages", choices.virtual_stages)
    check_whole("nodes", choices.nodes)
    check_whole("zero_stage", choices.zero_stage, least=0, most=3)
    check_flag("sequence_parallel", choices.sequence_parallel)
    check_number("efficiency", choices.efficiency, most=1.0, above=True)
