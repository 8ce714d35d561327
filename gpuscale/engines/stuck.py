"""A cluster on which nothing will ever go on: workers have stopped, or none of them will come."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.events import PERIOD

__all__ = ["Watch", "said_after_a_while", "watched"]

# Of dask.distributed, which is shown unless its user says otherwise: ours are silent.
_logger = logging.getLogger("distributed.client")

#: Seconds between two looks.
PAUSE = 2.0
#: Seconds without any change after which nothing is waited for any longer.
PATIENCE = 30.0
#: Seconds without workers, or any that may run a task, after which they are said to be waited for.
SILENCE = 5.0
#: Tasks of which the scheduler is asked whether any worker may run them.
ASKED = 100
# Of tasks that a worker which has not stopped is about to do something for.
_UNDER_WAY = ("executing", "long-running", "ready", "constrained", "fetch", "flight")


class Watch:
    """Notices that a cluster is stuck.

    A worker takes no tasks while its memory is nearly full. The task that it runs goes on, and
    results go to disk or are let go, until it has room again. Where none of it happens, as with a
    disk that is full, it waits for ever. Others may have what it has not begun, but not the blocks
    whose pieces it holds: as soon as they have nothing else to do, all wait. So does who waits for
    workers that could not be started anew after they had died, since their cluster gives them up,
    and for those that nobody has asked for.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._is_told = False
        self.restart()
        if _expects_none(client.cluster):
            self._looked -= PAUSE  # not to wait for what is known

    def restart(self) -> None:
        """Start anew: something has come of the cluster."""
        self._seen: Any = None
        self._since = self._looked = time.monotonic()

    def look(self) -> None:
        """Look at the workers, if the last look was a while ago.

        Raises
        ------
        EngineError
            There is no worker and none was asked for; or some have stopped and no other has
            anything to do, or all are given up, and nothing has changed for `PATIENCE` seconds.
        """
        if self._is_due() and self._client.status == "running":
            self._client.sync(self._look)

    async def wait(self, coming: Coroutine[Any, Any, Any]) -> Any:
        """Wait for what comes of the cluster, in the client's thread, and look meanwhile.

        Raises
        ------
        EngineError
            As of `look`.
        """
        waiting = asyncio.ensure_future(coming)
        try:
            while not (await asyncio.wait({waiting}, timeout=PERIOD))[0]:
                if self._is_due():
                    await self._look()
            return await waiting
        finally:
            waiting.cancel()

    def _is_due(self) -> bool:
        return time.monotonic() >= self._looked + PAUSE

    async def _look(self) -> None:
        self._looked = now = time.monotonic()
        workers = await self._workers()
        if workers is None:  # futures tell what has become of the scheduler
            return
        seen: Any = {address: _moving_parts(each) for address, each in workers.items()}
        if not workers:
            seen = _has_given_up(self._client.cluster)
        if seen != self._seen:
            self._seen, self._since = seen, now
        is_over = now > self._since + PATIENCE
        if not workers:
            self._look_for_workers(now, is_over)
        elif any(map(_acts, workers.values())):
            self._seen = None
        elif not any(map(_waits, workers.values())):
            await self._look_for_places(now)
        elif is_over:
            raise await self._stuck(workers)

    async def _look_for_places(self, now: float) -> None:
        """Say which tasks no worker may run, where none has anything to do."""
        if now <= self._since + SILENCE or self._is_told:
            return
        futures = self._client.futures.copy()
        keys = [key for key, state in futures.items() if state.status == "pending"][:ASKED]
        states = await self._client.scheduler.get_task_status(keys=keys) if keys else {}
        without = [key for key, state in states.items() if state == "no-worker"]
        if without:
            self._is_told = True
            _logger.warning(
                "waiting for a worker that may run %s%s: none that is there has the name or "
                "address (workers=), or the resources, that were asked for",
                without[0], f" and {len(without) - 1} others" if len(without) > 1 else "",
            )  # fmt: skip

    def _look_for_workers(self, now: float, is_over: bool) -> None:
        """Say that there is no worker, or raise if none will come."""
        cluster = self._client.cluster
        if _expects_none(cluster):
            raise EngineError(
                "the cluster has no workers, and nobody has asked for any: cluster.scale(2) starts "
                "two, cluster.adapt(maximum=8) as many as there is work for"
            )
        if is_over and _has_given_up(cluster):
            raise EngineError(
                "all workers of the cluster have ended, and none of them could be started anew: "
                "the log of distributed.nanny says why; close the cluster, and start another one"
            )
        if now > self._since + SILENCE and not self._is_told:
            self._is_told = True
            address = self._client.scheduler.address
            _logger.warning(
                "waiting for workers: the scheduler at %s has none%s", address, _hope(cluster)
            )

    async def _workers(self) -> dict[str, Any] | None:
        """What the scheduler says of its workers; None without one, whom to ask would take long."""
        if self._client.status != "running":
            return None
        try:
            found: dict[str, Any] = await self._client.scheduler.identity(n_workers=-1)
        except OSError:
            return None
        return found["workers"]

    async def _stuck(self, workers: Mapping[str, Any]) -> EngineError:
        """Say how much memory and disk the fullest worker has."""
        stopped = {address: each for address, each in workers.items() if _waits(each)}
        address, worst = max(stopped.items(), key=lambda each: each[1]["metrics"]["memory"])
        used, limit = worst["metrics"]["memory"], worst["memory_limit"]
        disks = await self._client.run(_room_on_disk, workers=[address], on_error="ignore")
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


