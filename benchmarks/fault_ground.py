"""What every fault needs: a small cluster, tasks that leave marks, an act in their middle."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gpuscale.cluster import Client, LocalCluster

__all__ = ["Ground", "ground", "noted", "wait_until"]

PATIENCE = 60  # seconds


def noted(chunk: Any, *, file: str, seconds: float) -> Any:
    """Take a while, and leave a mark in a file."""
    time.sleep(seconds)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, b".")
    os.close(descriptor)
    return np.copy(chunk)


def wait_until(holds: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait for something that comes to be by itself."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to be")
        time.sleep(0.01)


class Ground:
    """A cluster of two processes, and a folder of its own.

    Parameters
    ----------
    client : Client
    folder : Path
    """

    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.marks = folder / "marks"

    @property
    def cluster(self) -> Any:
        """The cluster of the client."""
        return self.client.cluster

    def pids(self) -> list[int]:
        """Processes of the workers."""
        return list(self.client.run(os.getpid).values())

    def count(self) -> int:
        """How often tasks have left a mark."""
        return self.marks.stat().st_size if self.marks.exists() else 0

    def slow(self, x: Any, seconds: float = 0.03) -> Any:
        """Have each chunk of an array take a while, and leave a mark."""
        call = partial(noted, file=str(self.marks), seconds=seconds)
        return x.map_blocks(call, dtype=x.dtype)

    @contextmanager
    def in_the_middle(self, act: Callable[[], object], after: int = 6) -> Iterator[None]:
        """Do something as soon as some chunks have left their marks, beside what runs here."""
        start, errors = self.count(), list[BaseException]()

        def watch() -> None:
            try:
                wait_until(lambda: self.count() >= start + after)
                act()
            except BaseException as error:  # told by the thread that computes
                errors.append(error)

        thread = threading.Thread(target=watch, name="fault")
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if errors:
            raise errors[0]

    def is_idle(self) -> bool:
        """Whether no worker has anything to do."""
        return not any(self.client.processing().values())

    def wait_for_workers(self) -> None:
        """Wait until two workers are there, and answer."""
        self.client.wait_for_workers(2, timeout=PATIENCE)


@contextmanager
def ground(folder: Path, **options: Any) -> Iterator[Ground]:
    """Start a cluster of two processes."""
    usual = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    options = usual | options
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield Ground(client, folder)
