"""Plain dictionaries of tasks, through `gpuscale.get`."""

from operator import add

import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import GraphError


def test_keys_calls_lists_and_constants():
    graph = {
        "x": 1,
        "alias": "x",
        ("y", 0): (add, "x", 10),
        "nested": (sum, [("y", 0), (add, "alias", (add, "x", 1)), 100]),
        "list": ["x", [("y", 0)], "text"],
        3: (max, 2, "x"),
    }
    assert gs.get(graph, "nested") == 114
    assert gs.get(graph, ["list", ["alias", 3]]) == ([1, [11], "text"], (1, 2))
    assert gs.get(graph, []) == ()


def test_constants_are_not_taken_for_keys():
    assert gs.get({"x": (add, {"a": 1}.__len__(), 2), "y": (dict, [])}, ["x", "y"]) == (3, {})
    assert gs.get({"x": (list, (1, [2]))}, "x") == [1, [2]]


def itself(value):
    return value


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({1.5: 10, "y": (add, 1.5, 1)}, 11),
        ({1: 10, "y": (add, 1.0, 2)}, 12),
        ({"x": 1, "y": (sum, {"x"})}, 1),
        ({"x": 1, "y": {"x"}}, {1}),
        ({"x": 1, "y": ("x", "x")}, (1, 1)),
        ({"x": 1, "y": (itself, ("x", 2))}, (1, 2)),
        ({"x": 1, "y": (itself, [("x", "x")])}, [(1, 1)]),
        ({"x": 1, "y": (itself, ((add, "x", 1), 5))}, (2, 5)),
        ({("x", 0): 1, "y": (itself, (("x", 0), 5))}, (1, 5)),
        ({"x": 1, "y": (itself, {"x": "x"})}, {"x": "x"}),
        ({"x": 1, "y": {"a": "x"}}, {"a": "x"}),
        ({"x": 1, "y": (itself, (None, True, 2.5, b"x", ()))}, (None, True, 2.5, b"x", ())),
    ],
)
def test_keys_inside_of_values_are_found_as_dask_finds_them(graph, expected):
    assert gs.get(graph, "y") == expected


@pytest.mark.parametrize(
    ("graph", "keys", "message"),
    [
        ({"x": (abs, "y"), "y": (abs, "x")}, "x", "circle.*'x' -> 'y'|circle.*'y' -> 'x'"),
        ({"x": "x"}, "x", "circle"),
        ({"x": 1}, "y", "'y' is not in the graph"),
        ([1], "x", "dictionary"),
    ],
)
def test_graphs_that_cannot_run(graph, keys, message):
    with pytest.raises(GraphError, match=message):
        gs.get(graph, keys)


@pytest.mark.parametrize("what", ["graph", "keys"])
def test_lists_that_hold_themselves(what):
    endless = []
    endless.append(endless)
    graph, keys = ({"x": endless}, "x") if what == "graph" else ({"x": 1}, endless)
    with pytest.raises(GraphError, match="holds itself, or lists nested"):
        gs.get(graph, keys)


def test_calls_nested_deeper_than_the_stack():
    call = "x"
    for _ in range(3_000):
        call = (add, call, 1)
    assert gs.get({"x": 0, "y": call}, "y") == 3_000


def test_delayed_values_and_futures_are_computed():
    with gs.Client() as client:
        seven = client.submit(int, "7")
        assert gs.get({"x": seven, "y": (add, "x", (max, [seven, 9]))}, ["x", "y"]) == (7, 16)
    double = gs.delayed(add)(gs.delayed(int)("4"), 4)
    assert gs.get({"x": (add, double, 1)}, "x") == 9


def test_arrays_behind_delayed_values_are_refused():
    total = gs.delayed(sum)(ga.ones(4, chunks=2))
    with pytest.raises(GraphError, match=r"Array is behind .* say gpuscale\.compute"):
        gs.get({"x": (add, total, 1)}, "x")
