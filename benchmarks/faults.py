"""What a cluster makes of failures: ``python -m benchmarks.faults [NAME...] --times N``.

Each try is a process of its own, with a cluster of two workers that computes something small while
something fails. What comes out is the right answer, a clear error, or what there must never be: a
wrong answer, another error, or none within `PATIENCE`. The table goes to ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import distributed

import gpuscale as gs
from benchmarks import fault_kinds as kinds
from benchmarks import fault_places as places
from benchmarks.fault_ground import ground
from gpuscale.base.errors import GpuscaleError

__all__ = ["FAULTS", "Fault", "try_once"]

PATIENCE = 240  # seconds
OUTCOMES = ("right answer", "clear error", "other error", "wrong answer", "hang")


@dataclass(frozen=True)
class Fault:
    """Something that fails.

    Parameters
    ----------
    what : str
        For the table.
    run : callable
        Gets the cluster, or the folder if it makes one itself.
    error : str
        What a clear error says, a regular expression; without one there must be the right answer.
    options : mapping
        Of the cluster.
    is_alone : bool
        Whether it makes its cluster itself.
    unshared : tuple of str
        Namespaces of its own that it needs, which go with it however it ends: mounts, networks.
    """

    what: str
    run: Callable[[Any], None]
    error: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    is_alone: bool = False
    unshared: tuple[str, ...] = ()


_LINE = r"in operation {}, written at .*fault_kinds\.py:\d+"
FAULTS = {
    "kill-headline": Fault("`kill -9` of a worker in the headline", kinds.killed_in_headline),
    "kill-rechunk": Fault("... in a rechunk", kinds.killed_in_rechunk),
    "kill-sort": Fault("... in a sort", kinds.killed_in_sort),
    "kill-sort-kept": Fault("... in a sort of a persisted array", kinds.killed_in_sort_of_kept),
    "kill-sort-memory": Fault(
        "... in a sort of an array of the program", kinds.killed_in_sort_of_memory
    ),
    "kill-all": Fault(
        "`kill -9` of all workers at once in the headline",
        partial(kinds.killed_in_headline, count=2),
    ),
    "kill-all-memory": Fault(
        "... in a sort of an array of the program",
        partial(kinds.killed_in_sort_of_memory, count=2),
    ),
    "kill-kept-little": Fault(
        "`kill -9` of a worker which holds a small persisted array of the program",
        partial(kinds.killed_with_kept_memory, data=kinds.A),
    ),
    "kill-kept-memory": Fault(
        "... a large one",
        kinds.killed_with_kept_memory,
        "persisted is lost with its worker.*persist it again",
    ),
    "stop": Fault("SIGSTOP of a worker for 20 s", kinds.stopped),
    "cut-off": Fault(
        "a worker in a network namespace whose link goes down",
        places.cut_off,
        is_alone=True,
        unshared=("--net", "--mount"),
    ),
    "disk-full": Fault(
        "the local disk of the workers is full (8 MiB)",
        places.disk_full,
        r"all 2 workers .* have stopped.*the disk of .* has .* left",
        is_alone=True,
        unshared=("--mount",),
    ),
    "kill-scheduler": Fault(
        "`kill -9` of the scheduler; the program started again, from its checkpoint",
        places.scheduler_killed,
        is_alone=True,
    ),
    "over-limit": Fault(
        "a task takes more memory than its worker may",
        kinds.over_limit,
        r"(?s)the task hog.* of the \d+\.0 MiB .*" + _LINE.format("hog"),
        {"memory_limit": "400 MiB"},
    ),
    "segfault": Fault(
        "a task that crashes its worker",
        kinds.segfault,
        r"(?s)the task crash.* died of it.*" + _LINE.format("crash"),
    ),
    "join": Fault("a worker joins", kinds.joined),
    "retire": Fault("a worker is retired", kinds.retired),
    "ctrl-c": Fault("Ctrl-C; the cluster is idle, and computes afterwards", kinds.interrupted),
    "two-clients": Fault("two clients at once", kinds.two_clients),
}


def judged(fault: Fault, run: Callable[[], None]) -> tuple[str, str]:
    """Say what comes of a try, and what it says."""
    try:
        run()
    except AssertionError as error:
        return "wrong answer", str(error)
    except Exception as error:
        says = "\n".join([str(error), *getattr(error, "__notes__", [])])
        is_clear = isinstance(error, GpuscaleError) and fault.error
        if is_clear and re.search(fault.error, says):
            return "clear error", says
        return "other error", f"{type(error).__name__}: {says}"
    return "right answer", ""


def try_once(name: str, folder: Path) -> tuple[str, str]:
    """Try a fault in this process."""
    fault = FAULTS[name]
    if fault.is_alone:
        return judged(fault, lambda: fault.run(folder))
    with ground(folder, **fault.options) as here:
        return judged(fault, lambda: fault.run(here))


def tried(name: str) -> tuple[str, str]:
    """Try a fault in a process of its own."""
    unshared = FAULTS[name].unshared
    with tempfile.TemporaryDirectory(prefix="gpuscale-faults-") as folder:
        process = subprocess.Popen(
            [
                *(("unshare", *unshared) if unshared else ()),
                sys.executable,
                "-m",
                "benchmarks.faults",
                "--one",
                name,
                folder,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            text, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "hang", ""
    outcome, _, says = text.partition("\n")
    if outcome not in OUTCOMES:
        return "other error", f"it ended with code {process.returncode}: {text[-500:]}"
    return outcome, says


def table(counts: Mapping[str, Counter[str]]) -> str:
    """Write down how often each came out."""
    heads = ("what fails", "tried", *(f"{each}s" for each in OUTCOMES))
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " --: |" * (len(heads) - 1)]
    for name, counter in counts.items():
        cells = (FAULTS[name].what, counter.total(), *(counter[each] for each in OUTCOMES))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def record(counts: Mapping[str, Counter[str]], day: datetime.date) -> str:
    """Make the text of a record."""
    return f"""# What a cluster makes of failures, {day}

`python -m benchmarks.faults`: gpuscale {gs.__version__}, dask.distributed \
{distributed.__version__}, two worker processes of one thread each. Every try compares with NumPy.

{table(counts)}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FAULTS))
    parser.add_argument("--times", type=int, default=3, metavar="N")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--program", metavar="FOLDER", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.program:
        places.program(Path(chosen.program))
        return 0
    if chosen.one:
        # A program that was started in the background ignores it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\n".join(try_once(chosen.one[0], Path(chosen.one[1]))))
        return 0
    unknown = [name for name in chosen.names if name not in FAULTS]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}, but {', '.join(FAULTS)}")
    counts: dict[str, Counter[str]] = {}
    for name in chosen.names or FAULTS:
        counts[name] = Counter()
        for _ in range(chosen.times):
            outcome, says = tried(name)
            counts[name][outcome] += 1
            print(f"{name}: {outcome}  {says}", flush=True)
    day = datetime.date.today()
    print(table(counts))
    path = Path(__file__).parent / "results" / f"faults-{day}.md"
    path.write_text(record(counts, day))
    return int(any(c["wrong answer"] + c["other error"] + c["hang"] for c in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
