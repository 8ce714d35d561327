"""Names of expressions and calls that do not depend on keys and identities of this process."""

import numpy as np

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.graph.steady import steady_tokens


def draw():
    return np.random.default_rng().random()


def one(value):
    return steady_tokens([value._task and value if hasattr(value, "_task") else value.expr])[0]


def test_arrays_are_known_by_content():
    data = np.arange(300_000)
    a, b = (ga.from_array(data.copy(), chunks=100_000) for _ in range(2))
    assert a.expr.token != b.expr.token
    assert one(a + 1) == one(b + 1) != one(a + 2)


def test_kept_chunks_are_known_by_content():
    a, b = ((ga.arange(6, chunks=3) * k).persist() for k in (2, 2))
    assert one(a) == one(b)


def test_calls_are_known_by_function_and_arguments():
    add = gs.delayed(lambda x, y=0: x + y)
    assert one(add(add(1), y=2)) == one(add(add(1), y=2)) != one(add(add(2), y=2))


def test_equal_calls_are_counted():
    draws = [gs.delayed(draw)() for _ in range(3)]
    tokens = steady_tokens([*draws, draws[0]])
    assert len(set(tokens)) == 3 and tokens[0] == tokens[3]


def test_arrays_and_calls_lead_to_each_other():
    def made():
        call = gs.delayed(np.sum)(ga.ones(4, chunks=2))
        return ga.from_delayed(call, (), float) + 1

    first, second = made(), made()
    assert first.expr.token != second.expr.token
    assert one(first) == one(second)


def test_sizes_that_depend_on_data():
    x = ga.from_array(np.arange(300_000), chunks=100_000)
    y = ga.from_array(np.arange(300_000), chunks=100_000)
    assert one(x[x > 5]) == one(y[y > 5]) != one(x[x > 6])


def test_long_chains():
    value = gs.delayed(0)
    for _ in range(5_000):
        value = value + 1
    assert one(value)
