"""A cluster of this machine keeps workers that are slow to start, and Ctrl-C ends it as a whole."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Any

import distributed
from distributed.deploy import Cluster

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.ctrl_c import spawn_without_ctrl_c

__all__ = ["KeptNannies"]


class KeptNannies(distributed.SpecCluster):
    """A cluster whose nannies are objects of this process.

    Some seconds after a worker has gone, a ``SpecCluster`` looks whether one of its name is there,
    and else closes its nanny for good. A worker that dies several times, or that is slow to start,
    may be on its way just then: the cluster would have one less each time, and none in the end.

    Ctrl-C while it starts would leave workers that nobody knows of: what has begun ends first, and
    is closed then. A terminal sends it to the workers, too, which would die of it before they have
    said that they leave it to the program: they begin with the signal blocked.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except KeyboardInterrupt:
            if getattr(self, "status", None) in _BEGUN:
                self.sync(self._start)  # which returns as soon as the first one has ended
                self.close()
            raise

    async def _start(self) -> None:
        specs = (*self.worker_spec.values(), self.new_spec or {})
        has_processes = any(each.get("cls") is not distributed.Worker for each in specs)
        if has_processes and threading.current_thread() is not threading.main_thread():
            spawn_without_ctrl_c()
        await asyncio.shield(asyncio.ensure_future(super()._start()))

    def scale(self, n: int | None = None, memory: Any = None, cores: Any = None) -> Any:
        """Have so many workers.

        Parameters
        ----------
        n : int, optional
        memory, cores : optional
            Instead of n, as of ``distributed.SpecCluster``.

        Raises
        ------
        ConfigError
            n is not a number of workers.
        """
        n = 0 if n is None else n
        _check_number("scale(n)", n)
        return super().scale(n, memory, cores)

    def adapt(self, *args: Any, **options: Any) -> Any:
        """Have as many workers as there is work for.

        Parameters
        ----------
        *args, **options
            What ``distributed.SpecCluster.adapt`` takes, such as ``minimum`` and ``maximum``.

        Raises
        ------
        ConfigError
            These are no numbers of workers, or there would be more at least than at most.
        """
        minimum, maximum = options.get("minimum", 0), options.get("maximum", math.inf)
        _check_number("adapt(minimum=)", minimum)
        if maximum != math.inf:
            _check_number("adapt(maximum=)", maximum)
        if minimum > maximum:
            raise ConfigError(
                f"adapt() cannot have {minimum} workers at least and {maximum} at most; say a "
                "maximum that is not below the minimum"
            )
        return super().adapt(*args, **options)

    def _correct_state(self) -> Any:
        return asyncio.shield(super()._correct_state())

    def _update_worker_status(self, op: str, msg: Any) -> None:
        if op == "remove":
            # While the cluster closes, workers may go that it has not heard of.
            known = self.scheduler_info["workers"].get(msg)
            if known is None:
                return
            worker = self.workers.get(known["name"])
            if isinstance(worker, distributed.Nanny) and worker.status.name == "running":
                Cluster._update_worker_status(self, op, msg)
                return
        super()._update_worker_status(op, msg)


def _check_number(what: str, n: Any) -> None:
    if not isinstance(n, int) or n < 0:
        raise ConfigError(f"{what} takes a number of workers, 0 or more, not {n!r}")


_BEGUN = (distributed.Status.starting, distributed.Status.running)
