"""The client of a cluster: collections as arguments, published, waited for; nested and closed."""

import asyncio
import io
import os
import pickle
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import ConfigError, EngineError

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.cluster import (  # noqa: E402
    Client,
    LocalCluster,
    as_completed,
    futures_of,
    gathering,  # noqa: E402
    performance_report,
    progress,
    wait,
)
from gpuscale.cluster import client as client_module  # noqa: E402
from gpuscale.engines import scattering, stuck  # noqa: E402
from gpuscale.engines.distributed import DistributedEngine  # noqa: E402
from gpuscale.engines.stuck import Watch  # noqa: E402

A = np.random.default_rng(0).random((60, 40))


def slow(chunk):
    time.sleep(0.5)
    return chunk


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


@pytest.fixture
def x():
    return ga.from_array(A, chunks=25)


def test_collections_among_arguments_are_computed(client, x):
    def look(a, b, c=None):
        return type(a), a.shape, sorted(b), b["k"][0], c

    found = client.submit(look, x + 1, {"k": [x.sum()]}, c=gs.delayed(int)("7")).result()
    assert found[:3] == (np.ndarray, (60, 40), ["k"])
    assert found[3] == pytest.approx(A.sum())
    assert found[4] == 7
    sums = client.gather(client.map(lambda a, k: float(a.sum()) + k, [x, x * 2], [1, 2]))
    assert sums == pytest.approx([A.sum() + 1, 2 * A.sum() + 2])


def test_persisted_ones_are_arguments_too(client, x):
    kept = client.persist(x + 1)
    assert client.submit(np.shape, kept).result() == (60, 40)
    assert gs.delayed(np.sum)(kept).compute() == pytest.approx((A + 1).sum())


def test_several_are_computed_together(client, x):
    low, high = client.compute([x.min(), x.max()], sync=True)
    assert (low, high) == (A.min(), A.max())


def test_containers_keep_what_is_not_lazy(client):
    three = ga.ones(3, chunks=2).sum()
    assert client.compute({"a": three, "b": 1}, sync=True) == {"a": 3.0, "b": 1}
    assert client.compute({"a": [three]})["a"][0].result() == 3
    assert client.compute((three, 1), sync=True) == [3.0, 1]
    assert client.persist({"a": three})["a"].compute() == 3
    assert [*map(gs.compute, client.persist((three, 1)))] == [(3.0,), (1,)]


def test_waiting_for_persisted_collections(client, x):
    kept = client.persist(x + 1)
    assert len(futures_of(kept)) == len(futures_of([kept, (kept + 1).sum()])) > 1
    done, not_done = wait(kept)
    assert len(done) == len(futures_of(kept))
    assert not not_done
    assert len(futures_of(client.persist(gs.delayed(int)("7")))) == 1
    assert futures_of(x, 3) == []


def test_functions_of_tasks_may_hold_persisted_collections(client, x):
    kept = client.persist(x + 1)
    wait(kept)

    def total(first):
        return float(kept[first : first + 30].sum().compute())

    found = client.gather(client.map(total, [0, 10, 20, 30]))
    assert found == pytest.approx([(A + 1)[k : k + 30].sum() for k in (0, 10, 20, 30)])


def test_what_a_function_holds_is_to_be_there(client, x):
    kept = client.persist(x.map_blocks(slow, dtype=float))
    with pytest.raises(EngineError, match="not there yet: wait for it"):
        client.submit(kept.compute, priority=1).result()


