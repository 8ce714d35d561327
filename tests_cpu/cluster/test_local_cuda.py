"""`LocalCUDACluster`: refusals in this process; a real cluster of two pinned workers in another."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.nvml import read_driver
from gpuscale.base.errors import ConfigError, EngineError
from gpuscale.cluster import LocalCluster, LocalCUDACluster, local_cuda
from gpuscale.cluster.option import Taker
from gpuscale.cluster.options import options_of


@pytest.fixture
def no_driver(monkeypatch):
    absent = Driver(State.ABSENT, "there is no NVIDIA driver here")
    monkeypatch.setattr(local_cuda, "ask_driver", lambda: absent)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def two_devices(monkeypatch, nvml):
    driver = read_driver(nvml.driver(nvml.gpu(0), nvml.gpu(1)))
    monkeypatch.setattr(local_cuda, "ask_driver", lambda: driver)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("kind", "taker"), [(LocalCluster, Taker.LOCAL), (LocalCUDACluster, Taker.LOCAL_CUDA)]
)
def test_arguments_are_those_of_the_table(kind, taker):
    has = inspect.signature(kind).parameters
    for option in options_of(taker):
        assert option.name in has, option.name
        assert option.name in (kind.__doc__ or ""), option.name
        # A class has a page where a command line says None for one at the usual place, and threads
        # that a command line leaves open.
        if option.name not in ("dashboard_address", "threads_per_worker"):
            assert has[option.name].default == option.default, option.name


def test_without_a_device_it_points_to_the_cluster_that_needs_none(no_driver):
    with pytest.raises(EngineError, match=r"no NVIDIA driver here; .*\.LocalCluster"):
        LocalCUDACluster()
    with pytest.raises(EngineError, match="no GPU can be used here"):
        LocalCUDACluster("0,1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_workers": 3}, "n_workers is 3, and there are 2 GPUs for them: 0, 1"),
        ({"CUDA_VISIBLE_DEVICES": "2"}, "'2' is no device here"),
        ({"rmm_async": True, "rmm_managed_memory": True}, "rmm-async and rmm-managed-memory"),
        ({"rmm_pool_size": "100 GiB"}, "the device has 80.0 GiB"),
        ({"enable_nvlink": True, "protocol": "tcp"}, "enable_nvlink is about UCX"),
        ({"threads_per_worker": 0}, "threads_per_worker is 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(two_devices, options, said):
    with pytest.raises(ConfigError, match=said):
        LocalCUDACluster(**options)


@pytest.mark.parametrize("options", [{"n_workers": -1}, {"memory_limit": "much"}])
def test_local_cluster_refuses_too(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        LocalCluster(**options)


@pytest.fixture(scope="module")
def found():
    """What `pinned_program` wrote down, with warnings as errors."""
    program = Path(__file__).with_name("pinned_program.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition("FOUND")[2])


@pytest.mark.parametrize("moment", ["started", "restarted", "killed", "scaled"])
def test_workers_have_their_device_from_their_first_line_on(found, moment):
    workers = found[moment]
    assert [each["variable"] for each in workers] == ["1,3", "3,1"]
    assert [each["now"] for each in workers] == ["1,3", "3,1"]
    assert [each["imported"] for each in workers] == [[], []]


@pytest.mark.parametrize("moment", ["started", "restarted", "killed", "scaled"])
def test_workers_are_set_up_again_after_each_start(found, moment):
    for each in found[moment]:
        assert set(each["blas"]) <= {1}
        assert each["memory-limit"] == 1 << 30
        assert each["imports"]


def test_these_were_other_processes(found):
    pids = [{each["pid"] for each in found[moment]} for moment in ("started", "restarted")]
    assert pids[0].isdisjoint(pids[1])
    assert len(pids[1] & {each["pid"] for each in found["killed"]}) == 1


def test_it_computes_and_hides(found):
    assert found["sum"] == 90000.0
    assert found["here"] is None  # the variable of the program itself is as it was
    assert set(found["listening"]) <= {"127.0.0.1", "::1"}
    assert found["too many"] == "this cluster has 2 GPUs, and 3 workers need 3"
    assert found["left"] == []
