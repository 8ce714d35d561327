"""Arrays on a device that has room for a fifth of them: each chapter of the API, each kind of node.

Everything but the device is large, so that a size that is chosen after the wrong memory is seen:
the plan is refused, or the device runs out of memory.
"""

import gc

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.array.contraction import contracted
from gpuscale.array.nodes.contraction import Contract
from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.backends.devices import IN_USE
from gpuscale.base import config
from gpuscale.engines.job import Job
from gpuscale.expr.walk import toposort
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL

SIDE, CHUNK = 1024, 128
DATA = np.random.default_rng(11).standard_normal((SIDE, SIDE))
LINE = DATA.reshape(-1)
EVERY_FIFTH = np.random.default_rng(12).permutation(SIDE)[::5]


def in_place(x):
    y = x.copy()
    y[::3] = 0
    y[:, EVERY_FIFTH] = y[:, :1] + 1
    return y


def masked_in_place(x):
    y = x.copy()
    y[y > 1] = -1
    return y


def mapped(x):
    if isinstance(x, np.ndarray):
        return x * 2
    return x.map_blocks(np.multiply, 2.0, dtype=float)


def overlapping(x):
    if isinstance(x, np.ndarray):
        return x + np.roll(x, 1, 0)
    return x.map_overlap(_and_above, depth=1, boundary="periodic", dtype=float)


def _and_above(block):
    return block + np.roll(block, 1, 0)


def in_columns(x):
    if isinstance(x, np.ndarray):
        return x - x.mean(axis=0)
    columns = x.rechunk((SIDE, 32))
    return columns.map_blocks(lambda c: c - c.mean(axis=0), dtype=float)


def sliding(x):
    return (
        (ga if isinstance(x, ga.Array) else np.lib.stride_tricks)
        .sliding_window_view(x, 5, axis=1)
        .sum(axis=-1)
    )


