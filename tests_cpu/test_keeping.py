"""Chunks that are kept, and sizes that are counted."""

import pickle

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import GpuscaleError, MemoryBudgetError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import is_known
from gpuscale.diagnostics.record import Recorder
from gpuscale.expr.physical import Source
from gpuscale.graph.steady import steady_tokens
from gpuscale.keeping import count_sizes


def test_kept_chunks_are_read_and_not_computed_again():
    calls = []

    def counted(chunk):
        calls.append(1)
        return chunk + 1

    x = ga.map_blocks(counted, ga.zeros(6, chunks=3), dtype=float)
    kept, nested = gpuscale.persist(x, [x.T])
    assert isinstance(kept.expr, Source)
    assert len(calls) == 2
    assert kept.chunks == x.chunks
    assert float(kept.sum().compute()) == 6
    assert nested[0].shape == (6,)
    assert len(calls) == 2


def test_kept_chunks_have_known_sizes():
    x = ga.arange(10, chunks=4)
    (kept,) = gpuscale.persist(x[x % 3 == 0])
    assert kept.chunks == ((2, 1, 1),)
    np.testing.assert_array_equal(kept[1:].compute(), [3, 6, 9])


def test_sizes_are_counted_once(monkeypatch):
    calls = []

    def counted(chunk):
        calls.append(1)
        return chunk

    x = ga.map_blocks(counted, ga.arange(10, chunks=4), dtype=int)
    y = x[x > 4]
    assert not is_known(y.chunks)
    assert len(y) == 5
    assert y.chunks == ((0, 3, 2),)
    before = len(calls)
    np.testing.assert_array_equal(y[1:3].compute(), [6, 7])  # small results were kept
    assert len(calls) == before
    assert count_sizes(y) is y


def test_large_results_are_not_kept_while_sizes_are_counted(monkeypatch):
    monkeypatch.setattr("gpuscale.keeping.KEEP_BYTES", 0)
    x = ga.arange(10, chunks=4)
    y = x[x > 4].compute_chunk_sizes()
    assert not isinstance(y.expr, Source)
    assert y.shape == (5,)
    np.testing.assert_array_equal(y[1:3].compute(), [6, 7])


@pytest.mark.parametrize("limit", ["4 MB", "20 MB"])  # the array takes 12 MB
def test_sizes_are_counted_within_the_limit(limit):
    x = ga.random.default_rng(42).random((1_500, 1_000), chunks=250)
    expected = x.compute()[x.compute() > 0.1]
    with config.set({"memory-limit": limit}):
        y = x[x > 0.1]
        assert len(y) == len(expected)
        np.testing.assert_array_equal(y[5:7].compute(), expected[5:7])


