"""Block shapes for a budget."""

from math import prod

from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.autosize import fit_block

axes = st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 300)), min_size=1, max_size=4).map(
    lambda pairs: tuple(zip(*pairs, strict=True))
)


@given(axes, st.integers(1, 10**7))
def test_a_block_fits_the_budget_and_the_array(axes, budget):
    lengths, units = axes
    block = fit_block(lengths, budget, units)
    assert all(1 <= size <= length for size, length in zip(block, lengths, strict=True))
    assert prod(block) <= budget


@given(axes, st.integers(1, 10**7))
def test_blocks_are_whole_units_when_units_fit(axes, budget):
    lengths, units = axes
    units = tuple(map(min, units, lengths))
    hard = fit_block(lengths, budget, units, hard=True)
    for size, unit, length in zip(hard, units, lengths, strict=True):
        assert size % unit == 0 or size == length
    if prod(units) <= budget:
        assert fit_block(lengths, budget, units) == hard


@given(st.integers(1, 10_000), st.integers(1, 3), st.integers(1, 10**6))
def test_a_cube_is_cut_into_cubes_that_use_the_budget(length, ndim, budget):
    block = fit_block((length,) * ndim, budget, (1,) * ndim)
    assert len(set(block)) == 1
    # The next finer cut into equal parts would have fitted as well only if this one is coarser.
    n_blocks = -(-length // block[0])
    coarser = -(-length // (n_blocks - 1)) if n_blocks > 1 else length + 1
    assert coarser**ndim > budget or n_blocks == 1


def test_large_units_are_cut_into_exact_parts_where_possible():
    assert fit_block((4096, 4096), 2**20, (2048, 2048)) == (1024, 1024)
    assert fit_block((90, 90), 2500, (90, 90)) == (45, 45)
    assert fit_block((97,), 50, (97,)) == (49,)
    assert fit_block((10**6, 100), 10**7, (10**6, 100)) == (10**5, 100)
