"""More workers and fewer: results of those that leave are moved first, and wrong words refused."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import distributed

from gpuscale.base.errors import ConfigError, EngineError

__all__ = ["MovedResults", "ScaledCluster", "as_many_workers", "worker_names"]


class MovedResults(distributed.SpecCluster):
    """A cluster whose workers hand on what they hold before they leave for ``scale``.

    A ``SpecCluster`` means this too, and asks the scheduler for workers at addresses where it says
    their names: nobody is found, and all that the last ones hold is lost.
    """

    async def _correct_state_internal(self) -> None:
        leaving = set(self.workers) - set(self.worker_spec)
        is_open = self.status == distributed.Status.running
        if leaving and is_open and len(leaving) < len(self.workers):  # or nobody could take them
            names, scheduler = worker_names(leaving, self.new_spec or {}), self.scheduler_comm
            await scheduler.retire_workers(names=names)  # type: ignore[union-attr]
            # Whom somebody has called for meanwhile begins anew.
            again = [self.workers.pop(name) for name in leaving & set(self.worker_spec)]
            await asyncio.gather(*(worker.close() for worker in again))
        await super()._correct_state_internal()


def worker_names(names: Iterable[Any], spec: Mapping[str, Any]) -> list[str]:
    """Return the names that a scheduler knows workers by; a job may have started several.

    Parameters
    ----------
    names : iterable
        Of what the cluster starts.
    spec : mapping of str to object
        Specification of one.

    Examples
    --------
    >>> worker_names([1], {}), worker_names(["job"], {"group": ["-0", "-1"]})
    (['1'], ['job-0', 'job-1'])
    """
    return [f"{name}{part}" for name in names for part in spec.get("group", ("",))]


@asynccontextmanager
async def as_many_workers(cluster: Any) -> AsyncIterator[None]:
    """Keep a cluster that adapts from having more or fewer workers in the block.

    Parameters
    ----------
    cluster : distributed.deploy.Cluster or None
    """
    adaptive = getattr(cluster, "_adaptive", None)
    if adaptive is None:
        yield
        return
    while adaptive._adapting:
        await asyncio.sleep(0.05)
    adaptive._adapting = True  # as it says itself meanwhile, to do one thing at a time
    try:
        yield
    finally:
        adaptive._adapting = False


class ScaledCluster(MovedResults):
    """A cluster that takes numbers of workers for `scale` and `adapt`, while it is open."""

    def sync(self, func: Any, *args: Any, **options: Any) -> Any:
        """Wait for what is to be done in the cluster's thread."""
        if not self.asynchronous:
            self._check_open()
        return super().sync(func, *args, **options)

    def _check_open(self) -> None:
        if self.status == distributed.Status.closed:
            raise EngineError("this cluster is closed, and has no workers any more; make another")

    def scale(self, n: int | None = None, memory: Any = None, cores: Any = None) -> Any:
        """Have so many workers; what those hold that leave goes to others.

        Parameters
        ----------
        n : int, optional
        memory, cores : optional
            Instead of n, as of ``distributed.SpecCluster``.

        Raises
        ------
        ConfigError
            n is not a number of workers.
        EngineError
            The cluster is closed.
        """
        n = 0 if n is None else n
        _check_number("scale(n)", n)
        self._check_open()
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
        EngineError
            The cluster is closed.
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
        self._check_open()
        return super().adapt(*args, **options)


def _check_number(what: str, n: Any) -> None:
    if not isinstance(n, int) or n < 0:
        raise ConfigError(f"{what} takes a number of workers, 0 or more, not {n!r}")
