"""What a worker does before it takes tasks: workers and libraries here are told what to say."""

import errno
import os
import socket
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from distributed.spill import SpillBuffer

from gpuscale.base import config
from gpuscale.base.errors import EngineError
from gpuscale.cluster import worker_setup
from gpuscale.cluster.ctrl_c import kept_ctrl_c
from gpuscale.cluster.devices import VisibleDevice
from gpuscale.cluster.worker_setup import WorkerSetup, refusals_told, stay_near
from gpuscale.engines.reserving import MEMORY

POOL = "ARROW_DEFAULT_MEMORY_POOL"


@pytest.fixture
def worker(tmp_path):
    return SimpleNamespace(
        nanny="tcp://127.0.0.1:1",
        local_directory=str(tmp_path),
        state=SimpleNamespace(nthreads=2, total_resources={}, available_resources={}),
        memory_manager=SimpleNamespace(memory_limit=1000, data={}),
        periodic_callbacks={},
    )


@pytest.fixture(autouse=True)
def options_stay():
    with config.set({key: config.get(key) for key in ("temporary-directory", "memory-limit")}):
        yield


@pytest.fixture(autouse=True)
def environment_stays(monkeypatch):
    monkeypatch.setenv(POOL, "")  # which puts back what was there
    monkeypatch.delenv(POOL)


@pytest.fixture(autouse=True)
def ctrl_c_stays():
    with kept_ctrl_c():
        yield


@pytest.fixture
def blas(monkeypatch):
    busy = []
    threads = SimpleNamespace(enter=lambda: busy.append(1), leave=busy.pop)
    monkeypatch.setattr(worker_setup, "blas", threads)
    return busy


@pytest.fixture
def cores(monkeypatch):
    """What this process may use; setting it is written down, and changes nothing."""
    found = SimpleNamespace(mine={0, 1, 2, 3}, chosen=[])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(found.mine))
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, near: found.chosen.append(set(near)))
    return found


def test_options_of_the_worker(worker, tmp_path, blas):
    WorkerSetup(settings={"spill": True}).setup(worker)
    assert config.get("memory-limit") == 1000
    assert config.get("temporary-directory") == str(tmp_path)


def test_the_worker_says_how_much_memory_it_has(worker, blas):
    WorkerSetup().setup(worker)
    assert worker.state.total_resources == worker.state.available_resources == {MEMORY: 1000}


@pytest.mark.parametrize(
    ("limit", "fraction", "most"),
    [
        (1 << 30, 0.6, 422_785_843),  # with what tasks hold and the process itself 80 %
        (256 << 20, 0.6, 32 << 20),
        (1 << 30, 0.5, 1 << 29),  # as the user has said
        (1 << 30, False, sys.maxsize),
    ],
)
def test_results_that_stay_in_memory_leave_room_for_tasks(
    worker, blas, tmp_path, limit, fraction, most
):
    manager = worker.memory_manager
    manager.memory_limit, manager.memory_target_fraction = limit, fraction
    manager.data = SpillBuffer(str(tmp_path), target=int(fraction * limit) or sys.maxsize)
    WorkerSetup().setup(worker)
    assert manager.data.n == most


@pytest.mark.parametrize(
    ("limit", "said", "pool"),
    [(300 << 20, None, "system"), (300 << 20, "jemalloc", "jemalloc"), (1 << 30, None, None)],
)
def test_arrow_keeps_no_memory_in_small_workers(worker, blas, monkeypatch, limit, said, pool):
    if said is not None:
        monkeypatch.setenv(POOL, said)
    worker.memory_manager.memory_limit = limit
    WorkerSetup().setup(worker)
    assert os.environ.get(POOL) == pool


def test_a_worker_in_this_process_leaves_its_options_alone(worker, blas):
    before = config.to_dict()
    worker.nanny = None
    WorkerSetup(settings={"memory-limit": 5}).setup(worker)
    assert config.to_dict() == before


def test_a_worker_that_has_its_process_without_a_nanny(worker, blas):
    worker.nanny = None
    WorkerSetup(is_alone=True).setup(worker)
    assert config.get("memory-limit") == 1000


def test_each_thread_that_runs_tasks_counts_for_blas(worker, blas):
    setup = WorkerSetup()
    setup.setup(worker)
    assert len(blas) == 2
    setup.teardown(worker)
    assert len(blas) == 0


