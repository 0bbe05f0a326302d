"""Training a language model on a fleet, with tensor, pipeline and data parallelism."""

from mlsysim.catalog.calibration import Calibration
from mlsysim.catalog.cluster import Cluster
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.activations import RECOMPUTE
from mlsysim.physics.flops import recomputed_flops, training_flops
from mlsysim.physics.schedule import SCHEDULES
from mlsysim.physics.state import STATE_WIDTHS, gradient_width, state_of, state_width
from mlsysim.problem.verdict import Check
from mlsysim.stages.arguments import (
    check_flag,
    check_number,
    check_option,
    check_precision,
    check_record,
    check_whole,
)
from mlsysim.stages.mapping import mapped
from mlsysim.stages.stage import ForwardModel
from mlsysim.stages.training.calibration import calibration_of
from mlsysim.stages.training.distributed_result import (
    DistributedResult,
    layout_metrics,
    memory_metrics,
    time_metrics,
    use_metrics,
)
from mlsysim.stages.training.layout import Choices, lay_out, layout_checks
from mlsysim.stages.training.machine import machine_of
from mlsysim.stages.training.memory import memory_of
from mlsysim.stages.training.run import Run, arithmetic_of, work_of
from mlsysim.stages.training.shape import shape_of
from mlsysim.stages.training.time import time_of

