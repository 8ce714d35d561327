"""What may fail on a cluster: each computes, has it fail in the middle, and compares the result."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import distributed
import numpy as np

import gpuscale as gs
import gpuscale.array as ga
from benchmarks.fault_ground import Ground, wait_until
from gpuscale.engines.distributed import DistributedEngine

A = np.random.default_rng(3).random((320, 320))
# Too much of the program's data to travel with tasks: workers hold them, and lose them.
MUCH = np.random.default_rng(4).random((640, 320))


def headline(xp: Any, x: Any) -> Any:
    """Compute what README begins with."""
    return ((x + x.T) - x.mean(axis=0)).std(axis=0)


def same(found: Any, right: Any) -> None:
    """Compare a result with what NumPy says."""
    np.testing.assert_allclose(found, right, rtol=1e-12)


def kill(here: Ground, count: int = 1) -> Callable[[], None]:
    """Make what ends workers at once."""
    pids = here.pids()[:count]

    def act() -> None:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    return act


def from_file(here: Ground, chunks: Any = 40) -> Any:
    """Read from a file, as workers do: nothing of it is in this process."""
    path = here.folder / "a.npy"
    np.save(path, A)
    return ga.from_npy(path, chunks=chunks)


def killed_in_headline(here: Ground, count: int = 1) -> None:
    x = here.slow(from_file(here))
    with here.in_the_middle(kill(here, count), after=20):
        found = headline(ga, x).compute()
    same(found, headline(np, A))


def killed_in_rechunk(here: Ground) -> None:
    x = here.slow(from_file(here, (20, 320)))
    with here.in_the_middle(kill(here)):
        found = here.slow(x.rechunk((320, 20))).compute()
    same(found, A)


def killed_in_sort(here: Ground) -> None:
    x = here.slow(from_file(here).ravel())
    with here.in_the_middle(kill(here)):
        found = ga.sort(x).compute()
    same(found, np.sort(A.ravel()))


def killed_in_sort_of_kept(here: Ground) -> None:
    x = (here.slow(from_file(here)).ravel() + 1).persist()
    distributed.wait(distributed.futures_of(here.client.futures.values()))
    with here.in_the_middle(kill(here), after=2):
        found = ga.sort(here.slow(x)).compute()
    same(found, np.sort(A.ravel() + 1))


def killed_in_sort_of_memory(here: Ground, count: int = 1) -> None:
    x = here.slow(ga.from_array(MUCH, chunks=(40, 320)).ravel())
    with here.in_the_middle(kill(here, count)):
        found = ga.sort(x).compute()
    same(found, np.sort(MUCH.ravel()))


def killed_with_kept_memory(here: Ground, data: Any = MUCH) -> None:
    (x,) = gs.persist(ga.from_array(data, chunks=(20, 320)) + 1)
    same(x[:1].compute(), data[:1] + 1)
    with here.in_the_middle(kill(here), after=2):
        found = here.slow(x).sum(axis=0).compute()
    same(found, (data + 1).sum(axis=0))


def stopped(here: Ground, seconds: float = 20) -> None:
    pid = here.pids()[0]

    def stop() -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(pid, signal.SIGCONT)

    x = here.slow(from_file(here))
    with here.in_the_middle(stop):
        found = headline(ga, x).compute()
    same(found, headline(np, A))


def crash(chunk: Any) -> Any:
    """End the process as a fault in compiled code does."""
    ctypes.string_at(0)


def segfault(here: Ground) -> None:
    try:
        from_file(here, 320).map_blocks(crash, dtype=float).compute()
    finally:
        works_again(here)


def hog(chunk: Any) -> Any:
    """Take more memory than a worker may."""
    taken = []
    for _ in range(200):
        taken.append(np.ones(1 << 20))
        time.sleep(0.01)
    return chunk + len(taken)


def over_limit(here: Ground) -> None:
    try:
        from_file(here, 320).map_blocks(hog, dtype=float).compute()
    finally:
        works_again(here)


def noisy(chunk: Any) -> Any:
    """Make what hardly compresses, of a sum that is known."""
    noise = np.random.default_rng(0).random(chunk.shape)
    noise[..., 1::2] = -noise[..., ::2]
    return chunk + noise


def kept_too_much() -> None:
    """Keep more than workers of 400 MiB have memory for."""
    n = 1 << 20
    x = ga.ones((100, n), chunks=(1, n)).map_blocks(noisy, dtype=float)
    (kept,) = gs.persist(x)
    same(kept.sum(axis=1).compute(), np.full(100, float(n)))


def works_again(here: Ground) -> None:
    """Assert that a cluster computes after what happened to it."""
    here.wait_for_workers()
    wait_until(here.is_idle)
    same(headline(ga, from_file(here)).compute(), headline(np, A))


def joined(here: Ground) -> None:
    x = here.slow(from_file(here, 20))
    with here.in_the_middle(lambda: here.cluster.scale(3)):
        found = headline(ga, x).compute()
    here.cluster.scale(2)
    same(found, headline(np, A))


def retired(here: Ground) -> None:
    (kept,) = gs.persist(from_file(here) + 1)
    x = here.slow(kept)
    with here.in_the_middle(lambda: here.cluster.scale(1)):
        found = headline(ga, x).compute()
    here.cluster.scale(2)
    same(found, headline(np, A + 1))


def interrupted(here: Ground) -> None:
    (kept,) = gs.persist(ga.from_array(A, chunks=80) + 1)
    same(kept.sum(axis=0).compute(), (A + 1).sum(axis=0))
    x = here.slow(from_file(here, 20))
    main = threading.main_thread().ident
    assert main is not None
    try:
        with here.in_the_middle(lambda: signal.pthread_kill(main, signal.SIGINT)):
            gs.compute(x, headline(ga, x))
        raise AssertionError("it was not interrupted")
    except KeyboardInterrupt:
        wait_until(here.is_idle)
    same(kept.sum(axis=1).compute(), (A + 1).sum(axis=1))
    works_again(here)


def two_clients(here: Ground) -> None:
    found: list[Any] = [None, None]

    x = here.slow(from_file(here))

    def compute(place: int) -> None:
        with distributed.Client(here.cluster.scheduler_address, set_as_default=False) as client:
            found[place] = headline(ga, x + place).compute(engine=DistributedEngine(client))

    threads = [threading.Thread(target=compute, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, each in enumerate(found):
        same(each, headline(np, A + place))
