"""Containers among arguments, which are searched for what is lazy."""

from collections import OrderedDict

import pytest

from gpuscale.graph.packing import Slot, fill, pack, rebuilt


@pytest.mark.parametrize(
    "value", [[1, "a"], (1.5, None), {1, 2}, frozenset({"a"}), {1: "a", "b": b"c"}, [], {}]
)
def test_numbers_and_texts_are_not_looked_at_one_by_one(value):
    def change(item):
        raise AssertionError(f"{item!r} was looked at")

    assert rebuilt(value, change) is value
    assert rebuilt([value], lambda each: rebuilt(each, change))[0] is value


class Lazy:
    pass


@pytest.mark.parametrize(
    "make",
    [
        lambda x: [1, x],
        lambda x: (1, x),
        lambda x: {1, x},
        lambda x: {1: x},
        lambda x: {x: 1},
        lambda x: OrderedDict([(1, x), (2, 3)]),
        lambda x: {1: {"a": [x]}},
    ],
)
def test_what_is_lazy_is_found_beside_them(make):
    template = pack(make(Lazy), lambda each: Slot(0) if each is Lazy else None)
    assert template != make(Lazy)
    assert fill(template, [7]) == make(7)
