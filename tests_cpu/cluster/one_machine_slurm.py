"""A real SLURM on one machine: a controller and a few nodes.

For tests as root, without systemd, cgroups and GPUs: SLURM hands out copies of ``/dev/null`` as
GPUs. What it needs is Debian's slurm-wlm and munge.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import one_machine

COMMANDS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "sinfo", "squeue")
PACKAGES = ("slurm-wlm", "munge")


def why_not() -> str:
    """Say what keeps SLURM from running here; "" if nothing does."""
    return one_machine.why_not(COMMANDS, PACKAGES)


class OneMachineSlurm(one_machine.OneMachine):
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
        super().__init__(folder)
        self.nodes, self.gpus, self.port = nodes, gpus, port
        self.config = folder / "slurm.conf"
        self.environment = {"SLURM_CONF": str(self.config)}

    def _start_all(self) -> None:
        self._write_config()
        self._start_munge()
        self._start("slurmctld", "-D", "-f", str(self.config))
        for name in self._names():
            self._start("slurmd", "-D", "-f", str(self.config), "-N", name)
        idle = ["idle"] * self.nodes
        self._wait_for(lambda: self.call("sinfo", "-h", "-N", "-o", "%T").split() == idle)

    def _names(self) -> list[str]:
        return [f"n{number}" for number in range(1, self.nodes + 1)]

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
        folder, host = self.folder, one_machine.host_name()
        for name in ("state", "spool", "dev"):
            (folder / name).mkdir(parents=True, exist_ok=True)
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


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
