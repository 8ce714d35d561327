"""What fails on a cluster of two processes: right answers, or errors that say what happened.

`benchmarks.faults` tries more, and more often.
"""

import os
import signal
import time

import pytest

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

import dask  # noqa: E402

from benchmarks.fault_ground import ground, wait_until  # noqa: E402
from benchmarks.faults import FAULTS, judged  # noqa: E402

pytestmark = pytest.mark.timeout(120)

ANSWERED = (
    "kill-headline",
    "kill-rechunk",
    "kill-sort",
    "kill-sort-kept",
    "kill-sort-memory",
    "retire",
    "join",
    "ctrl-c",
    "two-clients",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ground(tmp_path_factory.mktemp("faults")) as here:
        yield here


@pytest.fixture
def here(cluster):
    cluster.marks.unlink(missing_ok=True)
    yield cluster
    cluster.wait_for_workers()


@pytest.mark.parametrize("name", ANSWERED)
def test_the_answer_is_right_all_the_same(here, name):
    assert judged(FAULTS[name], lambda: FAULTS[name].run(here)) == ("right answer", "")


def test_workers_that_are_slow_to_start_anew_stay(tmp_path):
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "100ms"}),
        ground(tmp_path, n_workers=1) as here,
    ):
        (before,) = here.pids()
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: len(here.cluster.scheduler.workers) == 0)
        time.sleep(0.3)
        assert list(here.cluster.workers) == [0]
        here.client.wait_for_workers(1, timeout=60)
        assert here.pids() != [before]
