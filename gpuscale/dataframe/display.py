"""How frames show themselves: a table of dtypes with the bounds of partitions; nothing computes."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["html", "text"]

_MOST = 10  # partitions that have a line of their own


def text(x: Any) -> str:
    """Dtypes under the names of columns, a line for each partition, and what made it."""
    kind = type(x).__name__
    return f"gpuscale {kind} Structure:\n{_table(x).to_string()}\n{_foot(x)}"


def html(x: Any) -> str:
    """The same for notebooks."""
    kind = type(x).__name__
    head = f"<div><strong>gpuscale {kind} Structure:</strong></div>"
    return f"{head}{_table(x).to_html()}<div>{_foot(x)}</div>"


def _foot(x: Any) -> str:
    n = x.npartitions
    return f"{x.expr.name}, {n} partition{'s' * (n != 1)}"


def _table(x: Any) -> Any:
    frame = x._meta
    if isinstance(frame, pd.DataFrame):
        dtypes = {k: str(dtype) for k, dtype in enumerate(frame.dtypes)}
    else:
        dtypes = {0: str(frame.dtype)}
    bounds = ["" if each is None else str(each) for each in x.divisions]
    if len(bounds) > _MOST + 1:
        bounds = [*bounds[: _MOST // 2], "...", *bounds[-_MOST // 2 :]]
    rows = [list(dtypes.values()), *[["..."] * len(dtypes)] * (len(bounds) - 1)]
    index = pd.Index(bounds, name=f"npartitions={x.npartitions}", dtype=object)
    names = frame.columns if isinstance(frame, pd.DataFrame) else [frame.name or ""]
    return pd.DataFrame(rows, index=index, columns=names, dtype=object)
