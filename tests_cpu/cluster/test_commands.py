"""Schedulers and workers as processes: TLS between them, signals, errors in a sentence."""

import asyncio
import importlib
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga

from . import commands

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client  # noqa: E402
from gpuscale.cluster.security import read_scheduler_file, temporary  # noqa: E402
from gpuscale.engines.reserving import MEMORY, room_for_tasks  # noqa: E402

HERE = ("--port", "0", commands.NO_PAGE)
ANYWHERE = ("--host", "0.0.0.0", *HERE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler that other machines reach, and a worker: its file."""
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    with (
        commands.command(
            "scheduler", *ANYWHERE, "--protocol", "tcp", "--scheduler-file", file
        ) as scheduler,
        commands.command(
            "worker", "--protocol", "auto", commands.NO_PAGE,
            "--scheduler-file", file, "--nthreads", 1, "--name", "one",
            "--resources", "MEM=5", "--pre-import", "wave", "--death-timeout", commands.PATIENCE,
            "--memory-limit", "1GiB",
        ),
    ):  # fmt: skip
        commands.wait_for(file, scheduler)
        yield file


def test_arrays_are_computed_over_tls(cluster):
    with Client(scheduler_file=cluster) as client:
        client.wait_for_workers(1, timeout=commands.PATIENCE)
        x = ga.arange(10_000, chunks=1_000)
        assert (x * x).sum().compute() == (np.arange(10_000) ** 2).sum()
        (worker,) = client.scheduler_info()["workers"].values()
        assert client.scheduler.address.startswith("tls://")
        assert worker["nanny"].startswith("tls://")
        assert (worker["name"], worker["nthreads"], worker["memory_limit"]) == ("one", 1, 2**30)
        assert worker["resources"] == {"MEM": 5, MEMORY: room_for_tasks(1 << 30)}
        limits = client.run(lambda: gpuscale.config.get("memory-limit"))
        assert [*limits.values()] == [2**30]
        assert [*client.run(lambda: "wave" in sys.modules).values()] == [True]
        listening = client.run(lambda dask_worker: dask_worker.listener.listen_address)
        assert "0.0.0.0" not in str(listening)


def test_an_asynchronous_client_reads_the_file_too(cluster):
    async def compute():
        async with Client(scheduler_file=cluster, asynchronous=True, set_as_default=False) as one:
            return await one.submit(abs, -1)

    assert asyncio.run(compute()) == 1


def test_the_file_of_a_scheduler_that_runs_is_its_own(cluster):
    before = cluster.read_text()
    status, said = commands.run("scheduler", *HERE, "--scheduler-file", cluster)
    assert status == 1
    assert f"is the file of a scheduler that runs at {read_scheduler_file(cluster).address}" in said
    assert cluster.read_text() == before


def test_the_file_is_for_its_owner(cluster):
    assert stat.S_IMODE(cluster.stat().st_mode) == 0o600


def test_who_has_no_credentials_is_refused(cluster):
    address = read_scheduler_file(cluster).address
    with pytest.raises(OSError, match="Timed out|onnect"):
        distributed.Client(address.replace("tls", "tcp"), timeout=3)
    with pytest.raises(OSError, match="certificate|Timed out|onnect"):
        distributed.Client(address, security=temporary(), timeout=3)
    with pytest.raises(TypeError, match="TLS"):
        distributed.Client(address, timeout=3)
    with pytest.raises(OSError, match="certificate") as told:
        Client(address, security=temporary(), timeout=3)
    assert "not those that were given, or these have expired" in told.value.__notes__[0]
    assert len(told.traceback) == 2
    with pytest.raises(OSError, match="Timed out|onnect|closed") as told:
        Client(address.replace("tls", "tcp"), timeout=3)
    assert "a scheduler that speaks TLS" in told.value.__notes__[0] and len(told.traceback) == 2


def test_a_worker_without_credentials_says_why_it_is_refused(cluster):
    address = read_scheduler_file(cluster).address.replace("tls", "tcp")
    with commands.command("worker", address, "--insecure", "--nworkers", 1) as one:
        status, said = one.end()
    assert status == 1
    assert f"no worker could join the scheduler at {address}: a scheduler that speaks TLS" in said


def test_workers_say_that_no_scheduler_answers():
    with commands.command(
        "worker", "tcp://127.0.0.1:1", "--death-timeout", 1, "--no-nanny", "--nworkers", 1
    ) as one:
        status, said = one.end()
    assert status == 1 and "no worker could join a scheduler at tcp://127.0.0.1:1" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_cleanly(tmp_path, number):
    file, pid = tmp_path / "scheduler.json", tmp_path / "pid"
    with commands.command("scheduler", *HERE, "--scheduler-file", file, "--pid-file", pid) as one:
        commands.wait_for(file, one)
        assert int(pid.read_text()) == one.pid
        one.send(number)
        status, said = one.end()
    assert status == 0, said
    assert "Traceback" not in said
    assert not file.exists()
    assert not pid.exists()


def test_ctrl_c_in_a_terminal_while_a_worker_starts(cluster):
    options = ("--scheduler-file", cluster, "--nworkers", 1, "--nthreads", 1, commands.NO_PAGE)
    with commands.command("worker", *options) as one:
        end = time.monotonic() + commands.PATIENCE
        while not commands.worker_processes(one.pid):
            assert time.monotonic() < end, "it starts none"
            time.sleep(0.01)
        os.killpg(one.pid, signal.SIGINT)
        status, said = one.end()
    assert status == 0, said
    assert "Traceback" not in said


def test_workers_end_with_their_scheduler(tmp_path):
    file = tmp_path / "scheduler.json"
    with commands.command("scheduler", *HERE, "--scheduler-file", file) as scheduler:
        commands.wait_for(file, scheduler)
        address = read_scheduler_file(file).address
        assert address.startswith("tcp://127.0.0.1:")
        with commands.command("worker", address, "--nthreads", 1, commands.NO_PAGE) as worker:
            with Client(address) as client:
                client.wait_for_workers(1, timeout=commands.PATIENCE)
                (host,) = {w["host"] for w in client.scheduler_info()["workers"].values()}
                assert host == "127.0.0.1"
                while client.run(status_of, nanny=True).popitem()[1] != "running":
                    time.sleep(0.05)  # ending before it has started is a failure to start
            scheduler.send()
            assert scheduler.end()[0] == 0
            status, said = worker.end()
    assert status == 0, said
    assert "Start worker at" in said and "dashboard at" not in said


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("scheduler", "--host", "0.0.0.0"), 2, "--insecure"),
        (("scheduler", "--interface", "nothing0"), 2, "nothing0"),
        (("scheduler", "--port", "many"), 2, "port"),
        (("scheduler", "--tls-ca-file", "/no/such.pem", "--port", "0"), 1, "/no/such.pem"),
        (("scheduler", "--port", "99999999"), 2, "--port: option port: a port is from 0"),
        (("scheduler", "--local-directory", "/proc/nope"), 2, "local_directory: no data can be"),
        (("worker", "tcp://127.0.0.1:9", "--nanny-port", "9:99999"), 2, "nanny_port: a port"),
        (("worker", "tcp://127.0.0.1:9", "--memory-limit", "1 kB"), 2, "needs 96.0 MiB"),
        (("worker", "tcp://127.0.0.1:9", "--nthreads", "0"), 2, "--nthreads is 1 or more"),
        (("worker", "tls://127.0.0.1:9"), 2, "--scheduler-file"),
        (("worker", "tls://127.0.0.1:9", "--insecure"), 2, "--scheduler-file"),
        (("worker",), 2, "--scheduler-file"),
        (("scheduler", "--dashboard-address", "None"), 2, "--dashboard-address: option dashboard"),
        (("worker", "tls://127.0.0.1:9", "--tls-ca-file", __file__), 2, "--tls-ca-file names, ho"),
        (("cuda_worker", "--scheduler-file", "/no/f.json"), 1, "no GPU"),
        (("worker", "tcp://127.0.0.1:9", "--scheduler-file", "f.json"), 2, "--scheduler-file"),
        (("worker", "tcp://10.0.0.1:9"), 2, "--insecure"),
        (("worker", "--scheduler-file", "/no/f.json", "--death-timeout", "0.1"), 1, "/no/f.json"),
        (("worker", "tcp://127.0.0.1:9", "--resources", "GPU"), 2, "GPU=2"),
        (("worker", "tcp://127.0.0.1:9", "--nworkers", "2", "--no-nanny"), 2, "--no-nanny"),
        (("worker", "tcp://127.0.0.1:9", "--nworkers", "0"), 2, "--nworkers"),
        (("cuda_worker", "tcp://127.0.0.1:9"), 1, "no GPU"),
        (("cuda_worker", "tcp://127.0.0.1:9", "--enable-nvlink"), 2, "protocol"),
        (("worker", "tcp://127.0.0.1:9", "--worker-class", "no.such"), 2, "there is no"),
    ],
)
def test_mistakes_are_told_in_a_sentence(arguments, status, said, capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    name, *others = arguments
    main = importlib.import_module(f"gpuscale.cli.{name}").main
    try:
        ended = main(others)
    except SystemExit as exit:  # of argparse
        ended = exit.code
    assert ended == status
    assert said in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_scheduler_that_is_not_there():
    status, said = commands.run(
        "worker", "tcp://127.0.0.1:9", "--nthreads", 1, "--death-timeout", 1
    )
    assert status == 1
    assert said.strip().splitlines()[-1].startswith("gpuscale-worker: error:")
    assert "Traceback" not in said


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = commands.run("scheduler", "--port", taken.getsockname()[1], commands.NO_PAGE)
    assert status == 1
    assert "in use" in said.strip().splitlines()[-1]
    assert "Traceback" not in said


def test_the_log_says_where_the_page_is(tmp_path):
    file = tmp_path / "scheduler.json"
    options = ("--host", "0.0.0.0", "--port", "0", "--dashboard-address", ":0")
    with commands.command("scheduler", *options, "--scheduler-file", file) as one:
        commands.wait_for(file, one)
        one.send()
        _, said = one.end()
    before, _, link = said.partition("dashboard at:")
    assert link.strip().startswith("http://127.0.0.1:")
    assert "Scheduler at:" in before
    assert "://127.0.0.1" not in before


def test_nothing_listens_beyond_loopback_unless_it_is_said(tmp_path):
    file = tmp_path / "scheduler.json"
    with commands.command("scheduler", "--port", "0", "--dashboard-address", ":0",
                          "--scheduler-file", file) as one:  # fmt: skip
        commands.wait_for(file, one)
        assert listening(one.pid) == {"0100007F"}


def test_a_worker_for_each_visible_device(tmp_path):
    """As `srun gpuscale-cuda-worker --scheduler-file f.json`: SLURM sets the variable."""
    file = tmp_path / "scheduler.json"
    options = ("--scheduler-file", file, "--allow-no-device", "--memory-limit", "1GiB",
               "--death-timeout", commands.PATIENCE, commands.NO_PAGE)  # fmt: skip
    with (
        commands.command("scheduler", *ANYWHERE, "--scheduler-file", file),
        commands.command("cuda_worker", *options, "--name", "node", CUDA_VISIBLE_DEVICES="2,3"),
        Client(scheduler_file=file, timeout=commands.PATIENCE) as client,
    ):
        client.wait_for_workers(2, timeout=commands.PATIENCE)
        workers = client.scheduler_info()["workers"]
        assert {each["name"] for each in workers.values()} == {"node-0", "node-1"}
        assert {each["nthreads"] for each in workers.values()} == {1}
        seen = client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
        assert sorted(seen.values()) == ["2,3", "3,2"]
        assert client.submit(abs, -1, resources={"GPU": 1}).result() == 1
        assert client.scheduler.address.startswith("tls://")


def status_of(dask_worker):
    return dask_worker.status.name


def listening(pid):
    """Local addresses, as /proc has them, of the sockets at which a process listens."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    inodes = {os.readlink(file)[8:-1] for file in files if os.readlink(file)[:7] == "socket:"}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
