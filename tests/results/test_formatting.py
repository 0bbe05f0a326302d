"""Numbers and designs as people read them."""

from mlsysim.results.formatting import design, number


def test_huge_whole_numbers_are_powers_of_ten() -> None:
    """A space of 10^400 designs does not fill the page, nor does it have to fit a float."""
    assert number(999_999_999_999_999) == "999,999,999,999,999"
    assert number(10**15) == "1.00e15"
    assert number(608 * 10**398) == "6.08e400"


def test_of_many_counts_the_zeros_are_left_out() -> None:
    """Of 30 pools two have replicas; a design of few choices is written out, zeros and all."""
    counts = {f"pool_{place}": 0 for place in range(30)} | {"pool_3": 5, "pool_7": 1}
    assert design(counts) == "pool_3=5, pool_7=1, 28 others = 0"
    assert design({"tp": 8, "draft_tokens": 0, "eager": False}) == (
        "tp=8, draft_tokens=0, eager=False"
    )