def watched(function: Callable[..., Any], client: Any) -> Callable[..., Any]:
    """Have what waits in the client's thread end with an error when the cluster is stuck."""

    async def wait(*args: Any, **options: Any) -> Any:
        return await Watch(client).wait(function(*args, **options))

    return wait


async def said_after_a_while(coming: Coroutine[Any, Any, Any], client: Any, wanted: int) -> None:
    """Wait for some workers, in the client's thread; say so if they are not there soon.

    Parameters
    ----------
    coming : coroutine
        Waits for them.
    client : distributed.Client
    wanted : int
        How many are waited for.
    """
    waiting = asyncio.ensure_future(coming)
    try:
        if not (await asyncio.wait({waiting}, timeout=SILENCE))[0]:
            there = len((await client.scheduler.identity(n_workers=-1))["workers"])
            _logger.warning(
                "waiting for %d workers: the scheduler at %s has %d%s",
                wanted, client.scheduler.address, there, _asked_for(client.cluster, wanted),
            )  # fmt: skip
        await waiting
    finally:
        waiting.cancel()


def _asked_for(cluster: Any, wanted: int) -> str:
    """Say how many workers a cluster is to have."""
    spec = getattr(cluster, "worker_spec", None)
    if spec is None or _adaptive(cluster) is not None:
        return _hope(cluster)
    more = f": cluster.scale({wanted}) asks for as many" if len(spec) < wanted else ""
    return f", and its cluster has asked for {len(spec)}{more}"


def _expects_none(cluster: Any) -> bool:
    """Whether a cluster has not been told to have workers."""
    if cluster is None or getattr(cluster, "worker_spec", None) != {}:
        return False
    adaptive = _adaptive(cluster)
    return adaptive is None or not adaptive.maximum


def _adaptive(cluster: Any) -> Any:
    """What has a cluster adapt; None if it does not."""
    adaptive = getattr(cluster, "_adaptive", None)
    return None if adaptive is None or adaptive.state == "stopped" else adaptive


def _hope(cluster: Any) -> str:
    """Say which workers may come."""
    spec = getattr(cluster, "worker_spec", None)
    if spec:
        return f"; its cluster has asked for {len(spec)}, which have not joined yet"
    adaptive = _adaptive(cluster)
    if adaptive is not None:
        return f"; its cluster adapts, and starts them for work (at most {adaptive.maximum})"
    return "; start some, as by gpuscale-worker on the machines that are to compute"


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
    return worker["status"], _counts(worker), *(metrics.get(name) for name in names)


def _room_on_disk(dask_worker: Any) -> tuple[str, str]:
    folder = dask_worker.local_directory
    return folder, format_bytes(shutil.disk_usage(folder).free)
