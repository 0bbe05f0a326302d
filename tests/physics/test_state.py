"""State bytes against Rajbhandari et al. 2020 and figure 1 of Korthikanti et al. 2022."""

import pytest

from mlsysim.errors import ParameterError
from mlsysim.physics import state
from mlsysim.physics.state import StateBytes, ZeroStage

ADAM = state.optimizer_bytes("adamw", 4, 4096)


def per_parameter(zero_stage: int, replicas: int, gradient: int) -> float:
    """Add up weights, gradients and optimizer of one parameter."""
    return kept(
        state.state_of("zero", state.state_width("bf16"), gradient, ADAM), zero_stage, replicas
    )


def kept(parts: StateBytes, zero_stage: int, replicas: int) -> float:
    """Add up what is kept of one parameter."""
    total: float = state.weight_bytes(1, parts, zero_stage, replicas) + sum(
        state.state_bytes(1, width, state.shards(zero_stage, stage, replicas))
        for stage, width in (
            (ZeroStage.GRADIENTS, parts.gradient),
            (ZeroStage.OPTIMIZER, parts.optimizer),
        )
    )
    return total


@pytest.mark.parametrize(
    ("zero_stage", "gradient", "expected"),
    [
        (0, 2, 16),  # 2 + 2 + 12
        (1, 2, 4 + 12 / 64),
        (2, 2, 2 + 14 / 64),
        (3, 2, 16 / 64),
        (0, 4, 18),  # Megatron-LM
        (1, 4, 6 + 12 / 64),  # its distributed optimizer
    ],
)
def test_bytes_per_parameter(zero_stage: int, gradient: int, expected: float) -> None:
    """The bytes of both conventions, over 64 replicas."""
    assert per_parameter(zero_stage, 64, gradient) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("hidden", "layers", "stages", "gibibytes"),
    [(6144, 48, 1, 45.56), (12288, 96, 8, 45.56), (20480, 105, 35, 31.64), (25600, 128, 64, 32.96)],
)
def test_state_of_korthikanti_figure_1(
    hidden: int, layers: int, stages: int, gibibytes: float
) -> None:
    """18 bytes for each of 12 L h² parameters over t p accelerators, t = 8."""
    parameters = 12 * layers * hidden**2 / (8 * stages)
    assert parameters * per_parameter(0, 1, 4) / 2**30 == pytest.approx(gibibytes, abs=0.0051)


def test_single_precision_keeps_no_second_master() -> None:
    """fp32 takes 4 + 4 + 8 bytes, and an update reads the weight, however it is sharded."""
    for sharding in ("zero", "fsdp"):
        parts = state.state_of(sharding, state.state_width("fp32"), 4, ADAM)
        assert (parts.shard, parts.gradient, parts.optimizer) == (4, 4, 8)
        assert state.optimizer_traffic(1, 0, parts) == 4 + 2 * (4 + 8)


@pytest.mark.parametrize(
    ("zero_stage", "moment", "expected"),
    [
        (3, 4, 16 / 64),  # master copy, gradient, two moments
        (3, 2, 12 / 64),
        (2, 4, 2 + 16 / 64),  # weights stay gathered after the forward pass
    ],
)
def test_fully_sharded_state(zero_stage: int, moment: int, expected: float) -> None:
    """FSDP keeps no 16-bit copy of its own: 16 bytes a parameter where Megatron-LM has 18."""
    parts = state.state_of("fsdp", state.state_width("bf16"), 2, (2 * moment, 2 * moment))
    assert kept(parts, zero_stage, 64) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adamw", (8, 8)),
        ("adamw_8bit", (2.03125, 2.03125)),  # two bytes, and a scale of 4 for each 256
        ("adafactor", (8 / 4096, 8 / 4096)),  # a row's sum and a column's, over 4,096 each
        ("sgd", (0, 0)),
        ("sgd_momentum", (4, 4)),
        ("muon", (4, 8)),
    ],
)
def test_what_optimizers_keep(optimizer: str, expected: tuple[float, float]) -> None:
    """Bytes of a parameter of a layer, and of one of the tables."""
    assert state.optimizer_bytes(optimizer, 4, 4096) == expected


@pytest.mark.parametrize(("sharding", "expected"), [("zero", 8), ("fsdp", 8)])
def test_pure_bf16_is_eight_bytes(sharding: str, expected: float) -> None:
    """Weights, gradients and both moments in 16 bits, and nothing beside them."""
    moments = state.optimizer_bytes("adamw", 2, 4096)
    parts = state.state_of(sharding, state.state_width("bf16"), 2, moments, master=False)
    assert kept(parts, 3, 64) * 64 == expected


def test_unknown_precision_names_the_known_ones() -> None:
    """A precision in which nothing trains is refused, with the nearest names."""
    with pytest.raises(ParameterError, match=r"'fp9'.*fp"):
        state.state_width("fp9")
