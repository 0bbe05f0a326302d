"""Models of several kinds of layers: their heaviest stage, and what a search makes of them."""

from typing import Any

import pytest
from hybrid_model import HYBRID

from mlsysim import DSE
from mlsysim.catalog import Models, Systems
from mlsysim.core.solver import DistributedModel
from mlsysim.stages.kinds import LayerKind, heaviest
from mlsysim.stages.serving.serving import ServingModel

H100 = Systems.Nodes.DGX_H100
SERVING: dict[str, Any] = {"batch_size": 16, "input_tokens": 2000, "output_tokens": 500}


def spread(counts: dict[int, int]) -> list[int]:
    """Lay kinds evenly among one another: each at the middles of equal parts."""
    places = [((2 * i + 1) / (2 * n), k) for k, n in counts.items() for i in range(n)]
    return [kind for _, kind in sorted(places)]


@pytest.mark.parametrize("counts", [(4, 8), (9, 54, 55), (3, 10), (6, 24)], ids=str)
@pytest.mark.parametrize("values", [(5.0, 2.0, 1.0), (1.0, 7.0, 3.0)], ids=str)
def test_no_stage_is_heavier_than_the_heaviest(
    counts: tuple[int, ...], values: tuple[float, ...]
) -> None:
    """Walk the stages of evenly mixed layers; a single stage holds exactly all of them."""
    layers = sum(counts)
    order = spread(dict(enumerate(counts)))
    values = values[: len(counts)]
    kinds = [LayerKind(layers=n, front=0, spread=n, among=layers) for n in counts]
    for each in range(1, layers + 1):
        stages = [order[start : start + each] for start in range(0, layers, each)]
        walked = max(sum(values[kind] for kind in stage) for stage in stages)
        bound = heaviest(each, kinds, values)
        assert walked <= bound + 1e-9
        assert bound <= walked + len(counts) * (max(values) - min(values))
    assert heaviest(layers, kinds, values) == pytest.approx(
        sum(n * value for n, value in zip(counts, values, strict=True))
    )


def test_states_take_memory_whatever_the_length() -> None:
    """Eight linear layers keep 4 x 16 x 64 x 64 bytes and 3 convolved tokens of 2,048 numbers."""
    alike = HYBRID.replace(
        linear_key_heads=16,
        groups=[
            {"name": "all", "layers": 13, "mixer": "linear"},
        ],
    )
    state = 4 * 16 * 64 * 64 + 2 * 3 * 3 * 16 * 64
    assert alike.bytes_per_sequence == 13 * state
    assert alike.kv_bytes_per_token(2) == 0

    def cache(tokens: int) -> float:
        given = {**SERVING, "input_tokens": tokens}
        result = ServingModel().solve(model=alike, fleet=H100, **given)
        return float(result.memory_kv_cache.m_as("byte"))

    assert cache(100) == cache(3000) == pytest.approx(16 * 13 * state)


def test_groups_are_traced_and_proven() -> None:
    """CP-SAT and the reference agree on a hybrid model, alone and as a choice beside another."""
    space = {"model": [HYBRID, Models.Language.Llama3_2_1B], "tp": [1, 2, 4], "pp": [1, 2, 3, 4]}

    def serve(params: dict[str, Any]) -> Any:
        return {
            "serving": ServingModel().solve(
                model=params["model"],
                fleet=H100,
                tp_size=params["tp"],
                pp_size=params["pp"],
                **SERVING,
            )
        }

    def train(params: dict[str, Any]) -> Any:
        return {
            "training": DistributedModel().solve(
                model=params["model"],
                fleet=Systems.Clusters.Lab_64_H100,
                batch_size=64,
                tp_size=params["tp"],
                pp_size=params["pp"],
                efficiency=0.4,
            )
        }

    for evaluate, objective in (
        (serve, "maximize: serving.tokens_per_second_per_accelerator"),
        (train, "minimize: training.memory_per_accelerator"),
    ):
        dse = DSE(space, objective)
        assert dse.cross_check(evaluate).agrees
        assert dse.search(evaluate, method="cp-sat").status.name == "OPTIMAL"
