"""What a client says of itself and of its tasks, in the form of dask.distributed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.engines.session import Session
from gpuscale.futures.future import futures_here
from gpuscale.futures.manners import versions

__all__ = ["NO_LIMIT", "Teller"]

NO_LIMIT = sys.maxsize  # bytes


class Teller:
    """The part of `Client` that says what there is."""

    name: str
    _session: Session
    _threads: int
    _limit: int  # bytes
    _started: float  # seconds of `time.time`

    @property
    def status(self) -> str:
        """Whether the client is "running" or "closed"."""
        return "closed" if self._session.closed else "running"

    def nthreads(self, workers: Any = None) -> dict[str, int]:
        """Return how many tasks run at the same time, by worker."""
        return {"inproc": self._threads}

    ncores = nthreads

    def nbytes(self, keys: Any = None, summary: bool = True) -> dict[Any, int]:
        """Return the bytes of results that are held: by key, or summed up by name."""
        found = self._session.held()
        if keys is not None:
            found = {key: found[key] for key in keys if key in found}
        if not summary:
            return found
        sums: dict[Any, int] = {}
        for key, nbytes in found.items():
            name = str(key[0] if isinstance(key, tuple) else key).rpartition("-")[0] or key
            sums[name] = sums.get(name, 0) + nbytes
        return sums

    def has_what(self, workers: Any = None) -> dict[str, tuple[Key, ...]]:
        """Return the keys of results that are held, by worker."""
        return {"inproc": tuple(self._session.held())}

    def who_has(self, futures: Any = None) -> dict[Key, tuple[str, ...]]:
        """Return the workers that hold results, by key: of futures, or of all that are held."""
        held = self._session.held()
        keys = list(held) if futures is None else [f.key for f in futures_here(futures)]
        return {key: ("inproc",) if key in held else () for key in keys}

    def processing(self, workers: Any = None) -> dict[str, tuple[Key, ...]]:
        """Return the keys of tasks that have not finished, by worker."""
        return {"inproc": tuple(outcome.task.key for outcome in self._session.pending())}

    def scheduler_info(self, n_workers: int = 5) -> dict[str, Any]:
        """Return what there is, in the form of dask.distributed."""
        worker = {
            "type": "Worker",
            "id": "inproc",
            "host": "localhost",
            "nthreads": self._threads,
            "memory_limit": self._limit if self._limit < NO_LIMIT else 0,
            "resources": dict(self._session.resources),
            "status": self.status,
        }
        return {
            "type": "Scheduler",
            "id": self.name,
            "address": "inproc",
            "services": {},
            "started": self._started,
            "workers": {"inproc": worker},
        }

    def get_versions(self, check: bool = False, packages: Sequence[str] = ()) -> dict[str, Any]:
        """Return the versions of Python, of gpuscale and of what it is made of.

        Parameters
        ----------
        check : bool
            Means nothing: all workers are threads of this process.
        packages : sequence of str
            Further packages to look for.

        Returns
        -------
        dict
            In the form of dask.distributed; None for a package that is not installed.

        Examples
        --------
        >>> import gpuscale as gs
        >>> with gs.Client() as client:
        ...     sorted(client.get_versions(packages=["nothing"])["client"]["packages"])
        ['cloudpickle', 'gpuscale', 'nothing', 'numba', 'numpy', 'python']
        """
        return {"client": versions(packages), "scheduler": None, "workers": {}}

    def wait_for_workers(self, n_workers: int = 1, timeout: Any = None) -> None:
        """Return at once: the threads of this process are always there."""

    def __repr__(self) -> str:
        if self.status == "closed":
            return "<Client: closed>"
        threads = "1 thread" if self._threads == 1 else f"{self._threads} threads"
        return f"<Client: {threads}, memory limit {self._limit_in_words()}>"

    def _limit_in_words(self) -> str:
        return format_bytes(self._limit) if self._limit < NO_LIMIT else "none"

    def _repr_html_(self) -> str:
        rows = {
            "Client": self.name,
            "Status": self.status,
            "Threads": self._threads,
            "Memory limit": self._limit_in_words(),
            "Tasks": len(self._session.pending()),
        }
        cells = (f"<tr><th>{k}</th><td>{escape(str(v))}</td></tr>" for k, v in rows.items())
        return f"<table>{''.join(cells)}</table>"
