"""Activation memory against table 2 and figure 1 of Korthikanti et al. 2022."""

import pytest

from mlsysim.physics import activations
from mlsysim.physics.schedule import microbatches_alive

GIB = 2**30

# h, L, a, p, v, b and the GiB of figure 1: nothing recomputed, and selective with sequence
# parallelism.  s = 2048, t = 8, and more microbatches than stages.
FIGURE_1 = [
    (6144, 48, 64, 1, 1, 4, 59.25, 9.5625),
    (12288, 96, 96, 8, 3, 1, 66.84, 12.35),
    (20480, 105, 128, 35, 3, 1, 114.02, 23.08),
    (25600, 128, 160, 64, 1, 1, 131.25, 26.56),
]


def classic(tokens: int, hidden: int, *, tensor: int = 8, split: bool) -> float:
    """Measure a classic layer with dropout: 10 h bytes per token outside, 24 h inside."""
    kept: float = activations.layer_activations(tokens, 10 * hidden, 24 * hidden, tensor, split)
    return kept


@pytest.mark.parametrize(
    ("hidden", "layers", "heads", "stages", "chunks", "batch", "everything", "selective"), FIGURE_1
)
def test_activations_of_korthikanti_figure_1(
    hidden: int,
    layers: int,
    heads: int,
    stages: int,
    chunks: int,
    batch: int,
    everything: float,
    selective: float,
) -> None:
    """Figure 1 comes out to the digits that are printed."""
    tokens = batch * 2048
    alive = microbatches_alive(1000 * stages, stages, chunks) * layers / stages
    scores = activations.score_bytes(tokens, 2048, heads, 8)
    plain, split = (
        alive
        * activations.stored_activations(
            mode, classic(tokens, hidden, split=shared) + scores, scores, scores, 0.0
        )
        for mode, shared in (("none", False), ("selective", True))
    )
    assert plain / GIB == pytest.approx(everything, abs=0.0051)
    assert split / GIB == pytest.approx(selective, abs=0.0051)


def test_smallest_model_is_exact() -> None:
    """34 s b h L / t is 9.5625 GiB for the 22B model, exactly."""
    # 34 * 2048 * 4 * 6144 * 48 / 8 = 10,267,656,192 bytes
    assert 48 * classic(4 * 2048, 6144, split=True) / GIB == 9.5625


def test_table_2() -> None:
    """Each row of table 2 follows, for s = b = 1 and h = 100, a = 10, t = 4."""
    assert classic(1, 100, tensor=1, split=False) == 34 * 100
    assert classic(1, 100, tensor=4, split=False) == 100 * (10 + 24 / 4)
    assert classic(1, 100, tensor=4, split=True) == 100 / 4 * 34
    assert activations.score_bytes(1, 1, 10, 4) == 5 * 10 / 4
    assert activations.stored_activations("full", 39.0, 5.0, 7.0, 2.0) == 2.0


@pytest.mark.parametrize("microbatches", [8, 9, 64, 1000])
def test_1f1b_memory_does_not_depend_on_microbatches(microbatches: int) -> None:
    """Once the pipeline is full, p microbatches are alive, however many there are."""
    assert microbatches_alive(microbatches, 8, 1) == 8


def test_no_more_are_alive_than_there_are() -> None:
    """Zero-bubble schedules keep one longer, of those that there are."""
    assert [microbatches_alive(m, 4, 1, 0, 1) for m in (1, 4, 5, 6)] == [1, 4, 5, 5]


@pytest.mark.parametrize(("stages", "chunks"), [(4, 1), (4, 2), (4, 3), (8, 2)])
def test_each_stage_holds_what_its_warm_up_admits(stages: int, chunks: int) -> None:
    """Megatron-LM warms up with p - 1 - i microbatches, or 2 (p - 1 - i) + (v - 1) p chunks."""
    for index in range(stages):
        behind = stages - 1 - index
        warm_up = behind if chunks == 1 else 2 * behind + (chunks - 1) * stages
        alive = microbatches_alive(1000, stages, chunks, index)
        assert alive == pytest.approx((warm_up + 1) / chunks)


def test_logits_of_a_large_vocabulary() -> None:
    """8192 tokens of Llama 3 have 2 x 3.9 GiB of logits and gradients."""
    # 8192 * 128256 * 4 bytes = 4.2 GB, and the gradient again
    assert activations.logit_bytes(8192, 128256, 1) == 2 * 8192 * 128256 * 4
    # a gradient in two steps is a third copy
    assert activations.logit_bytes(8192, 128256, 4, 12) == 3 * 8192 * 128256
