"""Every call has numbers of its own, which the seed decides."""

import pickle

import numpy as np
import pytest

import gpuscale.array as ga


def test_calls_and_seeds_are_streams_of_their_own():
    rng = ga.random.default_rng(3)
    first, second = rng.random(50), rng.random(50)
    assert not np.isin(first.compute(), second.compute()).any()
    again = ga.random.default_rng(3)
    np.testing.assert_array_equal(again.random(50).compute(), first.compute())
    np.testing.assert_array_equal(again.random(50).compute(), second.compute())
    other = ga.random.default_rng(4).random(50)
    assert not np.isin(first.compute(), other.compute()).any()
    assert (first == first).all().compute()  # the numbers are a function, drawn anew each time
    fresh = [ga.random.default_rng().random(9).compute() for _ in range(2)]
    assert not np.isin(*fresh).any()


def test_spawned_generators_are_independent_and_repeatable():
    a, b = ga.random.default_rng(3).spawn(2)
    c, _ = ga.random.default_rng(3).spawn(2)
    x, y, z = (rng.random(100).compute() for rng in (a, b, c))
    np.testing.assert_array_equal(x, z)
    assert not np.isin(x, y).any()
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.5


def test_pickling_goes_on_where_the_generator_is():
    rng = ga.random.default_rng(3)
    rng.random(3)
    copy = pickle.loads(pickle.dumps(rng))
    x, y = rng.normal(size=8), copy.normal(size=8)
    np.testing.assert_array_equal(x.compute(), y.compute())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x)).compute(), x.compute())


@pytest.mark.parametrize("seed", [7, [1, 2, 3], np.random.SeedSequence(9), 2**100])
def test_seeds(seed):
    x, y = (ga.random.default_rng(seed).random(5).compute() for _ in range(2))
    np.testing.assert_array_equal(x, y)
