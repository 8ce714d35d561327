"""``gpuscale-scheduler``: the process that workers and clients of a cluster meet at."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpuscale.cli.reading import guarded, read
from gpuscale.cluster.option import Taker

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a scheduler until a signal ends it, and return the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Examples
    --------
    >>> main(["--host", "0.0.0.0"])  # doctest: +SKIP
    2
    """
    chosen = read(Taker.SCHEDULER, __doc__.partition(": ")[2], arguments)

    def run() -> int:
        from gpuscale.cluster.scheduler_process import run_scheduler

        return run_scheduler(chosen)

    return guarded(Taker.SCHEDULER, run)


if __name__ == "__main__":
    sys.exit(main())