def test_data_that_changes_after_it_was_counted(monkeypatch):
    monkeypatch.setattr("gpuscale.keeping.KEEP_BYTES", 0)
    draws = iter(range(1, 100))

    def moody(chunk):
        return chunk[: next(draws)]

    x = ga.map_blocks(moody, ga.ones(50), dtype=float, chunks=(np.nan,))
    x.compute_chunk_sizes()
    with pytest.raises(GpuscaleError, match="persist"):
        x.compute(engine="sync")


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_delayed_values_beyond_the_limit_are_kept_on_disk(engine, tmp_path):
    calls = []

    @gpuscale.delayed
    def part(k):
        calls.append(k)
        return {"x": np.full(100_000, float(k))}

    options = {"temporary-directory": str(tmp_path), "memory-limit": 2_000_000}
    with gpuscale.config.set(options):
        parts = gpuscale.persist([part(k) for k in range(10)], engine=engine)[0]
        files = [path for path in tmp_path.glob("*/*/*") if path.is_file()]
        assert len(files) >= 8 and len(calls) == 10
        assert [each["x"][0].compute() for each in parts] == list(range(10))
        total = gpuscale.delayed(lambda *all: sum(each["x"].sum() for each in all))(*parts)
        assert total.compute(engine=engine) == 45 * 100_000
        kept = pickle.loads(pickle.dumps(parts[0]))
        del parts, total
        assert not any(path.exists() for path in files)
        assert kept.compute()["x"].tolist() == [0.0] * 100_000
    assert len(calls) == 10


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_arrays_beyond_the_limit_are_kept_on_disk(engine, tmp_path):
    calls = []

    def counted(chunk):
        calls.append(1)
        return chunk + 1

    data = np.random.default_rng(3).random((6_000, 500))
    limit = data.nbytes // 5
    x = ga.from_array(data, chunks=(150, 500)).map_blocks(counted, dtype=float)
    options = {"temporary-directory": str(tmp_path), "memory-limit": limit, "num-workers": 2}
    with config.set(options):
        kept, turned = gpuscale.persist(x, x.T, engine=engine)
        assert len(calls) == 40
        files = [path for path in tmp_path.glob("*/*/*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) >= data.nbytes, "none is in memory"
        assert (kept.nbytes, kept.chunks, kept.dtype) == (data.nbytes, x.chunks, x.dtype)
        again, kept_turned = gpuscale.persist(kept, turned, engine=engine)
        assert again.expr is kept.expr and kept_turned.expr is turned.expr
        found = gpuscale.compute(
            kept.sum(), kept[100:4_000:7, 3:5], turned[2, ::1_000], (kept > 1.5).sum(axis=1),
            kept.rechunk((6_000, 10)).map_blocks(np.sort, axis=0, dtype=float)[-1],
            engine=engine,
        )  # fmt: skip
    data += 1
    np.testing.assert_allclose(found[0], data.sum())
    np.testing.assert_array_equal(found[1], data[100:4_000:7, 3:5])
    np.testing.assert_array_equal(found[2], data.T[2, ::1_000])
    np.testing.assert_array_equal(found[3], (data > 1.5).sum(axis=1))
    np.testing.assert_array_equal(found[4], data.max(axis=0))
    assert len(calls) == 40
    pickled = pickle.dumps(kept[:200])
    del kept, again, turned, kept_turned
    assert not any(path.exists() for path in files)
    copy = pickle.loads(pickled)
    np.testing.assert_array_equal(copy.compute(), data[:200])


def test_tokens_and_checkpoints_do_not_depend_on_where_kept_chunks_are():
    x = ga.arange(300_000, chunks=30_000).map_blocks(np.copy, dtype=int)
    with config.set({"memory-limit": x.nbytes // 2}):
        on_disk = x.persist()
    in_memory = x.persist()
    assert on_disk.expr.reader.cost == "copy" and in_memory.expr.reader.cost == "view"
    assert tokenize(on_disk) != tokenize(in_memory)
    assert steady_tokens([on_disk.expr]) == steady_tokens([in_memory.expr])


def test_kept_chunks_that_fit_are_in_memory_though_some_were_on_disk_meanwhile():
    x = ga.arange(400_000, chunks=20_000).map_blocks(np.copy, dtype=int)
    before = x.rechunk(40_000).map_blocks(np.copy, dtype=int)
    with config.set({"memory-limit": int(x.nbytes * 1.1)}), Recorder() as recorder:
        kept, _ = gpuscale.persist(before, (x - x.sum()).sum(), engine="sync")
    assert recorder.runs[0].spilled
    assert kept.expr.reader.cost == "view"
    np.testing.assert_array_equal(kept.compute(), np.arange(400_000))


def test_a_task_that_exceeds_the_limit_is_refused_before_anything_is_kept():
    x = ga.ones(1_000_000, chunks=-1).map_blocks(np.copy, dtype=float)
    with (
        config.set({"memory-limit": "1 MB"}),
        pytest.raises(MemoryBudgetError, match="needs .* use smaller chunks"),
    ):
        x.persist()


def test_kept_objects_are_the_very_objects_beyond_the_limit_too(caplog):
    class Model:
        nbytes = 2_000_000

    with gpuscale.config.set({"memory-limit": 3_000_000}):
        models = gpuscale.persist(*[gpuscale.delayed(Model)() for _ in range(4)])
        assert all(each.compute() is each.compute() for each in models)
    assert "persist keeps 7.6 MiB in memory, more than the memory limit of 2.9 MiB" in caplog.text
    assert ": 7.6 MiB in what is more than arrays, tables, bytes" in caplog.text


def test_kept_results_that_are_too_small_for_the_disk_are_said_to_be(caplog):
    with gpuscale.config.set({"memory-limit": 300_000}):
        texts = gpuscale.persist(*[gpuscale.delayed(lambda k: f"{k}" * 2_000)(k) for k in range(9)])
        assert [text.compute()[0] for text in texts] == [*"012345678"]
        assert not caplog.messages
        more = [gpuscale.delayed(lambda k: f"{k:04}" * 500)(k) for k in range(1_000)]
        assert len(gpuscale.persist(more)[0]) == 1_000
    (message,) = caplog.messages
    assert "MiB in results smaller than 4.0 KiB each" in message


def test_persist_raises_or_keeps_everything():
    with pytest.raises(TypeError, match='takes no on_error=; say compute\\(..., on_error="con'):
        gpuscale.persist(gpuscale.delayed(abs)(-1), on_error="continue")
