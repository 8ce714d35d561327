"""Numbers of workers: fewer lose nothing, a restart keeps them, a closed cluster has none."""

import time

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import ConfigError, EngineError

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client, LocalCluster, as_completed, progress, wait  # noqa: E402

A = np.random.default_rng(0).random((60, 40))
HERE = {"processes": False, "threads_per_worker": 1, "dashboard_address": None}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    cluster.scale(2)
    with Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def x():
    return ga.from_array(A, chunks=25)


def until_there_are(n, client):
    end = time.monotonic() + 60
    while len(client.scheduler_info(n_workers=-1)["workers"]) != n:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_workers_that_leave_hand_on_what_they_hold(cluster, client, x):
    kept, calls = client.persist(x + 1), client.map(str, range(8))
    scattered = client.scatter(list(range(8)))
    wait([kept, calls, scattered])
    assert all(client.has_what().values()) and len(client.has_what()) == 2
    runs = client.map(lambda i: time.time_ns(), range(100, 104))
    before = client.gather(runs)
    cluster.scale(1)
    until_there_are(1, client)
    assert client.gather(scattered) == list(range(8))
    assert client.gather(runs) == before  # and nothing has run a second time
    np.testing.assert_array_equal(kept.compute(), A + 1)


def test_a_worker_called_for_again_while_it_leaves_is_there(cluster, client):
    held = client.scatter(list(range(20)))
    cluster.scale(1)
    cluster.scale(2)
    assert client.gather(held) == list(range(20))
    client.wait_for_workers(2, timeout=60)


def test_a_restart_waits_for_no_worker_that_adapting_has_retired(cluster, client):
    adaptive = cluster.adapt(minimum=1, maximum=2, interval="20ms", wait_count=1)
    try:
        client.restart(timeout=60)
        until_there_are(1, client)  # and it adapts again
    finally:
        adaptive.stop()


def test_a_cluster_without_workers_has_some_when_there_is_work(x):
    with LocalCluster(n_workers=0, **HERE) as cluster, Client(cluster):
        cluster.adapt(minimum=0, maximum=1, interval="100ms")
        assert x.sum().compute() == pytest.approx(A.sum())  # data of this process, too


@pytest.fixture(scope="module")
def nobody():
    with LocalCluster(n_workers=0, **HERE) as cluster, Client(cluster) as client:
        yield client


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: ga.ones(10, chunks=5).sum().compute(),
        lambda client: wait(client.persist(ga.ones(10, chunks=5))),
        lambda client: client.persist(ga.ones(10, chunks=5)).compute(),
        lambda client: client.submit(abs, -1).result(),
        lambda client: client.submit(abs, -1).exception(timeout=20),
        lambda client: client.gather(client.map(abs, [1, 2])),
        lambda client: client.compute(ga.ones(10, chunks=5), sync=True),
        lambda client: list(as_completed(client.map(abs, [1, 2]))),
        lambda client: gs.wait(client.map(abs, [1, 2])),
        lambda client: list(gs.as_completed(client.map(abs, [1, 2]))),
        lambda client: gs.progress(client.map(abs, [1, 2])),
        lambda client: progress(client.map(abs, [1, 2])),
        lambda client: client.scatter([1, 2]),
    ],
)
def test_nobody_waits_for_workers_that_nobody_has_asked_for(nobody, ask):
    with pytest.raises(
        EngineError, match=r"no workers, and nobody has asked .*cluster\.scale\(2\)"
    ):
        ask(nobody)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda cluster: cluster.scale(-1), r"scale\(n\) takes a number of workers.*not -1"),
        (lambda cluster: cluster.scale("x"), r"not 'x'"),
        (lambda cluster: cluster.adapt(minimum=-1), r"adapt\(minimum=\) takes .*not -1"),
        (lambda cluster: cluster.adapt(maximum=1.5), r"adapt\(maximum=\) takes .*not 1\.5"),
        (lambda cluster: cluster.adapt(minimum=3, maximum=1), "3 workers at least and 1 at most"),
    ],
)
def test_numbers_of_workers_that_cannot_be_are_refused(cluster, ask, said):
    before = list(cluster.worker_spec)
    with pytest.raises(ConfigError, match=said):
        ask(cluster)
    assert list(cluster.worker_spec) == before


def test_a_closed_cluster_has_no_workers():
    no_nanny = pytest.raises(EngineError, match=r"1 workers .* no nanny.*processes=False")
    with LocalCluster(n_workers=1, **HERE) as closed, Client(closed) as client, no_nanny:
        client.restart()
    asks = [
        lambda: Client(closed), lambda: closed.scale(2),
        lambda: closed.adapt(minimum=1), closed.__enter__,
        lambda: closed.wait_for_workers(1), closed.get_logs,
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(EngineError, match="this cluster is closed.*make another"):
            ask()
    closed.close()