def test_modules_are_imported(worker, blas, tmp_path, monkeypatch):
    (tmp_path / "module_of_a_test.py").write_text("x = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    WorkerSetup(imports=("module_of_a_test",)).setup(worker)
    assert sys.modules.pop("module_of_a_test").x == 1
    with pytest.raises(EngineError, match="pre_import: a worker cannot import 'no_such_module'"):
        WorkerSetup(imports=("no_such_module",)).setup(worker)


@pytest.mark.parametrize("value", [None, "", "1,0", "00,1"])
def test_a_process_with_another_device_first_is_refused(worker, blas, monkeypatch, value):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    with pytest.raises(EngineError, match="this worker is to use device 0, and was started with"):
        WorkerSetup(VisibleDevice("0", is_there=False)).setup(worker)


@pytest.mark.parametrize(
    ("near", "chosen"), [("0-1", [{0, 1}]), ("2-9", [{2, 3}]), ("64-95", []), (None, [])]
)
def test_it_stays_near_its_device(cores, near, chosen):
    stay_near(VisibleDevice("0", cores=near))
    assert cores.chosen == chosen


def test_the_device_is_opened_where_there_is_one(worker, blas, cores, monkeypatch):
    opened = []
    monkeypatch.setattr(worker_setup, "namespace", opened.append)
    monkeypatch.setattr(worker_setup, "find_spec", lambda name: None)  # CuPy is not installed
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    pool = {"rmm-pool-size": "1 GiB"}
    WorkerSetup(VisibleDevice("1", is_there=False), pool).setup(worker)
    WorkerSetup(VisibleDevice("1"), {"rmm-pool-size": None, "rmm-async": "auto"}).setup(worker)
    assert opened == []
    WorkerSetup(VisibleDevice("1"), pool).setup(worker)
    assert opened == ["cupy"]
    config.set({"rmm-pool-size": None})


def test_torch_takes_memory_from_the_pool(worker, blas, cores, monkeypatch):
    taken = []
    torch, allocators = ModuleType("torch"), ModuleType("rmm.allocators.torch")
    torch.cuda = SimpleNamespace(memory=SimpleNamespace(change_current_allocator=taken.append))
    allocators.rmm_torch_allocator = "the pool"
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "rmm.allocators.torch", allocators)
    monkeypatch.setattr(worker_setup, "namespace", lambda name: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    WorkerSetup(VisibleDevice("0"), libraries=("torch",)).setup(worker)
    assert taken == ["the pool"]


def test_what_a_worker_says_is_told():
    said = "no worker could start: no module of that name"
    with pytest.raises(EngineError, match=said), refusals_told():
        raise RuntimeError("Nanny failed to start.") from EngineError("no module of that name")
    with pytest.raises(RuntimeError, match=r"^Nanny failed to start\.$"), refusals_told():
        raise RuntimeError("Nanny failed to start.")
    said = "the scheduler could not start: no such host"
    with pytest.raises(EngineError, match=said), refusals_told():
        try:
            raise RuntimeError("Scheduler failed to start.") from OSError("no such host")
        except RuntimeError as error:
            raise RuntimeError("Cluster failed to start: Scheduler failed to start.") from error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EADDRINUSE, "in use"), r"listens at port 8786 of here\.x; scheduler_port=0"),
        (OSError(errno.EADDRNOTAVAIL, "no"), r"host='here\.x' is no address of this machine"),
        (socket.gaierror(-2, "not known"), r"host='here\.x' is no name that .* \(not known\)"),
    ],
)
def test_where_nobody_can_listen_is_told(error, said):
    with pytest.raises(EngineError, match=said), refusals_told("here.x", 8786):
        raise RuntimeError("Scheduler failed to start.") from error


def test_a_cluster_says_what_its_worker_says():
    from gpuscale.cluster import LocalCluster

    options = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with pytest.raises(EngineError, match="pre_import: a worker cannot import 'no_such_module'"):
        LocalCluster(pre_import="no_such_module", **options)


def test_setting_up_loads_nothing_that_plans_or_sends_tasks():
    """A new cluster's first result waits until all workers have loaded this."""
    script = "import gpuscale.cluster.worker_setup, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = {*result.stdout.split()}
    assert "gpuscale.engines.reserving" in loaded
    assert loaded & {"gpuscale.engines.sending", "gpuscale.expr", "gpuscale.io", "numba"} == set()


def test_tasks_start_no_processes(monkeypatch):
    process = SimpleNamespace(daemon=True, _inheriting=False)
    monkeypatch.setattr(worker_setup, "current_process", lambda: process)
    with pytest.raises(EngineError, match="cannot start worker processes: give"), refusals_told():
        pytest.fail("it started")
    with refusals_told(starts=False):
        pass
