"""`SSHCluster` over a real sshd, which listens on this machine alone."""

import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

import gpuscale.array as ga

from .one_machine import path_of

asyncssh = pytest.importorskip("asyncssh", exc_type=ModuleNotFoundError)
pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client, SSHCluster  # noqa: E402

pytestmark = pytest.mark.skipif(
    path_of("sshd") is None, reason="there is no sshd: apt-get install openssh-server"
)


@pytest.fixture(scope="module")
def connect_options(tmp_path_factory):
    """A server that takes one key, and how asyncssh gets in."""
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # where root's sshd gives up rights
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPasswordAuthentication no\nStrictModes no\n"
        "PermitRootLogin prohibit-password\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [path_of("sshd"), "-D", "-e", "-f", folder / "config"], stderr=log
        )
    try:
        wait_for(port, folder / "log")
        host_key = f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}"
        (folder / "known_hosts").write_text(host_key)
        yield {
            "port": port,
            "client_keys": [str(folder / "user")],
            "known_hosts": str(folder / "known_hosts"),
        }
    finally:
        server.terminate()
        server.wait(20)


def wait_for(port, log, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"sshd does not listen: {log.read_text()}")


def test_hosts_compute(connect_options, tmp_path):
    with (
        SSHCluster(
            ["127.0.0.1"] * 3,
            connect_options=connect_options,
            worker_options={"nthreads": 1, "pre_import": "wave", "memory_limit": "1 GiB"},
            scheduler_options={"port": 0, "dashboard_address": "127.0.0.1:0"},
            shared_temp_directory=str(tmp_path),
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        assert client.scheduler.address.startswith("tls://")
        x = ga.random.default_rng(0).random((400, 400), chunks=100)
        y = (x + x.T) - x.mean(axis=0)
        found = y.std(axis=0).compute()
        over_ssh = client.run(os.getenv, "SSH_CONNECTION").values()
        pids = [*client.run(os.getpid).values()]
    assert len(over_ssh) == 2 and all(each.startswith("127.0.0.1 ") for each in over_ssh)
    assert abs(found - y.std(axis=0).compute(engine="threads")).max() < 1e-12
    assert list(tmp_path.iterdir()) == []  # credentials go with the cluster
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, "workers outlive their cluster"
        time.sleep(0.1)
