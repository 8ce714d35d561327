"""Small blocks are joined where nobody can tell, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.expr.coarsen import even_sizes, merge_sizes
from gpuscale.run import graph_of

DATA = np.arange(240.0).reshape(12, 20)

axis_sizes = st.lists(st.integers(0, 6), min_size=1, max_size=6).map(tuple)


@given(st.lists(axis_sizes, min_size=1, max_size=3).map(tuple), st.integers(0, 200), st.data())
@settings(max_examples=80)
def test_merged_blocks_are_whole_old_blocks_and_small_enough(chunks, most, data):
    axes = data.draw(st.sets(st.integers(0, len(chunks) - 1)))
    new = merge_sizes(chunks, axes, most)
    for axis, (old, merged) in enumerate(zip(chunks, new, strict=True)):
        assert sum(old) == sum(merged)
        assert set(np.cumsum(merged)) <= set(np.cumsum(old))
        if axis not in axes:
            assert merged == old
    if new != chunks:
        assert np.prod([max(sizes) for sizes in new]) <= most


@given(st.lists(axis_sizes, min_size=1, max_size=3).map(tuple), st.integers(0, 200), st.data())
@settings(max_examples=80)
def test_even_blocks_leave_held_axes_alone(chunks, most, data):
    held = data.draw(st.sets(st.integers(0, len(chunks) - 1)))
    new = even_sizes(chunks, held, most)
    for axis, (old, even) in enumerate(zip(chunks, new, strict=True)):
        assert sum(old) == sum(even)
        assert axis not in held or even == old
    largest = np.prod([max(sizes) for sizes in new])
    assert largest <= max(most, np.prod([max(chunks[axis]) for axis in held]))


def tasks(x):
    return len(graph_of(x))


def test_a_reduction_of_memory_takes_many_blocks_at_once():
    x = ga.from_array(DATA, chunks=2)
    assert tasks((x * 2).sum()) <= 2
    assert tasks((x + x.T.T).max(axis=1)) <= 2 * 6
    np.testing.assert_allclose((x * 2).sum().compute(), DATA.sum() * 2)


def test_blocks_that_a_function_sees_stay_as_they_are():
    seen = []

    def note(chunk):
        seen.append(chunk.shape)
        return chunk

    ga.from_array(DATA, chunks=(2, 20)).map_blocks(note, dtype=float).sum().compute(engine="sync")
    assert seen.count((2, 20)) == 6


def test_axes_along_which_an_input_is_computed_by_blocks_stay():
    x = ga.from_array(DATA, chunks=(3, 5))
    y = x - x.cumsum(axis=1)
    np.testing.assert_allclose(y.sum().compute(), (DATA - DATA.cumsum(1)).sum())
    chunk_stage = [t for t in graph_of(y.sum()).values() if "subtract" in t.label]
    assert len(chunk_stage) == 16


@pytest.mark.parametrize("chunks", [2, (5, 7), (12, 20)])
def test_results_in_memory_are_the_same_for_all_chunks(chunks):
    x = ga.from_array(DATA, chunks=chunks)
    np.testing.assert_allclose(((x + 1) * 2 - x.mean(0)).compute(), (DATA + 1) * 2 - DATA.mean(0))
    np.testing.assert_array_equal(x.argmax(axis=1).compute(), DATA.argmax(axis=1))


def test_kept_chunks_are_those_that_were_asked_for():
    x = (ga.from_array(DATA, chunks=4) + 1).persist()
    assert x.chunks == ((4, 4, 4), (4,) * 5)
