"""What fails on a cluster of two processes: right answers, or errors that say what happened.

`benchmarks.faults` tries more, and more often.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

import dask  # noqa: E402
import numpy as np  # noqa: E402
import psutil  # noqa: E402

from benchmarks.fault_ground import ground, wait_until  # noqa: E402
from benchmarks.fault_kinds import from_file, stopped, works_again  # noqa: E402
from benchmarks.faults import FAULTS, judged  # noqa: E402
from gpuscale.base.errors import EngineError  # noqa: E402
from gpuscale.engines import stuck  # noqa: E402

from . import commands  # noqa: E402

pytestmark = pytest.mark.timeout(120)

ANSWERED = (
    "kill-headline",
    "kill-rechunk",
    "kill-sort",
    "kill-sort-kept",
    "kill-sort-memory",
    "kill-all",
    "kill-kept-little",
    "retire",
    "join",
    "ctrl-c",
    "two-clients",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ground(tmp_path_factory.mktemp("faults"), memory_limit="600 MiB") as here:
        yield here


@pytest.fixture
def here(cluster):
    cluster.marks.unlink(missing_ok=True)
    yield cluster
    cluster.wait_for_workers()


@pytest.mark.parametrize("name", ANSWERED)
def test_the_answer_is_right_all_the_same(here, name):
    assert judged(FAULTS[name], lambda: FAULTS[name].run(here)) == ("right answer", "")


def test_a_worker_that_stops_for_a_while(here):
    stopped(here, seconds=1)


def test_workers_stay_when_a_terminal_has_interrupted_all_of_its_processes(here):
    before = here.pids()
    for pid in before:
        os.kill(pid, signal.SIGINT)
    time.sleep(1)
    assert here.client.submit(abs, -1, pure=False).result(timeout=30) == 1
    assert here.pids() == before


def test_a_large_array_of_the_program_is_lost_with_its_worker(here):
    fault = FAULTS["kill-kept-memory"]
    assert judged(fault, lambda: fault.run(here))[0] == "clear error"


@pytest.mark.parametrize("name", ["over-limit", "segfault"])
def test_a_task_that_is_deadly_is_named(here, monkeypatch, name):
    monkeypatch.setattr(here.cluster.scheduler, "allowed_failures", 0)
    outcome, says = judged(FAULTS[name], lambda: FAULTS[name].run(here))
    assert (outcome, says.count("a worker, which died of it")) == ("clear error", 1), says


def test_a_submitted_call_that_is_deadly_is_named(here, monkeypatch):
    monkeypatch.setattr(here.cluster.scheduler, "allowed_failures", 0)
    future = here.client.submit(os._exit, 1)
    with pytest.raises(EngineError, match="task _exit was given to a worker.*600.0 MiB") as told:
        future.result()
    assert f"in operation _exit, written at {__file__}" in told.value.__notes__[0]


def test_an_argument_that_no_worker_has_room_for_is_refused_at_once(here):
    large, before = np.zeros(500 << 17), here.pids()  # of which no page is ever touched
    for call in (
        lambda: here.client.submit(np.sum, large),
        lambda: here.client.map(np.sum, [large]),
    ):
        with pytest.raises(ValueError, match=r"argument 0 of sum takes 500\.0 MiB.*600\.0 MiB"):
            call()
    assert here.pids() == before


def pause(dask_worker):
    """Stop a worker as one does that has no memory left."""
    dask_worker.memory_manager.memory_pause_fraction = False
    dask_worker.status = distributed.Status.paused


def resume(dask_worker):
    dask_worker.memory_manager.memory_pause_fraction = 0.8


def test_workers_that_have_all_stopped_are_not_waited_for(here, monkeypatch):
    monkeypatch.setattr(stuck, "PATIENCE", 1)
    here.client.run(pause)
    with pytest.raises(EngineError, match=FAULTS["disk-full"].error):
        from_file(here).sum().compute()
    here.client.run(resume)
    works_again(here)


def until(name):
    distributed.Event(name).wait()
    return distributed.get_worker().address


def test_tasks_that_a_stopped_worker_has_not_begun_go_to_others(here):
    client, scheduler = here.client, here.cluster.scheduler
    (full, other), tasks = scheduler.workers, scheduler.tasks
    # Of more than one task for each of its threads a worker is robbed; the last ones stay.
    client.sync(scheduler.extensions["stealing"].stop)
    runs = client.submit(until, "may end", workers=[full])
    waits = client.submit(until, "may go on", workers=[full], allow_other_workers=True)
    wait_until(lambda: all(each.key in tasks for each in (runs, waits)))
    wait_until(lambda: all(tasks[each.key].processing_on for each in (runs, waits)))
    assert tasks[waits.key].processing_on.address == full
    client.run(pause, workers=[full])
    distributed.Event("may go on").set()
    distributed.Event("may end").set()
    assert runs.result(timeout=30) == full
    assert waits.result(timeout=30) == other
    client.sync(scheduler.extensions["stealing"].start)
    client.run(resume)
    works_again(here)


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


PROGRAM = """
from gpuscale.cluster import LocalCluster

if __name__ == "__main__":
    LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    print("started")
"""


def test_ctrl_c_in_a_terminal_while_a_cluster_starts(tmp_path):
    file, said = tmp_path / "program.py", tmp_path / "said"
    file.write_text(PROGRAM)
    with said.open("w") as out:
        program = subprocess.Popen(
            [sys.executable, file], stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until(lambda: len(commands.worker_processes(program.pid)) == 2)
        workers = commands.worker_processes(program.pid)
        os.killpg(program.pid, signal.SIGINT)
        assert program.wait(90) == -signal.SIGINT
        assert not psutil.wait_procs(workers, timeout=30)[1]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait(60)
    text = said.read_text()
    assert text.count("Traceback") == 1, text
    assert text.rstrip().endswith("KeyboardInterrupt")
