"""Sorts, takes and shuffles on a cluster whose pieces go from worker to worker."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.array.api import distinct_spread
from gpuscale.engines.failure import Failure
from gpuscale.engines.sending import pack
from gpuscale.expr import stages
from gpuscale.expr.reads import planned_for_elsewhere
from gpuscale.graph import (
    frame_shuffle,
    layouts,  # noqa: F401 - registers the layouts of plans
    piece_shuffle,
    sort_sizes,
)
from gpuscale.graph.build import block_keys, build
from gpuscale.graph.handle import same
from gpuscale.graph.piece_shuffle import HandOverPieces
from gpuscale.graph.shuffle import HandOver, Take
from gpuscale.memory.limits import within_workers

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.engines.distributed import DistributedEngine  # noqa: E402

LIMIT = 1 << 20
RNG = np.random.default_rng(0)
A = RNG.random(60_000)
SQUARE = A.reshape(300, 200)
MIXED = RNG.integers(-200, 200, 700)
POSITIONS = RNG.integers(-60_000, 60_000, 70_000)


@pytest.fixture(scope="module")
def engine():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield DistributedEngine(client)


@pytest.fixture
def small_workers(monkeypatch):
    monkeypatch.setattr(piece_shuffle, "ROOMS", 1 << 40)  # whatever they have
    monkeypatch.setattr(frame_shuffle, "_IN_MEMORY", 1 << 40)
    monkeypatch.setattr(piece_shuffle, "AT_ONCE", 1 << 16)
    monkeypatch.setattr(piece_shuffle, "LEAST_PIECE", 1 << 10)


def random(n=200_000, chunks=20_000):
    return ga.random.default_rng(0).random(n, chunks=chunks)


def planned(array, limit=LIMIT):
    """The tasks for workers that are so large, and what they send each other."""
    with within_workers(limit), planned_for_elsewhere():
        (root,) = stages.optimize([array.expr])
        graph = build([root])
        return graph, pack(graph, block_keys(root), 2)[0]


def passes(graph):
    return any(isinstance(task.fn, HandOver) for task in graph.values())


@pytest.mark.parametrize("function", [ga.sort, ga.argsort])
def test_no_worker_needs_all_runs_at_a_time(function):
    graph, parcels = planned(function(random()))
    assert passes(graph)
    held = {parcel.name: sum(task.nbytes for task in parcel.tasks) for parcel in parcels}
    assert max(sum(held[need] for need in parcel.needs) for parcel in parcels) < LIMIT // 2


@pytest.mark.parametrize("of", [lambda x: x, lambda x: x + x.mean()])
def test_no_worker_needs_all_blocks_of_a_take(of):
    graph, parcels = planned(of(random(chunks=8_000))[RNG.permutation(200_000)])
    assert passes(graph)
    held = {parcel.name: sum(task.nbytes for task in parcel.tasks) for parcel in parcels}
    for parcel in parcels:
        (step, *_) = [task.fn for task in parcel.tasks if task.fn is not same] or [None]
        assert sum(held[need] for need in parcel.needs) < LIMIT // 2
        # Positions are data of those that read them.
        assert bool(parcel.data) is isinstance(step, HandOver | Take)
        assert sum(each.nbytes for each in parcel.data) <= 4 * 8_000


@pytest.mark.parametrize("chunks", [(70, 90), (70, 200)])
def test_each_batch_takes_for_one_place(chunks, small_workers):
    """Which says where it runs: two of them might each wait to run elsewhere, for ever."""
    x = ga.asarray(SQUARE, chunks=chunks)
    _, parcels = planned(x[MIXED] + x[:, MIXED[:200]].sum())
    taking = [[task.fn for task in p.tasks if task.fn is not same] for p in parcels]
    assert sum(isinstance(fn, Take) for fns in taking for fn in fns) > 10
    for fns in taking:
        assert not any(isinstance(fn, Take) for fn in fns[1:])


def test_where_there_is_room_whole_runs_are_read():
    assert not passes(planned(ga.sort(random()), limit=8 << 20)[0])
    assert not passes(planned(ga.sort(random())[:1000])[0])  # few blocks of all
    mixed = RNG.permutation(200_000)
    assert not passes(planned(random()[mixed], limit=8 << 20)[0])
    assert not passes(planned(random()[mixed][:1000])[0])
    assert not passes(planned(random()[np.sort(mixed)[::3]])[0])  # of each block one reads
    assert not passes(planned(ga.sort(ga.asarray(A.astype("U8"), chunks=20_000)))[0])


KEYS = {
    "floats": A,
    "NaN": np.where(A < 0.1, np.nan, A),
    "ties": RNG.integers(0, 5, A.size),
    "ascending": np.sort(A),
    "big-endian": A.astype(">f8"),
    "times": (A * 1e6).astype("m8[s]"),
    "truths": A < 0.5,
}


@pytest.mark.parametrize("name", KEYS)
def test_sorts_are_those_of_numpy(engine, small_workers, name):
    array = KEYS[name]
    x = ga.asarray(array, chunks=13_001)
    assert passes(planned(ga.sort(x))[0])
    found = ga.sort(x).compute(engine=engine)
    np.testing.assert_array_equal(found, np.sort(array))
    assert found.dtype == array.dtype
    order = ga.argsort(x).compute(engine=engine)
    np.testing.assert_array_equal(order, np.argsort(array, kind="stable"))


def test_runs_of_several_blocks(engine, small_workers, monkeypatch):
    monkeypatch.setattr(sort_sizes, "MOST_RUNS", 3)
    x = ga.asarray(A, chunks=13_001)
    assert passes(planned(ga.sort(x))[0])
    np.testing.assert_array_equal(ga.sort(x).compute(engine=engine), np.sort(A))


def test_keys_and_numbers_of_unlike_sizes_travel_together(engine, small_workers):
    keys = [KEYS["floats"].round(2), KEYS["ties"].astype("u1"), KEYS["truths"]]
    order = ga.lexsort([ga.asarray(key, chunks=13_001) for key in keys])
    assert passes(planned(order)[0])
    found = order.compute(engine=engine)
    np.testing.assert_array_equal(found, np.lexsort(keys))


@pytest.mark.parametrize("name", ["NaN", "ties", "times"])
def test_distinct_elements_are_those_of_numpy(engine, small_workers, monkeypatch, name):
    monkeypatch.setattr(distinct_spread, "thread_share_elsewhere", lambda nbytes: 1 << 19)
    x = ga.asarray(KEYS[name].reshape(300, 200), chunks=(70, 90))
    found = ga.unique(x, return_counts=True)
    assert passes(planned(found[0])[0])
    expected = np.unique(KEYS[name], return_counts=True)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours.compute(engine=engine), theirs)


TAKES = {
    "one axis": (A, 13_001, lambda a: a[POSITIONS]),
    "few blocks of many": (A, 5_000, lambda a: a[POSITIONS % 11_000]),
    "rows": (SQUARE, (70, 90), lambda a: a[MIXED]),
    "columns": (SQUARE, (70, 90), lambda a: a[:, MIXED]),
    "points": (SQUARE, (70, 90), lambda a: a[MIXED, MIXED[::-1]]),
    "a box's": (A.reshape(30, 40, 50), (9, 15, 25), lambda a: a[:, MIXED % 40, MIXED % 50]),
    "times": ((SQUARE * 1e6).astype("m8[s]"), (70, 90), lambda a: a[MIXED]),
}


@pytest.mark.parametrize("name", TAKES)
def test_takes_are_those_of_numpy(engine, small_workers, name):
    array, chunks, take = TAKES[name]
    y = take(ga.asarray(array, chunks=chunks))
    assert passes(planned(y)[0])
    found = y.compute(engine=engine)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, take(array))


# ------------------------------------------------------------------ frames

gd = pytest.importorskip("gpuscale.dataframe", exc_type=ImportError)
pd = pytest.importorskip("pandas")

ROWS = 20_000
FRAME = pd.DataFrame(
    {
        "x": np.where(A[:ROWS] < 0.1, np.nan, A[:ROWS]),
        "k": KEYS["ties"][:ROWS],
        "t": pd.Series([f"text {i % 700}" for i in range(ROWS)]).where(A[:ROWS] > 0.2),
        "c": pd.Categorical(np.where(A[:ROWS] < 0.5, "low", "high")),
    },
    index=RNG.permutation(ROWS),
)
SHUFFLES = {
    "numbers": (lambda d: d.sort_values("x"), lambda d: d.sort_values("x", kind="stable")),
    "nulls": (
        lambda d: d.sort_values(["x", "t"], ascending=False, na_position="first"),
        lambda d: d.sort_values(["x", "t"], ascending=False, na_position="first", kind="stable"),
    ),
    "texts": (lambda d: d.sort_values("t"), lambda d: d.sort_values("t", kind="stable")),
    "a series": (lambda d: d.x.sort_values(), lambda d: d.x.sort_values(kind="stable")),
    "labels": (lambda d: d.sort_index(), lambda d: d.sort_index()),
    "an index": (lambda d: d.set_index("x"), None),
    "hashes": (lambda d: d.shuffle("t").sort_index(), lambda d: d.sort_index()),
    "few keys": (lambda d: d.shuffle("k", npartitions=9).sort_index(), lambda d: d.sort_index()),
}


@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffles_are_those_of_pandas(engine, small_workers, name):
    shuffle, oracle = SHUFFLES[name]
    df = gd.from_pandas(FRAME, npartitions=7)
    y = shuffle(df)
    assert passes(planned(y)[0])
    found = y.compute(engine=engine)
    if oracle is None:
        expected = FRAME.set_index("x").sort_index(kind="stable")
    else:
        expected = oracle(FRAME)
    if expected.ndim == 1:
        pd.testing.assert_series_equal(found, expected)
    else:
        pd.testing.assert_frame_equal(found, expected)


def test_no_worker_needs_all_partitions_of_a_sort():
    df = gd.from_pandas(FRAME, npartitions=12)
    graph, parcels = planned(df.sort_values("x"))
    assert passes(graph)
    held = {parcel.name: sum(task.nbytes for task in parcel.tasks) for parcel in parcels}
    assert max(sum(held[need] for need in parcel.needs) for parcel in parcels) < LIMIT // 2
    assert not passes(planned(df.sort_values("x"), limit=64 << 20)[0])
    assert not passes(planned(df.sort_values("x").partitions[:2])[0])  # few of all


def test_a_worker_has_room_for_two_shuffled_frames_and_for_what_one_that_died_had():
    df = gd.from_pandas(FRAME, npartitions=5)

    def reads(times):  # that which a new partition is made of
        graph, _ = planned(df.shuffle("t"), limit=times * df.expr.meta.nbytes)
        return max(sum(graph[dep].nbytes for dep in task.deps) for task in graph.values())

    total = df.expr.meta.nbytes
    assert reads(9) == total
    assert reads(7) < total // 4
    assert passes(planned(df.shuffle("t"), limit=5 * total)[0])


def _positive(block):
    if (block < 0).any():
        raise ValueError("negative")
    return block


def test_only_blocks_beside_one_that_failed_fail(engine, small_workers):
    array = SQUARE.copy()
    array[150, 100] = -1  # in the second of three columns of blocks
    y = ga.asarray(array, chunks=(70, 90)).map_blocks(_positive)[RNG.permutation(300)]
    graph, _ = planned(y)
    assert passes(graph)
    with planned_for_elsewhere():
        (root,) = stages.optimize([y.expr])
        graph = build([root])
    keys = block_keys(root)
    found = engine.run(graph, keys, on_error="continue")
    failed = {key[2] for key, each in zip(keys, found, strict=True) if isinstance(each, Failure)}
    assert failed == {1}


def test_all_turns_of_a_source_belong_to_one_run(monkeypatch):
    runs, given = iter([1, 2, 2, 2]), []

    def hand_over(self, block, index):
        given.append((index, bytes(block[:, :, 0:1].ravel()), bytes(block[:, :, 1:2].ravel())))
        return next(runs)

    monkeypatch.setattr(HandOver, "__call__", hand_over)
    task = HandOverPieces("a", lambda x, _: ((lambda _, a, b: [x[a:b]]), [(0, 3), (3, 4)]), 2)
    assert task(np.arange(4, dtype="u1"), (3, 0, 0)) == 2
    halves = [((6, 0, 0), b"\0", b""), ((7, 0, 0), b"\1\2", b"\3")]
    assert given == 2 * halves
