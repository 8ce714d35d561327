"""Faults that need a place of their own: a network, a small disk, a scheduler to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

import gpuscale.array as ga
from benchmarks.fault_ground import PATIENCE, Ground, ground, wait_until
from benchmarks.fault_kinds import A, from_file, headline, kept_too_much, same
from gpuscale.cluster import Client

__all__ = ["cut_off", "disk_full", "scheduler_killed"]

HERE, THERE = "10.203.77.1", "10.203.77.2"


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def process(*arguments: Any, before: Sequence[str] = (), **options: Any) -> Iterator[Any]:
    """Run a module of Python; it and all that it has started are gone in the end."""
    command = [*before, sys.executable, "-m", *map(str, arguments)]
    running = subprocess.Popen(command, start_new_session=True, text=True, **options)
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()


@contextmanager
def network() -> Iterator[str]:
    """Make a network of this machine and a namespace; return the name of that."""
    name = f"faults{os.getpid()}"
    here, there = f"gsa{os.getpid()}", f"gsb{os.getpid()}"
    _do("ip", "link", "set", "lo", "up")
    _do("ip", "netns", "add", name)
    try:
        _do("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _do("ip", "addr", "add", f"{HERE}/30", "dev", here)
        _do("ip", "link", "set", here, "up")
        for command in (
            ("addr", "add", f"{THERE}/30", "dev", there),
            ("link", "set", there, "up"),
            ("link", "set", "lo", "up"),
        ):
            _do("ip", "-n", name, *command)
        yield name
    finally:
        with suppress(subprocess.CalledProcessError):
            _do("ip", "link", "del", here)
        _do("ip", "netns", "del", name)


def cut_off(folder: Path) -> None:
    """Take a worker's network away, for good."""
    with ExitStack() as stack:
        name = stack.enter_context(network())
        here = stack.enter_context(ground(folder, n_workers=1, host=HERE, insecure=True))
        address = here.cluster.scheduler_address
        worker = ("gpuscale.cli.worker", address, "--insecure", "--nthreads", 1, "--no-dashboard")
        before = ("ip", "netns", "exec", name)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        stack.enter_context(process(*worker, before=before, **quiet))
        here.wait_for_workers()
        x = here.slow(from_file(here))
        down = ("ip", "-n", name, "link", "set", f"gsb{os.getpid()}", "down")
        with here.in_the_middle(lambda: _do(*down)):
            found = headline(ga, x).compute()
        same(found, headline(np, A))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Make a disk of 8 MiB."""
    folder.mkdir()
    _do("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _do("umount", "--lazy", str(folder))


def disk_full(folder: Path) -> None:
    """Keep more than fits into memory, where the disk has no room for the rest."""
    with (
        small_disk(folder / "disk") as disk,
        ground(folder, local_directory=str(disk), memory_limit="400 MiB"),
    ):
        kept_too_much()


def program(folder: Path) -> None:
    """Compute with a checkpoint: what is started, dies with its scheduler, and is started again."""
    with Client(scheduler_file=folder / "scheduler.json") as client:
        client.wait_for_workers(2, timeout=PATIENCE)
        here = Ground(client, folder)
        x = here.slow(ga.from_npy(folder / "a.npy", chunks=40))
        kept = x.persist(path=folder / "kept")
        np.save(folder / "result.npy", headline(ga, kept).compute())


def _run_program(folder: Path, kills_after: int | None) -> tuple[int, str]:
    """Run it on a cluster of its own; return its exit code and what it says."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ("--scheduler-file", file)
    ends = ("--death-timeout", "5", "--nthreads", 1, "--no-dashboard")
    with ExitStack() as stack:
        command = ("gpuscale.cli.scheduler", "--port", 0, *common, "--no-dashboard")
        scheduler = stack.enter_context(process(*command, **quiet))
        wait_until(file.exists)
        for _ in range(2):
            worker = ("gpuscale.cli.worker", *common, *ends)
            stack.enter_context(process(*worker, **quiet))
        run = ("benchmarks.faults", "--program", folder)
        said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        running = stack.enter_context(process(*run, **said))
        if kills_after is not None:
            marks = folder / "marks"
            wait_until(lambda: marks.exists() and marks.stat().st_size >= kills_after)
            os.kill(scheduler.pid, signal.SIGKILL)
        text = running.communicate(timeout=2 * PATIENCE)[0]
        return running.returncode, text


def scheduler_killed(folder: Path) -> None:
    """Kill the scheduler while a program computes, and start all of it again."""
    np.save(folder / "a.npy", A)
    code, text = _run_program(folder, kills_after=30)
    if code == 0 or "gpuscale.base.errors.EngineError" not in text.splitlines()[-1]:
        raise RuntimeError(f"the program said with code {code}: {text[-2000:]}")
    ran = (folder / "marks").stat().st_size
    code, text = _run_program(folder, kills_after=None)
    if code:
        raise RuntimeError(f"the program that was started again said: {text[-2000:]}")
    same(np.load(folder / "result.npy"), headline(np, A))
    again = (folder / "marks").stat().st_size - ran
    assert again < 64, f"{again} of 64 chunks were computed again"