def test_what_a_function_holds_and_nobody_else_is_gone(client, x):
    kept = client.persist(x + 1)
    wait(kept)
    pickled = pickle.dumps(kept)
    futures = [future.key for future in futures_of(kept)]
    del kept
    deadline = time.monotonic() + 20
    while set(futures) & set().union(*client.has_what().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(EngineError, match="persist it again, and keep it"):
        client.submit(lambda: pickle.loads(pickled).compute()).result()


def test_published_collections_outlive_their_client(cluster, x):
    with Client(cluster) as client:
        client.publish_dataset(kept=client.persist(x + 1), lazy=x * 2)
        client.publish_dataset(client.persist(gs.delayed(int)("7")), name="call")
    with Client(cluster) as client:
        assert set(client.list_datasets()) == {"kept", "lazy", "call"}
        np.testing.assert_array_equal(client.get_dataset("kept").compute(), A + 1)
        np.testing.assert_array_equal(client.get_dataset("lazy").compute(), A * 2)
        assert client.get_dataset("call").compute() == 7
        for name in ("kept", "lazy", "call"):
            client.unpublish_dataset(name)


def test_futures_are_arguments_of_delayed_calls(client):
    ones, parts = client.submit(np.ones, (5, 5)), client.map(abs, [1, -2])
    assert gs.delayed(np.sum)(ones).compute() == 25
    assert gs.delayed(sum)(parts).compute() == 3
    assert gs.delayed(dict)(a=[ones]).compute()["a"][0].shape == (5, 5)
    assert (gs.delayed(parts[1]) + 1).compute() == 3
    assert gs.delayed(max, pure=True)(parts).compute(engine="threads") == 2
    assert client.submit(int, gs.delayed(sum)(parts)).result() == 3
    assert gs.get({"a": (np.sum, ones), "b": parts[1], "c": (max, "a", ["b"][0])}, "c") == 25


def test_futures_become_arrays_by_from_delayed(client, x):
    ones = client.submit(np.ones, (5, 5))
    array = ga.from_delayed(ones, (5, 5), float)
    np.testing.assert_array_equal((array + 1).compute(), np.full((5, 5), 2.0))
    for use in (
        lambda: ga.asarray(ones),
        lambda: ga.asarray([ones]),
        lambda: np.add(x, ones),
        lambda: x[ones],
        lambda: x.map_blocks(np.add, ones),
        lambda: x.map_blocks(np.add, other=[ones]),
    ):
        with pytest.raises(TypeError, match=r"from_delayed\(value, shape, dtype\)"):
            use()


def test_futures_that_fail_in_delayed_calls(client):
    with pytest.raises(ZeroDivisionError):
        gs.delayed(abs)(client.submit(divmod, 1, 0)).compute()


def total_of_squares(n):
    client = gs.get_client()
    return sum(client.gather(client.map(pow, range(n), [2] * n)))


def test_results_are_gathered_in_messages_that_workers_have_room_for(client, monkeypatch):
    numbers = client.map(np.arange, [1000, 2000, 3000, 4000])
    asked_for = {"a": numbers[:2], "b": (numbers[2], [numbers[3], numbers[0]])}
    asked, gather = [], distributed.Client._gather

    async def noted(self, futures, *args, **options):
        asked.append(len(distributed.futures_of(futures)))
        return await gather(self, futures, *args, **options)

    monkeypatch.setattr(distributed.Client, "_gather", noted)
    whole = client.gather(asked_for)
    for module in (scattering, gathering):
        monkeypatch.setattr(module, "MESSAGE", 40_000)
    parts = client.gather(asked_for)
    assert asked[0] == sum(asked[1:]) == 4 and len(asked) > 2
    for found in (whole, parts):
        (first, second), (third, [fourth, again]) = found["a"], found["b"]
        sizes = [len(each) for each in (first, second, third, fourth, again)]
        assert sizes == [1000, 2000, 3000, 4000, 1000]
    failing = client.submit(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        client.gather([*numbers, failing])

    async def without_the_last(self, futures, *args, **options):
        found = await gather(self, futures, *args, **options)
        return found[:-1] if len(futures) < len(numbers) else found

    with monkeypatch.context() as patch:
        patch.setattr(distributed.Client, "_gather", without_the_last)
        assert len(client.gather(numbers, errors="skip")) == len(numbers)
    assert len(client.gather([*numbers, failing], errors="skip")) == 4


def count(n, how):
    if n < 2:
        return n
    client = gs.get_client()
    futures = client.map(count, [n - 1, n - 2], [how] * 2)
    return sum(WAYS[how](client, futures))


WAYS = {
    "gather": lambda client, futures: client.gather(futures),
    "result": lambda client, futures: [future.result() for future in futures],
    "wait": lambda client, futures: [future.result() for future in gs.wait(futures).done],
    "as_completed": lambda client, futures: [each.result() for each in gs.as_completed(futures)],
}


@pytest.mark.parametrize("how", WAYS)
def test_tasks_wait_for_tasks_to_any_depth(client, how):
    assert client.submit(count, 5, how).result(timeout=60) == 5


def test_names_of_gpuscale_take_futures_of_clusters(client):
    futures = client.map(abs, [1, -2])
    assert sorted(future.result() for future in gs.as_completed(futures)) == [1, 2]
    pairs = gs.as_completed(futures, with_results=True)
    assert dict(pairs) == dict(zip(futures, [1, 2], strict=True))
    done, not_done = gs.wait({"a": futures}, timeout="20s")
    assert (done, not_done) == (set(futures), set())
    assert {*gs.as_completed(future for future in futures)} == {*futures}
    with pytest.raises(TypeError, match=r"give them to as_completed\(futures\) alone"):
        gs.as_completed().add(futures[0])


def test_names_of_gpuscale_know_what_a_cluster_keeps(client, x):
    futures, kept = client.map(abs, [1, -2]), client.persist(x.map_blocks(slow, dtype=float))
    assert gs.futures_of(futures[0], {"a": futures}) == futures
    assert set(gs.futures_of(kept, gs.delayed(int)("7"))) == set(futures_of(kept))
    out = io.StringIO()
    gs.progress(kept, futures, out=out)
    assert all(future.done() for future in futures_of(kept))
    assert f"{2 + len(futures_of(kept))}/" in out.getvalue()
    done, not_done = gs.wait([kept, futures])
    assert (done, not_done) == ({*futures, *futures_of(kept)}, set())
    assert {*gs.as_completed(gs.futures_of(kept))} == {*futures_of(kept)}
    with pytest.raises(TypeError, match=r"as_completed\(gpuscale.futures_of\(collection\)\)"):
        gs.as_completed(kept)


def test_compute_gives_what_futures_of_clusters_have(client, x):
    future, bad = client.submit(abs, -3), client.submit(divmod, 1, 0)
    assert gs.compute(future, {"a": [future]}, 5) == (3, {"a": [3]}, 5)
    (three, total), left = gs.compute([future, x.sum()], bad, on_error="continue")
    assert (three, total) == (3, pytest.approx(A.sum()))
    assert isinstance(left.error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        gs.compute(bad)
    assert gs.compute(future, [future], traverse=False) == (3, [future])


def wait_aside(n):
    with gs.worker_client() as client:
        futures = client.map(pow, range(n), [2] * n)
        gs.wait(futures)
    gs.secede()
    total = sum(future.result() for future in gs.as_completed(futures))
    gs.rejoin()
    return total


def test_tasks_on_workers_give_their_places_away(client):
    assert client.gather(client.map(wait_aside, [3, 4, 5])) == [5, 14, 30]
    with pytest.raises(ValueError, match="in a task of a client only"):
        gs.secede()


def test_tasks_whose_futures_go_run_if_told(client, tmp_path):
    path = tmp_path / "done"
    gs.fire_and_forget(client.submit(path.touch))
    deadline = time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists()


def add_up(n):
    with gs.Lock("total"):
        total = gs.Variable("total")
        total.set(total.get() + n)


def test_what_tasks_meet_at_is_the_same_in_all_processes(client):
    gs.Variable("total").set(0)
    client.gather(client.map(add_up, range(6)))
    assert gs.Variable("total").get(timeout="20s") == 15
    waiting = client.submit(gs.Event("go").wait, 20)
    gs.Event("go").set()
    assert waiting.result()
    gs.Queue("words").put("first")
    assert client.submit(lambda: gs.Queue("words").get(timeout=20)).result() == "first"
    with gs.Semaphore(2, name="places") as places:
        assert client.submit(lambda: gs.Semaphore(2, name="places").get_value()).result() == 1
        assert isinstance(places, distributed.Semaphore)
    with gs.Client(set_as_default=False) as here, here.as_current():
        assert not isinstance(gs.Lock("total"), distributed.Lock)


def test_futures_of_two_kinds_are_told_apart(client):
    with gs.Client(set_as_default=False) as here:
        both = [here.submit(abs, -3), client.submit(abs, -4)]
        for wait_for in (gs.wait, gs.as_completed):
            with pytest.raises(TypeError, match="wait for each by themselves"):
                wait_for(both)
        for take in (here.gather, here.cancel, here.retry):
            with pytest.raises(TypeError, match=r"or gpuscale\.compute\(futures\)"):
                take(both)


def test_get_client_finds_that_of_the_cluster(client):
    assert gs.get_client() is gs.default_client() is client
    assert client.submit(total_of_squares, 4).result() == 14
    with gs.Client() as here:
        assert gs.get_client() is here
        assert gs.delayed(os.getpid)().compute() == os.getpid()
    assert gs.get_client() is client
    assert gs.delayed(os.getpid)().compute() != os.getpid()


def test_get_client_finds_the_innermost(cluster):
    with gs.Client(threads_per_worker=1) as outer:
        with Client(cluster) as inner:
            assert gs.get_client() is inner
            assert outer.submit(lambda: gs.get_client() is outer).result()
            with outer.as_current():
                assert gs.get_client() is outer
            with gs.Client(threads_per_worker=1) as innermost:
                assert gs.get_client() is innermost
            assert gs.get_client() is inner
        assert gs.get_client() is outer


def test_relative_paths_are_those_of_the_program(client, x, tmp_path, monkeypatch):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    monkeypatch.chdir(tmp_path)  # the workers are where they were started
    target = zarr.create_array("given.zarr", shape=A.shape, dtype=A.dtype, chunks=(25, 25))
    ga.store(x, target)
    np.testing.assert_array_equal(target[:], A)
    np.testing.assert_array_equal(ga.from_array(target).compute(), A)
    (x + 1).to_zarr("rel.zarr")
    np.testing.assert_array_equal(ga.from_zarr("rel.zarr").compute(), A + 1)


def test_asynchronous_clients(cluster, x):
    async def use():
        async with Client(cluster.scheduler_address, asynchronous=True) as client:
            kept = client.persist(x + 1)
            with pytest.raises(EngineError, match=r"say await client\.compute"):
                x.sum().compute()
            return await client.compute(kept.sum()), await client.submit(np.max, x)

    assert asyncio.run(use()) == (pytest.approx((A + 1).sum()), A.max())
    assert gs.config.get("engine") == "threads"


def test_a_client_that_cannot_be_leaves_no_cluster(monkeypatch):
    closed = []
    monkeypatch.setattr(
        client_module,
        "LocalCluster",
        lambda **options: SimpleNamespace(close=lambda: closed.append(1)),
    )
    with pytest.raises(KeyError, match="soon"):
        Client(timeout="soon")
    assert closed == [1]


def test_clients_nest(client, x):
    kept, future = client.persist(x), client.submit(np.ones, 3)
    with Client(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as inner:
        assert x.sum().compute() == pytest.approx(A.sum())
        assert distributed.default_client() is inner
        for use in (
            kept.compute,
            lambda: inner.submit(np.sum, [future]),
            lambda: inner.submit(np.sum, kept),
            gs.delayed(np.sum)(future).compute,
        ):
            with pytest.raises(EngineError, match="another cluster, that of the scheduler tcp"):
                use()
    assert kept.sum().compute() == pytest.approx(A.sum())
    assert distributed.default_client() is client
    assert gs.config.get("engine") == "distributed"
    client.close()
    assert gs.config.get("engine") == "threads"


def test_chunks_are_chosen_for_the_smallest_worker():
    spec = {
        name: {"cls": distributed.Worker, "options": {"nthreads": n, "memory_limit": limit}}
        for name, n, limit in (("large", 1, "64 MiB"), ("small", 2, "32 MiB"))
    }
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard_address": "127.0.0.1:0"}}
    with distributed.SpecCluster(spec, scheduler) as cluster, Client(cluster):
        y = ga.ones((4000, 4000))
        stored = ga.from_array(np.zeros((500, 1000)))
        assert 1 << 19 < np.prod(y.chunksize) * 8 <= 1 << 20
        assert np.prod(stored.chunksize) * 8 <= 1 << 20
        with gs.config.set({"memory-limit": "8 MiB"}):
            assert np.prod(ga.ones((4000, 4000)).chunksize) * 8 <= 1 << 19
    assert np.prod(ga.ones((4000, 4000)).chunksize) * 8 > 1 << 20


def test_a_cluster_that_ends_is_told(x):
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", processes=False
    ) as cluster:
        client = Client(cluster)
        kept = client.persist(x + 1)
        wait(kept)
    with pytest.raises(EngineError, match="ended"):
        x.sum().compute()
    client.close()
    assert x.sum().compute() == pytest.approx(A.sum())


def test_calls_that_fail_have_the_line_of_the_user(client):
    (one, many), cause = (client.submit(int, "x"), client.map(int, ["1", "y"])), "invalid literal"
    for ask in (one.result, lambda: client.gather(many), lambda: client.gather([one])):
        with pytest.raises(ValueError, match=cause) as told:
            ask()
        assert len(told.value.__notes__) == 1
        assert f"in operation int, written at {__file__}" in told.value.__notes__[0]


def test_calls_that_exit_end_no_worker(client):
    workers = set(client.scheduler_info()["workers"])
    batches = client.map(sys.exit, [3], batch_size=1)
    for future in (client.submit(sys.exit, 3), *client.map(sys.exit, [3], pure=False), *batches):
        with pytest.raises(EngineError, match="SystemExit: 3") as told:
            future.result(timeout=30)
        assert len(told.value.__notes__) == 1
        assert f"in operation exit, written at {__file__}" in told.value.__notes__[0]
    assert set(client.scheduler_info()["workers"]) == workers


def opened(*args, **kwargs):
    return {"it": threading.Lock()}


LOCK = threading.Lock()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.submit(opened, 1, LOCK), "opened .* worker: argument 1 cannot be pickled"),
        (lambda c: c.submit(opened, of=LOCK), "argument of= cannot"),
        (lambda c: c.map(opened, [LOCK]), "argument 0 cannot be pickled: cannot pickle .*lock"),
        (lambda c: c.submit(LOCK.acquire), "acquire .* the function itself cannot"),
        (lambda c: c.submit(opened).result(), "what opened returned .*: cannot pickle .*lock"),
        (lambda c: c.gather(c.map(opened, [1, 2])), "what opened returned"),
        (lambda c: c.gather([c.submit(opened), c.submit(int)]), "what int or opened returned"),
    ],
)
def test_what_cannot_be_pickled_is_named(client, ask, said):
    with pytest.raises(TypeError, match=said) as told:
        ask(client)
    assert "Traceback" not in str(told.value) and len(str(told.value)) < 300
    notes = getattr(told.value, "__notes__", [])
    assert bool(notes) != ("int or" in said)
    assert all(f"written at {__file__}" in each for each in notes)


