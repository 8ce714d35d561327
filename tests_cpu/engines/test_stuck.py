"""`Watch`: workers that have stopped for good, told from those that only have a rest."""

import asyncio
import re
from types import SimpleNamespace

import pytest

from gpuscale.base.errors import EngineError
from gpuscale.engines import stuck


class Cluster:
    """A client whose workers are as they are told, and a clock."""

    status = "running"

    def __init__(self):
        self.now, self.is_there, self.asked = 0.0, True, 0
        self.workers = {f"tcp://{i}": worker() for i in "ab"}
        self.cluster = None
        self.scheduler = SimpleNamespace(identity=self.identity, address="tcp://here:8786")
        self.futures = {}

    def monotonic(self):
        return self.now

    def sync(self, function):
        return asyncio.run(function())

    async def identity(self, n_workers):
        self.asked += 1
        if not self.is_there:
            raise OSError("the scheduler is gone")
        return {"workers": {name: dict(each) for name, each in self.workers.items()}}

    async def run(self, function, workers, on_error):
        return {workers[0]: ("/tmp/worker-b", "0 B")}


def worker(status="paused", memory=90, **counts):
    metrics = {"memory": memory, "task_counts": {"memory": 3, **counts}, "managed_bytes": 50}
    metrics |= {"spilled_bytes": {"memory": 0, "disk": 0}, "transfer": {"incoming_count_total": 2}}
    return {"status": status, "memory_limit": 100, "metrics": metrics}


@pytest.fixture
def cluster(monkeypatch):
    cluster = Cluster()
    monkeypatch.setattr(stuck, "time", cluster)
    return cluster


def looks(cluster, watch, seconds, change=None):
    for _ in range(seconds):
        cluster.now += 1
        if change is not None:
            change()
        watch.look()


def test_workers_that_all_wait_are_not_waited_for(cluster):
    watch = stuck.Watch(cluster)
    looks(cluster, watch, 30)
    cluster.workers["tcp://b"]["metrics"]["memory"] = 95
    says = r"all 2 workers .* tcp://b has 95 B of 100 B in use, the disk of /tmp/worker-b has 0 B"
    with pytest.raises(EngineError, match=says):
        looks(cluster, watch, 5)
    assert cluster.asked < 20


@pytest.mark.parametrize(
    "other",
    [worker("running", ready=1), worker("running", flight=1), worker(executing=1)],
    ids=["one that takes tasks", "one that fetches", "one that has a task"],
)
def test_one_worker_that_goes_on_is_waited_for(cluster, other):
    cluster.workers["tcp://b"] = other
    looks(cluster, stuck.Watch(cluster), 200)


def test_workers_that_wait_for_one_that_has_stopped_are_not_waited_for(cluster):
    cluster.workers["tcp://b"] = worker("running", memory=99)
    watch = stuck.Watch(cluster)
    looks(cluster, watch, 30)
    says = r"^1 of 2 workers .* have nothing to do that does not need them: tcp://a has 90 B"
    with pytest.raises(EngineError, match=says):
        looks(cluster, watch, 5)


def test_results_that_go_to_disk_are_waited_for(cluster):
    def spill():
        metrics = cluster.workers["tcp://a"]["metrics"]
        metrics["spilled_bytes"] = {"memory": cluster.now, "disk": cluster.now}

    looks(cluster, stuck.Watch(cluster), 200, spill)


def test_results_that_arrive_are_progress(cluster):
    watch = stuck.Watch(cluster)
    for _ in range(5):
        looks(cluster, watch, 30)
        watch.restart()


def nannies(*statuses):
    """A cluster that is to have two workers."""
    workers = [SimpleNamespace(status=SimpleNamespace(name=status)) for status in statuses]
    return SimpleNamespace(worker_spec={0: {}, 1: {}}, workers=dict(enumerate(workers)))


def test_tasks_that_no_worker_may_run_are_told(cluster, monkeypatch):
    async def get_task_status(keys):
        assert keys == ["a", "b", "c"]
        return {"a": "no-worker", "b": "no-worker", "c": "waiting"}

    messages = []
    logger = SimpleNamespace(warning=lambda text, *of: messages.append(text % of))
    monkeypatch.setattr(stuck, "_logger", logger)
    pending, done = SimpleNamespace(status="pending"), SimpleNamespace(status="finished")
    cluster.futures = {"a": pending, "b": pending, "c": pending, "d": done}
    cluster.workers = {f"tcp://{i}": worker("running") for i in "ab"}
    cluster.scheduler.get_task_status = get_task_status
    watch = stuck.Watch(cluster)
    looks(cluster, watch, 5)
    assert not messages
    looks(cluster, watch, 200)
    (message,) = messages
    assert message.startswith("waiting for a worker that may run a and 1 others: none that is")


