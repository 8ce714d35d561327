"""The user's own reductions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs


@given(data=st.data())
@settings(max_examples=40)
def test_sums(data):
    a, x = data.draw(pairs(dtypes=("int64",), max_side=12))
    axis = data.draw(
        st.none() | st.sets(st.integers(0, max(a.ndim - 1, 0)), max_size=a.ndim).map(tuple)
    )
    keepdims = data.draw(st.booleans())
    result = ga.reduction(
        x, np.sum, np.sum, axis=axis, keepdims=keepdims, split_every=data.draw(st.integers(2, 4))
    )
    assert_eq(result, a.sum(axis=axis, keepdims=keepdims))


def mean_chunk(block, axis, keepdims):
    count = np.ones(block.shape).sum(axis=axis, keepdims=keepdims)
    return {"n": count, "total": block.sum(axis=axis, keepdims=keepdims)}


def mean_combine(pairs, axis, keepdims):
    return {key: value.sum(axis=axis, keepdims=keepdims) for key, value in pairs.items()}


def mean_aggregate(pairs, axis, keepdims):
    joined = mean_combine(pairs, axis, keepdims)
    return joined["total"] / joined["n"]


@given(data=st.data())
@settings(max_examples=30)
def test_partials_of_several_arrays(data):
    a, x = data.draw(pairs(dtypes=("float64",), min_side=1, min_dims=1, max_side=9, special=False))
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    result = ga.reduction(
        x, mean_chunk, mean_aggregate, axis=axis, combine=mean_combine, split_every=2
    )
    assert_eq(result, a.mean(axis), rtol=1e-12, atol=1e-12)


def test_the_last_step_sees_partial_results():
    a = np.arange(10.0)
    x = ga.from_array(a, chunks=3)

    def squares(block, axis, keepdims):
        return (block**2).sum(axis=axis, keepdims=keepdims)

    def root(partials, axis, keepdims):
        return np.sqrt(partials.sum(axis=axis, keepdims=keepdims))

    # The root is taken once: with few blocks no other step comes before the last.
    assert_eq(ga.reduction(x, squares, root), np.linalg.norm(a), rtol=1e-12)
    deep = ga.reduction(x, squares, root, combine=np.sum, split_every=2)
    assert_eq(deep, np.linalg.norm(a), rtol=1e-12)


def test_lists_of_partials():
    x = ga.from_array(np.arange(24).reshape(4, 6), chunks=2)

    def chunk(block, axis, keepdims):
        return block.max(axis=axis, keepdims=keepdims)

    def largest(rows, axis, keepdims):
        assert len(rows) == 2 and len(rows[0]) == 3
        return max(np.max(part) for row in rows for part in row) * np.ones((1, 1), int)[0, 0]

    result = ga.reduction(x, chunk, largest, concatenate=False, dtype=int)
    assert result.compute(engine="sync") == 23


def test_weights_and_sizes():
    a = np.arange(6.0).reshape(2, 3)
    x = ga.from_array(a, chunks=1)
    weights = np.array([1.0, 2.0, 3.0])

    def weighted(block, w, axis, keepdims):
        return (block * w).sum(axis=axis, keepdims=keepdims)

    assert_eq(ga.reduction(x, weighted, np.sum, axis=1, weights=weights), (a * weights).sum(1))

    def extremes(partials, axis, keepdims):
        ends = [
            np.min(partials, axis=axis, keepdims=True),
            np.max(partials, axis=axis, keepdims=True),
        ]
        return np.concatenate(ends, axis[0])

    def itself(block, axis, keepdims):
        return block

    both = ga.reduction(x, itself, extremes, axis=1, keepdims=True, output_size=2)
    assert_eq(both, np.stack([a.min(1), a.max(1)], 1))


def test_bad_input_and_laziness():
    x = ga.ones((2, 2), chunks=1)
    with pytest.raises(np.exceptions.AxisError):
        ga.reduction(x, np.sum, np.sum, axis=2)
    with pytest.raises(ValueError, match="pass dtype="):
        ga.reduction(x, np.sum, lambda partials, axis, keepdims: 1 / 0)
    with nothing_computes():
        assert ga.reduction(x, np.sum, np.sum, meta=np.empty(0, "float32")).dtype == np.float32


def test_partial_results_may_be_numbers():
    a = np.arange(12.0).reshape(3, 4)
    x = ga.from_array(a, chunks=(1, 2))

    def chunk(block, axis, keepdims):
        return {"n": block.shape[1], "total": block.sum(axis=axis, keepdims=keepdims)}

    means = ga.reduction(x, chunk, mean_aggregate, axis=1, combine=mean_combine, dtype=float)
    assert_eq(means, a.mean(axis=1))
    total = ga.reduction(x, lambda block, **_: float(block.sum()), np.sum, dtype="f4")
    assert_eq(total, np.float32(66))