class Unlike:
    """Can be pickled, by other bytes each time."""

    def __reduce__(self):
        return Unlike, (), {"bytes": uuid.uuid4().bytes}


def test_what_delayed_calls_are_given_need_not_have_a_name(client):
    assert gs.delayed(isinstance)(Unlike(), Unlike).compute()
    for given in (LOCK, [LOCK, np.ones(1 << 18)]):  # the latter would go before its task
        with pytest.raises(
            EngineError, match=r"task opened cannot .*: cannot pickle .*lock"
        ) as told:
            gs.delayed(opened)(given).compute()
        assert f"written at {__file__}" in told.value.__notes__[0]


@pytest.mark.parametrize(
    ("data", "part"), [(LOCK, "it"), ([1, LOCK], "item 1"), ({"a": LOCK}, "'a'")]
)
def test_what_cannot_be_scattered_is_named(client, data, part):
    with pytest.raises(TypeError, match=f"cannot be scattered: .*{part} cannot be pickled"):
        client.scatter(data)


def test_data_are_scattered_in_messages(client, monkeypatch):
    monkeypatch.setattr(scattering, "MESSAGE", 1 << 10)
    data = {f"part {k}": np.full(100, k) for k in range(5)}
    there = client.scatter(data)
    assert {key: future.key for key, future in there.items()} == {key: key for key in data}
    assert client.gather(client.map(max, list(there.values()))) == list(range(5))
    futures = client.scatter(tuple(data.values()), broadcast=True)
    assert isinstance(futures, tuple)
    assert {len(holders) for holders in client.who_has(futures).values()} == {2}


