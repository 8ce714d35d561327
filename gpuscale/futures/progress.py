"""A bar for some futures."""

from __future__ import annotations

import time
from collections.abc import Container
from contextlib import closing
from typing import Any, TextIO

from gpuscale.diagnostics.progress import is_watched, open_bar
from gpuscale.futures.future import futures_of
from gpuscale.futures.waiting import as_completed
from gpuscale.nested import find, listed

__all__ = ["progress"]


def progress(*futures: Any, out: TextIO | None = None, **options: Any) -> None:
    """Wait until futures are done, and show meanwhile how many are.

    The bar is drawn on standard error if that is a terminal, in a notebook as a widget, and
    elsewhere not at all. What tasks raise is not raised here: the bar counts it, and the futures
    tell.

    Parameters
    ----------
    *futures : Future or containers of futures
        Also of a cluster's client, and collections that its workers keep.
    out : text file, optional
        Where to draw in any case.
    **options
        ``notebook``, ``multi``, ``complete`` and the like of ``dask.distributed.progress`` mean
        nothing here.

    Raises
    ------
    TypeError
        A value is nothing that could have futures, or there is none.

    Examples
    --------
    >>> import io
    >>> import gpuscale as gs
    >>> with gs.Client() as client:
    ...     squares = client.map(pow, range(5), [2] * 5)
    ...     gs.progress(squares, out=io.StringIO())
    ...     [square.done() for square in squares]
    [True, True, True, True, True]
    """
    if not futures:
        raise TypeError(
            "gpuscale.progress(futures) waits for these; for a bar of what a block computes, say "
            "with gpuscale.diagnostics.ProgressBar(): ..."
        )
    futures = listed(futures)
    for each in futures:
        is_full = isinstance(each, Container) and not isinstance(each, str | bytes)
        if not (is_full or find(each) or futures_of(each)):
            raise TypeError(
                "gpuscale.progress takes futures of clients, persisted collections, and "
                f"containers of these, not {type(each).__name__}"
            )
    found = {id(getattr(each, "_outcome", each)): each for each in futures_of(futures)}
    queue = as_completed(found.values())
    if out is None and not is_watched():
        for _ in queue:
            pass
        return
    n_wrong, drawn = 0, float("-inf")
    with closing(open_bar(len(found), out)) as bar:
        for future in queue:
            bar.n += 1
            n_wrong += future.status != "finished"
            if n_wrong:
                bar.set_postfix_str(f"{n_wrong} without a result", refresh=False)
            if time.perf_counter() - drawn > bar.period:
                bar.refresh()
                drawn = time.perf_counter()
        bar.refresh()
