"""A cluster on which nothing will ever go on: workers have stopped, or cannot be started."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.sizes import format_bytes

__all__ = ["Watch"]

#: Seconds between two looks.
PAUSE = 2.0
#: Seconds without any change after which nothing is waited for any longer.
PATIENCE = 30.0
# Of tasks that a worker which has not stopped is about to do something for.
_UNDER_WAY = ("executing", "long-running", "ready", "constrained", "fetch", "flight")


class Watch:
    """Notices that a cluster is stuck.

    A worker takes no tasks while its memory is nearly full. The task that it runs goes on, and
    results go to disk or are let go, until it has room again. Where none of it happens, as with a
    disk that is full, it waits for ever. Others may have what it has not begun, but not the blocks
    whose pieces it holds: as soon as they have nothing else to do, all wait. So does who waits for
    workers that could not be started anew after they had died, since their cluster gives them up.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.restart()

    def restart(self) -> None:
        """Start anew: something has come of the cluster."""
        self._seen: Any = None
        self._since = self._looked = time.monotonic()

    def look(self) -> None:
        """Look at the workers, if the last look was a while ago.

        Raises
        ------
        EngineError
            Some have stopped and no other has anything to do, or all are given up, and nothing has
            changed for `PATIENCE` seconds.
        """
        now = time.monotonic()
        if now < self._looked + PAUSE:
            return
        self._looked = now
        workers = self._workers()
        if workers is None:  # futures tell what has become of the scheduler
            return
        seen = {address: _moving_parts(each) for address, each in workers.items()}
        if workers:
            has_stopped = any(map(_waits, workers.values())) and not any(
                map(_acts, workers.values())
            )
        else:
            has_stopped = _has_given_up(self._client.cluster)
        if not has_stopped or seen != self._seen:
            self._seen, self._since = seen, now
        elif now > self._since + PATIENCE:
            raise self._stuck(workers) if workers else _given_up()

    def _workers(self) -> dict[str, Any] | None:
        """What the scheduler says of its workers; None without one, whom to ask would take long."""
        if self._client.status != "running":
            return None
        try:
            found: dict[str, Any] | None = self._client.scheduler_info(n_workers=-1).get("workers")
        except OSError:
            return None
        return found

    def _stuck(self, workers: Mapping[str, Any]) -> EngineError:
        """Say how much memory and disk the fullest worker has."""
        stopped = {address: each for address, each in workers.items() if _waits(each)}
        address, worst = max(stopped.items(), key=lambda each: each[1]["metrics"]["memory"])
        used, limit = worst["metrics"]["memory"], worst["memory_limit"]
        disks = self._client.run(_room_on_disk, workers=[address], on_error="ignore")
        disk = "".join(f", the disk of {folder} has {left} left" for folder, left in disks.values())
        of = "all" if len(stopped) == len(workers) else f"{len(stopped)} of"
        idle = "" if of == "all" else ", and the others have nothing to do that does not need them"
        return EngineError(
            f"{of} {len(workers)} workers of the cluster have stopped, since their memory is full, "
            f"and nothing of it goes to disk any more{idle}: {address} has {format_bytes(used)} of "
            f"{format_bytes(limit)} in use{disk}; give workers more memory (memory_limit=) or a "
            "larger disk (local_directory=), or persist less"
        )


def _has_given_up(cluster: Any) -> bool:
    """Whether a cluster that is to have workers has none left that could still come."""
    workers = getattr(cluster, "workers", None) or {}
    is_to_have = bool(getattr(cluster, "worker_spec", None))
    return is_to_have and all(each.status.name in ("closed", "failed") for each in workers.values())


def _given_up() -> EngineError:
    return EngineError(
        "all workers of the cluster have ended, and none of them could be started anew: the log of "
        "distributed.nanny says why; close the cluster, and start another one"
    )


def _waits(worker: Mapping[str, Any]) -> bool:
    return worker["status"] == "paused" and not _counts(worker).get("executing")


def _acts(worker: Mapping[str, Any]) -> bool:
    """Whether a worker has a task that it runs or, where it has not stopped, will run."""
    counts = _counts(worker)
    states = ("executing",) if worker["status"] == "paused" else _UNDER_WAY
    return any(counts.get(state) for state in states)


def _counts(worker: Mapping[str, Any]) -> Mapping[str, int]:
    counts: Mapping[str, int] = worker["metrics"].get("task_counts", {})
    return counts


def _moving_parts(worker: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what changes while a worker does anything that could make room."""
    metrics = worker["metrics"]
    names = ("managed_bytes", "spilled_bytes", "transfer")
    return _counts(worker), *(metrics.get(name) for name in names)


def _room_on_disk(dask_worker: Any) -> tuple[str, str]:
    folder = dask_worker.local_directory
    return folder, format_bytes(shutil.disk_usage(folder).free)