def test_a_future_that_is_gone_says_why(client):
    future = client.scatter([1])[0]
    future.cancel(reason="no need")
    for ask in (future.result, lambda: client.gather([future])):
        with pytest.raises(distributed.CancelledError, match="cancelled") as told:
            ask()
        assert [each for each in told.value.__notes__ if "scatter it again" in each][1:] == []
        assert "scatter it again" in told.value.__notes__[0]


def test_a_future_whose_scheduler_has_ended_says_so():
    options = {"n_workers": 0, "processes": False, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster.scheduler_address) as client:
        client._timeout = 0.5  # in which another scheduler may answer there
        future = client.submit(abs, -1)
        cluster.close()
        with pytest.raises(distributed.CancelledError) as told:
            future.result(timeout=20)
    assert any("the scheduler of the cluster has ended" in each for each in told.value.__notes__)


class Counter:
    n = 0

    def count(self):
        self.n += 1
        return self.n


async def seven():
    return 7


def test_calls_are_those_of_dask(client):
    one, same, other = client.submit(abs, -1), client.submit(abs, -1), client.submit(abs, -2)
    assert one.key == same.key != other.key and one.key.startswith("abs-")
    assert client.submit(seven).result() == 7
    counter = client.submit(Counter, actor=True).result()
    assert [counter.count().result() for _ in range(2)] == [1, 2]
    with pytest.raises(TypeError, match="callable"):
        client.submit(5)


