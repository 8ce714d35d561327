"""From devices and options to specifications, over a matrix, with no driver and no process."""

import pickle
from itertools import product

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from gpuscale.base import config
from gpuscale.cluster.contradictions import check_options
from gpuscale.cluster.devices import VisibleDevice, read_names
from gpuscale.cluster.option import Taker
from gpuscale.cluster.pinned import PinnedNanny
from gpuscale.cluster.worker_spec import split_memory, words, worker_settings, worker_spec

NAMES = (["0"], ["0", "1"], ["3", "1", "2"], ["GPU-1a", "GPU-2b"], ["MIG-1a", "MIG-2b", "0", "1"])
OPTIONS = (
    {},
    {"threads_per_worker": 2, "memory_limit": "1 GiB"},
    {"memory_limit": 0, "rmm_pool_size": 0.5},
    {"protocol": "ucx", "enable_nvlink": True, "pre_import": "json,math"},
    {"enable_cudf_spill": True, "cudf_spill_stats": 1, "local_directory": "/scratch"},
)


def spec_of(devices, said=None, **more):
    options = check_options(Taker.LOCAL_CUDA, said or {})
    return worker_spec(devices, options, **{"total_memory": 8000, **more})


@pytest.mark.parametrize(("names", "said"), list(product(NAMES, OPTIONS)))
def test_each_worker_has_its_device_and_all_of_them(names, said):
    found = spec_of([VisibleDevice(name) for name in names], said)
    assert list(found) == list(range(len(names)))
    for place, each in found.items():
        options = each["options"]
        assert each["cls"] is PinnedNanny
        visible = read_names(options["env"]["CUDA_VISIBLE_DEVICES"])
        assert visible[0] == names[place] and sorted(visible) == sorted(names)
        assert options["resources"] == {"GPU": 1}
        assert options["nthreads"] == said.get("threads_per_worker", 1)
        assert options["local_directory"] == said.get("local_directory")
        (plugin,) = options["plugins"]
        assert plugin.device.name == names[place]
        assert plugin.imports == (("json", "math") if "pre_import" in said else ())
        assert pickle.loads(pickle.dumps(plugin)) == plugin  # a worker process gets it so
        _, store = options["data"]
        assert store["memory_limit"] == (options["memory_limit"] or None)


@pytest.mark.parametrize(
    ("limit", "n_workers", "each"),
    [
        ("auto", 1, 8000),
        ("auto", 3, 2666),
        (0.25, 2, 2000),
        ("25 %", 2, 2000),
        ("128 MB", 8, 128_000_000),
        (200_000_000, 8, 200_000_000),
        (0, 2, None),
        ("0", 2, None),
        (None, 2, None),
    ],
)
def test_memory(limit, n_workers, each):
    assert split_memory(limit, 8000, n_workers) == each
    found = spec_of([VisibleDevice(str(n)) for n in range(n_workers)], {"memory_limit": limit})
    assert {spec["options"]["memory_limit"] for spec in found.values()} == {each or 0}


@pytest.mark.parametrize(
    ("n_workers", "names"), [(1, ["gpu-box"]), (3, ["gpu-box-0", "gpu-box-1", "gpu-box-2"])]
)
def test_names(n_workers, names):
    found = spec_of([VisibleDevice(str(n)) for n in range(n_workers)], name="gpu-box")
    assert list(found) == names == [each["options"]["name"] for each in found.values()]


def test_what_all_share():
    shared = {
        "protocol": "tls",
        "resources": {"MEM": 2},
        "env": {"A": "b"},
        "plugins": ("another",),
        "dashboard_address": "127.0.0.1:0",
    }
    options = spec_of([VisibleDevice("0")], shared=shared)[0]["options"]
    assert (options["protocol"], options["dashboard_address"]) == ("tls", "127.0.0.1:0")
    assert options["resources"] == {"GPU": 1, "MEM": 2}
    assert (options["env"]["A"], options["env"]["CUDA_VISIBLE_DEVICES"]) == ("b", "0")
    assert options["plugins"][1] == "another"


@pytest.mark.parametrize(
    ("said", "environment", "variables"),
    [
        ({}, {}, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "RAPIDS_NO_INITIALIZE": "1"}),
        ({}, {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}),
        (
            {"protocol": "ucx", "enable_infiniband": True},
            {},
            {"UCX_TLS": "rc,tcp,cuda_copy", "UCX_SOCKADDR_TLS_PRIORITY": "tcp"},
        ),
        (
            {"enable_cudf_spill": True, "cudf_spill_stats": 2},
            {},
            {"CUDF_SPILL": "on", "CUDF_SPILL_STATS": "2"},
        ),
    ],
)
def test_variables(said, environment, variables):
    options = spec_of([VisibleDevice("0")], said, environment=environment)[0]["options"]
    assert variables.items() <= options["env"].items()


def test_settings_are_those_said_or_those_of_this_process():
    with config.set({"rmm-pool-size": "1 GiB", "rmm-async": True, "device-memory-limit": 0.5}):
        found = worker_settings(check_options(Taker.LOCAL_CUDA, {"rmm_pool_size": "2 GiB"}))
        assert found["rmm-pool-size"] == "2 GiB"
        assert found["rmm-async"] is True
        assert found["device-memory-limit"] == 0.5
        assert "rmm-async" not in worker_settings()
    with config.set(found):  # a worker takes them all
        pass


@pytest.mark.parametrize(
    ("said", "option"), [(0, "100 %"), ("0", "100 %"), (0.4, 0.4), ("auto", "auto"), (None, "auto")]
)
def test_the_limit_of_the_device(said, option):
    found = worker_settings(check_options(Taker.LOCAL_CUDA, {"device_memory_limit": said}))
    assert found["device-memory-limit"] == option


def test_lists_of_names():
    assert words(" a, b,,") == ("a", "b")
    assert words(["a"]) == ("a",)
    assert words(None) == words("") == ()
