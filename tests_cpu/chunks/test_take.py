"""Takes carried out block by block, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import offsets, uniform_sizes
from gpuscale.chunks.take import TakeStep, normalize_take, plan_take, take_sizes

axis_sizes = st.lists(st.integers(0, 6), min_size=1, max_size=40).map(tuple)


def carry_out(step, data):
    assert sum(step.in_sizes) == len(data)
    blocks = np.split(data, offsets(step.in_sizes)[1:-1])
    out_blocks = []
    for out_block, size in enumerate(step.out_sizes):
        out = np.full(size, -1)
        reads = step.block(out_block).reads()
        assert len(reads) >= 1
        assert len({read.block for read in reads}) == len(reads)
        for block, positions, places in reads:
            out[places] = blocks[block][positions]
        out_blocks.append(out)
    return np.concatenate(out_blocks)


@st.composite
def takes(draw):
    sizes = draw(axis_sizes)
    length = sum(sizes)
    n_taken = draw(st.integers(0, 120)) if length else 0
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    kind = draw(st.sampled_from(["any", "ascending", "descending", "permutation"]))
    index = rng.permutation(length) if kind == "permutation" else rng.integers(0, length, n_taken)
    if kind == "ascending":
        index.sort()
    if kind == "descending":
        index[::-1].sort()
    return index, sizes


@given(takes(), st.sampled_from([0, 100, 10**9]), st.sampled_from([1, 10**6]))
def test_the_steps_take_what_numpy_takes(case, max_bytes, row_bytes):
    index, sizes = case
    data = np.arange(sum(sizes)) * 10
    expected = data[index]
    steps = plan_take(index, sizes, row_bytes, max_bytes)
    assert 1 <= len(steps) <= 3
    for step in steps:
        data = carry_out(step, data)
    np.testing.assert_array_equal(data, expected)
    assert steps[-1].out_sizes == take_sizes(index, sizes)


@given(takes(), axis_sizes)
def test_output_blocks_can_be_chosen(case, out_sizes):
    index, sizes = case
    out_sizes = tuple(np.diff([min(cut, len(index)) for cut in offsets(out_sizes)]))
    out_sizes += (len(index) - sum(out_sizes),)
    data = np.arange(sum(sizes))
    (*_, last) = steps = plan_take(index, sizes, 8, 0, out_sizes)
    for step in steps:
        data = carry_out(step, data)
    assert last.out_sizes == out_sizes
    np.testing.assert_array_equal(data, index)


@given(takes())
def test_output_blocks_are_hardly_larger_than_input_blocks(case):
    index, sizes = case
    out_sizes = take_sizes(index, sizes)
    assert sum(out_sizes) == len(index)
    assert max(out_sizes) < 2 * max(1, *sizes)
    if len(index) and (np.diff(index) >= 0).all():
        step = TakeStep(index, sizes, out_sizes, True)
        assert all(len(step.block(block).reads()) == 1 for block in range(len(out_sizes)))


def test_a_permutation_of_many_blocks_takes_few_tasks_and_reads():
    sizes = (20,) * 1000
    steps = plan_take(np.random.default_rng(0).permutation(20_000), sizes, 10, 10**9)
    reads = [[len(step.block(j).reads()) for j in range(len(step.out_sizes))] for step in steps]
    assert sum(len(step.out_sizes) for step in steps) < 5000
    assert sum(map(sum, reads)) < 100_000


def test_few_rows_of_large_blocks_are_taken_before_they_are_put_in_order():
    sizes = (1000,) * 200
    index = np.random.default_rng(0).permutation(200_000)[:300]
    steps = plan_take(index, sizes, 10**4, 2 * 10**7)
    assert [len(step.out_sizes) for step in steps][-1] == 1
    assert all(len(steps[0].block(j).reads()) == 1 for j in range(len(steps[0].out_sizes)))


def test_an_index_that_never_steps_back_is_one_step():
    index = np.arange(0, 100_000, 3)
    (step,) = plan_take(index, uniform_sizes(100_000, 7), 10**9, 0)
    assert step.ascending
    assert step.block(5).reads()[0].places == slice(0, step.out_sizes[5])


@pytest.mark.parametrize("index", [[5], [-6], [0.0], np.array([]), [True, False], ["a"], [[0, 9]]])
def test_mistakes_raise_what_numpy_raises(index):
    if not np.issubdtype(np.asarray(index).dtype, np.bool_):
        with pytest.raises(IndexError):
            np.arange(5)[index]
    with pytest.raises(IndexError) as caught:
        normalize_take(index, 5)
    assert "out of bounds for axis 0 with size 5" in str(caught.value) or "integer" in str(
        caught.value
    )


@given(st.lists(st.integers(-9, 8)))
def test_negative_positions_count_from_the_end(index):
    taken = normalize_take(np.array(index, np.int8), 9)
    assert taken.dtype == np.int64
    np.testing.assert_array_equal(taken, np.arange(9)[index] if index else [])


def test_empty_takes_and_unsigned_positions():
    assert normalize_take([], 0).dtype == np.int64
    assert take_sizes(normalize_take([], 5), (5,)) == (0,)
    assert normalize_take(np.array([3], np.uint64), 5).tolist() == [3]
    with pytest.raises(IndexError):
        normalize_take([0], 0)
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        plan_take(np.array([0]), (Unknown("a", 0),), 8, 10**9)
