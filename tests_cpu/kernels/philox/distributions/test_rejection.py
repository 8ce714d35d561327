"""Draws repeat until accepted; stages are independent; impossible constants give NaN."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpuscale.kernels.philox.distributions.rejection import Method, Stream, draw_accepted
from gpuscale.kernels.philox.distributions.rejection_cpu import compiled_loop


def keep(parameters):
    return (parameters[0],)


def below(bits, constants):
    value = bits[0] * 2.0**-53
    return value, value < constants[0]


def sum_below(bits, constants):
    value = (bits[0] + bits[1] + bits[2] + bits[3]) * 2.0**-53
    return value, value < constants[0]


METHODS = [Method(keep, below, blocks=1), Method(keep, sum_below, blocks=2)]
INDEX = np.arange(500, dtype=np.uint64)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("limit", [0.02, 0.7])
def test_accepted_values_do_not_depend_on_how_they_are_computed(method, limit):
    plain, compiled = (Stream((1, 2), INDEX, compiled=flag) for flag in (False, True))
    expected = draw_accepted(method, plain, max(limit, 0.3))
    limits = np.full(INDEX.size, max(limit, 0.3))
    assert (expected < max(limit, 0.3)).all()
    assert np.array_equal(draw_accepted(method, compiled, max(limit, 0.3)), expected)
    assert np.array_equal(draw_accepted(method, plain, limits), expected)
    assert np.array_equal(draw_accepted(method, compiled, limits), expected)


def test_stages_and_keys_are_independent():
    stream = Stream((1, 2), np.arange(20_000, dtype=np.uint64))
    other = Stream((1, 3), stream.index)
    draws = [draw_accepted(METHODS[0], s, 0.9) for s in (stream, stream.at(1), other)]
    correlation = np.corrcoef(draws) - np.eye(3)
    assert np.max(np.abs(correlation)) < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("compiled", [False, True])
def test_constants_that_are_not_finite_give_nan(compiled):
    stream = Stream((1, 2), INDEX, compiled=compiled)
    assert np.isnan(draw_accepted(METHODS[0], stream, np.nan)).all()
    limits = np.where(INDEX % 3 == 0, np.inf, 0.5)
    drawn = draw_accepted(METHODS[0], stream, limits)
    assert np.array_equal(np.isnan(drawn), INDEX % 3 == 0)


def test_threads_may_ask_for_a_new_method_together():
    method = Method(keep, below, blocks=2)
    stream = Stream((1, 2), INDEX, compiled=True)
    with ThreadPoolExecutor(8) as pool:
        draws = list(pool.map(lambda _: draw_accepted(method, stream, 0.5), range(8)))
    assert all(np.array_equal(draw, draws[0]) for draw in draws)
    assert compiled_loop(method) is compiled_loop(method)
