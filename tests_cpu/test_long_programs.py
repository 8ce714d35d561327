"""Programs of many small steps: what building and planning them takes grows with their length.

Calls of Python functions are counted, not time: they are the same on every machine.
"""

import sys
from functools import reduce

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.expr.node import Node
from gpuscale.run import graph_of


def calls_of(function, *args):
    """Count the calls of functions, those of C as well, that a call makes."""
    count = 0

    def note(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    function(*args)  # what is found once, is found before
    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return count


def data(k=0):
    return ga.from_array(np.arange(100.0) + k, chunks=50)


def chain(n):
    x = data()
    for k in range(n):
        x = x * 0.5 if k % 2 else x + k
    return x


def chain_of_arrays(n):
    x, a = data(), data(1)
    for _ in range(n):
        x = x * a
    return x


def chain_of_two(n):
    a, b = data(), data(1)
    for _ in range(n):
        a, b = b, (a + b) * 0.5
    return b


def grown(n):
    x = data()
    for k in range(n):
        x = ga.concatenate([x, data(k)])
    return x


def grown_and_looked_at(n):
    x, ends = data(), []
    for k in range(n):
        x = ga.concatenate([x, data(k)])
        ends.append(x[-3:].sum())
    return ga.stack(ends)


def assigned(n):
    x = data()
    for k in range(n):
        x[k % 100] = k
    return x


def added_to(n):
    x = data()
    for k in range(n):
        x[k % 90 : k % 90 + 10] += 1
    return x


def partly_summed(n):
    x, total = data(), 0
    for k in range(n):
        total = total + x[k % 100]
    return total


def summed(n):
    return sum(data(k).sum() for k in range(n))


def stacked(n):
    return ga.stack([data(k) for k in range(n)])


def blocks(n):
    return ga.block([[data(k + j)[None] for j in range(n // 20)] for k in range(20)])


def largest(n):
    return reduce(ga.maximum, [data(k) for k in range(n)])


def rolled(n):
    x = data()
    for _ in range(n):
        x = ga.roll(x, 1) + x
    return x


PROGRAMS = [
    rolled,
    added_to,
    assigned,
    blocks,
    largest,
    partly_summed,
    stacked,
    summed,
    chain,
    chain_of_arrays,
    chain_of_two,
    grown,
    grown_and_looked_at,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_twice_the_program_is_twice_the_work(program):
    short, long = (calls_of(lambda n: graph_of(program(n)), n) for n in (100, 200))
    assert long < 2.2 * short


def test_what_is_merged_becomes_no_node(monkeypatch):
    made = []
    original = Node.__new__

    def noted(cls, *operands):
        made.append(cls)
        return original(cls, *operands)

    y = chain(1000)
    monkeypatch.setattr(Node, "__new__", noted)
    graph_of(y)
    # Each of the operations and numbers is lowered to one node; all else is made per kernel.
    assert len(made) < 2100


def test_long_chains_of_little_data_compile_nothing(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a kernel was asked for")

    monkeypatch.setattr("gpuscale.codegen.kernel.can_compile", refuse)
    expected = np.arange(100.0)
    for k in range(1000):
        expected = expected * 0.5 if k % 2 else expected + k
    np.testing.assert_array_equal(chain(1000).compute(), expected)
