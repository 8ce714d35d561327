"""Lazy values where they are found, and where they cannot stand: found or refused, never missed."""

from collections import OrderedDict, deque

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import GraphError


def inc(k):
    return k + 1


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture(params=["delayed", "future"])
def two(request, client):
    """The number 2, which is not there yet."""
    return gs.delayed(inc)(1) if request.param == "delayed" else client.submit(inc, 1)


VIEWS = {
    "deque": (lambda two: deque([two, 3], maxlen=5), deque([2, 3], maxlen=5)),
    "values": (lambda two: {"x": two, "y": 3}.values(), [2, 3]),
    "items": (lambda two: {"x": two}.items(), [("x", 2)]),
    "keys": (lambda two: {two: 3}.keys(), [2]),
    "ordered": (lambda two: OrderedDict(x=two).values(), [2]),
    "nested": (lambda two: [deque([{"x": two}.values()])], [deque([[2]])]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_dictionaries_and_queues_are_looked_into(name, two, client):
    make, expected = VIEWS[name]
    is_future = isinstance(two, gs.Future)
    found = gs.delayed(lambda value: value)(make(two)).compute()
    assert found == expected and type(found) is type(expected)
    assert gs.compute(make(two))[0] == expected
    if is_future:
        assert client.submit(lambda value: value, make(two)).result() == expected
        assert client.gather(make(two)) == expected
        assert gs.futures_of(make(two)) == [two]
    if isinstance(found, deque):
        assert found.maxlen == 5


def test_what_holds_nothing_lazy_stays_the_very_object():
    for value in (deque([1]), {1: 2}.items(), {1: 2}.keys(), {1: 2}.values()):
        assert gs.delayed(lambda each: each)(value).compute() is value
        assert gs.compute(value)[0] is value


def test_compute_reads_iterators(two, client):
    assert gs.compute(each for each in [two, 3]) == ([2, 3],)
    assert gs.compute(map(gs.delayed(inc), [1, 2]), iter([two])) == ([2, 3], [2])
    assert client.gather(each for each in [two]) == ([2] if isinstance(two, gs.Future) else [two])
    assert gs.persist(each for each in [gs.delayed(inc)(1)])[0][0].compute() == 2
    (total,) = client.compute(each for each in [gs.delayed(inc)(2)])
    assert total.result() == 3
    if isinstance(two, gs.Future):
        assert gs.wait(each for each in [two]).done == {two}


@pytest.mark.parametrize("make", [iter, lambda x: (y for y in x), lambda x: map(inc, x), enumerate])
def test_tasks_get_no_iterators(make, client):
    with pytest.raises(TypeError, match=r"can be read only once.*make a list of it: list\(...\)"):
        gs.delayed(sum)(make([1, 2]))
    with pytest.raises(TypeError, match="can be read only once"):
        client.submit(sum, make([1, 2]))
    with pytest.raises(TypeError, match="can be read only once"):
        gs.compute([make([1, 2])])
    assert gs.delayed(list, traverse=False)(make([1])).compute() == list(make([1]))


X = ga.arange(6, chunks=3)


@pytest.mark.parametrize(
    "call",
    [
        lambda two: ga.map_blocks(np.multiply, X, two, dtype=int),
        lambda two: ga.map_blocks(np.sum, X, keepdims=two),
        lambda two: X.map_blocks(np.sum, axis=[two]),
        lambda two: ga.map_overlap(np.multiply, X, depth=1, boundary=0, k={"x": two}, dtype=int),
        lambda two: ga.blockwise(np.multiply, "i", X, "i", two, None, dtype=int),
    ],
)
def test_blocks_get_no_lazy_values(call, two):
    with pytest.raises(TypeError, match="is lazy: .*compute it first, or make an array"):
        call(two)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda two: X[two], "an index is known before anything is computed"),
        (lambda two: X[two,], "an index is known before"),
        (lambda two: X[two:], "is no number before it is computed"),
        (lambda two: ga.asarray([two, 1]), "say what each will be with from_delayed"),
        (lambda two: ga.asarray(two), "say what it will be with from_delayed"),
        (int, "is no number before it is computed"),
        (float, "is no number before it is computed"),
        (range, "is no number before it is computed"),
    ],
)
def test_what_has_to_be_known_at_once(use, said, two):
    with pytest.raises(TypeError, match=said):
        use(two)


