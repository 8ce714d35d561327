"""A real Grid Engine on this machine: its jobs are our workers."""

import os
import time

import pytest

import gpuscale.array as ga

from .one_machine_gridengine import OneMachineGridEngine, why_not

pytest.importorskip("gpuscale.cluster.jobqueue", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client, SGECluster  # noqa: E402

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can"),
    pytest.mark.timeout(280),
]


@pytest.fixture(scope="module")
def gridengine(tmp_path_factory):
    with (
        OneMachineGridEngine(tmp_path_factory.mktemp("gridengine"), gpus=2) as system,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in system.environment.items():
            patch.setenv(name, value)
        yield system


def states(system):
    """Of each job: ``r`` runs, ``qw`` waits."""
    return [line.split()[4] for line in system.call("qstat").splitlines()[2:]]


def wait_until(is_so, seconds=90):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def options(folder):
    return {
        "cores": 1,
        "memory": "1 GiB",
        "shared_temp_directory": str(folder),
        "local_directory": str(folder),
        "log_directory": str(folder),
        "scheduler_options": {"dashboard_address": "127.0.0.1:0"},
    }


def test_a_cluster_of_jobs_grows_and_shrinks(gridengine, tmp_path):
    with SGECluster(**options(tmp_path)) as cluster, Client(cluster) as client:
        cluster.scale(2)
        client.wait_for_workers(2, timeout=120)
        assert states(gridengine) == ["r"] * 2
        assert len(set(client.run(os.getenv, "JOB_ID").values())) == 2
        x = ga.random.default_rng(0).random((400, 400), chunks=100)
        y = (x + x.T) - x.mean(axis=0)
        found = y.std(axis=0).compute()
        cluster.scale(0)
        wait_until(lambda: not states(gridengine))
        cluster.adapt(minimum=0, maximum=2, interval="200 ms", wait_count=2)
        assert float(ga.ones(1000, chunks=100).sum().compute()) == 1000
        wait_until(lambda: not states(gridengine))
    assert abs(found - y.std(axis=0).compute(engine="threads")).max() < 1e-12
    assert not list(tmp_path.glob(".gpuscale-*.pem"))  # credentials go with the cluster


def test_jobs_ask_for_gpus(gridengine, tmp_path):
    """Of three jobs with a GPU each, two run on a host that has two.

    Grid Engine sets no CUDA_VISIBLE_DEVICES itself: whoever administers it does, in a prolog.
    """
    extra = ["--allow-no-device"]
    one_gpu = {"gpus": 1, "worker_extra_args": extra, "job_script_prologue": [
        "export CUDA_VISIBLE_DEVICES=$((JOB_ID % 2))"
    ]}  # fmt: skip
    with SGECluster(**options(tmp_path), **one_gpu) as cluster, Client(cluster) as client:
        cluster.scale(3)
        client.wait_for_workers(2, timeout=120)
        assert sorted(states(gridengine)) == ["qw", "r", "r"]
        assert sorted(client.run(os.getenv, "CUDA_VISIBLE_DEVICES").values()) == ["0", "1"]
    wait_until(lambda: not states(gridengine))
