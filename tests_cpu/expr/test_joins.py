"""Joins of joins are asserted on structure, and compared with NumPy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.expr.physical import Exchange, Source
from gpuscale.expr.plans import ConcatenatePlan
from gpuscale.expr.walk import toposort
from gpuscale.run import compute, graph_of, optimize


def joins(*arrays):
    nodes = toposort([a.expr for a in optimize(*arrays)])
    return [n for n in nodes if isinstance(n, Exchange) and isinstance(n.plan, ConcatenatePlan)]


def piece(k=0, shape=(2, 3)):
    return ga.from_array(np.full(shape, float(k)), chunks=2)


def test_array_that_grows_is_joined_once():
    for grow in (lambda x, new: [x, new], lambda x, new: [new, x], lambda x, new: [new, x, new]):
        x = piece()
        for k in range(1, 9):
            x = ga.concatenate(grow(x, piece(k)))
        (join,) = joins(x)
        assert all(isinstance(each, Source) for each in join.inputs)
        assert len(graph_of(x)) <= 3 * sum(1 for _ in join.inputs) * 2


def test_joins_along_other_axes_stay():
    x = ga.concatenate([ga.concatenate([piece(1), piece(2)], axis=1), piece(3, (2, 6))], axis=0)
    assert len(joins(x)) == 2


def test_what_others_read_is_joined_from_the_pieces_too():
    short = ga.concatenate([piece(1), piece(2)])
    long = ga.concatenate([short, piece(3)])
    assert [len(join.inputs) for join in joins(short, long)] == [2, 3]
    got_short, got_long = compute(short, long)
    np.testing.assert_array_equal(got_long[:4], got_short)


@given(st.data())
def test_nested_joins_are_those_of_numpy(data):
    pairs = [(piece(k), np.full((2, 3), float(k))) for k in range(3)]
    for _ in range(data.draw(st.integers(1, 8))):
        axis = data.draw(st.integers(0, 1))
        ours, theirs = data.draw(st.sampled_from(pairs))
        fitting = [p for p in pairs if p[1].shape[1 - axis] == theirs.shape[1 - axis]]
        other, more = data.draw(st.sampled_from(fitting))
        pairs.append((ga.concatenate([ours, other], axis), np.concatenate([theirs, more], axis)))
    wanted = [pairs[-1], data.draw(st.sampled_from(pairs))]
    for got, (_, expected) in zip(compute(*(ours for ours, _ in wanted)), wanted, strict=True):
        np.testing.assert_array_equal(got, expected)
