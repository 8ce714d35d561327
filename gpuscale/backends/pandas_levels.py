"""Indexes of several levels, put together one level after the other.

pandas makes the union of levels two by two, and looks up in it what each index has of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["levels_together"]

_LEAST = 1 << 16  # rows: fewer are put together by pandas just as soon


def levels_together(indexes: Sequence[Any]) -> Any | None:
    """Return the labels of all indexes, as ``append`` does; None where pandas is to do it.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.MultiIndex.from_product([["b", "c"], range(50_000)], names=["x", "y"])
    >>> other = pd.MultiIndex.from_product([["a"], range(7)], names=["x", "y"])
    >>> whole = levels_together([one, other])
    >>> whole.levels[0].tolist(), len(whole), whole.equals(one.append(other))
    (['a', 'b', 'c'], 100007, True)
    """
    import pandas as pd

    first = indexes[0]
    if sum(map(len, indexes)) < _LEAST or not all(isinstance(e, pd.MultiIndex) for e in indexes):
        return None
    if any(list(each.names) != list(first.names) for each in indexes):
        return None
    several = [[each.levels[k] for each in indexes] for k in range(first.nlevels)]
    if not all(_have_order({level.dtype for level in each}) for each in several):
        return None
    found = [_together(e, [each.codes[k] for each in indexes]) for k, e in enumerate(several)]
    levels, codes = zip(*found, strict=True)
    return pd.MultiIndex(levels, codes, names=first.names, verify_integrity=False)


def _have_order(dtypes: set[Any]) -> bool:
    """Whether levels are all of the same plain numbers, or of texts."""
    import pandas as pd

    if len(dtypes) > 1:
        return False
    (dtype,) = dtypes
    return isinstance(dtype, pd.StringDtype) or (
        isinstance(dtype, np.dtype) and dtype.kind in "iuf"
    )


def _together(levels: Sequence[Any], codes: Sequence[Any]) -> tuple[Any, Any]:
    """Return one level of several, and the codes of all rows."""
    import pandas as pd

    first, *others = levels
    if all(first.equals(each) for each in others):
        return first, np.concatenate(codes)
    places, whole = pd.factorize(first.append(others), sort=True)
    places = places.astype(np.min_scalar_type(-max(1, len(whole))))
    stops = np.cumsum([len(each) for each in levels])
    own = np.split(places, stops[:-1])
    # A null has the code -1, and so the last of these.
    moved = [np.append(to, places.dtype.type(-1))[old] for to, old in zip(own, codes, strict=True)]
    return whole, np.concatenate(moved)