OVERLAPS = ("none", "data", "all")
ATTENTIONS = ("causal", "full", "unfused")
SHARDINGS = ("zero", "fsdp")
FORMATS = ("wide", "fp8")


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

    produces = ("effective_throughput", "utilization")

    def __init__(self, *, calibration: Calibration | None = None) -> None:
        self.calibration = calibration

    def solve(  # noqa: PLR0913 - these are the knobs of a training run
        self,
        model: LanguageModel,
        fleet: Cluster,
        batch_size: int,
        *,
        tp_size: int = 1,
        pp_size: int = 1,
        cp_size: int = 1,
        ep_size: int = 1,
        precision: str = "fp16",
        efficiency: float | None = None,
        seq_len: int = 2048,
        micro_batch_size: int = 1,
        virtual_stages: int = 1,
        schedule: str = "1f1b",
        overlap: str = "data",
        attention: str = "causal",
        zero_stage: int = 1,
        sharding: str = "zero",
        recompute: str = "selective",
        sequence_parallel: bool = False,
        scatter_gather: bool = True,
        fused_loss: bool = False,
        optimizer_offload: bool = False,
        gradient_bytes: int = 4,
        moment_bytes: int = 4,
        activation_storage: str = "wide",
        dispatch: str = "wide",
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
        cp_size
            Accelerators that share each sequence; keys and values go round among them.
        ep_size
            Accelerators of a stage among which whole experts are dealt out, taken from those of
            tensor, context and data parallelism.  With 1, tensor parallelism splits
            each expert.
        precision
            Arithmetic of the matrix products.  In 8 and 4 bits, weights and
            activations are still kept in 16, and attention and the output head compute in 16.
        efficiency
            Fraction of the dense peak that large matrix products reach; element-wise
            kernels and launches come on top.  Unless given, what kernels and runs on such
            accelerators were measured to reach.
        seq_len
            Tokens per sequence.
        micro_batch_size
            Sequences that go through the pipeline together; the last microbatch may be smaller
            and costs as much.
        virtual_stages
            Chunks of layers per pipeline stage (interleaved 1F1B); above 1 the
            microbatches must come in multiples of `pp_size`.
        schedule
            ``"1f1b"`` (interleaved where there are virtual stages), ``"interleaved"`` (insists on
            them), ``"zero-bubble"``, which fills the bubble with gradients of weights, or
            ``"dualpipe"``, in which microbatches enter at both ends and each accelerator holds
            two stages (DeepSeek-V3).
        overlap
            What computation hides of communication: nothing (``"none"``); the traffic between
            replicas and what can run beside gradients of weights (``"data"``, Megatron-LM's
            default); or the other traffic within replicas too (``"all"``).
        attention
            Fused kernels with a mask that is ``"causal"`` or ``"full"``, or ``"unfused"``
            ones, which compute the whole square and write it to memory.
        zero_stage
            What replicas share: 0 nothing, 1 optimizer states (Megatron-LM's
            distributed optimizer), 2 gradients too, 3 weights too.
        sharding
            How the state is kept: ``"zero"``, working weights beside the optimizer's master copies
            (Megatron-LM and DeepSpeed: 18 bytes a parameter with gradients of 4), or ``"fsdp"``,
            shards in 32 bits that are the master copies themselves, gathered in 16 (PyTorch's
            FSDP2, torchtitan: 16 bytes); it needs stage 2 (weights stay gathered) or 3.
        recompute
            What the backward pass computes again: nothing; what takes most memory for least work
            (``"selective"``), which is the attention core, or norms and activation functions where
            kernels are fused (these rebuild the core in any case); norms, activation functions
            and the up-projections of latent attention (``"norms_and_up_projections"``); every
            second layer (``"alternate"``); or all.
        sequence_parallel
            Whether norms and residuals are split along the sequence, within tensor parallelism.
        scatter_gather
            Whether a tensor-parallel group shares the sending of what goes to the next stage, as
            Megatron-LM does and DeepSpeed does not; sequence parallelism shares it in any case.
        fused_loss
            Whether the loss is computed piece by piece, so that logits are never kept.
        optimizer_offload
            Whether the optimizer's states live in the host's memory, which is slow.
        gradient_bytes
            Bytes per gradient, in memory and on the wire: 4 or 2; 6 keeps both, and sends 4
            (DeepSpeed's bf16 optimizer).
        moment_bytes
            Bytes of each of Adam's two moments: 4, or 2 for bf16.
        activation_storage
            How inputs of matrix products and of activation functions wait for the backward pass:
            ``"wide"``, in 16 bits (32 in single precision), or ``"fp8"``, with a scale for each
            128 numbers; the latter takes one pass more over them.
        dispatch
            Format of tokens on their way to experts of other ranks, ``"wide"`` or ``"fp8"``.
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
        check_precision("precision", precision, STATE_WIDTHS)
        check_option("recompute", recompute, RECOMPUTE)
        check_option("schedule", schedule, SCHEDULES)
        check_option("overlap", overlap, OVERLAPS)
        check_option("attention", attention, ATTENTIONS)
        check_option("sharding", sharding, SHARDINGS)
        check_option("activation_storage", activation_storage, FORMATS)
        check_option("dispatch", dispatch, FORMATS)
        check_option("gradient_bytes", gradient_bytes, (2, 4, 6))
        check_option("moment_bytes", moment_bytes, (2, 4))
        calibration = self.calibration or mapped(calibration_of, fleet.accelerator)
        machine = mapped(machine_of, fleet, precision, calibration)
        measured = efficiency is None
        choices = Choices(
            batch_size=batch_size,
            tensor=tp_size,
            pipeline=pp_size,
            context=cp_size,
            expert=ep_size,
            virtual_stages=virtual_stages,
            micro_batch=micro_batch_size,
            seq_len=seq_len,
            nodes=machine.nodes if nodes is None else nodes,
            zero_stage=zero_stage,
            recompute=recompute,
            schedule=schedule,
            overlap=overlap,
            attention=attention,
            sharding=sharding,
            activation_storage=activation_storage,
            dispatch=dispatch,
            sequence_parallel=sequence_parallel,
            scatter_gather=scatter_gather,
            fused_loss=fused_loss,
            optimizer_offload=optimizer_offload,
            gradient_bytes=gradient_bytes,
            moment_bytes=moment_bytes,
            efficiency=machine.efficiency if measured else efficiency,
            wide_efficiency=machine.wide_efficiency if measured else efficiency,
        )
        _check(choices)
        shape, width = mapped(shape_of, model), mapped(state_width, precision)
        gradient = gradient_width(gradient_bytes, width.gradient)
        return _evaluate(
            Run(
                choices=choices,
                layout=lay_out(choices, shape, machine),
                shape=shape,
                machine=machine,
                width=width,
                state=state_of(sharding, width, gradient, moment_bytes),
                gradient=gradient,
                calibration=calibration,
            )
        )


def _evaluate(run: Run) -> DistributedResult:
    choices, layout, machine = run.choices, run.layout, run.machine
    work, arithmetic = work_of(run), arithmetic_of(run)
    time = time_of(run, work, arithmetic)
    amounts = memory_metrics(*memory_of(run, work), machine.memory_capacity)
    fits = Check.at_most(amounts["memory_per_accelerator"], amounts["memory_capacity"])
    tokens = choices.batch_size * choices.seq_len
    core = run.shape.layers * arithmetic.core
    in_layers = core + arithmetic.layers
    return DistributedResult(
        checks={**layout_checks(choices, layout, run.shape, machine), "memory": fits},
        **amounts,
        **time_metrics(time, tokens),
        **layout_metrics(layout),
        parallelism={
            "tp": choices.tensor,
            "pp": choices.pipeline,
            "cp": choices.context,
            "dp": layout.data,
        },
        **use_metrics(
            layout,
            time,
            choices.batch_size,
            training_flops(tokens * (in_layers + arithmetic.head)),
            recomputed_flops(
                choices.recompute, tokens * in_layers, tokens * core, tokens * arithmetic.up
            ),
            machine.peak,
        ),
    )


def _check(choices: Choices) -> None:
    check_whole("batch_size", choices.batch_size)
    check_whole("tp_size", choices.tensor)
    check_whole("pp_size", choices.pipeline)
    check_whole("cp_size", choices.context)
    check_whole("ep_size", choices.expert)
    check_whole("seq_len", choices.seq_len)
    check_whole("micro_batch_size", choices.micro_batch)
    check_whole("virtual_stages", choices.virtual_stages)
    check_whole("nodes", choices.nodes)
    check_whole("zero_stage", choices.zero_stage, least=0, most=3)
    check_flag("sequence_parallel", choices.sequence_parallel)
    check_flag("scatter_gather", choices.scatter_gather)
    check_flag("fused_loss", choices.fused_loss)
    check_flag("optimizer_offload", choices.optimizer_offload)
    check_number("efficiency", choices.efficiency, most=1.0, above=True)
