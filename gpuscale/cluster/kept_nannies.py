"""A cluster of this machine keeps workers that are slow to start, and Ctrl-C ends it as a whole."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import distributed
from distributed.deploy import Cluster

from gpuscale.cluster.ctrl_c import spawn_without_ctrl_c
from gpuscale.cluster.scaling import ScaledCluster

__all__ = ["KeptNannies"]


class KeptNannies(ScaledCluster):
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


_BEGUN = (distributed.Status.starting, distributed.Status.running)
