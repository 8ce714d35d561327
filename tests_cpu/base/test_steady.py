"""Tokens that another process finds again, and what is refused."""

import enum
import functools
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from gpuscale.base.errors import CheckpointError
from gpuscale.base.steady import Steady

SCALE = 3


def token(*operands):
    return Steady({}).token(*operands)


@dataclass
class Point:
    x: int
    names: set = field(default_factory=lambda: {"a", "b", "c", "d"})


class Colour(enum.Enum):
    RED = 1


class Plain:
    def __init__(self, value):
        self.value, self.words = value, {"one", "two", "three"}


def scaled(x):
    return helper(x) * SCALE


def helper(x):
    return x + 1


def recursive(n):
    return n and recursive(n - 1)


def adder(n):
    return lambda x: x + n


def things():
    """Values whose pickles depend on the process: sets of strings, shared objects, code."""
    local = "-".join(["lo", "cal"])
    return [
        Point(1),
        Plain((local, local)),
        Colour.RED,
        {"x", "y", "z"},
        functools.partial(scaled, 1),
        adder(2),
        recursive,
        np.arange(400_000),
        np.add,
        np.random.default_rng(0),
        [].append,
        Point,
    ]


def test_another_process_makes_the_same_tokens():
    code = (
        "import importlib.util as u, sys; "
        "s = u.spec_from_file_location('steady_things', sys.argv[1]); "
        "m = sys.modules['steady_things'] = u.module_from_spec(s); s.loader.exec_module(m); "
        "print(*map(m.token, m.things()), sep='\\n')"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, __file__],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.split()
        for seed in "12"
    ]
    assert len(runs[0]) == len(things()) == len(set(runs[0]))
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    "one, other",
    [
        (adder(1), adder(2)),
        (lambda x: x + 1, lambda x: x - 1),
        (lambda x: x, lambda x, y=2: x),
        (lambda x: [k + 1 for k in x], lambda x: [k + 2 for k in x]),
        (Plain(1), Plain(2)),
        (np.zeros(400_000), np.ones(400_000)),
        (functools.partial(scaled, 1), functools.partial(scaled, 2)),
    ],
)
def test_what_differs_has_other_tokens(one, other):
    assert token(one) != token(other)
    assert token(one) == token(one)


def test_code_counts_and_where_it_is_written_does_not():
    sources = [
        "def f(x):\n    return x + 1",
        "\n\ndef f(x):\n    # said at length\n    return x + 1",
    ]
    functions = []
    for number, source in enumerate(sources):
        names = {"__name__": "__main__"}
        exec(compile(source, f"cell-{number}", "exec"), names)
        functions.append(names["f"])
    assert token(functions[0]) == token(functions[1])


def test_what_a_function_calls_counts(monkeypatch):
    before = token(scaled)
    monkeypatch.setitem(globals(), "SCALE", 4)
    assert token(scaled) != before
    monkeypatch.undo()
    assert token(scaled) == before
    monkeypatch.setattr(helper, "__code__", (lambda x: x + 2).__code__)
    assert token(scaled) != before


def test_classes_of_a_notebook_are_known_by_their_methods():
    def made(body):
        names = {"__name__": "__main__"}
        exec(f"class C:\n    @property\n    def f(self):\n        return {body}", names)
        return names["C"]

    assert token(made("1")) == token(made("1")) != token(made("2"))


def test_methods_of_a_module_count(monkeypatch):
    before = token(Plain), token(Plain(1))
    monkeypatch.setattr(Plain.__init__, "__code__", (lambda self, value: None).__code__)
    assert token(Plain) != before[0]
    assert token(Steady) == token(Steady)


def test_refused():
    circle = Plain(None)
    circle.value = circle
    for value in (threading.Lock(), circle, (k for k in "ab")):
        with pytest.raises(CheckpointError, match="name="):
            token(value)
