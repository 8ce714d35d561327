"""The pool of a device, on stand-ins that have the names of CuPy 14 and RMM 26."""

import logging
import os
import sys
import types

import pytest

from gpuscale.backends import creation
from gpuscale.backends.devices import IN_USE
from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.memory.pool import OPTIONS, pool_plan, set_up_pool

TOTAL = 80 << 30


class Pool:
    """CuPy's pool, as far as it is asked."""

    def __init__(self, allocator=None):
        self.allocator, self.limit = allocator, None

    def malloc(self, size):
        raise AssertionError("nothing is allocated here")

    def set_limit(self, size=None, fraction=None):
        self.limit = size


@pytest.fixture
def cupy():
    default = Pool()
    allocators = [default.malloc]
    runtime = types.SimpleNamespace(
        cudaDevAttrMemoryPoolsSupported=115,
        deviceGetAttribute=lambda attribute, device: int(attribute == 115),
        memGetInfo=lambda: (TOTAL // 2, TOTAL),
    )
    cuda = types.SimpleNamespace(
        Device=lambda: types.SimpleNamespace(id=0),
        MemoryPool=Pool,
        get_allocator=lambda: allocators[-1],
        malloc_managed=object(),
        runtime=runtime,
        set_allocator=allocators.append,
    )
    module = types.ModuleType("cupy")
    module.cuda, module.get_default_memory_pool = cuda, lambda: default
    return module


def _resource(name):
    def init(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs

    return type(name, (), {"__init__": init})


NAMES = [
    "CudaAsyncMemoryResource",
    "CudaMemoryResource",
    "LimitingResourceAdaptor",
    "LoggingResourceAdaptor",
    "ManagedMemoryResource",
    "PoolMemoryResource",
    "StatisticsResourceAdaptor",
    "TrackingResourceAdaptor",
]


@pytest.fixture
def mr(monkeypatch):
    """The module rmm.mr; `chain` of it names the resources that are set, from the top."""
    rmm = types.ModuleType("rmm")
    rmm.__version__ = "26.10.0"
    mr = types.ModuleType("rmm.mr")
    for name in NAMES:
        setattr(mr, name, _resource(name))
    resources = {0: mr.CudaMemoryResource()}
    mr.get_per_device_resource = resources.__getitem__
    mr.set_per_device_resource = resources.__setitem__

    def chain():
        each, found = resources[0], []
        while each is not None:
            found.append((type(each).__name__, each.kwargs))
            each = each.args[0] if each.args else None
        return found

    mr.chain = chain
    of_cupy = types.ModuleType("rmm.allocators.cupy")
    of_cupy.rmm_cupy_allocator = object()
    of_numba = types.ModuleType("rmm.allocators.numba")
    of_numba.RMMNumbaManager = object()
    modules = {
        "rmm": rmm,
        "rmm.mr": mr,
        "rmm.allocators": types.ModuleType("rmm.allocators"),
        "rmm.allocators.cupy": of_cupy,
        "rmm.allocators.numba": of_numba,
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "numba.cuda", raising=False)
    monkeypatch.setenv("NUMBA_CUDA_MEMORY_MANAGER", "taken away by the fixture")
    del os.environ["NUMBA_CUDA_MEMORY_MANAGER"]
    return mr


def test_the_drivers_pool_is_shared_by_all(cupy, mr):
    set_up_pool(cupy)
    assert mr.chain() == [
        ("StatisticsResourceAdaptor", {}),
        ("CudaAsyncMemoryResource", {"initial_pool_size": None, "release_threshold": None}),
    ]
    assert cupy.cuda.get_allocator() is sys.modules["rmm.allocators.cupy"].rmm_cupy_allocator
    assert os.environ["NUMBA_CUDA_MEMORY_MANAGER"] == "rmm.allocators.numba"


def test_numba_that_is_loaded_is_told(cupy, mr, monkeypatch):
    told = []
    numba = types.SimpleNamespace(set_memory_manager=told.append)
    monkeypatch.setitem(sys.modules, "numba.cuda", numba)
    set_up_pool(cupy)
    assert told == [sys.modules["rmm.allocators.numba"].RMMNumbaManager]
    assert "NUMBA_CUDA_MEMORY_MANAGER" not in os.environ


def test_a_pool_with_everything(cupy, mr, tmp_path):
    options = {
        "rmm-pool-size": "1 GiB",
        "rmm-maximum-pool-size": "50 %",
        "rmm-async": False,
        "rmm-log-directory": str(tmp_path / "logs"),
        "rmm-track-allocations": True,
    }
    with config.set(options):
        set_up_pool(cupy)
    log = {"log_file_name": str(tmp_path / "logs" / f"rmm_log_{os.getpid()}.txt")}
    sizes = {"initial_pool_size": 1 << 30, "maximum_pool_size": 40 << 30}
    assert mr.chain() == [
        ("StatisticsResourceAdaptor", {}),
        ("LoggingResourceAdaptor", log),
        ("TrackingResourceAdaptor", {"capture_stacks": True}),
        ("PoolMemoryResource", sizes),
        ("CudaMemoryResource", {}),
    ]
    assert (tmp_path / "logs").is_dir()


def test_the_drivers_pool_with_a_limit(cupy, mr):
    with config.set({"rmm-maximum-pool-size": "1 GiB", "rmm-release-threshold": "1 MiB"}):
        set_up_pool(cupy)
    assert mr.chain()[1:] == [
        ("LimitingResourceAdaptor", {"allocation_limit": 1 << 30}),
        ("CudaAsyncMemoryResource", {"initial_pool_size": None, "release_threshold": 1 << 20}),
    ]


def test_managed_memory_may_exceed_the_device(cupy, mr):
    with config.set({"rmm-managed-memory": True, "rmm-pool-size": "100 GiB"}):
        set_up_pool(cupy)
    assert mr.chain()[1:] == [
        ("PoolMemoryResource", {"initial_pool_size": 100 << 30, "maximum_pool_size": None}),
        ("ManagedMemoryResource", {}),
    ]


def test_a_device_without_stream_ordered_pools(cupy, mr):
    cupy.cuda.runtime.deviceGetAttribute = lambda attribute, device: 0
    with config.set({"rmm-maximum-pool-size": 1000}):
        set_up_pool(cupy)
    sizes = {"initial_pool_size": 768, "maximum_pool_size": 768}
    assert mr.chain()[1:] == [("PoolMemoryResource", sizes), ("CudaMemoryResource", {})]


def test_what_the_program_set_up_stays(cupy, mr):
    own = mr.ManagedMemoryResource()
    mr.set_per_device_resource(0, own)
    set_up_pool(cupy)
    assert mr.get_per_device_resource(0) is own
    mr.set_per_device_resource(0, mr.CudaMemoryResource())
    cupy.cuda.set_allocator(own)
    set_up_pool(cupy)
    assert mr.chain() == [("CudaMemoryResource", {})]
    assert cupy.cuda.get_allocator() is own
    with config.set({"rmm-async": True}):  # unless somebody asks for one
        set_up_pool(cupy)
    assert mr.chain()[-1][0] == "CudaAsyncMemoryResource"


@pytest.fixture
def no_rmm(monkeypatch):
    monkeypatch.setitem(sys.modules, "rmm", None)


def test_without_rmm(cupy, no_rmm, caplog):
    caplog.set_level(logging.INFO, "gpuscale.memory")
    with config.set({"rmm-maximum-pool-size": "1 GiB"}):
        set_up_pool(cupy)
    assert cupy.get_default_memory_pool().limit == 1 << 30
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "CuPy uses its own pool" in record.message
    assert "cannot be met" not in record.message


def test_without_rmm_what_cannot_be_met_is_named(cupy, no_rmm, caplog):
    with config.set({"rmm-pool-size": "1 GiB", "rmm-managed-memory": True}):
        set_up_pool(cupy)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "rmm-pool-size cannot be met" in record.message
    assert "pip install 'gpuscale[cuda13]'" in record.message
    assert cupy.cuda.get_allocator().__self__.allocator is cupy.cuda.malloc_managed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rmm-pool-size": "90 GiB"}, "rmm-pool-size is 90.0 GiB, and the device has 80.0 GiB"),
        ({"rmm-maximum-pool-size": "81 GiB"}, "rmm-maximum-pool-size is 81.0 GiB.*managed"),
        ({"rmm-pool-size": 0.5, "rmm-maximum-pool-size": 0.25}, "20.0 GiB, less than rmm-pool"),
        ({"rmm-async": True, "rmm-managed-memory": True}, "exclude one another"),
        ({"rmm-async": False, "rmm-release-threshold": 1}, "rmm-release-threshold .* rmm-async"),
        ({"rmm-pool-size": 100}, "rmm-pool-size is less than 256 bytes"),
    ],
)
def test_contradictions_are_named_before_anything_is_set(cupy, mr, options, message):
    with config.set(options), pytest.raises(ConfigError, match=message):
        set_up_pool(cupy)
    assert mr.chain() == [("CudaMemoryResource", {})]


def test_async_on_a_device_that_has_it_not():
    with config.set({"rmm-async": True}), pytest.raises(ConfigError, match="leave it at 'auto'"):
        pool_plan(TOTAL, can_async=False)


@pytest.mark.parametrize("key", [key for key in OPTIONS if "size" in key or "threshold" in key])
def test_sizes_are_read_when_they_are_set(key):
    with pytest.raises(ConfigError, match=f"option {key}: cannot read '3 parsecs' as a size"):
        config.set({key: "3 parsecs"})


def test_the_pool_is_set_up_with_the_first_use_of_cupy(cupy, mr, monkeypatch):
    cupy.cuda.is_available = lambda: True
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    with config.set({"rmm-pool-size": "90 GiB"}):
        for _ in range(2):  # the mistake is told each time
            with pytest.raises(ConfigError, match="the device has"):
                creation.namespace("cupy")
    assert creation.namespace("cupy") is cupy
    assert mr.chain()[-1][0] == "CudaAsyncMemoryResource"
    del creation._loaded["cupy"], IN_USE["cupy"]
