"""Reports of what a cluster did, which need what draws them."""

from __future__ import annotations

from typing import Any

import distributed

from gpuscale.diagnostics.page import check_bokeh

__all__ = ["performance_report"]


class performance_report(distributed.performance_report):  # type: ignore[misc]  # noqa: N801
    """Write what the scheduler knows of a block to a page: as ``distributed.performance_report``.

    Parameters
    ----------
    filename : str
    *args, **options
        What ``distributed.performance_report`` takes.

    Raises
    ------
    ModuleNotFoundError
        If bokeh is not installed: it comes with the extra ``report``.
    """

    def __init__(self, filename: str = "dask-report.html", *args: Any, **options: Any) -> None:
        check_bokeh("gpuscale.cluster.performance_report")
        super().__init__(filename, *args, **options)
