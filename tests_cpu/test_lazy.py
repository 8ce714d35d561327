"""`delayed`: calls later, arguments anywhere, errors that say what to do."""

import inspect
import operator
import pickle
import re
from collections import OrderedDict, defaultdict, namedtuple
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import GpuscaleError, GraphError


@gs.delayed
def add(x, y=0):
    """Add."""
    return x + y


@dataclass
class Pair:
    first: object
    second: object


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_the_double_loop_of_the_talk(engine):
    results = {}
    for a in range(5):
        for b in range(4):
            results[a, b] = add(a, b)
    (computed,) = gs.compute(results, engine=engine)
    assert computed == {(a, b): a + b for a in range(5) for b in range(4)}


def test_arguments_are_found_in_containers_wherever_they_are():
    one, two = add(1), add(2)
    for given, expected in [
        ([one, [two, 3]], [1, [2, 3]]),
        ({"a": one, 2: (two,)}, {"a": 1, 2: (2,)}),
        ({1, 5}, {1, 5}),
        ({one, 5}, {1, 5}),
        (frozenset([one, two]), frozenset([1, 2])),
        (slice(one, two), slice(1, 2)),
        (Pair(one, [two]), Pair(1, [2])),
        (Point(one, 7), Point(1, 7)),
        (frozenset([4]), frozenset([4])),
        (OrderedDict(a=one), OrderedDict(a=1)),
        (defaultdict(list, a=[one]), defaultdict(list, a=[1])),
    ]:
        same = gs.delayed(lambda value: value)
        assert same(given).compute() == expected
        assert gs.delayed(given).compute() == expected
        assert type(gs.delayed(given).compute()) is type(expected)
        assert gs.compute(given) == (expected,)
        assert gs.delayed(lambda *, key: key)(key=given).compute() == expected


def test_without_traversal_containers_stay_as_they_are():
    one = add(1)
    kept = gs.delayed(lambda items: items, traverse=False)([one]).compute()
    assert kept[0] is one


OPERATORS = "add sub mul truediv floordiv mod pow lt le eq ne gt ge and_ or_ xor lshift"


@pytest.mark.parametrize("name", OPERATORS.split())
def test_operators_are_calls(name):
    function = getattr(operator, name)
    assert function(gs.delayed(7), 2).compute() == function(7, 2)
    assert function(7, gs.delayed(2)).compute() == function(7, 2)
    assert function(gs.delayed(7), gs.delayed(2)).compute() == function(7, 2)


def test_unary_operators_items_attributes_and_methods():
    x = gs.delayed(-3)
    assert gs.compute(-x, +x, abs(x), ~x, divmod(x, 2)) == (3, -3, 3, 2, (-2, 1))
    assert gs.delayed([1, 2, 3])[add(1)].compute() == 2
    assert gs.delayed(3 + 4j).imag.compute() == 4
    assert gs.delayed("a b").split(gs.delayed(" ")).compute() == ["a", "b"]
    assert gs.delayed("a").upper().lower().compute() == "a"
    assert gs.delayed(operator.add)(1, 2).compute() == 3


def test_methods_of_a_class_can_be_delayed():
    class Model:
        def __init__(self, factor):
            self.factor = factor

        @gs.delayed
        def predict(self, x):
            return self.factor * x

    assert Model(3).predict(add(2)).compute() == 6


def test_nobody_looks_for_the_token_of_a_function_that_is_only_called(monkeypatch):
    """One without a name to import is pickled for it, which takes longer than most calls."""
    asked = []
    monkeypatch.setattr("gpuscale.lazy.tokenize", lambda each: asked.append(each) or "0" * 32)
    square = gs.delayed(lambda x: x * x)
    assert square(3).compute() == 9 and not asked
    assert square.compute()(4) == 16 and len(asked) == 1
    assert square.key == "lambda-0000000000000000" and len(asked) == 1


def test_a_function_of_several_results_unpacks():
    @gs.delayed(nout=2)
    def halves(x):
        return x // 2, x % 2

    whole, rest = halves(add(7))
    assert gs.compute(whole, rest) == (3, 1)
    assert len(halves(1)) == 2
    with pytest.raises(TypeError, match="nout=2"):
        list(add(1))
    with pytest.raises(ValueError, match="number of results"):
        gs.delayed(abs, nout=-1)


def test_each_task_runs_once_however_often_it_is_used():
    calls = []

    def count(x):
        calls.append(x)
        return x

    once = gs.delayed(count)(1)
    assert gs.compute(once, [once, add(once, once)]) == (1, [1, 2])
    assert calls == [1]


