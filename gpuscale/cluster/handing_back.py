"""Tasks of a worker that has stopped: others are to have them."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["HandingBack", "hand_back"]

#: Seconds between two looks.
PAUSE = 0.5
#: Seconds of rest after which a worker is taken to have stopped: most go on after a moment.
PATIENCE = 2.0
# Of tasks that a worker was given and has not begun.
_NOT_BEGUN = frozenset({"waiting", "ready", "constrained"})


def hand_back(worker: Any) -> None:
    """Have a worker, before it begins, hand back what it has not begun whenever it has stopped."""
    from tornado.ioloop import PeriodicCallback

    look = HandingBack(worker).look
    worker.periodic_callbacks["hand-back"] = PeriodicCallback(look, PAUSE * 1000)


class HandingBack:
    """Has a worker that has stopped hand back the tasks that it has not begun.

    A worker whose memory is nearly full begins none, and has those that it was given before until
    there is room again. It may be full for good, of what its process holds beside results. The
    scheduler gives it no more tasks, but takes none of a few from it: whoever needs their results
    would wait for ever, beside workers that have nothing to do.

    Parameters
    ----------
    worker : distributed.Worker
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._since: float | None = None

    def look(self) -> None:
        """Hand back what has not begun, if the worker has stopped for a while."""
        state = self._worker.state
        if self._worker.status.name != "paused" or state.executing:
            self._since = None
            return
        now = time.monotonic()
        if self._since is None:
            self._since = now
        elif now > self._since + PATIENCE:
            for key in [task.key for task in state.tasks.values() if task.state in _NOT_BEGUN]:
                self._hand_back(key)

    def _hand_back(self, key: Any) -> None:
        """Have the scheduler find another worker, and then tell this one to forget the task."""
        told = {"op": "reschedule", "key": key, "worker": self._worker.address}
        self._worker.batched_send({**told, "stimulus_id": f"handed-back-{time.time()}"})
