"""A real Grid Engine on one machine: a master and one host with a queue.

For tests as root. What it needs is Debian's gridengine-master, -exec and -client, whose own
cluster in /var stays as it is.
"""

from __future__ import annotations

from pathlib import Path

from . import one_machine

COMMANDS = ("sge_qmaster", "sge_execd", "qconf", "qhost", "qsub", "qstat", "qdel")
PACKAGES = ("gridengine-master", "gridengine-exec", "gridengine-client")

PROGRAMS = Path("/usr/lib/gridengine")
DEFAULTS = Path("/usr/share/gridengine")

#: The one host calls itself so, whatever the names are that its address has.
HOST = "localhost"


def why_not() -> str:
    """Say what keeps Grid Engine from running here; "" if nothing does."""
    return one_machine.why_not(COMMANDS, PACKAGES)


class OneMachineGridEngine(one_machine.OneMachine):
    """A master and a host that run within a ``with`` block.

    Parameters
    ----------
    folder : Path
        For configuration, state and logs.
    gpus : int
        GPUs that the host says it has, as the resource ``gpu``.
    port : int
        Of the master; the host takes the next one.
    """

    def __init__(self, folder: Path, gpus: int = 2, port: int = 26830) -> None:
        super().__init__(folder)
        self.gpus = gpus
        self.environment = {
            "SGE_ROOT": str(folder),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(port),
            "SGE_EXECD_PORT": str(port + 1),
            "SGE_ND": "1",  # daemons stay in the foreground
        }

    def _start_all(self) -> None:
        self._write_config()
        self._start("sge_qmaster")
        self._wait_for(lambda: bool(self.call("qconf", "-sconf")))
        self.call("qconf", "-as", HOST)  # jobs are submitted from here
        self._start("sge_execd")
        self._wait_for(lambda: HOST in self.call("qconf", "-sel").split())
        self._add_gpus()
        self._hurry()
        self._add_queue()
        self._wait_for(lambda: "lx-" in self.call("qhost", "-h", HOST))  # it has reported once

    def _write_config(self) -> None:
        common, spool = self.folder / "default" / "common", self.folder / "qmaster"
        for folder in (common, spool, self.folder / "execd"):
            folder.mkdir(parents=True)
        (self.folder / "util").symlink_to(DEFAULTS / "util")
        (common / "act_qmaster").write_text(f"{HOST}\n")
        if one_machine.host_name() != HOST:
            (common / "host_aliases").write_text(f"{HOST} {one_machine.host_name()}\n")
        spooling = f"{common};{spool}"
        write_rows(common / "bootstrap", {
            "admin_user": "none", "default_domain": "none", "ignore_fqdn": "true",
            "spooling_method": "classic", "spooling_lib": "libspoolc",
            "spooling_params": spooling, "binary_path": str(PROGRAMS),
            "qmaster_spool_dir": str(spool), "security_mode": "none",
            "listener_threads": "2", "worker_threads": "2", "scheduler_threads": "1",
        })  # fmt: skip
        self.call(str(PROGRAMS / "spoolinit"), "classic", "libspoolc", spooling, "init")
        rows = read_rows((DEFAULTS / "default-configuration").read_text())
        rows |= {"execd_spool_dir": str(self.folder / "execd"), "load_report_time": "00:00:01"}
        rows |= {"min_uid": "0", "min_gid": "0"}  # else root has no jobs
        write_rows(self.folder / "configuration", rows)
        resources = DEFAULTS / "util" / "resources"
        for kind, what in (
            ("configuration", self.folder / "configuration"),
            ("complexes", resources / "centry"),
            ("usersets", resources / "usersets"),
            ("managers", "root"),
        ):
            self.call(str(PROGRAMS / "spooldefaults"), kind, str(what))

    def _add_gpus(self) -> None:
        """Have the resource ``gpu``, as administrators make it, and the host some of it."""
        file = self.folder / "complexes"
        file.write_text(f"{self.call('qconf', '-sc')}gpu gpu INT <= YES YES 0 0\n")
        self.call("qconf", "-Mc", str(file))
        self.call("qconf", "-rattr", "exechost", "complex_values", f"gpu={self.gpus}", HOST)

    def _hurry(self) -> None:
        """Begin jobs as they are submitted, and not a quarter of a minute later."""
        rows = read_rows(self.call("qconf", "-ssconf"))
        rows |= {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
        write_rows(self.folder / "schedule", rows)
        self.call("qconf", "-Msconf", str(self.folder / "schedule"))

    def _add_queue(self) -> None:
        rows = {
            "qname": "all.q", "hostlist": HOST, "seq_no": "0", "nsuspend": "1",
            "suspend_interval": "00:05:00", "priority": "0", "min_cpu_interval": "00:05:00",
            "processors": "UNDEFINED", "qtype": "BATCH", "rerun": "FALSE", "slots": "8",
            "tmpdir": "/tmp", "shell": "/bin/bash", "shell_start_mode": "unix_behavior",
            "notify": "00:00:60", "initial_state": "default",
        }  # fmt: skip
        nothing = (
            "load_thresholds suspend_thresholds ckpt_list pe_list prolog epilog starter_method "
            "suspend_method resume_method terminate_method owner_list user_lists xuser_lists "
            "subordinate_list complex_values projects xprojects calendar"
        )
        rows |= dict.fromkeys(nothing.split(), "NONE")
        limits = ("rt", "cpu", "fsize", "data", "stack", "core", "rss", "vmem")
        rows |= {f"{kind}_{name}": "INFINITY" for kind in "sh" for name in limits}
        write_rows(self.folder / "queue", rows)
        self.call("qconf", "-Aq", str(self.folder / "queue"))


def read_rows(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line[:1] not in ("", "#")]
    return dict(line.split(None, 1) for line in lines)


def write_rows(file: Path, rows: dict[str, str]) -> None:
    file.write_text("".join(f"{name} {value}\n" for name, value in rows.items()))