@pytest.mark.parametrize("n", [100, 200_000, 3_000_000])
def test_pure_calls_are_told_apart_by_what_arrays_are_now(n):
    pure, buffer = gs.delayed(np.sum, pure=True), np.zeros(n)
    before = pure(buffer)
    assert pure(buffer.copy()).key == before.key
    kept = before.persist()
    buffer[n // 2] = 1
    assert pure(buffer).key != before.key
    assert gs.compute(kept, pure(buffer)) == (0, 1)
    with gs.Client() as client:
        one = client.compute(pure(buffer))
        assert one.result() == 1
        buffer[-1] = 2
        assert client.compute(pure(buffer)).result() == 3
    value = gs.delayed(buffer, pure=True)
    assert value.key == gs.delayed(buffer.copy(), pure=True).key
    buffer[0] = 1
    assert value.key != gs.delayed(buffer, pure=True).key


def test_pure_calls_share_their_key_and_others_do_not():
    pure = gs.delayed(operator.add, pure=True)
    assert pure(1, 2).key == pure(1, 2).key != pure(1, 3).key
    assert add(1, 2).key != add(1, 2).key
    assert gs.compute(pure(1, 2), pure(1, 2)) == (3, 3)
    assert gs.delayed([1], name="mine").key == "mine"
    assert add(1, dask_key_name="mine").key == "mine"


def test_chains_may_be_deeper_than_the_stack():
    x = add(0)
    for _ in range(20_000):
        x = add(x, 1)
    assert x.compute(engine="sync") == 20_000


def test_arrays_are_arguments_and_delayed_values_are_arrays():
    x = ga.arange(10, chunks=3)
    total = gs.delayed(lambda a, factor: a.sum() * factor)(x, add(2))
    assert total.compute() == 90
    value = gs.delayed(np.full)((2, 3), add(4))
    y = ga.from_delayed(value, (2, 3), int)
    assert (y + 1).sum().compute() == 30
    mixed = gs.delayed(np.sum)([y.sum(), {"x": x}["x"].max()])
    assert mixed.compute() == 33
    again = ga.from_delayed(gs.delayed(np.ones_like)(y), (2, 3), int)
    assert gs.compute(again + y, mixed)[1] == 33
    assert np.array_equal(again.persist().compute(), np.ones((2, 3)))


def test_blocks_become_delayed_values():
    x = ga.arange(12, chunks=4).reshape(3, 4).rechunk((2, 3))
    blocks = x.to_delayed()
    assert blocks.shape == x.numblocks
    joined = np.block(gs.compute(blocks.tolist())[0])
    assert np.array_equal(joined, x.compute())
    assert ga.ones(()).to_delayed()[()].compute() == 1


@pytest.mark.parametrize(("shape", "dtype"), [((3,), int), ((2,), float)])
def test_a_result_that_lies_about_itself_is_refused(shape, dtype):
    x = ga.from_delayed(gs.delayed(np.arange)(2), shape, dtype)
    with pytest.raises(GpuscaleError, match="promised"):
        x.compute()


def test_persist_keeps_values_and_keys():
    calls = []
    value = gs.delayed(calls.append)(1)
    kept, x = gs.persist(value, ga.ones(3))
    assert kept.key == value.key and gs.compute(kept, kept) == (None, None)
    assert len(calls) == 1 and x.sum().compute() == 3


def test_errors_carry_the_line_of_the_call():
    broken = gs.delayed(operator.truediv)(1, 0)
    with pytest.raises(ZeroDivisionError) as caught:
        add(broken, 1).compute()
    assert "test_lazy.py" in caught.value.__notes__[0] and "truediv" in caught.value.__notes__[0]


def test_what_nobody_knows_yet_is_refused():
    x = add(1)
    for attempt in (lambda: bool(x), lambda: 1 if x else 0, lambda: len(x)):
        with pytest.raises(TypeError, match="before it is computed"):
            attempt()
    with pytest.raises(TypeError, match="cannot be changed"):
        x[0] = 1
    with pytest.raises(AttributeError, match="name"):
        x.name = 1
    with pytest.raises(AttributeError, match="_hidden"):
        x._hidden  # noqa: B018
    with pytest.raises(TypeError, match=r"gpuscale\.delayed"):
        ga.from_delayed(np.ones(2), (2,), float)


def test_delayed_values_are_pickled_and_look_like_what_they_are():
    x = gs.delayed(operator.add)(1, 2) * 2
    assert pickle.loads(pickle.dumps(x)).compute() == 6
    assert repr(x).startswith("Delayed('mul-")
    assert add.__name__ == "add" and add.__doc__ == "Add."
    assert gs.delayed(x) is x


def test_tasks_are_drawn():
    picture = add(add(1), ga.ones(4, chunks=2).sum()).visualize()
    assert picture.svg.count("add") >= 2


def test_delayed_values_are_explained():
    with gs.annotate(memory="100 MiB"):
        parts = [add(k) for k in range(3)]
    total = gs.delayed(sum)([*parts, ga.ones(4, chunks=2).sum()])
    said = total.explain().splitlines()
    rows = {line.split()[0]: line for line in said[2:-1]}
    assert re.search(r"add +Task +3 .* 100\.0 MiB +test_lazy\.py:\d+", rows["add"])
    assert re.search(r"sum +Task +1 ", "\n".join(said))
    assert re.match(r"\d+ tasks; projected peak 2\d\d\.\d MiB with two workers", said[-1])
    analyzed = total.explain(analyze=True)
    assert "critical path" in analyzed and "longest" in analyzed
    assert add(1).real.explain().count("Task") == 2  # a method of the Delayed, not an attribute


def test_other_arrays_leave_operators_to_delayed_values():
    one = gs.delayed(1)
    for x in (np.ones(3), ga.ones(3), np.float64(1)):
        assert np.array_equal((x + one).compute(), np.add(x, 1))
        assert np.array_equal((one - x).compute(), np.subtract(1, x))


def test_a_delayed_value_is_no_array_until_its_shape_is_said():
    for make in (
        ga.asarray,
        ga.sqrt,
        lambda value: ga.sqrt(value, dtype=float),
        lambda value: ga.stack([ga.ones(2), value]),
    ):
        with pytest.raises(TypeError, match="from_delayed"):
            make(gs.delayed(np.ones)(2))


def test_none_is_a_value():
    assert gs.delayed(None).compute() is None


def test_plans_show_delayed_calls():
    x = ga.from_delayed(gs.delayed(np.ones)(3), (3,), float).sum()
    assert "from_delayed" in x.explain() and "from_delayed" in x.explain(analyze=True)
    assert "ones" in x.visualize().svg


@pytest.mark.parametrize(
    ("shape", "error"), [((-1,), ValueError), ((2.5,), TypeError), ("ab", TypeError)]
)
def test_shapes_of_delayed_values_are_whole_numbers(shape, error):
    with pytest.raises(error):
        ga.from_delayed(gs.delayed(1), shape, float)


def test_sizes_may_be_numbers_of_numpy():
    assert ga.from_delayed(gs.delayed(np.ones)(3), (np.int64(3),), float).sum().compute() == 3


def test_two_calls_of_one_name_are_refused():
    both = gs.delayed(1, name="a") + gs.delayed(2, name="a")
    with pytest.raises(GraphError, match="two different calls have the key 'a'"):
        both.compute()
    one = gs.delayed(abs)(-1, dask_key_name="a")
    assert gs.compute(one, pickle.loads(pickle.dumps(one)), one.persist()) == (1, 1, 1)


def test_long_chains_are_pickled_and_copied():
    x = y = gs.delayed(1)
    for _ in range(3_000):
        x, y = x + y, x
    last = x % 7
    for copy in (pickle.loads(pickle.dumps(last)), deepcopy(last)):
        assert copy.key == last.key
        assert copy.compute(engine="sync") == last.compute(engine="sync")


def test_arrays_of_objects_are_looked_into():
    blocks = ga.arange(4, chunks=2).to_delayed()
    (found,) = gs.compute(blocks)
    assert [each.tolist() for each in found] == [[0, 1], [2, 3]]
    assert gs.delayed(len)(blocks).compute() == 2


def test_containers_that_hold_themselves_or_are_too_deep():
    own: list = []
    own.append(own)
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    for value in (own, deep, {"key": own}):
        with pytest.raises(GraphError, match="holds itself"):
            gs.delayed(len)(value)
        with pytest.raises(GraphError, match="holds itself"):
            gs.compute(value)
    assert gs.delayed(len, traverse=False)(own).compute() == 1


def test_nested_values_are_kept_and_optimized_where_they_stand():
    one, x = add(1), ga.ones(4, chunks=2) + 1
    nested = {"a": [one], "b": slice(one, x), "c": Pair(x, (3,))}
    (kept,) = gs.persist(nested)
    assert kept["a"][0].key == one.key and isinstance(kept["b"].start, type(one))
    (optimized,) = gs.optimize(nested)
    assert optimized["a"][0] is one and optimized["c"].second == (3,)
    assert optimized["c"].first.expr.name == "full+add"
    for each in (nested, kept, optimized):
        (found,) = gs.compute(each)
        assert found["a"] == [1] and found["b"].start == 1
        assert found["b"].stop.tolist() == found["c"].first.tolist() == [2] * 4


def test_the_signature_can_be_read():
    assert "obj: 'Any' = <nothing>" in str(inspect.signature(gs.delayed))


class Stern:
    """Answers nothing but what it was made for."""

    def __getattr__(self, name):
        raise RuntimeError(f"nobody asked for {name}")


@pytest.mark.parametrize(
    "wrapped", [lambda x: x, lambda x: [x], lambda x: (x, 1), lambda x: {1: x}]
)
def test_results_are_not_asked_for_attributes_that_they_do_not_have(wrapped):
    made = gs.delayed(lambda: wrapped(Stern()))()
    assert type(made.compute()) is type(wrapped(Stern()))
    assert gs.delayed(lambda x: 3)(made).compute(memory_limit="1 MB") == 3
    assert gs.delayed(lambda x: 3)(gs.delayed(wrapped(Stern()))).compute() == 3
    with gs.Client(set_as_default=False) as client:
        future = client.submit(lambda: wrapped(Stern()))
        assert client.submit(lambda x: 3, future).result() == 3
    assert gs.persist(made)[0].compute() is not None
    named = gs.delayed(lambda x: 3, pure=True)
    assert named(wrapped(Stern())).compute() == 3


def test_calls_and_methods_take_a_key_and_whether_they_are_pure():
    words = gs.delayed("a b c", pure=True)
    named = words.split(" ", dask_key_name="parts")
    assert named.key == "parts" and named.compute() == ["a", "b", "c"]
    assert words.split(" ", pure=True).key == words.split(" ", pure=True).key
    assert words.split(" ", pure=True).key != words.split("b", pure=True).key
    assert words.split(" ", pure=True).key != words.strip(" ", pure=True).key
    assert words.split(" ").key != words.split(" ").key
    assert add(1, pure=True).key == add(1, pure=True).key and add(1, pure=True).compute() == 1
    pure = gs.delayed(add._function, pure=True)
    assert pure(1, pure=False).key != pure(1, pure=False).key
    assert pure(1, pure=None).key == pure(1).key
    call = gs.delayed({"f": abs})["f"](-1, dask_key_name="absolute")
    assert call.key == "absolute" and call.compute() == 1


def test_without_traversal_arguments_alone_are_computed():
    one, inner = add(1), [add(2)]
    x = ga.ones(3)
    computed = gs.compute(one, inner, 5, x.sum(), traverse=False)
    assert computed == (1, inner, 5, 3) and computed[1][0] is inner[0]
    kept = gs.persist(one, inner, traverse=False)
    assert kept[1] is inner and kept[0].compute() == 1
    assert one.compute(traverse=False) == 1


@pytest.mark.parametrize("put", [lambda x: x, lambda x: [x], lambda x: {"x": x}])
def test_lazy_objects_of_dask_are_refused(put):
    dask = pytest.importorskip("dask")
    value = dask.delayed(int)(3)
    with pytest.raises(TypeError, match="of dask would stay lazy.*compute"):
        add(put(value))
    with (
        gs.Client(set_as_default=False) as client,
        pytest.raises(TypeError, match="of dask would stay lazy.*compute"),
    ):
        client.submit(len, put(value))
    with pytest.raises(TypeError, match="of dask would stay lazy.*compute"):
        gs.delayed(put(value))


def test_sizes_that_nobody_knows_are_nan():
    made = gs.delayed(np.arange)(6.0)
    x = ga.from_delayed(made.reshape(3, 2), shape=(np.nan, 2), dtype=float)
    np.testing.assert_array_equal((x + 1).compute(), np.arange(6.0).reshape(3, 2) + 1)
    assert x.sum().compute() == 15 and len(x) == 3
    parts = [ga.from_delayed(gs.delayed(np.full)(k, k), (np.nan,), int) for k in range(4)]
    assert ga.concatenate(parts).compute().tolist() == [1, 2, 2, 3, 3, 3]
    assert ga.from_delayed(made, np.nan, float).compute().shape == (6,)
    assert ga.from_delayed(made.reshape(3, 2), (n for n in (np.nan, 2)), float).shape == (3, 2)
    with pytest.raises(GpuscaleError, match=r"shape \(\?, 3\) .*but has shape \(3, 2\)"):
        ga.from_delayed(made.reshape(3, 2), (np.nan, 3), float).compute()
    with pytest.raises(GpuscaleError, match="promised"):
        ga.from_delayed(made, (np.nan, np.nan), float).compute()
    with pytest.raises(TypeError):
        ga.from_delayed(made, (2.5,), float)