def test_tasks_that_are_on_their_way_are_no_reason_to_speak(cluster):
    cluster.workers = {f"tcp://{i}": worker("running") for i in "ab"}
    looks(cluster, stuck.Watch(cluster), 200)  # of somebody else: none is asked about


def scaled(state=None, maximum=4):
    """A cluster that has no workers yet, and may adapt."""
    adaptive = state and SimpleNamespace(state=state, maximum=maximum)
    return SimpleNamespace(worker_spec={}, workers={}, _adaptive=adaptive)


@pytest.mark.parametrize(
    ("cluster_of_client", "said"),
    [
        (None, "start some, as by gpuscale-worker"),
        (SimpleNamespace(), "start some, as by gpuscale-worker"),
        (scaled("running"), r"adapts, .* \(at most 4\)"),
        (nannies("closed", "running"), "its cluster has asked for 2"),
    ],
    ids=["elsewhere", "of another kind", "that adapts", "with a worker on its way"],
)
def test_workers_that_may_come_are_waited_for_and_that_is_said(
    cluster, monkeypatch, cluster_of_client, said
):
    cluster.workers, cluster.cluster, messages = {}, cluster_of_client, []
    logger = SimpleNamespace(warning=lambda text, *of: messages.append(text % of))
    monkeypatch.setattr(stuck, "_logger", logger)
    watch = stuck.Watch(cluster)
    looks(cluster, watch, 5)
    assert not messages  # a cluster that begins has none for a moment
    looks(cluster, watch, 200)
    (message,) = messages
    assert re.search(
        f"^waiting for workers: the scheduler at tcp://here:8786 has none.*{said}", message
    )


@pytest.mark.parametrize(
    "cluster_of_client",
    [scaled(), scaled("stopped"), scaled("running", maximum=0)],
    ids=["of no size", "that adapts no more", "that adapts to none"],
)
def test_workers_that_nobody_has_asked_for_are_not_waited_for(cluster, cluster_of_client):
    cluster.workers, cluster.cluster = {}, cluster_of_client
    with pytest.raises(EngineError, match=r"nobody has asked for any: cluster\.scale\(2\) starts"):
        looks(cluster, stuck.Watch(cluster), 1)


def test_what_comes_ends_the_wait(cluster):
    async def come():
        return 3

    async def never():
        await asyncio.Event().wait()

    watch = stuck.Watch(cluster)
    assert asyncio.run(watch.wait(come())) == 3
    cluster.workers, cluster.cluster = {}, scaled()
    with pytest.raises(EngineError, match="nobody has asked for any"):
        asyncio.run(stuck.Watch(cluster).wait(never()))


@pytest.mark.parametrize("left", [nannies("closed", "failed"), nannies()], ids=["ended", "gone"])
def test_workers_that_could_not_be_started_anew_are_not_waited_for(cluster, left):
    cluster.workers, cluster.cluster = {}, left
    watch = stuck.Watch(cluster)
    looks(cluster, watch, 30)
    with pytest.raises(EngineError, match="none of them could be started anew"):
        looks(cluster, watch, 5)


def test_a_scheduler_that_is_gone_is_for_others_to_tell(cluster):
    cluster.is_there = False
    looks(cluster, stuck.Watch(cluster), 200)


def test_workers_that_do_not_come_are_said_to_be_waited_for(cluster, monkeypatch, caplog):
    monkeypatch.setattr(stuck, "SILENCE", 0.01)
    caplog.set_level("WARNING", "distributed.client")
    logger = stuck._logger
    monkeypatch.setattr(logger, "propagate", True)

    async def wait_for(wanted, clusters=None):
        cluster.cluster, done = clusters, asyncio.Event()
        if not wanted:
            done.set()
        asked = cluster.asked
        waiting = asyncio.ensure_future(stuck.said_after_a_while(done.wait(), cluster, wanted))
        while wanted and cluster.asked == asked:
            await asyncio.sleep(0.001)
        done.set()
        await waiting

    asyncio.run(wait_for(0))
    assert not caplog.records
    asyncio.run(wait_for(3))
    asyncio.run(wait_for(4, SimpleNamespace(worker_spec={0: 1, 1: 1})))
    alone, with_cluster = caplog.messages
    assert alone.startswith("waiting for 3 workers: the scheduler at tcp://here:8786 has 2; start")
    assert with_cluster.endswith("asked for 2: cluster.scale(4) asks for as many")
