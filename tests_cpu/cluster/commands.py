"""The commands of clusters as processes, for tests."""

import contextlib
import os
import signal
import subprocess
import sys
import time

PATIENCE = 60  # seconds


@contextlib.contextmanager
def command(name, *arguments, **environment):
    """A command that runs; what it writes goes to its ``stdout``, and it is gone in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"gpuscale.cli.{name}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except (subprocess.TimeoutExpired, ValueError):
            os.killpg(process.pid, signal.SIGKILL)
            raise


def run(name, *arguments):
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", f"gpuscale.cli.{name}", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def wait_for(path):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"nobody wrote {path}"
        time.sleep(0.05)
