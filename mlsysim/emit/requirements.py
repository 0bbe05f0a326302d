"""What the training frameworks have in common: no idle accelerators, no uneven shares."""

from mlsysim.emit.sheet import Sheet
from mlsysim.emit.training_plan import TrainingPlan
from mlsysim.physics.activations import UP_PROJECTIONS


def require_whole_replicas(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse a layout that leaves accelerators over."""
    replica = plan.tensor * plan.pipeline * plan.context
    sheet.require(
        f"{plan.accelerators} accelerators are no multiple of the {replica} of a replica",
        "choose tp_size, pp_size and cp_size whose product divides them, or other nodes",
        holds=plan.accelerators % replica == 0,
    )


def require_even_batch(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse a batch that replicas cannot share evenly."""
    share = plan.micro_batch * plan.data
    sheet.require(
        f"a global batch of {plan.batch} is no multiple of micro_batch_size x replicas = "
        f"{plan.micro_batch} x {plan.data} = {share}",
        f"take a batch_size that is a multiple of {share}{_fewer_nodes(plan)}, or add to the "
        f"question the constraint 'batch_size % ({plan.micro_batch} * "
        "DistributedModel.data_parallel_size) == 0'",
        holds=plan.even_batch,
    )


def require_one_way(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse pipelines that microbatches enter at both ends, for frameworks that have none."""
    sheet.require(
        "it has no bidirectional pipeline schedule",
        "fix schedule = '1f1b'; DualPipe is code of DeepSeek's own",
        holds=plan.schedule != "dualpipe",
    )


def require_wide_dispatch(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse tokens that go to their experts in 8 bits."""
    sheet.require(
        "its dispatchers of tokens send 16 bits in training",
        "fix dispatch = 'wide'",
        holds=plan.dispatch == "wide",
    )


def require_wide_state(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse moments and stored activations of fewer bits than the framework keeps."""
    sheet.require(
        "it keeps Adam's moments in 32 bits",
        "fix moment_bytes = 4, or emit for megatron",
        holds=plan.moment_bytes == 4,  # noqa: PLR2004 - bytes of fp32
    )
    sheet.require(
        "it keeps activations in the format of the products' results",
        "fix activation_storage = 'wide', or emit for megatron",
        holds=plan.activation_storage == "wide",
    )
    sheet.require(
        "its recomputation knows no up-projections",
        "choose another recompute, or emit for megatron",
        holds=plan.recompute != UP_PROJECTIONS,
    )


def _fewer_nodes(plan: TrainingPlan) -> str:
    """Propose nodes for the replicas that have work, where others have none."""
    busy, rest = divmod(plan.batch, plan.micro_batch)
    needed = busy * plan.tensor * plan.pipeline * plan.context
    nodes, part = divmod(needed, plan.fleet.node.accelerators)
    whole = rest == part == 0 and 0 < nodes < plan.nodes
    return f", or nodes = {nodes}, as only {busy} replicas have work" if whole else ""


def require_whole_experts(sheet: Sheet, plan: TrainingPlan) -> None:
    """Refuse expert parallelism that does not fit the model or the ranks of a stage."""
    ranks = plan.tensor * plan.context * plan.data
    dealt = bool(plan.model.experts) and plan.model.experts % plan.expert == 0
    sheet.require(
        f"ep_size = {plan.expert} does not divide {plan.model.experts} experts and the {ranks} "
        "accelerators of a stage",
        "choose one that divides both, or 1",
        holds=plan.expert == 1 or (dealt and ranks % plan.expert == 0),
    )
