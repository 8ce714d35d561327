"""Options that exclude one another are refused by name, before anything starts."""

from contextlib import nullcontext

import pytest

from gpuscale.backends.driver.nvml import ask_driver
from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.cluster import contradictions
from gpuscale.cluster.contradictions import check_device_options, check_options
from gpuscale.cluster.option import Taker


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rmm_async": True, "rmm_managed_memory": True}, "rmm-async and rmm-managed-memory"),
        ({"rmm_pool_size": "2 GiB", "rmm_maximum_pool_size": "1 GiB"}, "rmm-maximum-pool-size is"),
        ({"rmm_pool_size": 0.5, "rmm_maximum_pool_size": 0.4}, "less than rmm-pool-size"),
        ({"rmm_release_threshold": "1 GiB", "rmm_async": False}, "rmm-release-threshold"),
        ({"rmm_pool_size": "100 GiB"}, "the device has 80.0 GiB"),
        ({"rmm_pool_size": 0.5, "rmm_maximum_pool_size": "30 GiB"}, "less than rmm-pool-size"),
        ({"enable_nvlink": True}, "enable_nvlink is about UCX, and the protocol is TCP"),
        ({"enable_infiniband": True, "protocol": "tcp"}, "the protocol is tcp"),
        ({"enable_rdmacm": True, "protocol": "ucx"}, "enable_infiniband=True too"),
        (
            {"enable_nvlink": True, "protocol": "ucx", "rmm_managed_memory": True},
            "enable_nvlink and rmm_managed_memory",
        ),
        ({"protocol": "carrier-pigeon"}, "protocol cannot be 'carrier-pigeon'"),
        ({"n_workers": 0}, "n_workers is 0"),
        ({"threads_per_worker": -1}, "threads_per_worker is -1"),
        ({"n_wokers": 2}, "LocalCUDACluster has no option n_wokers; it has .*n_workers"),
        ({"memory_limit": "much"}, "memory_limit"),
        ({"memory_limit": "1 kB"}, "memory_limit: a worker needs 96.0 MiB to begin.*1000 B; say"),
        ({"memory_limit": 1e-9}, "memory_limit: a worker needs"),
        ({"scheduler_port": 80_000}, "scheduler_port: a port is from 0.* to 65535, not 80000"),
        ({"scheduler_port": -1}, "scheduler_port: a port"),
        ({"local_directory": "/proc/nope"}, "local_directory: no data can be written to '/proc"),
        ({"local_directory": __file__}, "local_directory: no data can be .*say a folder"),
        ({"device_memory_limit": -1}, "device_memory_limit"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        check_options(Taker.LOCAL_CUDA, options, memory=80 << 30)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rmm_async": True, "rmm_release_threshold": 0.5},
        {"rmm_managed_memory": True, "rmm_pool_size": "100 GiB"},
        {"enable_infiniband": True, "enable_rdmacm": True, "protocol": "ucx"},
        {"enable_nvlink": False, "protocol": "auto"},
        {"memory_limit": None, "device_memory_limit": 0},
    ],
)
def test_what_goes_together(options):
    found = check_options(Taker.LOCAL_CUDA, options, memory=80 << 30)
    assert {name: found[name] for name in options} == options


def test_what_cannot_be_compared_is_left_to_the_worker():
    check_options(Taker.LOCAL_CUDA, {"rmm_pool_size": 0.5, "rmm_maximum_pool_size": "1 GiB"})


def test_the_configuration_counts_where_nothing_is_said():
    with config.set({"rmm-async": True}), pytest.raises(ConfigError, match="exclude one another"):
        check_options(Taker.LOCAL_CUDA, {"rmm_managed_memory": True})


def test_nothing_stays_set():
    check_options(Taker.LOCAL_CUDA, {"rmm_pool_size": "1 GiB"})
    assert config.get("rmm-pool-size") is None


@pytest.mark.parametrize("taker", [Taker.LOCAL, Taker.LOCAL_CUDA, Taker.WORKER])
def test_resources_are_numbers_by_name(taker):
    for said in ("GPU=2", {"GPU": 2}):
        assert check_options(taker, {"resources": said})["resources"] == {"GPU": 2.0}
    for said in ("GPU", {"GPU": "two"}):
        with pytest.raises(ConfigError, match="option resources: it is pairs such as 'GPU=2"):
            check_options(taker, {"resources": said})


@pytest.mark.parametrize("limit", ["auto", 0, "1 GiB"])
def test_shares_of_memory_in_which_no_worker_can_begin(monkeypatch, limit):
    monkeypatch.setattr(contradictions, "total_memory", lambda: 300 << 20)
    many, few = {"n_workers": 4, "memory_limit": limit}, {"n_workers": 3, "memory_limit": limit}
    assert check_options(Taker.LOCAL, few)["n_workers"] == 3
    said = pytest.raises(
        ConfigError, match=r"4 workers .* have 75.0 MiB each, .* 96.0 MiB .* fewer"
    )
    with said if limit == "auto" else nullcontext():
        check_options(Taker.LOCAL, many)
    devices = {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "allow_no_device": True, "memory_limit": limit}
    with said if limit == "auto" else nullcontext():
        check_device_options(Taker.LOCAL_CUDA, devices, ask_driver)
