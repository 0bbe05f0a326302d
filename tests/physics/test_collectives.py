"""Collectives against the ring's lower bound and against each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsysim.physics import collectives

FAST, SLOW = (300e9, 0.0), (25e9, 0.0)


def test_all_reduce_moves_twice_the_message_in_the_limit() -> None:
    """2 (g - 1)/g M/β: 8 members at 300 GB/s take 1.75 M/β."""
    # 1.75 * 3 GB / 300 GB/s = 17.5 ms
    assert collectives.all_reduce_time(3e9, 8, 1, FAST, SLOW) == pytest.approx(17.5e-3)


def test_each_level_carries_its_own_share() -> None:
    """Across k domains each member moves only M/g through its own port."""
    # inside 7/8 * 8 GB / 300 GB/s = 23.333 ms; across 3/4 * 1 GB / 25 GB/s = 30 ms
    found = collectives.gather_time(8e9, 8, 4, FAST, SLOW)
    assert found == pytest.approx(7 / 300 + 0.03)


@given(st.integers(1, 1000), st.floats(1e3, 1e12))
def test_one_member_needs_no_communication(domains: int, message: float) -> None:
    """A group of one takes no time, and hops cost their latency."""
    assert collectives.gather_time(message, 1, 1, FAST, SLOW) == 0
    slow = collectives.ring_gather_time(0.0, domains, 1.0, 2e-6)
    assert slow == pytest.approx(2e-6 * (domains - 1))


@pytest.mark.parametrize(("group", "share"), [(2, 64), (4, 192), (8, 448)])
def test_full_mesh_gives_a_small_group_a_small_share(group: int, share: int) -> None:
    """MI300X: seven links of 64 GB/s, of which a group of g uses g - 1."""
    assert collectives.mesh_bandwidth(448, group, 8, True) == share  # noqa: FBT003
    assert collectives.mesh_bandwidth(448, group, 8, False) == 448  # noqa: FBT003
