"""A thousand computations of all kinds, and what they leave behind: ``python -m benchmarks.soak``.

Threads, open files, temporary files and memory are counted after a first part, which fills caches,
and at the end. More of any of them is a leak, and the program ends with code 1.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np

import gpuscale as gs
import gpuscale.array as ga
from benchmarks.memory import resident

Kind: TypeAlias = Callable[[int, Path], None]

WARM_UP_COMPUTES = 200  # before anything is counted, so that kernels are there
WARM_UP = 0.3  # part of the computations after which nothing may grow


def fused(k: int, folder: Path) -> None:
    x = ga.random.default_rng(k).random((200, 200), chunks=50)
    ((x + x.T) - x.mean(axis=0)).std(axis=0).compute()


def calls(k: int, folder: Path) -> None:
    call = gs.delayed(divmod)
    assert gs.compute([call(n + k, 7)[0] for n in range(50)])[0][0] == k // 7


def both(k: int, folder: Path) -> None:
    total = gs.delayed(np.sum)(ga.arange(100 + k, chunks=30))
    (ga.from_delayed(total, (), int) + total.item()).compute()


def failing(k: int, folder: Path) -> None:
    x = ga.arange(100, chunks=10)
    with suppress(ZeroDivisionError):
        gs.compute(x.sum(), gs.delayed(lambda: 1 // 0)(), gs.delayed(divmod)(k, 0))


def cancelled(k: int, folder: Path) -> None:
    main = threading.main_thread().ident
    interrupt = gs.delayed(signal.pthread_kill)(main, signal.SIGINT)
    with suppress(KeyboardInterrupt):
        gs.compute(interrupt, [gs.delayed(time.sleep)(0.0001 * n) for n in range(4)])
        time.sleep(5)  # where it comes a moment after the end


def persisted(k: int, folder: Path) -> None:
    x = (ga.arange(10_000, chunks=1_000) + k).persist()
    assert x.sum().compute() == 49_995_000 + 10_000 * k


def on_disk(k: int, folder: Path) -> None:
    x = (ga.arange(1_000, chunks=100) + k).persist(path=folder / "kept")
    gs.checkpoint(x.rechunk(90).cumsum(), folder / "kept").max().compute()
    x.to_npy(folder / "x.npy", overwrite=True)
    assert (ga.from_npy(folder / "x.npy")[::-1] == x[::-1]).all().compute()
    for path in sorted((folder / "kept").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def exchanged(k: int, folder: Path) -> None:
    x = ga.random.default_rng(k).random(5_000, chunks=700)
    x = ga.sort(x[x > 0.3])
    assert (x[1:] >= x[:-1]).all().compute()


def spilled(k: int, folder: Path) -> None:
    x = ga.random.default_rng(k).random((400, 1_000), chunks=(400, 100)).map_blocks(np.copy)
    with gs.config.set({"memory-limit": "2 MiB", "temporary-directory": str(folder)}):
        total = x.rechunk((40, 1_000)).sum(axis=1).sum().compute()
    assert 190_000 < total < 210_000


def client(k: int, folder: Path) -> None:
    with gs.Client(n_workers=1, threads_per_worker=2) as client:
        futures = client.map(divmod, range(20), [k + 1] * 20)
        failing = client.submit(divmod, futures[0], 0)
        assert client.gather(futures)[0] == (0, 0)
        assert isinstance(failing.exception(), TypeError)
        client.cancel(client.submit(time.sleep, 0.001))


def held(k: int, folder: Path) -> None:
    """Hold three times what a client may, use it, look at it, and let it go in several ways."""
    with (
        gs.config.set({"temporary-directory": str(folder)}),
        gs.Client(threads_per_worker=2, memory_limit="1 MiB") as client,
    ):
        made = client.map(lambda n: np.full(40_000, n), range(k, k + 9))
        given = client.scatter([np.full(40_000, n) for n in range(2)])
        firsts = client.map(lambda x: int(x[0]), made, pure=False)
        total = client.submit(sum, firsts)
        assert total.result() == 9 * k + 36
        failing = client.submit(lambda x: x["no"], made[0])
        assert isinstance(failing.exception(), IndexError)
        assert [int(x[-1]) for x in client.gather(made)] == list(range(k, k + 9))
        del failing, given
        client.cancel(made[:2])
        made[2].release()
        later = client.submit(np.add, made[3], made[4])
        assert int(later.result()[0]) == 2 * k + 7
        gs.wait(client.map(lambda n: np.full(40_000, n), range(k, k + 4), pure=False))
    if k % 2:
        assert int(made[-1].result()[0]) == k + 8  # outlives the client


def watched(k: int, folder: Path) -> None:
    with gs.diagnostics.Profiler(), gs.diagnostics.ResourceProfiler(dt=0.01):
        fused(k, folder)
    if k % 100 < 10 and find_spec("bokeh") is not None:
        page = folder / "run.html"
        with gs.report(page):
            fused(k, folder)
        page.unlink()


KINDS: tuple[Kind, ...] = (
    fused,
    calls,
    both,
    failing,
    cancelled,
    persisted,
    on_disk,
    exchanged,
    spilled,
    client,
    held,
    watched,
)


@dataclass(frozen=True)
class Left:
    """What there is besides what a computation is about."""

    threads: int
    files: int
    temporary: int
    objects: int
    bytes: int


# Threads are kept for the next run, and a run may start while those of the last are on their way.
ALLOWED = Left(threads=4, files=0, temporary=0, objects=3_000, bytes=16 << 20)


def left(folder: Path) -> Left:
    """Count what is there now."""
    deadline = time.monotonic() + 2  # threads of a run end a moment after it
    threads = threading.active_count()
    while time.monotonic() < deadline and threads > 1:
        time.sleep(0.01)
        threads, before = threading.active_count(), threads
        if threads == before:
            break
    gc.collect()
    return Left(
        threads,
        len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0,
        sum(1 for _ in folder.rglob("*")),
        len(gc.get_objects()),
        resident(),
    )


def leaks(before: Left, after: Left) -> list[str]:
    """Say what has become more than is allowed."""
    return [
        f"{each.name}: {getattr(before, each.name)} -> {getattr(after, each.name)}"
        for each in fields(Left)
        if getattr(after, each.name) - getattr(before, each.name) > getattr(ALLOWED, each.name)
    ]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make everything temporary appear in one folder."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="gpuscale-soak-") as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def soak(
    computes: int,
    kinds: Sequence[Kind] = KINDS,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Left, Left, dict[str, float]]:
    """Compute that often; return what is left after the first part, at the end, and seconds."""
    seconds = dict.fromkeys((kind.__name__ for kind in kinds), 0.0)
    with temporary_folder() as folder:
        before = left(folder)
        for k in range(computes):
            if k % (computes // 10) == 0:
                now = left(folder)
                before = now if k <= computes * WARM_UP else before
                say(f"{k:>5}: {now}")
            kind = kinds[k % len(kinds)]
            start = time.perf_counter()
            kind(k, folder)
            seconds[kind.__name__] += time.perf_counter() - start
        after = left(folder)
        say(f"{computes:>5}: {after}")
    return before, after, seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--computes", type=int, default=1_000)
    options = parser.parse_args()
    with gs.config.set({"codegen.min-elements": 0}):  # all kernels now, none while it counts
        soak(WARM_UP_COMPUTES)
    before, after, seconds = soak(options.computes, say=print)
    print(", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items()))
    found = leaks(before, after)
    print("leaks: " + "; ".join(found) if found else "nothing is left behind")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
