"""`LocalCluster`: worker processes of this machine."""

from __future__ import annotations

from typing import Any

import distributed

__all__ = ["LocalCluster"]


class LocalCluster(distributed.LocalCluster):
    """Worker processes of this machine, which other machines cannot reach.

    Parameters
    ----------
    n_workers, threads_per_worker : int, optional
        By default all cores, a few threads for each process.
    memory_limit : int, float or str, optional
        Bytes of each worker: a number, a text such as "4 GiB", or a fraction of the machine's
        memory. By default an equal share of it.
    processes : bool, optional
        Whether workers are processes of their own, as by default, or threads of this one.
    dashboard_address : str or None, optional
        Where the scheduler shows what happens; by default a port that only this machine reaches,
        None for nowhere.
    **options
        What ``distributed.LocalCluster`` takes beside these.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> from gpuscale.cluster import Client, LocalCluster
    >>> with LocalCluster(n_workers=2, threads_per_worker=1) as cluster, Client(cluster):
    ...     float(ga.ones((300, 300), chunks=100).sum().compute())
    90000.0
    """

    def __init__(
        self,
        name: str | None = None,
        n_workers: int | None = None,
        threads_per_worker: int | None = None,
        processes: bool | None = None,
        *,
        dashboard_address: str | None = "127.0.0.1:8787",
        **options: Any,
    ) -> None:
        super().__init__(
            name=name,
            n_workers=n_workers,
            threads_per_worker=threads_per_worker,
            processes=processes,
            dashboard_address=dashboard_address,
            **options,
        )
