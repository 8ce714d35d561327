"""What hosts are told over SSH: our worker, credentials by the name of their file."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from gpuscale.base.errors import ConfigError

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

from gpuscale.cluster import SSHCluster  # noqa: E402
from gpuscale.cluster.ssh import SSHNanny  # noqa: E402


class Told:
    """Stands for the cluster; keeps what it is told."""

    def __init__(self, hosts, **options):
        self.hosts, self.options = hosts, options

    async def _close(self):
        pass


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(distributed, "SSHCluster", Told)


HOSTS = ["node1", "node1", "node2"]


@pytest.mark.usefixtures("told")
def test_credentials_are_in_a_file_that_goes_with_the_cluster(tmp_path):
    cluster = SSHCluster(HOSTS, shared_temp_directory=str(tmp_path), worker_options={"nthreads": 2})
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    options = cluster.options
    for role in ("worker", "scheduler"):
        text = json.dumps(options[f"{role}_options"])  # as it goes into a command line
        assert str(file) in text
        assert "PRIVATE KEY" not in text
        security = distributed.Security(**options[f"{role}_options"]["security"])
        assert security.require_encryption
        assert Path(security.get_tls_config_for_role(role)["key"]) == file
        security.get_connection_args(role)  # it can be read
    assert options["worker_options"]["nthreads"] == 2
    assert options["scheduler_options"]["dashboard_address"] == "127.0.0.1:8787"
    assert options["worker_class"] == f"{SSHNanny.__module__}.{SSHNanny.__name__}"
    asyncio.run(cluster._close())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("told")
def test_who_may_join_must_be_said(tmp_path):
    with pytest.raises(ConfigError, match="shared_temp_directory"):
        SSHCluster(HOSTS)
    with pytest.raises(ConfigError, match="command lines"):
        SSHCluster(HOSTS, security=distributed.Security.temporary())
    assert "security" not in SSHCluster(HOSTS, insecure=True).options["worker_options"]
    with pytest.raises(ValueError, match="not both"):
        SSHCluster(HOSTS, insecure=True, security=distributed.Security.temporary())


def test_what_a_host_starts_computes():
    async def compute():
        async with (
            distributed.Scheduler(host="127.0.0.1", dashboard_address="127.0.0.1:0") as scheduler,
            SSHNanny(scheduler.address, nthreads=1, pre_import="wave", memory_limit="1 GiB"),
            distributed.Client(scheduler.address, asynchronous=True) as client,
        ):
            return await client.run(is_set_up)

    (found,) = asyncio.run(compute()).values()
    assert found == (True, 2**30)


def is_set_up():
    import sys

    from gpuscale.base import config

    return "wave" in sys.modules, config.get("memory-limit")


def test_credentials_do_not_stay_where_no_cluster_starts(tmp_path, monkeypatch):
    def refuse(hosts, **options):
        raise OSError("no route to host")

    monkeypatch.setattr(distributed, "SSHCluster", refuse)
    with pytest.raises(OSError, match="no route"):
        SSHCluster(["one", "two"], shared_temp_directory=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
