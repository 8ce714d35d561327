"""Values by the bins that they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame
from gpuscale.dataframe.methods import Function
from gpuscale.run import compute

__all__ = ["cut", "qcut"]


def cut(x: Any, bins: Any, *, retbins: bool = False, **options: Any) -> Any:
    """Say in which bin each value lies; see `pandas.cut`.

    Parameters
    ----------
    x : Series
        What is not lazy is given to pandas.
    bins : int, sequence or pandas.IntervalIndex
        A number of bins needs the least and the largest value, which are computed at once.
    retbins : bool
        Whether to return the bounds of the bins as well.
    **options
        ``right``, ``labels``, ``precision``, ``include_lowest``, ``duplicates`` and ``ordered``.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> ages = gd.from_pandas(pd.Series([3, 70, 41, 12]), npartitions=2)
    >>> gd.cut(ages, [0, 18, 120], labels=["young", "old"]).compute().tolist()
    ['young', 'old', 'old', 'young']
    """
    if not isinstance(x, Frame):
        return pd.cut(x, bins, retbins=retbins, **options)
    _check(x, "cut")
    if isinstance(bins, int | np.integer):
        ends = pd.Series(list(compute(x.min(), x.max())), dtype=x._meta.dtype)
        _, bins = pd.cut(ends, bins, retbins=True, **(options | {"labels": False}))
    found = call(Function("cut"), (x, bins), options, "cut")
    return (found, pd.cut(x._meta, bins, retbins=True, **options)[1]) if retbins else found


def qcut(x: Any, q: Any, *, retbins: bool = False, **options: Any) -> Any:
    """Say in which bin each value lies, of bins of equally many values; see `pandas.qcut`.

    The quantiles are computed at once.

    Parameters
    ----------
    x : Series
        What is not lazy is given to pandas.
    q : int or sequence of float
    retbins : bool
        Whether to return the bounds of the bins as well.
    **options
        ``labels``, ``precision`` and ``duplicates``.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> ages = gd.from_pandas(pd.Series([3, 70, 41, 12]), npartitions=2)
    >>> gd.qcut(ages, 2, labels=["younger", "older"]).compute().tolist()
    ['younger', 'older', 'older', 'younger']
    """
    if not isinstance(x, Frame):
        return pd.qcut(x, q, retbins=retbins, **options)
    _check(x, "qcut")
    wanted = np.linspace(0, 1, q + 1) if isinstance(q, int | np.integer) else q
    bounds = pd.Index(x.quantile(list(wanted)).compute())
    return cut(x, bounds, retbins=retbins, include_lowest=True, **options)


def _check(x: Frame, name: str) -> None:
    if not isinstance(x._meta, pd.Series):
        raise TypeError(f"{name} takes a series, as df.x is, and not a {type(x).__name__}")
