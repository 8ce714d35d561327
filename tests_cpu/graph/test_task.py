import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.graph.task import GraphError, Task, find_cycle, toposort, validate


def chain(*keys):
    """Tasks of which each needs the next; the last needs nothing."""
    return {k: Task(k, abs, deps) for k, *deps in zip(keys, keys[1:], strict=False)} | {
        keys[-1]: Task(keys[-1], int)
    }


def test_a_task_is_small():
    task = Task("x", int)
    assert not hasattr(task, "__dict__")
    assert (task.deps, task.args, task.nbytes, task.workspace) == ((), (), 0, 0)
    assert (task.priority, task.label, task.origin) == (0, "", None)


def test_repr_names_key_function_and_dependencies():
    text = repr(Task(("add", 1), max, (("x", 1),), label="add"))
    assert text == "Task(('add', 1), max, deps=(('x', 1),), label='add')"


def test_a_complete_graph_is_valid():
    graph = chain("z", "y", "x")
    validate(graph, ["z", "x"])
    assert toposort(graph) == ["x", "y", "z"]


def test_a_requested_key_is_missing():
    with pytest.raises(GraphError, match="requested key 'q' is not in the graph"):
        validate(chain("x"), ["q"])


def test_a_dependency_is_missing():
    with pytest.raises(GraphError, match=r"task 'y' needs \('x', 3\), which is not in the graph"):
        validate({"y": Task("y", abs, (("x", 3),))})


def test_a_circle_is_shown():
    graph = {
        "start": Task("start", abs, ("a",)),
        "a": Task("a", abs, ("b",)),
        "b": Task("b", max, ("free", "c")),
        "c": Task("c", abs, ("a",)),
        "free": Task("free", int),
    }
    with pytest.raises(GraphError, match="'a' -> 'b' -> 'c' -> 'a'"):
        validate(graph)


def test_a_task_that_needs_itself():
    with pytest.raises(GraphError, match="'a' -> 'a'"):
        validate({"a": Task("a", abs, ("a",))})


def test_a_task_under_another_key():
    with pytest.raises(GraphError, match="the task of 'y' is stored under another key, 'x'"):
        validate({"x": Task("y", int)})


@pytest.mark.parametrize("sizes", [{"nbytes": -1}, {"workspace": -8}])
def test_a_negative_size(sizes):
    with pytest.raises(GraphError, match="task 'x' has a negative size"):
        validate({"x": Task("x", int, **sizes)})


def test_dependencies_outside_the_graph_count_as_computed():
    assert toposort({"y": Task("y", abs, ("elsewhere",))}) == ["y"]


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_toposort_puts_each_task_after_what_it_needs(rng, n):
    keys = list(range(n))
    graph = {i: Task(i, max, tuple(rng.sample(keys[:i], min(i, rng.randrange(4))))) for i in keys}
    shuffled = dict(rng.sample(list(graph.items()), n))
    order = toposort(shuffled)
    assert sorted(order) == keys
    place = {key: i for i, key in enumerate(order)}
    assert all(place[dep] < place[key] for key in keys for dep in graph[key].deps)


@given(st.integers(1, 8), st.integers(0, 5))
def test_find_cycle_walks_once_around(length, tail):
    ring = [("ring", i) for i in range(length)]
    graph = {k: Task(k, abs, (ring[(i + 1) % length],)) for i, k in enumerate(ring)}
    for i in range(tail):
        graph["tail", i] = Task(("tail", i), abs, (("tail", i + 1) if i + 1 < tail else ring[0],))
    circle = find_cycle(graph, reversed(list(graph)))
    assert circle[0] == circle[-1]
    assert sorted(circle[1:]) == sorted(ring)


def test_a_long_circle_is_shown_in_short():
    graph = {f"k{n}": Task(f"k{n}", abs, (f"k{(n + 1) % 1000}",)) for n in range(1000)}
    with pytest.raises(GraphError, match=r"'k4' -> \.\.\. \(991 more\) -> 'k996'") as caught:
        toposort(graph)
    assert len(str(caught.value)) < 300
