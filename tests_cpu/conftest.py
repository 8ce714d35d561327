"""Tests that need no device: the same on every machine, whatever its user has configured."""

import gc
import logging
import os
import random
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from threadpoolctl import threadpool_limits

from .fake_nvml import nvml as nvml

# Machines of continuous integration are slow by turns, and a timed test is no test.
settings.register_profile("gpuscale", deadline=None)
# For .ci/run: a change is judged by the same examples each time; `make test` looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("gpuscale")


#: What each kind of collection may live on.
OF = {"array": ("fake", "cupy"), "dataframe": ("fake", "cudf")}


def pytest_addoption(parser):
    parser.addoption(
        "--backend",
        choices=("numpy", "fake", "cupy", "cudf"),
        default="numpy",
        help="where the data of the tests live; 'fake' is gpuscale.testing.fake_device",
    )
    parser.addoption(
        "--pool",
        choices=("whole", "fifth"),
        default="whole",
        help="room on the fake device; 'fifth' is gpuscale.testing.fake_device.small",
    )
    parser.addoption(
        "--engine",
        choices=("threads", "distributed"),
        default="threads",
        help="what runs the tasks of the tests; 'distributed' is a cluster of two processes",
    )
    parser.addoption(
        "--variants",
        type=int,
        help="run at most so many variants of each parametrized test, from among all of them",
    )
    parser.addoption(
        "--kernels",
        type=Path,
        help="folder of the kernels of tests that always compile, for several runs to share",
    )


def pytest_configure(config):
    """Keep options and compiled kernels of the user out, in this process and those it starts."""
    for name in [name for name in os.environ if name.startswith("GPUSCALE_")]:
        if not hasattr(config, "workerinput"):  # a worker of xdist inherits what is set below
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        scratch = tempfile.mkdtemp(prefix="gpuscale-tests-")
        config.add_cleanup(lambda: shutil.rmtree(scratch, ignore_errors=True))
        os.environ["GPUSCALE_CONFIG"] = os.path.join(scratch, "no-such-file.yaml")
        os.environ["GPUSCALE_CODEGEN__CACHE_DIR"] = os.path.join(scratch, "kernels")
        # The simulator of engines (engines/test_simulator.py) begins with a new one each time.
        os.environ.setdefault("SIMULATOR_SEED", str(random.randrange(10**9)))
    backend = config.getoption("--backend")
    if config.getoption("--pool") != "whole" and backend != "fake":
        raise pytest.UsageError("--pool is of the fake device: say --backend fake as well")
    if backend != "numpy":
        from gpuscale.base import config as options  # after the environment is what it shall be
        from gpuscale.testing import fake_device

        if backend == fake_device.NAME:
            fake_device.activate()
            if config.getoption("--pool") == "fifth":
                from gpuscale.testing.fake_device.small import a_fifth_of_room

                small = ExitStack()
                small.enter_context(a_fifth_of_room())
                config.add_cleanup(small.close)
        options.set(
            {f"{kind}.backend": backend for kind in ("array", "dataframe") if backend in OF[kind]}
        )
    if config.getoption("--engine") == "distributed":
        from distributed import Client, LocalCluster

        from gpuscale.base import config as options

        cluster = LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,  # tasks fail where tests want them to
        )
        client = Client(cluster)
        config.add_cleanup(cluster.close)
        config.add_cleanup(client.close)
        options.set(engine="distributed")
        # Threads of the client draw random numbers while Hypothesis looks.
        config.addinivalue_line(
            "filterwarnings", "ignore:Do not use the `random` module inside strategies"
        )


EXAMPLES_ELSEWHERE = 8  # of Hypothesis: the values were compared before, this asks where they live


def pytest_collection_modifyitems(config, items):
    """On a device or a cluster, draw fewer examples, and the same in each run.

    Tests that fail there are known by name, so each has to fail or pass every time.
    """
    if config.getoption("--variants"):
        keep_variants(config, items, config.getoption("--variants"))
    if config.getoption("--backend") == "numpy" and config.getoption("--engine") == "threads":
        return
    for item in items:
        test = getattr(item, "obj", None)
        drawn = getattr(test, "_hypothesis_internal_use_settings", None)
        if drawn is not None:
            count = min(drawn.max_examples, EXAMPLES_ELSEWHERE)
            phases = [Phase.explicit, Phase.generate]
            few = settings(
                drawn, max_examples=count, phases=phases, derandomize=True, database=None
            )
            test._hypothesis_internal_use_settings = few


def keep_variants(config, items, count):
    """Deselect all but so many variants of each test, which lie apart from each other."""
    variants = {}
    for item in items:
        variants.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {item for some in variants.values() for item in some[:: -(-len(some) // count)]}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def pytest_collection_finish():
    """Leave what lives as long as this process out of all later collections of garbage.

    To look through the objects of all tests and modules takes longer than most tests do.
    """
    gc.collect()
    gc.freeze()


def pytest_report_header():
    """Say the new seed, so that what it finds can be found again."""
    return f"SIMULATOR_SEED={os.environ['SIMULATOR_SEED']}"


@pytest.fixture(scope="session", autouse=True)
def blas_has_one_thread():
    """Threads of BLAS wait for each other at work, for longer than the small data here needs.

    More so as other tests run beside these. `engines/test_blas.py` has two.
    """
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(autouse=True)
def options_are_put_back():
    """What a test sets for good, as a benchmark does for its process, ends with the test."""
    from gpuscale.base import config  # after pytest_configure: it reads the environment

    before = config.to_dict()
    yield
    if config.to_dict() != before:
        config.set(before)


@pytest.fixture(scope="session")
def kernel_cache(request):
    """One folder for all processes of a run; what else they do does not depend on it."""
    apart = Path(os.environ["GPUSCALE_CODEGEN__CACHE_DIR"]).with_name("always")
    return request.config.getoption("--kernels") or apart


@pytest.fixture
def always_compile(kernel_cache):
    """Every block, however small, goes through a kernel, without waiting for enough work."""
    from gpuscale.base import config

    with config.set({"codegen.min-elements": 0, "codegen.cache-dir": str(kernel_cache)}):
        yield
