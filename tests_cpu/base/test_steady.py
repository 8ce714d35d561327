"""Tokens that another process finds again, and what is refused."""

import enum
import functools
import os
import subprocess
import sys
import threading
import types
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


@pytest.mark.parametrize("value", [2, (2, "a"), [1, {"a": (2, {3})}], np.arange(3), None])
@pytest.mark.parametrize("where", ["X", "inner.X"])
def test_data_that_a_function_reads_of_a_module_count(monkeypatch, value, where):
    settings, inner = types.ModuleType("settings"), types.ModuleType("settings.inner")
    settings.X = inner.X = 1
    settings.inner, inner.outer, settings.unused = inner, settings, 1
    owner = settings if where == "X" else inner
    in_closure = eval(f"lambda settings: lambda: settings.{where}")(settings)
    for name in ("__main__", __name__):
        names = {"__name__": name, "settings": settings}
        by_global = eval(f"lambda: settings.{where}", names)
        by_name = eval("lambda: X", names)
        for function in (in_closure, by_global):
            before = token(function)
            with monkeypatch.context() as patch:
                patch.setattr(owner, "X", value)
                assert token(function) != before
            with monkeypatch.context() as patch:
                patch.setattr(settings, "unused", 2)
                patch.setattr(settings, "helper", lambda: 1, raising=False)
                assert token(function) == before
        names["X"] = (1, "a")
        before = token(by_name)
        names["X"] = (1, "b")
        assert token(by_name) != before
        names["X"] = [1]
        before = token(by_name)
        names["X"].append(2)  # what a module's function may do itself
        assert (token(by_name) != before) == (name == "__main__")


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


def run_again(source, *changes):
    """Tokens of `f` of a program, and of it after changes of its text, in modules of one name."""
    tokens = []
    for old, new in [("", ""), *changes]:
        for name in ("__main__", "changing"):
            module = types.ModuleType(name)
            exec(source.replace(old, new), vars(module))
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(sys.modules, name, module)
                tokens.append(token(module.f))
    return tokens


CACHED = """
import functools
{decorator}
def helper(x):
    return x + 1
def f(x):
    return helper(x) + 1
"""


@pytest.mark.parametrize(
    "decorator", ["@functools.cache", "@functools.lru_cache(3)", "from numba import njit; @njit"]
)
def test_code_of_functions_that_are_held_by_others_counts(decorator):
    source = CACHED.format(decorator=decorator.replace("; ", "\n"))
    for called in (source, source + f"f = {decorator.rpartition('@')[2]}(f)"):
        again = run_again(called)
        assert again == run_again(called)
        changed = run_again(called, ("return x + 1", "return x + 2"))[2:]
        assert not set(again) & set(changed)


CLASS = """
import functools
class f:
    @functools.cached_property
    def a(self):
        return 1
    @functools.cache
    def b(self):
        return 2
    @property
    def c(self):
        return 3
    @classmethod
    def d(cls):
        return 4
    @functools.singledispatchmethod
    def e(self, x):
        return 5
    g = functools.partialmethod(lambda self, x: x + 6, 1)
"""


def test_whatever_is_a_method_counts():
    changes = [(f"return {k}", f"return {k} + 1") for k in range(1, 6)] + [("x + 6", "x + 7")]
    found = run_again(CLASS, *changes)
    assert len(set(found)) == len(found) == 14
    assert found == run_again(CLASS, *changes)


def test_functions_by_type_count():
    def made(k):
        @functools.singledispatch
        def f(x):
            return x

        f.register(int, lambda x: x + k)
        return f

    assert token(made(1)) == token(made(1)) != token(made(2))


ANNOTATED = {
    "argument": "def f(x: {0}): return x",
    "result": "def f(x) -> {0}: return x",
    "class": "class A:\n  x: {0}\ndef f(x): return A",
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass A:\n  x: {0}\ndef f(x): return A(x)"
    ),
    "text": "def f(x: '{0}'): return x",
    "later": "from __future__ import annotations\ndef f(x: {0}): return x",
}


@pytest.mark.parametrize("written", ANNOTATED)
@pytest.mark.parametrize("module", ["__main__", "some_module"])
def test_annotations_count(written, module):
    def made(text):
        space = {"__name__": module}
        exec(ANNOTATED[written].format(text), space)
        return token(space["f"])

    assert made("int") == made("int") != made("float")


def test_an_annotation_that_nobody_could_find_again_is_no_reason_to_refuse():
    def made(lock):
        def f(x: lock): ...

        return f

    assert token(made(threading.Lock())) == token(made(threading.Lock()))


def test_what_wraps_a_function_by_type_counts_as_well():
    @functools.singledispatch
    def inner(x):
        return x

    def made(k):
        @functools.wraps(inner)
        def f(x):
            return inner(x) + k

        return f

    assert token(made(1)) == token(made(1)) != token(made(2))
    before = token(made(1))
    inner.register(int, lambda x: -x)
    assert token(made(1)) != before


ABSTRACT = """
import abc, functools, typing
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        return 1
class Square(Shape):
    def area(self):
        return 2
@typing.runtime_checkable
class Sized(typing.Protocol):
    def size(self):
        return 3
@functools.singledispatch
def f(x):
    return 4
@f.register
def _(x: Square):
    return 5
@f.register
def _(x: Sized):
    return 6
f(Square())
isinstance(f, Shape)
"""


def test_functions_by_abstract_types():
    changes = [(f"return {k}", f"return {k} + 1") for k in range(1, 7)]
    found = run_again(ABSTRACT, *changes)
    assert len(set(found)) == len(found) == 14
    assert found == run_again(ABSTRACT, *changes)


def test_what_is_registered_elsewhere_counts_where_it_is_called(monkeypatch):
    other = types.ModuleType("other")
    exec("import functools\n@functools.singledispatch\ndef size(x): return 0", other.__dict__)
    monkeypatch.setitem(sys.modules, "other", other)

    def program(registered):
        here = {"__name__": "__main__", "size": other.size}
        exec(f"def f(x): return size(x)\n{registered}", here)
        return token(here["f"])

    nothing = program("")
    one = program("size.register(int, lambda x: 1)")
    assert len({nothing, one, program("size.register(int, lambda x: 2)")}) == 3
    assert one == program("size.register(int, lambda x: 1)")


def test_refused_is_named():
    class Locked:
        def __init__(self):
            self.lock = threading.Lock()

        def method(self):
            return self.lock

    lock = threading.Lock()
    for value, name in [
        (Locked().method, "'lock' of .*Locked"),
        (lambda: lock, "'lock' of .*<lambda>"),
        ([{1: Locked()}], "'lock' of .*Locked"),
        (np.frompyfunc(lambda x: x, 1, 1), "ufunc is part"),
    ]:
        with pytest.raises(CheckpointError, match=name):
            token(value)


def test_objects_with_cached_properties():
    class Model:
        @functools.cached_property
        def k(self):
            return 3

        def method(self):
            return self.k

    assert token(Model().method) == token(Model().method)


def test_refused():
    circle = Plain(None)
    circle.value = circle
    for value in (threading.Lock(), circle, (k for k in "ab")):
        with pytest.raises(CheckpointError, match="name="):
            token(value)
