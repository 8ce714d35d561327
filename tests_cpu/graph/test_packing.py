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


class Labelled:
    """As xarray's, which may hold an array of dask, or one of NumPy."""

    def __init__(self, graph):
        self.graph = graph

    def __dask_graph__(self):
        return self.graph


def test_only_what_is_lazy_elsewhere_is_refused():
    value = [Labelled(None), Labelled]
    assert pack(value, lambda each: None) is value
    with pytest.raises(TypeError, match="a Labelled of .* would stay lazy"):
        pack([Labelled({})], lambda each: None)


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
