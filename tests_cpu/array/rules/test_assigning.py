"""Runs of assignments become one node, and mean what NumPy's mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.rules.assigning import MANY
from gpuscale.expr.walk import toposort
from gpuscale.run import compute, graph_of, optimize


def names(*arrays, until="simplify"):
    return [node.name for node in toposort([a.expr for a in optimize(*arrays, until=until)])]


def filled(count, size=40, chunks=10):
    x = ga.from_array(np.zeros(size), chunks=chunks)
    for k in range(count):
        x[k % size] = k
    return x


def test_long_runs_are_one_node():
    x = filled(10 * MANY)
    assert names(x) == ["read", "setitem"]
    assert len(graph_of(x)) == 4
    expected = np.zeros(40)
    for k in range(10 * MANY):
        expected[k % 40] = k
    np.testing.assert_array_equal(x.compute(), expected)


def test_short_runs_fuse_with_their_neighbours():
    assert names(filled(MANY - 1) * 2, until="fuse")[-1].endswith("multiply")
    assert "setitem" not in names(filled(MANY - 1))


def test_what_is_read_in_between_stays():
    x = filled(MANY)
    before = x.copy()
    for k in range(MANY):
        x[k] = -1
    assert names(x, before).count("setitem") == 2
    after, old = compute(x, before)
    np.testing.assert_array_equal(old[:MANY], np.arange(MANY))
    np.testing.assert_array_equal(after[:MANY], -1)


@pytest.mark.parametrize("value", [ga.random.default_rng(0).random(()), np.float32(2.5), 3, True])
def test_values_of_all_kinds(value):
    x = ga.from_array(np.zeros(40), chunks=10)
    for k in range(2 * MANY):
        x[k] = value
    expected = np.zeros(40)
    expected[: 2 * MANY] = np.asarray(value)
    np.testing.assert_array_equal(x.compute(), expected)


def test_objects_that_are_lists_are_one_value():
    x = ga.from_array(np.zeros(40, object), chunks=10)
    box = np.empty((), object)
    box[()] = [1, 2]
    for k in range(2 * MANY):
        x[k] = box
    assert x.compute()[MANY] == [1, 2]


@given(st.data())
def test_runs_are_those_of_numpy(data):
    shape = data.draw(st.sampled_from([(7,), (5, 6), (3, 1, 4)]))
    dtype = data.draw(st.sampled_from(["f8", "i2", "?", "U3", "c8", ">f4"]))
    expected = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    x = ga.from_array(expected.copy(), chunks=data.draw(st.integers(1, 4)))
    if data.draw(st.booleans()):
        x, expected = x.T, expected.T.copy()
    for k in range(data.draw(st.sampled_from([MANY - 1, MANY, 3 * MANY]))):
        index = tuple(
            data.draw(st.integers(-n, n - 1))
            if data.draw(st.booleans())
            else slice(*(data.draw(st.none() | st.integers(-n, n)) for _ in range(2)))
            for n in expected.shape
        )
        x[index] = expected[index] = k
    np.testing.assert_array_equal(x.compute(), expected)
    np.testing.assert_array_equal(x[::-1].compute(), expected[::-1])
