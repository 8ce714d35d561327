"""Running expressions: nested collections, stages, options, writers."""

import sys
from collections import namedtuple

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.backends import creation
from gpuscale.base.errors import (
    BackendError,
    ConfigError,
    EngineError,
    GpuscaleError,
    GraphError,
    MemoryBudgetError,
)
from gpuscale.expr.physical import Physical
from gpuscale.graph.task import Task
from gpuscale.run import graph_of, run_sinks
from gpuscale.testing import nothing_computes

Pair = namedtuple("Pair", "first second")


class Writer:
    """Collects what it is given; fails at one block if asked to."""

    def __init__(self, fails_at=None):
        self.fails_at, self.written, self.ends = fails_at, {}, []

    def __gpuscale_tokenize__(self):
        return str(id(self))

    def write(self, slices, chunk):
        start = tuple(s.start for s in slices)
        if start == self.fails_at:
            raise OSError("no space left")
        self.written[start] = np.array(chunk)

    def commit(self):
        self.ends.append("commit")

    def abort(self):
        self.ends.append("abort")


def test_collections_are_found_in_containers():
    x = ga.arange(6, chunks=2)
    pair, mapping, rest = gpuscale.compute(
        Pair(x.sum(), [x.max()]), {"x": x, 3: (x.min(), "text")}, 7, engine="sync"
    )
    assert pair == Pair(15, [5])
    np.testing.assert_array_equal(mapping["x"], np.arange(6))
    assert mapping[3] == (0, "text")
    assert rest == 7


def test_equal_work_is_done_once():
    calls = []

    def counted(chunk):
        calls.append(chunk.shape)
        return chunk * 2

    x = ga.map_blocks(counted, ga.arange(6, chunks=2), dtype=int)
    gpuscale.compute(x.sum(), x.max(), x + 1, engine="sync")
    assert calls == [(2,)] * 3


def test_results_have_numpys_types():
    assert type(ga.ones(3).sum().compute()) is np.float64
    assert type(ga.ones(3).compute()) is np.ndarray
    assert ga.ones((0, 3)).compute().shape == (0, 3)


@pytest.mark.parametrize("until", ["expression", "simplify", "lower", "fuse"])
def test_every_stage_means_the_same(until):
    x = ga.from_array(np.arange(24.0).reshape(4, 6), chunks=2)
    y = ((x + x[::-1]) - x.mean(axis=0)).T.sum(axis=1)
    ((staged,),) = gpuscale.optimize([y], until=until)
    assert isinstance(staged.expr, Physical) == (until in ("lower", "fuse"))
    np.testing.assert_allclose(staged.compute(), y.compute())
    assert staged.dtype == y.dtype


def test_stages_that_do_not_exist():
    with pytest.raises(ValueError, match="simplify, lower, fuse"):
        gpuscale.optimize(ga.ones(3), until="done")


def test_the_graph_can_be_looked_at():
    graph = graph_of(ga.ones(4, chunks=2).map_blocks(np.sort), [ga.zeros(2)])
    assert all(isinstance(task, Task) for task in graph.values())
    assert len(graph) >= 3


def test_results_beyond_the_memory_limit_are_refused_before_they_run():
    x = ga.ones((1000, 1000), chunks=100)
    with nothing_computes(), pytest.raises(MemoryBudgetError, match="to_zarr"):
        x.compute(memory_limit="1 MiB")


@pytest.mark.parametrize("name", ["sort", "argsort"])
def test_a_sort_of_many_small_chunks_needs_no_larger_ones(name):
    x = ga.random.default_rng(0).random(10_000, chunks=100)
    (result,) = gpuscale.compute(getattr(ga, name)(x)[::5_000], memory_limit=300_000)
    np.testing.assert_array_equal(result, getattr(np, name)(x.compute())[::5_000])