CASES = {
    "map": lambda x: np.sqrt(abs(x)) * 2 + x,
    "maps of several": lambda x: (x + x.T) * x[0],
    "where": lambda x: np.where(x > 0, x, -1.0),
    "cast": lambda x: x.astype("f4"),
    "views": lambda x: x.T[::-1, 5::7],
    "broadcast": lambda x: x[:, :1] * x[:1],
    "reshape": lambda x: x.reshape(SIDE // 4, 4 * SIDE),
    "ravel": lambda x: x.reshape(-1),
    "concatenate": lambda x: np.concatenate([x, x[:100] + 1]),
    "stack": lambda x: np.stack([x, x + 1]),
    "pad": lambda x: np.pad(x, 3),
    "roll": lambda x: np.roll(x, 77, axis=0),
    "repeat": lambda x: np.repeat(x, 2, axis=1),
    "tile": lambda x: np.tile(x, (1, 2)),
    "sum": lambda x: x.sum(),
    "mean and std of rows": lambda x: x.std(axis=1) + x.mean(axis=1),
    "max of columns": lambda x: x.max(axis=0),
    "argmax": lambda x: x.argmax(axis=0),
    "centred": lambda x: (x.T - x.mean(axis=0)).max(axis=1),
    "average": lambda x: np.average(x, axis=0, weights=abs(x)),
    "cov": lambda x: np.cov(x[:200]),
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "diff": lambda x: np.diff(x, axis=1),
    "sort rows": lambda x: np.sort(x, axis=1),
    "sort columns": lambda x: np.sort(x, axis=0),
    "argsort columns": lambda x: np.argsort(x, axis=0),
    "partition": lambda x: np.partition(x, 10, axis=0)[:11].sum(axis=0),
    "median of columns": lambda x: np.median(x, axis=0),
    "percentiles of rows": lambda x: np.percentile(x, [5, 50, 99], axis=1),
    "nanmedian": lambda x: np.nanmedian(x, axis=1),
    "isin": lambda x: np.isin(np.round(x, 1), [0.5, 1.0]),
    "digitize": lambda x: np.digitize(x, np.array([-1.0, 0.0, 1.0])),
    "mask": lambda x: x[x > 0],
    "mask of rows": lambda x: x[x[:, 0] > 0],
    "nonzero": lambda x: np.nonzero(x > 1)[1],
    "count_nonzero": lambda x: np.count_nonzero(x > 0, axis=0),
    "take": lambda x: x[EVERY_FIFTH],
    "take columns": lambda x: x[:, EVERY_FIFTH],
    "permutation": lambda x: x[np.random.default_rng(3).permutation(SIDE)],
    "take_along_axis": lambda x: np.take_along_axis(x, np.argsort(x, axis=1)[:, :9], axis=1),
    "points": lambda x: x[EVERY_FIFTH, EVERY_FIFTH[::-1]],
    "in place": in_place,
    "masked in place": masked_in_place,
    "matmul": lambda x: x @ x,
    "matrix by vector": lambda x: x @ x[0],
    "outer sums": lambda x: (x[0][:, None] + x[1]).sum(axis=0),
    "norm": lambda x: np.linalg.norm(x, axis=1),
    "windows": sliding,
    "map_blocks": mapped,
    "in columns": in_columns,
}

ROWS = {
    "map_overlap": overlapping,
    "fft": lambda x: np.fft.fft(x, axis=1).real,
    "qr": lambda x: abs(np.linalg.qr(x[:, :16])[1]),
    "svd": lambda x: np.linalg.svd(x[:, :16], compute_uv=False),
    "apply_along_axis": lambda x: np.apply_along_axis(np.sum, 1, x),
}

LINES = {
    "convolve": lambda x: np.convolve(x, x[:9], "same"),
    "median": lambda x: np.median(x),
    "percentiles": lambda x: np.percentile(x, [5, 50, 99]),
    "unique": lambda x: np.unique(np.round(x, 2)),
    "searchsorted": lambda x: np.searchsorted(np.sort(x[:9999]), x[:99]),
    "bincount": lambda x: np.bincount((abs(x) * 10).astype(int), minlength=64),
    "histogram": lambda x: np.histogram(x, 20, (-4, 4))[0],
    "mask of a line": lambda x: x[x > 0],
    "flatnonzero": lambda x: np.flatnonzero(x > 0),
    "cumsum of all": lambda x: np.cumsum(x),
}


@pytest.mark.parametrize(
    ("data", "chunks", "function"),
    [
        *(pytest.param(DATA, (CHUNK, CHUNK), CASES[name], id=name) for name in CASES),
        *(pytest.param(DATA, (CHUNK // 8, SIDE), ROWS[name], id=name) for name in ROWS),
        *(pytest.param(LINE, LINE.size // 64, LINES[name], id=name) for name in LINES),
    ],
)
def test_a_fifth_of_the_data(pretended, data, chunks, function):
    expected = function(data)
    x = ga.asarray(data, chunks=chunks, like="fake")
    gc.collect()
    rescues = POOL.emptied
    with POOL.limited_to(data.nbytes // 5), config.set({"num-workers": 2}):
        found = function(x).compute()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert POOL.emptied == rescues, "the device ran out of memory"


@pytest.mark.parametrize("function", [lambda x: x @ x, lambda x: x @ x.T], ids=["x @ x", "x @ x.T"])
def test_products_bring_operands_to_the_device_once_for_each_tile(pretended, function):
    data = DATA[: SIDE // 2, : SIDE // 2]
    x = ga.asarray(data, chunks=(SIDE // 32, SIDE // 32), like="fake")
    gc.collect()
    with POOL.limited_to(data.nbytes // 5), config.set({"num-workers": 2}):
        product = function(x)
        fake_device.TRANSFERS.clear()
        np.testing.assert_allclose(product.compute(), function(data), rtol=1e-9, atol=1e-9)
    brought = fake_device.TRANSFERS.nbytes("asarray") / data.nbytes
    assert brought < 14, "each block for each block beside it would be 32 times"


def test_the_first_plan_of_a_process_knows_the_device():
    """Which is not in use yet: until then a fraction of its memory was taken for no limit."""
    data = DATA[: SIDE // 2, : SIDE // 2]
    gc.collect()
    with fake_device.active(), POOL.limited_to(data.nbytes // 5):
        x = ga.asarray(data, chunks=(SIDE // 16, SIDE // 16), like="fake")
        assert "fake" not in IN_USE
        product = x @ x
        assert "fake" not in IN_USE, "planning needs no device"
        with config.set({"num-workers": 2}):
            np.testing.assert_allclose(product.compute(), data @ data, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("equation", "shapes", "dtype"),
    [
        ("ik,kj->ij", [(70, 90), (90, 50)], "f8"),
        ("ik,kj->ji", [(70, 90), (90, 50)], "i4"),
        ("bik,bkj->bij", [(3, 40, 50), (3, 50, 60)], "f4"),
        ("ikl,klj->ij", [(40, 20, 30), (20, 30, 70)], "c16"),
        ("ik,jk->ij", [(70, 90), (50, 90)], "f8"),
        ("ik,kj->ij", [(70, 90), (90, 50)], "?"),
    ],
)
def test_tiles_of_all_kinds(pretended, equation, shapes, dtype):
    host = [(np.random.default_rng(k).random(s) * 9).astype(dtype) for k, s in enumerate(shapes)]
    a, b = (ga.asarray(each, chunks=13, like="fake") for each in host)
    with config.set({"device-memory-limit": sum(each.nbytes for each in host) * 4 // 5}):
        found = np.einsum(equation, a, b)
        nodes = [each for each in toposort([found.expr]) if isinstance(each, Contract)]
        kinds = set(map(type, toposort(map(contracted, nodes))))
        assert Rechunk in kinds, "blocks are cut from tiles"
        np.testing.assert_allclose(found.compute(), np.einsum(equation, *host), rtol=1e-5)


def test_a_sort_by_several_keys_takes_no_more_than_it_reserves(pretended, monkeypatch):
    """The device sorts by one key after the other, and orders what the keys before have ordered."""
    over, on_device = [], Job._on_device

    def watched(self, i, task, worker):
        POOL.reset_peak()
        before = POOL.used
        result = on_device(self, i, task, worker)
        if type(task.fn).__name__ in ("_SortedRun", "_Only"):
            over.append(POOL.peak - before - task.nbytes - task.workspace)
        return result

    monkeypatch.setattr(Job, "_on_device", watched)
    host = LINE[:100_000]
    x = ga.asarray(host, chunks=10_000, like="fake")
    with config.set({"device-memory-limit": 2 * host.nbytes}):
        found = ga.lexsort((x, (x * 10).astype(int))).compute(engine="sync")
    np.testing.assert_array_equal(found, np.lexsort((host, (host * 10).astype(int))))
    assert len(over) == 20 and max(over) <= 0


INTERPRETED = {
    "differences": ga.diff,
    "standard scores": lambda x: (x - x.mean()) / x.std(),
    "noise": lambda x: (x + ga.random.default_rng(1).normal(size=x.size, like=x)).sum(),
    "single noise": lambda x: (
        ga.random.default_rng(1).standard_normal(x.size, dtype="f4", like=x, chunks=x.chunks).max()
    ),
    "drawn": lambda x: ga.random.default_rng(1).exponential(size=x.size // 3, like=x),
    "sums and moments": lambda x: np.sqrt(x * x + 1).sum() + (np.sin(x) - x).var(),
}


@pytest.mark.parametrize("engine", ["sync", "threads"])
@pytest.mark.parametrize("name", INTERPRETED)
def test_what_is_interpreted_keeps_to_the_limit(pretended, name, engine):
    """Intermediate values lie on a device whose library nobody makes kernels for."""
    host = LINE[:300_000]
    x = ga.asarray(host, chunks=10_000, like="fake")
    gc.collect()
    POOL.reset_peak()
    before = POOL.used
    with config.set({"device-memory-limit": host.nbytes // 3, "num-workers": 4}):
        INTERPRETED[name](x).compute(engine=engine)
    assert POOL.peak - before <= host.nbytes // 3


IN_ROOM = {
    "reduceat": lambda x: np.add.reduceat(x, np.arange(3, x.size, 100)),
    "reduceat of many": lambda x: np.add.reduceat(x, np.arange(0, x.size, 3)),
    "reduceat in order": lambda x: np.subtract.reduceat(x, np.arange(0, x.size, 1000)),
    "topk": lambda x: ga.topk(x, 7_000),
    "argtopk": lambda x: ga.argtopk(x, -7_000),
}


@pytest.mark.parametrize("name", IN_ROOM)
def test_no_task_takes_or_keeps_more_than_it_reserves(pretended, name, monkeypatch):
    over, on_device = [], Job._on_device

    def watched(self, i, task, worker):
        POOL.reset_peak()
        before = POOL.used
        result = on_device(self, i, task, worker)
        over.append(POOL.peak - before - task.nbytes - task.workspace)
        over.append(POOL.used - before - task.nbytes)
        return result

    monkeypatch.setattr(Job, "_on_device", watched)
    x = ga.asarray(LINE[:100_000], chunks=10_000, like="fake")
    with POOL.limited_to(1 << 30):  # nothing is brought back for a task
        IN_ROOM[name](x).compute(engine="sync")
    assert max(over) < 1000


CUT = {
    "concatenate": lambda x: (lambda y: y[y > 2])(np.concatenate([x[100:], x[:100]])),
    "product of rolled": lambda x: (lambda y: y @ y.T)(np.roll(x, 37, axis=0)),
}


@pytest.mark.parametrize("engine", ["sync", "threads"])
@pytest.mark.parametrize("chunks", [(89, 36), (64, 50)], ids=str)
@pytest.mark.parametrize("name", CUT)
def test_parts_of_chunks_do_not_keep_these_whole(pretended, name, chunks, engine):
    data = LINE[: 600 * 400].reshape(600, 400)
    x = ga.asarray(data, chunks=chunks, like="fake")
    gc.collect()
    with POOL.limited_to(data.nbytes // 5), config.set({"num-workers": 2}):
        found = CUT[name](x).compute(engine=engine)
    np.testing.assert_allclose(found, CUT[name](data), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("like", ["numpy", "fake"])
def test_a_view_of_a_part_of_a_chunk_is_a_copy(pretended, like):
    made = ga.ones((600, 8), chunks=(100, 8), like=like).map_blocks(lambda c: c + 1, dtype=float)
    seen = []

    def look(chunk):
        seen.append((len(chunk), chunk.base is not None))
        return chunk

    np.roll(made, 30, axis=0).map_blocks(look, dtype=float).compute()
    assert {rows for rows, is_view in seen if is_view} <= {0, 100}
    assert {30, 70} <= {rows for rows, _ in seen}
