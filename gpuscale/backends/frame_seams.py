"""The list of functions that depend on the library of a frame, beside those of all chunks.

Most work on frames needs none: it calls their methods, which mean the same in each library.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gpuscale.base.dispatch import Dispatch

__all__ = ["frame_namespace", "key_hashes"]

frame_namespace: Dispatch[ModuleType] = Dispatch(
    "frame_namespace",
    doc="""Return the module that holds the functions for a frame, a series or an index.

    The names to use in it are those of pandas: ``concat merge DataFrame Series Index to_datetime``
    and so on; what is no function but a method, the object has itself.

    Examples
    --------
    >>> import pandas
    >>> frame_namespace(pandas.Series([1])) is pandas
    True
    """,
)

key_hashes: Dispatch[Any] = Dispatch(
    "key_hashes",
    doc="""Return an array of a hash for each element of a column, the same for equal elements.

    Numbers that are equal have the same hash whatever their dtypes are.

    Examples
    --------
    >>> import pandas
    >>> import gpuscale.dataframe
    >>> key_hashes(pandas.Series([1, 2])).tolist() == key_hashes(pandas.Series([1.0, 2.0])).tolist()
    True
    """,
)
