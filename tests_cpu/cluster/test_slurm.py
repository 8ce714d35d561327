"""A real SLURM on this machine: its jobs are our workers."""

import time

import pytest

from .job_script import SIZE, expected, write
from .one_machine_slurm import OneMachineSlurm, why_not

pytest.importorskip("gpuscale.cluster.jobqueue", exc_type=ModuleNotFoundError)

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can"),
    pytest.mark.timeout(280),
]


# Added to the program of the page: which node and which GPUs each worker has.
WHERE = """
def where():
    import os
    return os.environ["SLURMD_NODENAME"], os.environ["CUDA_VISIBLE_DEVICES"]
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with (
        OneMachineSlurm(tmp_path_factory.mktemp("slurm"), nodes=2, gpus=2) as slurm,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SLURM_CONF", str(slurm.config))
        yield slurm


def jobs(slurm):
    return slurm.call("squeue", "-h", "-o", "%T").split()


def wait_until(is_so, seconds=90):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_gpus_are_those_that_slurm_gives(slurm):
    printed = slurm.call(
        "srun", "-N2", "-n4", "--gpus-per-task=1", "bash", "-c",
        "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES",
    )  # fmt: skip
    assert sorted(printed.splitlines()) == ["n1 0", "n1 1", "n2 0", "n2 1"]


def test_the_documented_job(slurm, tmp_path):
    """Two nodes with two GPUs each: a worker for each, which sees its own."""
    (tmp_path / "local").mkdir()
    environment = write(tmp_path) | {"TMPDIR": str(tmp_path / "local")}
    program = tmp_path / "headline.py"
    ask = "        print(sorted(client.run(where).values()))\n"
    text = program.read_text().replace("def main(", f"{WHERE}\ndef main(")
    program.write_text(text.replace("        x = ga", f"{ask}        x = ga"))
    slurm.call(
        "sbatch", "--parsable", "--wait", "--export=ALL", "--cpus-per-task=1",
        "--output=out.txt", "--error=err.txt", "job.sh", str(SIZE), "numpy",
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    printed = (tmp_path / "out.txt").read_text()
    assert "[('n1', '0'), ('n1', '1'), ('n2', '0'), ('n2', '1')]" in printed, printed
    assert float(printed.split()[-1]) == pytest.approx(expected())
    assert not list(tmp_path.glob("scheduler-*.json"))
    scratch = tmp_path / "local" / "dask-scratch-space"
    assert scratch.exists() and not [each for each in scratch.iterdir() if each.is_dir()]


def test_a_cluster_of_jobs_grows_and_shrinks(slurm, tmp_path):
    import gpuscale.array as ga
    from gpuscale.cluster import Client, SLURMCluster

    options = {
        "cores": 1,
        "memory": "1 GiB",
        "shared_temp_directory": str(tmp_path),
        "local_directory": str(tmp_path),
        "log_directory": str(tmp_path),
        "scheduler_options": {"dashboard_address": "127.0.0.1:0"},
    }
    with SLURMCluster(**options) as cluster, Client(cluster) as client:
        cluster.scale(2)
        client.wait_for_workers(2, timeout=120)
        assert jobs(slurm) == ["RUNNING"] * 2
        x = ga.random.default_rng(0).random((400, 400), chunks=100)
        y = (x + x.T) - x.mean(axis=0)
        found = y.std(axis=0).compute()
        cluster.scale(0)
        wait_until(lambda: not jobs(slurm))
        cluster.adapt(minimum=0, maximum=2, interval="200 ms", wait_count=2)
        assert float(ga.ones(1000, chunks=100).sum().compute()) == 1000
        wait_until(lambda: not jobs(slurm))
    assert abs(found - y.std(axis=0).compute(engine="threads")).max() < 1e-12
    assert not list(tmp_path.glob(".gpuscale-*.pem"))  # credentials go with the cluster
