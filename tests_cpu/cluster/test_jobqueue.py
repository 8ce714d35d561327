"""Job scripts of batch systems, word by word; `UPDATE_GOLDEN=1` writes them anew."""

import asyncio
import os
import re
import shlex
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gpuscale.array as ga
from gpuscale.base.errors import ConfigError
from gpuscale.cli.reading import read
from gpuscale.cluster.option import Taker

pytest.importorskip("gpuscale.cluster.jobqueue", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client, jobqueue  # noqa: E402

GOLDEN = Path(__file__).parent / "golden"

SYSTEMS = {
    "SLURM": {"account": "physics", "queue": "long"},
    "PBS": {"account": "physics", "queue": "long"},
    "SGE": {"project": "physics", "queue": "long.q", "resource_spec": "h_vmem=16G"},
    "LSF": {"project": "physics", "queue": "long", "lsf_units": "mb", "walltime": "01:00"},
    "Moab": {"account": "physics", "queue": "long", "resource_spec": "nodes=1:ppn=8:gpus=2"},
    "HTCondor": {"disk": "10 GiB"},
    "OAR": {"queue": "long", "memory_per_core_property_name": "not_applicable"},
}
KINDS = {
    "cpu": {"processes": 2, "worker_extra_args": ["--lifetime", "55m"]},
    "gpu": {"gpus": 2, "worker_extra_args": ["--rmm-pool-size", "0.8"], "insecure": True},
}


async def make(system, folder, **options):
    """The job script of a cluster, which does not begin: nothing is submitted."""
    given = {"cores": 8, "memory": "32 GiB", "python": "python", "asynchronous": True}
    given |= {"shared_temp_directory": str(folder), **SYSTEMS[system], **options}
    cluster = getattr(jobqueue, f"{system}Cluster")(**given)
    modes = [stat.S_IMODE(file.stat().st_mode) for file in folder.glob(".gpuscale-*")]
    assert modes == ([] if options.get("insecure") else [0o600])
    text = cluster.job_script()
    await cluster.close()
    return text


def script(system, folder, **options):
    """The same, with one name for what is new each time."""
    text = asyncio.run(make(system, folder, **options)).replace(str(folder), "SHARED")
    assert list(folder.glob(".gpuscale-*")) == []
    return re.sub(r"\.gpuscale-\w+\.pem", ".gpuscale-RANDOM.pem", text)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", KINDS)
def test_job_scripts(system, kind, tmp_path):
    text = script(system, tmp_path, **KINDS[kind])
    path = GOLDEN / f"{system.lower()}-{kind}.sh"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", KINDS)
def test_our_workers_take_what_is_written(system, kind):
    """Each word of a script is an option of the command that it starts."""
    taker = {"cpu": Taker.WORKER, "gpu": Taker.CUDA_WORKER}[kind]
    (command,) = re.findall(
        r"-m (gpuscale\.\S+) (.*?)'?\"?$",
        (GOLDEN / f"{system.lower()}-{kind}.sh").read_text(),
        re.M,
    )
    module, arguments = command
    flags = [word for word in shlex.split(arguments) if word.startswith("--")]
    assert len(flags) == len(set(flags)), "each is said once"
    chosen = read(taker, "", shlex.split(arguments))
    assert module == {"cpu": "gpuscale.cli.worker", "gpu": "gpuscale.cli.cuda_worker"}[kind]
    assert (chosen["name"], chosen["memory_limit"]) == ("dummy-name", "16.00GiB")
    if kind == "cpu":
        assert (chosen["n_workers"], chosen["threads_per_worker"]) == (2, 4)
        assert (chosen["tls_key"] or "").startswith("SHARED/")
    else:
        assert (chosen["threads_per_worker"], chosen["insecure"], chosen["tls_key"]) == (
            1,
            True,
            None,
        )


def test_specifications_of_the_user_are_kept(tmp_path):
    spec = "select=1:ncpus=4:mem=8GB"
    text = script("PBS", tmp_path, gpus=1, resource_spec=spec)
    assert f"#PBS -l {spec}:ngpus=1\n" in text
    text = script("PBS", tmp_path, gpus=1, resource_spec=f"{spec}:ngpus=4")
    assert f"#PBS -l {spec}:ngpus=4\n" in text
    with pytest.raises(ConfigError, match="as 'nodes=1:ppn=8:gpus=3'; it is 'nodes=1:ppn=4'"):
        script("Moab", tmp_path, gpus=3, resource_spec="nodes=1:ppn=4")
    text = script("SGE", tmp_path, gpus=1, gpu_resource="ngpus")
    assert "#$ -l ngpus=1\n" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpus": 2, "processes": 1}, "one for each"),
        ({"insecure": True, "security": True}, "not both"),
        ({"gpus": -1}, "gpus is -1"),
        ({"n_workers": -1}, "n_workers is -1"),
        ({"protocol": "ucx"}, "not encrypted"),
    ],
)
def test_contradictions(tmp_path, options, words):
    with pytest.raises(ConfigError, match=words):
        script("SLURM", tmp_path, **options)


@pytest.fixture
def batch_system(tmp_path, monkeypatch):
    """A queue that is always empty: what is submitted runs at once, here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    submit = 'setsid bash "$1" >"$1.log" 2>&1 & echo "Submitted batch job $!"'
    for name, line in (
        ("sbatch", f"cp $1 $1.kept; set -- $1.kept; {submit}"),
        ("scancel", 'kill -TERM -- "-$1"'),
    ):
        (folder / name).write_text(f"#!/bin/bash\n{line}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_jobs_become_workers_that_talk_tls(batch_system, tmp_path):
    page = {"dashboard_address": "127.0.0.1:0"}
    with (
        jobqueue.SLURMCluster(
            cores=1, memory="1 GiB", shared_temp_directory=str(tmp_path), scheduler_options=page
        ) as cluster,
        Client(cluster) as client,
    ):
        cluster.scale(1)
        client.wait_for_workers(1, timeout=60)
        assert cluster.scheduler_address.startswith("tls://")
        assert ga.arange(100, chunks=10).sum().compute() == 4950
        cluster.adapt(minimum=0, maximum=1, interval="100ms", wait_count=1)
        end = time.monotonic() + 60
        while client.scheduler_info()["workers"]:
            assert time.monotonic() < end, "adapt keeps a worker that has nothing to do"
            time.sleep(0.1)
    assert list(tmp_path.glob(".gpuscale-*")) == []


def test_ctrl_c_stays_what_it_was():
    program = """
import signal
before = signal.getsignal(signal.SIGINT)
from gpuscale.cluster import SLURMCluster
assert signal.getsignal(signal.SIGINT) is before
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
