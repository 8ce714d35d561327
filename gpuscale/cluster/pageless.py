"""A worker without a page: what listens there tells only how it is, and is no line of its log."""

from __future__ import annotations

from typing import Any

import distributed

from gpuscale.cluster.short_logs import leave_out_page

__all__ = ["Worker"]


class Worker(distributed.Worker):
    """As ``distributed.Worker``, in a process of its own.

    Parameters
    ----------
    *args, **options
        What that takes.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        leave_out_page()
        super().__init__(*args, **options)
