"""What functions read of modules, which values nobody changes, and which modules are known."""

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import types

import numpy as np
import pytest

from gpuscale.base.read_modules import (
    is_constant,
    is_installed,
    is_ours,
    is_plain_data,
    with_modules,
)


def module(name, **contents):
    made = types.ModuleType(name)
    vars(made).update(contents)
    return made


def read(function, counts=lambda value: True, **used):
    return with_modules(used, function.__code__, counts)


def test_only_what_the_code_names_is_read():
    settings = module("settings", RATE=3, OTHER=4)
    assert read(lambda: settings.RATE, settings=settings) == {"settings": ("settings", {"RATE": 3})}
    assert read(lambda: settings, settings=settings) == {"settings": ("settings", {})}


def test_names_of_functions_inside_count():
    settings = module("settings", RATE=3)
    found = read(lambda: [settings.RATE for _ in range(3)], settings=settings)
    assert found["settings"] == ("settings", {"RATE": 3})


def test_modules_of_modules_are_looked_into_and_circles_end():
    inner, outer = module("outer.inner", RATE=3), module("outer")
    outer.inner, inner.outer = inner, outer
    found = read(lambda: outer.inner.outer.inner.RATE, outer=outer)
    assert found == {"outer": ("outer", {"inner": ("outer.inner", {"RATE": 3, "outer": "outer"})})}


def test_what_does_not_count_and_what_is_installed_is_left_out():
    settings = module("settings", RATE=3, load=len)
    found = read(lambda: settings.RATE + settings.load(np.pi), is_plain_data, settings=settings)
    assert found["settings"] == ("settings", {"RATE": 3})
    assert read(lambda: np.pi, np=np) == {"np": np}
    assert read(lambda: x, x=[1]) == {"x": [1]}  # noqa: F821 - no module: as it is


@pytest.mark.parametrize("name", ["os", "sys", "numpy.linalg", "pytest", "gpuscale.base.tokens"])
def test_installed(name):
    assert is_installed(name)


def test_not_installed(monkeypatch):
    assert not is_installed("no.such.module")
    monkeypatch.setitem(sys.modules, "mine_alone", module("mine_alone", __file__="/home/x/m.py"))
    assert not is_installed("mine_alone")
    theirs = module("theirs_alone", __file__="/opt/x/dist-packages/theirs_alone.py")
    monkeypatch.setitem(sys.modules, "theirs_alone", theirs)
    assert is_installed("theirs_alone")


def test_ours():
    assert is_ours("numpy.linalg:norm") and is_ours("gpuscale") and is_ours("builtins:len")
    assert not is_ours("numpydoc") and not is_ours("gpuscale_plugin.x:f")


class Colour(enum.Enum):
    RED = 1


CONSTANTS = [
    None, True, 1, 2.5, 1j, "a", b"a", (1, ("a",)), frozenset({1}), range(3), re.compile("a"),
    Colour.RED, np.float32(1), np.dtype("f8"), datetime.date(2020, 1, 2), datetime.timedelta(1),
    decimal.Decimal("0.1"), fractions.Fraction(1, 3), pathlib.Path("a"),
]  # fmt: skip


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_constants_are_plain_data_too(value):
    assert is_constant(value) and is_plain_data(value) and is_plain_data({"x": [value]})


class Text(str):
    """Its methods may do anything."""


CONTAINERS = [[1], {1}, {"a": 1}, np.arange(3), ([1],), types.MappingProxyType({"a": 1})]


@pytest.mark.parametrize("value", CONTAINERS, ids=repr)
def test_what_may_change_is_data_and_no_constant(value):
    assert not is_constant(value) and is_plain_data(value)


OTHERS = [len, object(), Text("a"), [object()], {"a": len}, np.array([None]), (1, object())]


@pytest.mark.parametrize("value", OTHERS)
def test_neither(value):
    assert not is_constant(value) and not is_plain_data(value)


def test_what_holds_itself_is_no_data():
    value = []
    value.append(value)
    assert not is_plain_data(value)
