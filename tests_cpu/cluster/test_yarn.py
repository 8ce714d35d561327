"""What YARN is given, word by word; its scripts run here, with a stand-in for skein."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

import gpuscale.array as ga
from gpuscale.base.errors import ConfigError

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

from gpuscale.cluster import Client, YarnCluster, yarn_specification  # noqa: E402
from gpuscale.cluster.security import in_file, temporary  # noqa: E402

GOLDEN = Path(__file__).parent / "golden"

MADE = {
    "cpu": yarn_specification("environment.tar.gz", n_workers=2, worker_vcores=4),
    "gpu": yarn_specification(
        "hdfs:///environment.tar.gz",
        credentials="/home/me/credentials.pem",
        n_workers=4,
        worker_gpus=2,
        worker_memory="64 GiB",
        worker_env={"GPUSCALE_SPILL": "on"},
        worker_args=["--rmm-pool-size", "0.8"],
        queue="gpu",
        tags=["physics"],
        user="me",
    ),
}


class Dumper(yaml.SafeDumper):
    """Writes scripts as they are, and what is there twice twice."""

    def ignore_aliases(self, data):
        return True


Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


@pytest.mark.parametrize("kind", MADE)
def test_specifications(kind):
    text = yaml.dump(MADE[kind], Dumper=Dumper, sort_keys=False)
    path = GOLDEN / f"yarn-{kind}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


SKEIN = """#!/bin/bash
# kv put current --key KEY | kv get current --key KEY --wait
if [ $2 = put ]; then cat > "$SHARED/part"; mv "$SHARED/part" "$SHARED/$5"; exit; fi
while [ ! -e "$SHARED/$5" ]; do sleep 0.1; done
cat "$SHARED/$5"; echo
"""


@pytest.fixture
def containers(tmp_path):
    """Folders as containers have them, and what runs there."""
    security, file = in_file(temporary(), tmp_path)
    made = yarn_specification("e.tar.gz", credentials=str(file), worker_args=["--no-dashboard"])
    (tmp_path / "bin").mkdir()
    module = f"#!/bin/bash\nexec {sys.executable} -m gpuscale.cli"
    lines = {
        "skein": SKEIN,
        "python": f'#!/bin/bash\nexec {sys.executable} "$@"\n',
        "gpuscale-scheduler": f'{module}.scheduler --no-dashboard "$@"\n',
        "gpuscale-worker": f'{module}.worker "$@"\n',
    }
    for name, line in lines.items():
        (tmp_path / "bin" / name).write_text(line)
        (tmp_path / "bin" / name).chmod(0o755)
    environment = {**os.environ, "SHARED": str(tmp_path)}
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"
    running = []
    try:
        for role in ("worker", "scheduler"):
            folder = tmp_path / role
            (folder / "environment" / "bin").mkdir(parents=True)
            (folder / "environment" / "bin" / "activate").touch()
            (folder / "credentials.pem").write_bytes(file.read_bytes())
            script = made["services"][role]["script"]
            running.append(
                subprocess.Popen(
                    ["bash", "-c", script], cwd=folder, env=environment, start_new_session=True
                )
            )
        yield security, tmp_path / "gpuscale.scheduler"
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(60)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_scripts_of_containers(containers):
    security, file = containers
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end, "the scheduler has not said its address"
        time.sleep(0.1)
    address = file.read_text()
    assert address.startswith("tls://")
    with Client(address, security=security) as client:
        client.wait_for_workers(1, timeout=60)
        assert ga.arange(10, chunks=5).sum().compute() == 45


@pytest.fixture
def skein(monkeypatch):
    """A stand-in that keeps what it is told."""
    told = []
    application = SimpleNamespace(
        kv=SimpleNamespace(wait=lambda key: b"tls://10.0.0.1:1"),
        scale=lambda service, n: told.append((service, n)),
        shutdown=lambda: told.append("shutdown"),
    )

    def submit(specification):
        (file,) = {each["credentials.pem"]["source"] for each in files(specification)}
        assert Path(file).stat().st_mode & 0o777 == 0o600
        return application

    package = ModuleType("skein")
    package.ApplicationSpec = SimpleNamespace(from_dict=lambda specification: specification)
    package.Client = lambda: SimpleNamespace(submit_and_connect=submit)
    monkeypatch.setitem(sys.modules, "skein", package)
    return told


def files(specification):
    return [service["files"] for service in specification["services"].values()]


def test_an_application_is_scaled_and_ended(skein, tmp_path):
    with YarnCluster("e.tar.gz", n_workers=2, shared_temp_directory=str(tmp_path)) as cluster:
        assert cluster.scheduler_address == "tls://10.0.0.1:1"
        assert cluster.security.require_encryption
        cluster.scale(5)
    assert skein == [("worker", 5), "shutdown"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="not both"):
        YarnCluster("e.tar.gz", insecure=True, security=temporary())


def test_credentials_do_not_stay_where_nothing_is_submitted(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skein", None)
    with pytest.raises(ImportError, match="pip install skein"):
        YarnCluster("e.tar.gz", shared_temp_directory=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_credentials_go_with_an_application_that_nobody_closes(skein, tmp_path):
    cluster = YarnCluster("environment.tar.gz", shared_temp_directory=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1
    del cluster
    gc.collect()
    assert list(tmp_path.iterdir()) == []