def test_a_backend_that_is_missing_is_named_before_the_memory(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(creation, "_loaded", {})
    with pytest.raises(BackendError, match="CuPy cannot be imported"):
        gpuscale.compute(ga.ones(1_000, like="cupy"), memory_limit=100)


def test_options_hold_for_one_run():
    before = gpuscale.config.get("num-workers")
    ga.ones(3).compute(num_workers=1)
    assert gpuscale.config.get("num-workers") == before
    with pytest.raises(Exception, match="no-such-option"):
        ga.ones(3).compute(no_such_option=1)


def test_writers_get_every_block_and_are_committed():
    x = ga.arange(6, chunks=4)
    writers = [Writer(), Writer()]
    run_sinks([x.expr, (x * 2).expr], writers, engine="sync")
    assert [w.ends for w in writers] == [["commit"], ["commit"]]
    np.testing.assert_array_equal(writers[0].written[4,], [4, 5])
    np.testing.assert_array_equal(writers[1].written[0,], [0, 2, 4, 6])


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_a_failure_aborts_every_writer(engine):
    x = ga.arange(6, chunks=4)
    writers = [Writer(), Writer(fails_at=(4,))]
    with pytest.raises(OSError, match="no space left"):
        run_sinks([x.expr, (x * 2).expr], writers, engine=engine)
    assert [w.ends for w in writers] == [["abort"], ["abort"]]


def test_a_writer_that_cannot_be_aborted_does_not_keep_others_from_it():
    class Stuck(Writer):
        def abort(self):
            super().abort()
            raise OSError("stale handle")

    x = ga.arange(6, chunks=4)
    writers = [Stuck(), Writer(fails_at=(4,)), Stuck(), Writer()]
    with pytest.raises(OSError, match="stale handle") as raised:
        run_sinks([(x * k).expr for k in range(4)], writers, engine="sync")
    assert [w.ends for w in writers] == [["abort"]] * 4
    first = raised.value.__context__.__context__
    assert "no space left" in str(first)


def _needs(memory):
    with gpuscale.annotate(memory=memory):
        return gpuscale.delayed(abs)(1)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: gpuscale.get({"x": (abs, "y"), "y": (abs, "x")}, "x"), GraphError, "'x' -> 'y'"),
        (lambda: gpuscale.get({"x": 1}, "z"), GraphError, "'z' is not in the graph; it has 'x'"),
        (lambda: ga.ones(3).compute(engine="treads"), EngineError, "there are .*'threads'"),
        (lambda: ga.ones(3).compute(memory_limit=-1), ConfigError, "memory-limit .* at least 0"),
        (lambda: gpuscale.Client(memory_limit=-1), ConfigError, "memory-limit .* at least 0"),
        (lambda: gpuscale.annotate(memori="1 GiB"), TypeError, "did you mean 'memory'"),
        (
            lambda: ga.from_delayed(gpuscale.delayed(np.ones)(5), (4,), float).compute(),
            GpuscaleError,
            r"promised to be of shape \(4,\).* but has shape \(5,\)",
        ),
        (
            lambda: _needs("2 GiB").compute(memory_limit="1 GiB"),
            MemoryBudgetError,
            r"a task of abs, written at .*test_run.py:\d+, needs 2.0 GiB at once",
        ),
    ],
)
def test_bad_input_is_told_with_what_to_do(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_the_scheduler_is_called_engine():
    with pytest.raises(TypeError, match="engine="):
        ga.ones(4, chunks=2).compute(scheduler="threads")
    with pytest.raises(TypeError, match="no option optimize_graph; leave it out"):
        gpuscale.compute(ga.ones(4, chunks=2), optimize_graph=True)


def test_failures_stand_in_the_place_of_results():
    def fail(chunk):
        raise ValueError("no")

    x = ga.ones(6, chunks=3)
    bad = x.map_blocks(fail, dtype=float)
    word = gpuscale.delayed(int)("word")
    kept = x[bad > 0]  # of unknown size
    found = gpuscale.compute(
        {"sum": bad.sum(), "fine": x.sum()}, word + 1, kept, 7, on_error="continue"
    )
    assert found[0]["fine"] == 6 and found[3] == 7
    failures = [found[0]["sum"], found[1], found[2]]
    assert {type(each) for each in failures} == {gpuscale.Failure}
    assert [str(each.error)[:2] for each in failures] == ["no", "in", "no"]
    assert failures[1].key == word.key
    one, (other,) = gpuscale.get(
        {"x": (divmod, 1, 0), "y": (int,)}, ["x", ["y"]], on_error="continue"
    )
    assert isinstance(one, gpuscale.Failure) and other == 0


@pytest.mark.parametrize(
    "call", [lambda **k: gpuscale.compute(1, **k), lambda **k: gpuscale.get({}, [], **k)]
)
def test_what_to_do_on_error_is_one_of_two(call):
    with pytest.raises(ValueError, match="on_error is 'raise' or 'continue', not 'skip'"):
        call(on_error="skip")


def test_resources_are_named_where_they_are_needed():
    with gpuscale.annotate(resources={"GPU": 1}):
        one = gpuscale.delayed(int)("1")
        x = ga.ones(20, chunks=2).sum()
        with pytest.raises(EngineError, match="but there is none; say how much there is in comp"):
            gpuscale.compute(x)
        assert gpuscale.compute(x, one, resources={"GPU": 1}) == (20, 1)
    with pytest.raises(ConfigError, match="option resources: resource 'GPU' is a number"):
        gpuscale.compute(one, resources={"GPU": "one"})
    with pytest.raises(ConfigError, match="option resources cannot be 3"):
        gpuscale.compute(one, resources=3)
