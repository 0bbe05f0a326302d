"""What the software of a training run does that no column says: the habits of its stack and time.

- Sequence parallelism comes with tensor parallelism on accelerators from 2022
  on, the year in which it was published (Korthikanti et al. 2022).
- Attention is fused and causal, but unfused on accelerators older than fused kernels.
  What llm-foundry and torchtitan use on Hopper is FlashAttention-2, which takes 1.5 to 2 times as
  long as kernels made for Hopper (Shah et al. 2024, FlashAttention-3): as long as the whole
  square on those.
- Traffic within a replica is overlapped in what is built on Megatron-Core (NeMo, Megatron-Bridge:
  ``tp_comm_overlap``), for mixtures of experts only where a column says so.  Elsewhere that
  between replicas is, with what runs beside gradients of weights.
- Mixtures of Megatron-Bridge on racks (GB200, GB300) send tokens by HybridEP and replay all but
  the experts from graphs from release 25.11 on, and from 26.06 on in MXFP8 whole iterations, with
  the exchanges of one microbatch beside the computation of another (its recipes, by commit in
  ``tests/measured/raw/recipes.csv``).  What NeMo and Megatron-Bridge were before 25.09 launched
  unfused kernels one by one, and had NCCL's all-to-all there alone.
- torchtitan and llm-foundry shard with PyTorch's FSDP, whose shards in 32 bits are the master
  copies.
- NeMo and Megatron-Bridge sum gradients in bfloat16 (``grad_reduce_in_fp32`` is off in their
  recipes); rows of mixtures do not show it.
- PyTorch's FSDP exchanges gradients and weights layer by layer, DeepSpeed and InternEvo tensor by
  tensor; whether others send their large buckets in one message or in some makes no difference
  that the rows tell.
- Every accelerator of a tensor-parallel group sends whole messages between pipeline stages in
  Megatron-DeepSpeed; the others share them.

Where a row names no stack, TPUs run MaxText.  Other accelerators from 2022 on run PyTorch's FSDP
where they share weights, and Megatron-Core where they do not and the row says how the model
was divided.  Who trained in half precision on the A100, which has bfloat16, did so before
FlashAttention (Dao et al. 2022), and did not overlap the sums of gradients.
"""

import re
from dataclasses import dataclass

from mlsysim.catalog.accelerator import Accelerator
from mlsysim.physics.state import ZeroStage
from mlsysim.validation.layouts import ParallelSizes, states_layout
from mlsysim.validation.training_row import TrainingRow
from mlsysim.validation.vocabulary import (
    Attention,
    Dispatcher,
    Graphs,
    MeasuredPrecision,
    Overlap,
    Sharding,
    Stack,
)

_YEAR_OF_SEQUENCE_PARALLELISM = 2022
_NARROW_GRADIENT = 2
_YEAR_OF_AMPERE = 2020
# Releases are named by year and month.
_CONTAINER = re.compile(r"\d\d\.\d\d")
_FUSED_SINCE, _PARTIAL_SINCE, _WHOLE_SINCE = "25.09", "25.11", "26.06"
_RACKS = ("GB200", "GB300")
_HOPPER = ("H100", "H200", "H800", "H20", "GH200")


@dataclass(frozen=True, kw_only=True)
class _Habits:
    """What a stack does unless a row says otherwise.

    Parameters
    ----------
    overlaps
        Whether traffic within a replica of a dense model is overlapped.
    second_attention
        Whether attention is FlashAttention-2.
    fsdp
        Whether state is sharded by PyTorch.
    shares_messages
        Whether a tensor-parallel group shares what goes to the next stage.
    narrow_gradients
        Whether gradients of a dense model are summed in 16 bits.
    sends
        The framework as whose replicas exchange gradients and weights, in messages of what size;
        None for one message.
    """

    overlaps: bool = False
    second_attention: bool = False
    fsdp: bool = False
    shares_messages: bool = True
    narrow_gradients: bool = False
    sends: str | None = None


_USUAL = _Habits()
_MEGATRON_CORE = _Habits(overlaps=True, narrow_gradients=True)
_PYTORCH = _Habits(second_attention=True, fsdp=True, sends="torchtitan")
_HABITS = {
    Stack.NEMO: _MEGATRON_CORE,
    Stack.MEGATRON_BRIDGE: _MEGATRON_CORE,
    Stack.MEGATRON_DEEPSPEED: _Habits(shares_messages=False),
    Stack.DEEPSPEED: _Habits(sends="deepspeed"),
    Stack.INTERNEVO: _Habits(sends="deepspeed"),
    Stack.TORCHTITAN: _PYTORCH,
    Stack.LLM_FOUNDRY: _PYTORCH,
}


@dataclass(frozen=True, kw_only=True)
class _MixtureHabits:
    """How a release launches the kernels of mixtures of experts, and sends their tokens."""

    graphs: Graphs | None = None
    dispatcher: Dispatcher | None = None
    overlap: Overlap | None = None


