"""Random expressions, computed by every engine, against NumPy."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing.strategies import chunks

SHAPE = (6, 5)


def unary(draw, array, x):
    name = draw(st.sampled_from(["negative", "absolute", "square", "sin", "floor"]))
    return getattr(np, name)(array), getattr(ga, name)(x)


def binary(draw, array, x):
    name = draw(st.sampled_from(["add", "subtract", "multiply", "maximum", "less"]))
    other = draw(st.sampled_from(["self", "scalar", "row", "mean"]))
    if other == "self":
        return getattr(np, name)(array, array), getattr(ga, name)(x, x)
    if other == "scalar":
        return getattr(np, name)(array, 2.5), getattr(ga, name)(x, 2.5)
    if other == "row":
        return getattr(np, name)(array, array[:1]), getattr(ga, name)(x, x[:1])
    return getattr(np, name)(array, array.mean(0)), getattr(ga, name)(x, x.mean(axis=0))


def turned(draw, array, x):
    choice = draw(st.sampled_from(["T", "flip", "slice", "step", "roll"]))
    if choice == "T":
        return array.T, x.T
    if choice == "flip":
        return np.flip(array, 0), ga.flip(x, 0)
    if choice == "slice":
        return array[1:, :-1], x[1:, :-1]
    if choice == "step":
        return array[::-2, 1::2], x[::-2, 1::2]
    return np.roll(array, 2, axis=1), ga.roll(x, 2, axis=1)


def symmetric(draw, array, x):
    n = min(array.shape)
    a, y = array[:n, :n], x[:n, :n]
    return a + a.T, y + y.T


def reduced(draw, array, x):
    name = draw(st.sampled_from(["sum", "mean", "std", "min"]))
    if 0 in array.shape:
        return array, x
    axis = draw(st.sampled_from([0, 1]))
    return (
        getattr(np, name)(array, axis=axis, keepdims=True) + array,
        getattr(ga, name)(x, axis=axis, keepdims=True) + x,
    )


def rechunked(draw, array, x):
    return array, x.rechunk(draw(chunks(array.shape)))


def masked(draw, array, x):
    return np.where(array > 0, array, -1), ga.where(x > 0, x, -1)


def joined(draw, array, x):
    return np.concatenate([array, array[:1]]), ga.concatenate([x, x[:1]])


STEPS = [unary, binary, turned, symmetric, reduced, rechunked, masked, joined]


@pytest.mark.parametrize("engine", ["sync", "threads"])
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_expressions(engine, data):
    seed = data.draw(st.integers(0, 5))
    array = np.random.default_rng(seed).normal(size=SHAPE)
    x = ga.from_array(array, chunks=data.draw(chunks(SHAPE)))
    with np.errstate(all="ignore"):
        for step in data.draw(st.lists(st.sampled_from(STEPS), max_size=6)):
            array, x = step(data.draw, array, x)
            array, x = (array.astype(float), x.astype(float))
    np.testing.assert_allclose(x.compute(engine=engine), array, rtol=1e-9, atol=1e-9)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_optimized_and_plain_plans_agree(data):
    """The rewritten expression means what the user wrote: NoREC, without the optimizer's help."""
    x = ga.random.default_rng(1).random(SHAPE, chunks=data.draw(chunks(SHAPE)))
    array = np.asarray(x)
    for step in data.draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5)):
        array, x = step(data.draw, array, x)
        array, x = (array.astype(float), x.astype(float))
    np.testing.assert_allclose(x.optimize("simplify").compute(), array, rtol=1e-9, atol=1e-9)


def test_an_exception_carries_the_users_line():
    def fails(block):
        raise RuntimeError("no luck")

    x = ga.map_blocks(fails, ga.ones((4, 4), chunks=2), dtype=float)
    line = test_an_exception_carries_the_users_line.__code__.co_firstlineno + 4
    with pytest.raises(RuntimeError, match="no luck") as caught:
        (x + 1).sum().compute()
    notes = "\n".join(caught.value.__notes__)
    assert f"{__file__}:{line}" in notes
    assert "fails" in notes


def test_deep_views_of_views_stay_one_view():
    x = ga.from_array(np.arange(1000.0), chunks=100)
    array = np.arange(1000.0)
    for _ in range(200):
        x, array = x[1:][::-1], array[1:][::-1]
    np.testing.assert_array_equal(x.compute(), array)


def test_arrays_of_any_depth_are_pickled():
    x = start = ga.zeros(4, chunks=2)
    steps = []
    for number in range(700):
        x = x + start[number % 4] if number % 3 else ga.where(x > 1, x, -x)
        steps.append(x)
    assert pickle.loads(pickle.dumps(x)).expr is x.expr
    masked = ga.ma.masked_array(x, x > 3)
    copies = pickle.loads(pickle.dumps([*steps, masked]))
    assert all(copy.expr is step.expr for copy, step in zip(copies[:-1], steps, strict=True))
    assert copies[-1].expr is masked.expr
