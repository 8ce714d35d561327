import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.graph.numbering import number
from gpuscale.graph.task import GraphError, Task


def test_numbers_follow_the_graph():
    graph = {
        "x": Task("x", int),
        "y": Task("y", abs, ("x",)),
        "z": Task("z", max, ("x", "y")),
    }
    numbered = number(graph, ["z", "x", "z"])
    assert numbered.deps == [(), (0,), (0, 1)]
    assert numbered.users == [[1, 2], [2], []]
    assert numbered.kept == [2, 0, 2]
    assert list(numbered.sorted) == [0, 1, 2]
    assert numbered.uses() == [3, 1, 1]


def test_what_nobody_needs_is_left_out():
    graph = {k: Task(k, int) for k in "abc"}
    graph["ab"] = Task("ab", max, ("a", "b"))
    graph["bc"] = Task("bc", max, ("b", "c"))
    numbered = number(graph, ["bc"])
    assert [task.key for task in numbered.tasks] == ["b", "c", "bc"]
    assert numbered.users == [[2], [2], []]


def test_a_dependency_listed_twice_counts_twice():
    graph = {"x": Task("x", int), "xx": Task("xx", max, ("x", "x"))}
    numbered = number(graph, ["xx"])
    assert numbered.deps == [(), (0, 0)]
    assert numbered.uses() == [2, 1]


def test_no_keys_need_nothing():
    assert len(number({"x": Task("x", int)}, [])) == 0


def test_missing_keys_and_circles_are_refused():
    with pytest.raises(GraphError, match="requested key 'q'"):
        number({}, ["q"])
    with pytest.raises(GraphError, match="task 'y' needs 'x', which is not"):
        number({"y": Task("y", abs, ("x",))}, ["y"])
    with pytest.raises(GraphError, match="'a' -> 'b' -> 'a'"):
        number({"a": Task("a", abs, ("b",)), "b": Task("b", abs, ("a",))}, ["a"])


def test_the_collector_is_left_as_it_was():
    gc.disable()
    try:
        number({"x": Task("x", int)}, ["x"])
        assert not gc.isenabled()
    finally:
        gc.enable()
    number({"x": Task("x", int)}, ["x"])
    assert gc.isenabled()


def random_deps(rng, i):
    return tuple(rng.choices(range(i), k=rng.randrange(4))) if i else ()


@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_any_order_of_the_graph_gives_the_same_structure(rng, n):
    graph = {i: Task(i, max, random_deps(rng, i)) for i in range(n)}
    shuffled = dict(rng.sample(list(graph.items()), n))
    keys = rng.sample(range(n), rng.randint(1, n))
    numbered = number(shuffled, keys)

    needed, stack = set(), list(keys)
    while stack:
        key = stack.pop()
        if key not in needed:
            needed.add(key)
            stack += graph[key].deps
    assert {task.key for task in numbered.tasks} == needed
    place = {i: at for at, i in enumerate(numbered.sorted)}
    assert sorted(place) == list(range(len(numbered)))
    for i, task in enumerate(numbered.tasks):
        assert tuple(numbered.tasks[d].key for d in numbered.deps[i]) == task.deps
        assert all(place[d] < place[i] for d in numbered.deps[i])
        assert all(
            numbered.users[d].count(i) == numbered.deps[i].count(d) for d in numbered.deps[i]
        )
    assert [numbered.tasks[i].key for i in numbered.kept] == keys
