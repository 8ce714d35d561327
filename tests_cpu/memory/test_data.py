"""What may go to disk though somebody asked for it."""

from collections import namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest

from gpuscale.memory.data import is_data_alone
from gpuscale.memory.measure import held_bytes


@dataclass
class Pair:
    x: object
    y: object = field(default_factory=dict)


Point = namedtuple("Point", "x y")


class Array(np.ndarray):
    """A class of its own, which may know more than its numbers."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(3),
        lambda: np.arange(6).reshape(2, 3).T,
        lambda: [np.arange(3), [1, "x", None, 2.5, b"x", np.float64(1)]],
        lambda: {"x": np.arange(3), (1, "y"): bytearray(3)},
        lambda: Point(np.arange(3), ()),
        lambda: {"x": [{}, {1: {2}}, frozenset({"a", (1, "b")})]},
        lambda: Pair(np.arange(3)),
    ],
)
def test_data(make):
    assert is_data_alone([make()], 0)
    held = make()
    assert not is_data_alone([held], 0)
    assert is_data_alone([held], 0, others=1) or isinstance(held, np.ndarray) and held.base is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.array([object()]),
        lambda: np.ma.masked_array([1]),
        lambda: np.arange(3).view(Array),
        lambda: object(),
        lambda: [print],
        lambda: {object(): 1},
        lambda: {"x": [{}, {1: {object()}}]},
        lambda: Pair(lambda: 0),
        lambda: memoryview(b"x"),
    ],
)
def test_more_than_data(make):
    assert not is_data_alone([make()], 0)


def test_parts_that_somebody_else_holds():
    part, data = [1], np.arange(9)
    assert not is_data_alone([{"x": part}], 0)
    assert not is_data_alone([(data[:3],)], 0)
    extended = Pair(1)
    extended.more = 2
    holder = [extended]
    del extended
    assert not is_data_alone(holder, 0)


def test_tables():
    pd = pytest.importorskip("pandas")
    assert is_data_alone([pd.DataFrame({"x": np.arange(3), "n": ["a", "b", "c"]})], 0)
    assert not is_data_alone([pd.DataFrame({"x": [object()]})], 0)
    assert is_data_alone([pd.Series([1.5])], 0)
    assert not is_data_alone([pd.Series([[1]])], 0)
    assert held_bytes(pd.DataFrame({"x": np.zeros(1000)}), 0) >= 8000
