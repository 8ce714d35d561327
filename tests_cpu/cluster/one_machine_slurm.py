"""A real SLURM on one machine: a controller and a few nodes, all of them processes of this host.

For tests as root, without systemd, cgroups and GPUs: SLURM hands out copies of ``/dev/null`` as
GPUs. What it needs is Debian's slurm-wlm and munge.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

COMMANDS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "sinfo", "squeue")
PACKAGES = ("slurm-wlm", "munge")


def why_not() -> str:
    """Say what keeps SLURM from running here; "" if nothing does."""
    if os.geteuid() != 0:
        return "daemons of SLURM are started by root"
    missing = [name for name in COMMANDS if _path_of(name) is None]
    return f"there is no {missing[0]}: apt-get install {' '.join(PACKAGES)}" if missing else ""


def _path_of(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class OneMachineSlurm:
    """A controller and nodes that run within a ``with`` block.

    Parameters
    ----------
    folder : Path
        For configuration, state and logs.
    nodes : int
        Virtual nodes, called n1, n2, ...
    gpus : int
        GPUs that each of them says it has.
    port : int
        Of the controller; nodes take those that follow.
    """

    def __init__(self, folder: Path, nodes: int = 2, gpus: int = 2, port: int = 26817) -> None:
        self.folder, self.nodes, self.gpus, self.port = folder, nodes, gpus, port
        self.config = folder / "slurm.conf"
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> OneMachineSlurm:
        self._write_config()
        try:
            self._start_munge()
            self._start("slurmctld", "-D", "-f", str(self.config))
            for name in self._names():
                self._start("slurmd", "-D", "-f", str(self.config), "-N", name)
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()

    def call(
        self, *command: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> str:
        """Run a command of SLURM, in a folder and an environment, and return what it prints."""
        env = {**(os.environ if env is None else env), "SLURM_CONF": str(self.config)}
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _names(self) -> list[str]:
        return [f"n{number}" for number in range(1, self.nodes + 1)]

    def _start(self, name: str, *arguments: str, **options: object) -> None:
        log = (self.folder / f"{name}-{len(self._daemons)}.log").open("wb")
        path = _path_of(name)
        assert path is not None
        with log:
            daemon = subprocess.Popen([path, *arguments], stdout=log, stderr=log, **options)  # type: ignore[call-overload]
        self._daemons.append(daemon)

    def _start_munge(self) -> None:
        """Start who vouches for users, as its own user, unless it runs already."""
        if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
            return
        key = Path("/etc/munge/munge.key")
        if not key.exists() or not key.stat().st_size:
            key.write_bytes(os.urandom(1024))
        shutil.chown(key, "munge", "munge")
        key.chmod(0o400)
        for place in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
            os.makedirs(place, exist_ok=True)
            shutil.chown(place, "munge", "munge")
        os.chmod("/run/munge", 0o755)
        self._start("munged", "--foreground", user="munge", group="munge", extra_groups=[])
        self._wait_for(lambda: subprocess.run(["munge", "-n"], capture_output=True).returncode == 0)

    def _write_config(self) -> None:
        folder, host = self.folder, socket.gethostname().partition(".")[0]
        for name in ("state", "spool", "dev"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        _make_known(host)
        devices = []
        for number in range(self.gpus):
            # SLURM sets CUDA_VISIBLE_DEVICES only where the files are character devices.
            device = folder / "dev" / f"gpu{number}"
            if not device.exists():
                os.mknod(device, 0o666 | 0o020000, os.makedev(1, 3))
            devices.append(device)
        memory = _memory_mib() * 9 // 10 // self.nodes
        cpus = max(8, os.cpu_count() or 1)  # more than there are: tests wait more than they work
        lines = [
            "ClusterName=one-machine", f"SlurmctldHost={host}(127.0.0.1)",
            "AuthType=auth/munge", "SlurmUser=root", "SlurmdUser=root",
            f"StateSaveLocation={folder}/state", f"SlurmdSpoolDir={folder}/spool/%n",
            f"SlurmctldPidFile={folder}/slurmctld.pid", f"SlurmdPidFile={folder}/slurmd-%n.pid",
            f"SlurmctldPort={self.port}", "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none", "JobAcctGatherType=jobacct_gather/none",
            "AccountingStorageType=accounting_storage/none", "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_CPU", "SlurmdParameters=config_overrides",
            "ReturnToService=2", "MpiDefault=none", "KillWait=5", "GresTypes=gpu",
        ]  # fmt: skip
        for number, name in enumerate(self._names(), 1):
            (folder / "spool" / name).mkdir(exist_ok=True)
            lines.append(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 "
                f"Port={self.port + number} CPUs={cpus} RealMemory={memory} State=UNKNOWN "
                f"Gres=gpu:{self.gpus}"
            )
        lines.append("PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP")
        self.config.write_text("\n".join(lines) + "\n")
        files = ",".join(map(str, devices))
        (folder / "gres.conf").write_text(
            "".join(f"NodeName={name} Name=gpu File={files}\n" for name in self._names())
        )

    def _wait_until_ready(self) -> None:
        def ready() -> bool:
            try:
                states = self.call("sinfo", "-h", "-N", "-o", "%T").split()
            except RuntimeError:  # the controller does not listen yet
                return False
            return states == ["idle"] * self.nodes

        self._wait_for(ready)

    def _wait_for(self, is_so: object, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():  # type: ignore[operator]
            if time.monotonic() > deadline:
                logs = [
                    "\n".join([path.name, *path.read_text().splitlines()[-5:]])
                    for path in sorted(self.folder.glob("*.log"))
                ]
                raise TimeoutError("SLURM does not become ready:\n" + "\n".join(logs))
            time.sleep(0.2)


def _make_known(host: str) -> None:
    """Give the host's own name an address, which containers often leave out."""
    try:
        socket.gethostbyname(host)
    except OSError:
        with open("/etc/hosts", "a") as file:
            file.write(f"127.0.1.1 {host}\n")


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
