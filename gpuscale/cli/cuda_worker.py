"""``gpuscale-cuda-worker``: a process for each GPU of a machine, which computes for a scheduler."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gpuscale.cli.reading import guarded, read
from gpuscale.cluster.option import Taker

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run workers until their scheduler or a signal ends them, and return the exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Examples
    --------
    >>> main(["tcp://10.0.0.1:8786"])  # doctest: +SKIP
    2
    """
    chosen = read(Taker.CUDA_WORKER, __doc__.partition(": ")[2], arguments)

    def run() -> int:
        from gpuscale.cluster.cuda_worker_process import check_gpus, make_cuda_workers
        from gpuscale.cluster.worker_process import run_workers

        check_gpus(chosen)  # before a scheduler is waited for
        return run_workers(chosen, make_cuda_workers)

    return guarded(Taker.CUDA_WORKER, run)


if __name__ == "__main__":
    sys.exit(main())