_UNKNOWN = _MixtureHabits()
_UNFUSED = _MixtureHabits(graphs=Graphs.UNFUSED, dispatcher=Dispatcher.ALLTOALL)
_PARTIAL = _MixtureHabits(graphs=Graphs.PARTIAL, dispatcher=Dispatcher.HYBRIDEP)
_FULL = _MixtureHabits(graphs=Graphs.FULL, dispatcher=Dispatcher.HYBRIDEP, overlap=Overlap.ALL)


def stack_of(row: TrainingRow, accelerator: Accelerator) -> tuple[Stack | None, tuple[str, ...]]:
    """Name the stack of a row, or suppose it, which is noted; None where nothing tells."""
    if row.stack is not None:
        return row.stack, ()
    supposed = None
    if accelerator.name.startswith("TPU"):
        supposed = Stack.MAXTEXT
    elif accelerator.year >= _YEAR_OF_SEQUENCE_PARALLELISM:
        if row.zero_stage is ZeroStage.WEIGHTS:
            supposed = Stack.TORCHTITAN
        elif states_layout(row):
            supposed = Stack.MEGATRON_BRIDGE
    return supposed, (f"stack supposed to be like {supposed}",) if supposed else ()


def sequence_parallel(row: TrainingRow, accelerator: Accelerator, tensor: int) -> bool:
    """Tell whether norms and residuals were split along the sequence."""
    if row.seq_parallel is not None:
        return row.seq_parallel and tensor > 1
    return tensor > 1 and accelerator.year >= _YEAR_OF_SEQUENCE_PARALLELISM


def options(
    row: TrainingRow, accelerator: Accelerator, division: ParallelSizes
) -> dict[str, object]:
    """Give options of `DistributedModel.solve`: those of the row, and those of its stack.

    An option that is not among them is the model's own default.
    """
    habits = _HABITS.get(row.stack, _USUAL) if row.stack else _USUAL
    old = row.stack is None and _is_old(row, accelerator)
    mixture = _mixture_habits(row, accelerator)
    found: dict[str, object] = {
        "attention": row.attention or _attention(accelerator, habits, old=old),
        "overlap": row.overlap
        or mixture.overlap
        or _overlap(row, habits, old=old and division.data > 1),
        "schedule": row.schedule,
        "optimizer_offload": row.optimizer_offload,
        "fused_loss": row.fused_loss,
        "gradient_bytes": row.gradient_bytes or _gradient_bytes(row, habits),
        "scatter_gather": row.scatter_gather,
        "zero_group": row.zero_group,
        "graphs": row.graphs or mixture.graphs,
        "dispatcher": row.dispatcher or mixture.dispatcher,
        "stack": habits.sends,
    }
    if division.zero_stage >= ZeroStage.GRADIENTS:
        found["sharding"] = row.sharding or (Sharding.FSDP if habits.fsdp else None)
    if row.scatter_gather is None and not habits.shares_messages:
        found["scatter_gather"] = False
    return {
        name: str(option) if isinstance(option, str) else option
        for name, option in found.items()
        if option is not None
    }


def _attention(accelerator: Accelerator, habits: _Habits, *, old: bool) -> Attention:
    if old or accelerator.year < _YEAR_OF_AMPERE:
        return Attention.UNFUSED
    second = habits.second_attention and accelerator.name.startswith(_HOPPER)
    return Attention.FULL if second else Attention.CAUSAL


def _overlap(row: TrainingRow, habits: _Habits, *, old: bool) -> Overlap | None:
    if old:
        return Overlap.NONE
    return Overlap.ALL if habits.overlaps and not row.moe_experts else None


def _mixture_habits(row: TrainingRow, accelerator: Accelerator) -> _MixtureHabits:
    """Give what a release of NeMo or Megatron-Bridge does on racks, where the row says nothing."""
    stated = row.graphs or row.dispatcher
    known = row.stack in {Stack.NEMO, Stack.MEGATRON_BRIDGE} and _CONTAINER.match(row.release)
    if stated or not known or not row.moe_experts or not accelerator.name.startswith(_RACKS):
        return _UNKNOWN
    if row.release < _FUSED_SINCE:
        return _UNFUSED
    if row.release >= _WHOLE_SINCE and row.precision is MeasuredPrecision.MXFP8:
        return _FULL
    return _PARTIAL if row.release >= _PARTIAL_SINCE else _UNKNOWN


def _gradient_bytes(row: TrainingRow, habits: _Habits) -> int | None:
    return _NARROW_GRADIENT if habits.narrow_gradients and not row.moe_experts else None


def _is_old(row: TrainingRow, accelerator: Accelerator) -> bool:
    return row.precision is MeasuredPrecision.FP16 and accelerator.year == _YEAR_OF_AMPERE
