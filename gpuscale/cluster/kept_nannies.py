"""A cluster of this machine keeps workers that are slow to start anew."""

from __future__ import annotations

from typing import Any

import distributed
from distributed.deploy import Cluster

__all__ = ["KeptNannies"]


class KeptNannies(distributed.SpecCluster):
    """A cluster whose nannies are objects of this process.

    Some seconds after a worker has gone, a ``SpecCluster`` looks whether one of its name is there,
    and else closes its nanny for good. A worker that dies several times, or that is slow to start,
    may be on its way just then: the cluster would have one less each time, and none in the end.
    """

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