def test_what_a_closed_client_held_is_told(cluster, x):
    with Client(cluster) as closed:
        kept, future = closed.persist(x + 1), closed.submit(sum, [1, 2])
        wait([kept, future])
    asks = [
        kept.compute, kept.sum().compute, future.result, lambda: closed.gather(future),
        lambda: gs.persist(kept + 1),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(EngineError, match=r"client .* closed, and what .* before closing") as e:
            ask()
        assert len(e.traceback) < 9 and e.value.__cause__ is None
    with Client(cluster) as other:
        for ask in (kept.sum().compute, lambda: other.submit(str, kept)):
            with pytest.raises(EngineError, match="was closed, and what"):
                ask()


@pytest.mark.parametrize("shares", [True, False])
def test_every_door_of_a_closed_client_says_that_it_is_closed(cluster, x, shares):
    options = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with Client(cluster) if shares else Client(**options) as closed:  # whose thread ends with it
        future = closed.submit(sum, [1, 2])
        begun = as_completed([future, closed.submit(slow, 1)])
    doors = [
        closed.__enter__, closed.restart, closed.nthreads, closed.who_has, closed.scheduler_info,
        closed.list_datasets, closed.retire_workers, closed.get_worker_logs, closed.amm.running,
        lambda: closed.wait_for_workers(1),
        lambda: closed.submit(sum, [1]), lambda: closed.submit(str, future),
        lambda: closed.map(str, [1]), lambda: closed.scatter([1]),
        lambda: closed.run(int), lambda: closed.get({"k": (sum, [1])}, "k"),
        lambda: closed.subscribe_topic("topic", print), lambda: wait(future),
        lambda: as_completed([future]), lambda: gs.as_completed([future]),
    ]  # fmt: skip
    for number, door in enumerate(doors):
        with pytest.raises(EngineError, match="client of the cluster was closed"):
            pytest.fail(f"door {number} gave {door()}")
    assert "closed" in repr(closed) and not closed.futures
    with suppress(EngineError):  # which it is once its thread has ended: nothing waits for ever
        assert all(each.cancelled() for each in begun)


def test_only_what_has_futures_is_waited_for(client, x):
    for ask in (wait, progress):
        with pytest.raises(TypeError, match="take persisted collections, futures, .* not int"):
            ask(5)
    with pytest.raises(TypeError, match=r"with gpuscale\.diagnostics\.ProgressBar"):
        progress()
    assert len(wait([client.persist(x), client.submit(int)]).done) > 1


def test_reports_need_what_draws_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh.embed", None)
    with pytest.raises(ModuleNotFoundError, match=r"gpuscale\[report\]"):
        performance_report(filename="page.html")


def test_reports_of_the_cluster(client, x, tmp_path):
    with performance_report(filename=str(tmp_path / "report.html")):
        x.sum().compute()
    assert (tmp_path / "report.html").stat().st_size


@pytest.mark.parametrize(
    ("open_it", "error", "said"),
    [
        (lambda: Client("tls://127.0.0.1:9"), ValueError, "scheduler_file="),
        (lambda: Client(n_worker=2), ConfigError, "did you mean n_workers"),
        (lambda: LocalCluster(n_worker=2), ConfigError, "did you mean n_workers"),
        (lambda: LocalCluster(pancakes=2), ConfigError, "it has .*n_workers"),
        (lambda: LocalCluster(nanny=3), ConfigError, "no option nanny"),
        (lambda: LocalCluster(worker_class="x"), ConfigError, "worker_class: there is no 'x'"),
        (lambda: LocalCluster(dashboard_address="abc"), ConfigError, "dashboard_address: it is a"),
    ],
)
def test_what_nobody_can_open_is_refused_in_words(open_it, error, said):
    with pytest.raises(error, match=said):
        open_it()


def test_a_client_of_a_client_is_refused_in_words(cluster):
    with Client(cluster) as client, pytest.raises(TypeError, match="as_current"):
        Client(client)


@pytest.mark.parametrize("security", [None, True])
def test_a_client_of_dask_lends_its_cluster(x, security):
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    cluster = distributed.LocalCluster(**options, processes=False, security=security)
    with cluster, distributed.Client(cluster) as theirs:
        with Client(theirs):
            (kept,) = gs.persist(x + 1)
            assert futures_of(kept)
            assert kept.sum().compute() == pytest.approx((A + 1).sum())
        assert theirs.submit(sum, [1, 2]).result() == 3
    with pytest.raises(ValueError, match="it is closed; open it first"):
        Client(theirs)


def test_a_program_that_workers_cannot_import_is_told_why(tmp_path):
    program = tmp_path / "unguarded.py"
    program.write_text(
        "from gpuscale.cluster import LocalCluster\n"
        "LocalCluster(n_workers=1, dashboard_address=None)\n"
    )
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    *_, last = ended.stderr.strip().splitlines()
    assert last.startswith("gpuscale.base.errors.EngineError: no worker could start")
    assert "__main__" in last
    assert "bootstrapping" not in ended.stderr


def test_a_scheduler_that_has_gone_is_said_so_at_once():
    here = SimpleNamespace(status="connecting", asynchronous=False)
    with pytest.raises(EngineError, match="without a scheduler"):
        DistributedEngine(here)._workers()

    def ended(*args, **options):
        raise OSError("the connection is closed")

    here = SimpleNamespace(
        status="running",
        asynchronous=False,
        sync=ended,
        scheduler=SimpleNamespace(identity=None),
    )
    with pytest.raises(EngineError, match="without a scheduler"):
        DistributedEngine(here)._workers()


@pytest.mark.parametrize("status", ["connecting", "running"])
def test_nobody_waits_for_what_a_scheduler_that_has_gone_says(status, monkeypatch):
    async def gone(**options):
        raise OSError

    monkeypatch.setattr(stuck, "PAUSE", 0)
    client = SimpleNamespace(status=status, cluster=None, sync=lambda ask: asyncio.run(ask()))
    client.scheduler = SimpleNamespace(identity=gone)
    Watch(client).look()