@pytest.mark.parametrize(
    "use",
    [
        lambda f: X + f,
        lambda f: f + X,
        lambda f: np.arange(3) * f,
        lambda f: f - 1,
        lambda f: 2**f,
        lambda f: -f,
        lambda f: f < 3,
        lambda f: f[0],
        list,
    ],
)
def test_futures_have_no_operators(use, client):
    future = client.submit(inc, 1)
    with pytest.raises(TypeError, match=r"result\(\) waits for its value, and gpuscale.delayed\("):
        use(future)
    assert future and future == future and hash(future) is not None
    assert (gs.delayed(future) + X).compute().tolist() == [2, 3, 4, 5, 6, 7]


def pair():
    return (1,)


def test_a_function_that_returns_less_than_it_was_said_to():
    first, second = gs.delayed(pair, nout=2)()
    assert first.compute() == 1
    said = r"pair, called at .*test_lazy_arguments.py:\d+, should give nout=2 results, but gave 1"
    with pytest.raises(IndexError, match=said):
        second.compute()
    first, _ = gs.delayed(inc, nout=2)(1)
    with pytest.raises(TypeError, match="inc, called at .* should give nout=2 .* gave one int"):
        first.compute()
    a, b = gs.delayed(dict, nout=2)({0: "x", 1: "y"})
    assert gs.compute(a, b) == ("x", "y")


@pytest.mark.parametrize("get", [gs.get, lambda *a: gs.Client(set_as_default=False).get(*a)])
def test_keys_that_cannot_be(get):
    graph = {"x": 1, "y": (inc, "x")}
    with pytest.raises(GraphError, match="key None is not in the graph; it has 'x', 'y'$"):
        get(graph, None)
    for wrong in ({}, [["x", {}]], ([],)):
        with pytest.raises(GraphError, match="cannot be a key: keys are strings, numbers and tup"):
            get(graph, wrong)
    with pytest.raises(GraphError, match=r"it has 0, 1, 2, 3, 4, \.\.\.$"):
        get(dict(enumerate(range(9))), "x")


AXES = {
    "sum": lambda x, axis: x.sum(axis=axis),
    "pairs": lambda x, axis: x.sum(axis=(axis, 0)),
    "std": lambda x, axis: x.std(axis=axis),
    "median": lambda x, axis: ga.median(x, axis=axis),
    "norm": lambda x, axis: ga.linalg.norm(x, axis=axis),
    "cumsum": lambda x, axis: x.cumsum(axis=axis),
    "sort": lambda x, axis: ga.sort(x, axis=axis),
    "expand_dims": lambda x, axis: ga.expand_dims(x, axis),
    "apply_over_axes": lambda x, axis: ga.apply_over_axes(ga.sum, x, axis),
    "squeeze": lambda x, axis: ga.squeeze(x, axis),
    "concatenate": lambda x, axis: ga.concatenate([x, x], axis=axis),
}


@pytest.mark.parametrize("name", AXES)
def test_an_axis_must_be_there(name, two):
    gives = "result" if isinstance(two, gs.Future) else "compute"
    expected = rf"an axis must be an integer that is known by now: .* {gives}\(\) gives its value"
    with pytest.raises(TypeError, match=expected):
        AXES[name](ga.ones((2, 3), chunks=2), two)


def test_several_axes_of_one_lazy_value_must_be_there():
    axes = gs.delayed(lambda: (0, 1), nout=2)()
    with pytest.raises(TypeError, match="axis must be an integer that is known"):
        ga.ones((2, 3)).sum(axis=axes)


def test_a_list_with_a_slice_and_nothing_lazy_stays_the_list():
    given = [slice(1, None), "x"]
    assert gs.delayed(lambda other, x: x is given)(gs.delayed(1), given).compute()
    lazy = gs.delayed(lambda x: x)([slice(gs.delayed(int)("1"), None)])
    assert lazy.compute() == [slice(1, None)]
