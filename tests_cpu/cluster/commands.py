"""The commands of clusters as processes, for tests."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import IO

PATIENCE = 120  # seconds, on machines that have much else to do

#: Pages of plots take most of the time that a process takes to start.
NO_PAGE = "--no-dashboard"


@dataclass(frozen=True)
class Command:
    """A command that runs, and the file that has what it writes: a pipe would fill up."""

    process: subprocess.Popen
    output: IO[str]

    @property
    def pid(self):
        return self.process.pid

    def send(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def end(self):
        """Wait until it ends; return its status and what it has said."""
        status = self.process.wait(PATIENCE)
        self.output.seek(0)
        return status, self.output.read()


@contextlib.contextmanager
def command(name, *arguments, **environment):
    """A command that runs; it and what it started are gone in the end."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"gpuscale.cli.{name}", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            yield Command(process, output)
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def run(name, *arguments):
    """A command that ends by itself: its status and what it has said."""
    with command(name, *arguments) as one:
        return one.end()


def wait_for(path, one):
    """Wait until a command has written a file."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert one.process.poll() is None, one.end()
        assert time.monotonic() < end, f"nobody wrote {path}"
        time.sleep(0.05)


def worker_processes(pid):
    """Processes that a program has started as workers."""
    import psutil  # which dask.distributed needs

    with contextlib.suppress(psutil.Error):
        return [p for p in psutil.Process(pid).children() if "spawn_main" in " ".join(p.cmdline())]
    return []
