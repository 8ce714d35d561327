"""Rechunks between elementwise work vanish: pieces are computed in their places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.expr.physical import Blockwise, Exchange
from gpuscale.expr.walk import toposort
from gpuscale.run import graph_of, optimize

DATA = np.random.default_rng(0).integers(0, 99, (23, 31)).astype(float)


def computed(data, chunks):
    """An array whose blocks are results of tasks, not views of memory."""
    return ga.from_array(data, chunks=chunks).map_blocks(np.positive, dtype=data.dtype)


def heat(u):
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    return u[1:-1, 1:-1] + 0.25 * (around - 4 * u[1:-1, 1:-1])


def exchanges(x):
    return [n for n in toposort([optimize(x)[0].expr]) if isinstance(n, Exchange)]


@pytest.mark.parametrize("make", [ga.from_array, computed])
@pytest.mark.parametrize("chunks", [4, 7, (23, 5), 16])
def test_a_stencil_by_slices_keeps_the_grid_of_its_array(make, chunks):
    x, expected = make(DATA, chunks=chunks), DATA
    for _ in range(3):
        x, expected = heat(x), heat(expected)
    np.testing.assert_allclose(x.compute(engine="sync"), expected)
    np.testing.assert_allclose(x.sum(axis=0).compute(engine="sync"), expected.sum(axis=0))
    np.testing.assert_allclose(x.persist(engine="sync").compute(), expected)


def test_blocks_of_shifted_views_are_not_cut_into_slivers():
    x = computed(np.ones((400, 400)), 100)
    y = heat(x)
    assert y.numblocks == (4, 4)
    (exchange,) = exchanges(y)
    assert isinstance(exchange.inputs[0], Blockwise)
    labels = {task.label for task in graph_of(y).values()}
    assert "rechunk" not in labels


cuts = st.integers(1, 12)


@given(cuts, cuts, cuts, cuts, st.booleans(), st.sampled_from(["map", "sum", "argmin", "copy"]))
@settings(max_examples=60, deadline=None)
def test_work_on_rechunked_arrays(a, b, c, d, transpose, what):
    x = computed(DATA, (a, b)).rechunk((c, d))
    x, expected = (x.T, DATA.T) if transpose else (x, DATA)
    if what == "map":
        x, expected = x[1:, ::2] * 2 + x[:-1, ::2], expected[1:, ::2] * 2 + expected[:-1, ::2]
    elif what == "sum":
        x, expected = (x + 1).sum(axis=1), (expected + 1).sum(axis=1)
    elif what == "argmin":
        x, expected = x.argmin(axis=0), expected.argmin(axis=0)
    np.testing.assert_array_equal(x.compute(engine="sync"), expected)


def test_what_several_read_is_computed_once():
    calls = []

    def note(chunk):
        calls.append(chunk.shape)
        return np.exp(chunk)

    x = ga.from_array(DATA, chunks=(23, 8)).map_blocks(note, dtype=float)
    y = ga.sqrt(x).rechunk((8, 31))
    z = y.max(axis=1, keepdims=True) - y
    expected = np.sqrt(np.exp(DATA))
    np.testing.assert_allclose(
        z.compute(engine="sync"), expected.max(axis=1, keepdims=True) - expected
    )
    assert len(calls) == 4


def test_unknown_sizes_and_empty_arrays():
    x = ga.from_array(DATA.ravel(), chunks=50)
    kept = x[x > 50]
    np.testing.assert_array_equal((kept * 2).compute(), DATA[DATA > 50] * 2)
    empty = computed(np.ones((0, 4)), (2, 2)).rechunk((1, 4)) + 1
    assert empty.compute().shape == (0, 4)
