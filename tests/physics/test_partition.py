"""How work is split, and where groups sit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from mlsysim.physics import partition


@given(st.integers(0, 500), st.integers(1, 80))
@examples(50)
def test_the_fullest_and_the_emptiest_part(total: int, parts: int) -> None:
    """Items dealt out one after the other fill the first parts by one more than the last."""
    held = [len(part) for part in np.array_split(np.arange(total), parts)]
    assert partition.fullest_share(total, parts) == max(held)
    assert partition.slack(total, parts) == max(held) - min(held)


@pytest.mark.parametrize(
    ("size", "stride", "together"),
    [
        (8, 1, 8),  # a tensor-parallel group fills the node
        (16, 1, 8),  # two nodes
        (4, 1, 4),
        (3, 1, 1),  # 3 does not divide 8: some groups straddle two nodes
        (64, 8, 1),  # data-parallel ranks behind tp = 8 have a node each
        (64, 2, 4),  # behind tp = 2, four to a node
        (2, 2, 2),
        (5, 3, 1),  # neighbours 3 apart do not tile a node
    ],
)
def test_members_of_a_group_in_a_node_of_eight(size: int, stride: int, together: int) -> None:
    """Ranks are numbered with tensor parallelism fastest."""
    assert partition.members_together(size, stride, 8, 1024) == together


def test_a_run_inside_one_domain_is_all_together() -> None:
    """A group of 3 in a run of 6 on one node of 8 needs no network."""
    assert partition.members_together(3, 1, 8, 6) == 3


def test_layers_of_two_kinds() -> None:
    """Experts follow dense layers (DeepSeek-V3), or alternate with them (Llama 4 Maverick)."""
    # 61 layers, the first 3 dense: any later stage of 16 has 16 with experts; one stage has 58
    assert partition.most_on_stage(16, 58, 0, 58, 58) == 16
    assert partition.most_on_stage(61, 58, 0, 58, 58) == 58
    # 48 layers, every second with experts: 6 of 12
    assert partition.most_on_stage(12, 24, 0, 24, 48) == 6
