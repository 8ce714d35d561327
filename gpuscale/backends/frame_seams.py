"""The list of functions that depend on the library of a frame, beside those of all chunks.

Most work on frames needs none: it calls their methods, which mean the same in each library.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gpuscale.backends.seams import on_device
from gpuscale.base.dispatch import Dispatch

__all__ = ["frame_namespace", "is_frame_of_device", "key_hashes", "places_among", "table"]

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

places_among: Dispatch[Any] = Dispatch(
    "places_among",
    doc="""Return an array of how many of some values in order are no greater than each value.

    ``places_among(dividing, values)``: both are series of one dtype, without nulls.

    Examples
    --------
    >>> import pandas
    >>> import gpuscale.dataframe
    >>> places_among(pandas.Series([10, 20]), pandas.Series([5, 10, 25]))
    array([0, 1, 2])
    """,
)

table: Dispatch[Any] = Dispatch(
    "table",
    doc="""Return a frame of columns by their names, aligned, and not copied where that can be.

    ``table(first, columns)``: series of the library of the first argument, such as one of them.

    Examples
    --------
    >>> import pandas
    >>> x = pandas.Series([1, 2])
    >>> table(x, {"x": x, "twice": 2 * x})
       x  twice
    0  1      2
    1  2      4
    """,
)


def is_frame_of_device(data: Any) -> bool:
    """Say whether data is a frame, a series or an index in the memory of a device.

    Examples
    --------
    >>> import pandas
    >>> is_frame_of_device(pandas.Series([1]))
    False
    """
    return on_device(data) and hasattr(data, "to_pandas")
