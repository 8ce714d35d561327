"""Frames, series and indexes of the fake device: pandas' behind the names of cuDF.

They are no objects of pandas, as those of cuDF are none: functions of pandas and NumPy refuse them,
and so do they refuse data of the host. What goes between the two by `from_pandas`, `to_pandas` and
`to_numpy` is counted, as are arrays from which columns are made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.typing import (
    DataFrameGroupBy,
    Expanding,
    ExponentialMovingWindow,
    Resampler,
    Rolling,
    SeriesGroupBy,
)

from gpuscale.testing.fake_device.array import make, ndarray
from gpuscale.testing.fake_device.calls import Call
from gpuscale.testing.fake_device.cudf_names import CUDF_NAMES
from gpuscale.testing.fake_device.pool import POOL
from gpuscale.testing.fake_device.transfers import TRANSFERS

__all__ = ["DataFrame", "Index", "MultiIndex", "RangeIndex", "Series", "given", "made", "taken"]

_OF_HOST = (pd.DataFrame, pd.Series, np.ndarray, pd.api.extensions.ExtensionArray)
_LABELS = ("columns", "dtypes", "dtype", "name", "names", "axes")  # which the host has in cuDF, too


class Frame:
    """What the three have in common; held by the pool of the device while it is alive."""

    __slots__ = ("__weakref__", "_host", "_nbytes")
    __hash__ = None  # type: ignore[assignment]

    _host: Any

    @classmethod
    def of(cls, host: Any) -> Any:
        """Return what shows an object of pandas."""
        self = object.__new__(cls)
        self._hold(host)
        return self

    def _hold(self, host: Any) -> None:
        object.__setattr__(self, "_nbytes", 0)
        nbytes = nbytes_of(host)
        POOL.take(nbytes)
        object.__setattr__(self, "_nbytes", nbytes)
        object.__setattr__(self, "_host", host)

    def __del__(self) -> None:
        POOL.give(getattr(self, "_nbytes", 0))

    # -- to the host

    def to_pandas(self) -> Any:
        """Return a copy in the memory of the host."""
        TRANSFERS.count("to_pandas", self._nbytes)
        return self._host.copy()

    def to_numpy(self, dtype: Any = None, copy: bool = True, na_value: Any = None) -> Any:
        """Return an array in the memory of the host."""
        TRANSFERS.count("to_numpy", self._nbytes)
        options = {} if na_value is None else {"na_value": na_value}
        return self._host.to_numpy(dtype=dtype, copy=True, **options)

    @property
    def values(self) -> Any:
        """The elements as an array of the device."""
        return given(self._host.to_numpy())

    def hash_values(self, method: str = "murmur3", seed: int | None = None) -> Any:
        """Return a hash of each row."""
        texts = self._host.astype(object) if self._host.dtype.kind == "O" else self._host
        return given(pd.util.hash_pandas_object(texts, index=False, categorize=False))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("Implicit conversion to a host NumPy array via __array__ is not allowed")

    def __arrow_array__(self, type: Any = None) -> Any:
        raise TypeError("Implicit conversion to a host PyArrow object is not allowed")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return given(getattr(ufunc, method)(*map(taken, inputs), **kwargs))

    def __bool__(self) -> bool:
        raise TypeError(f"The truth value of a {type(self).__name__} is ambiguous")

    def __reduce__(self) -> Any:
        TRANSFERS.count("pickle", self._nbytes)
        return _unpickled, (self._host,)

    # -- everything else that cuDF has

    def __getattr__(self, name: str) -> Any:
        host = object.__getattribute__(self, "_host")
        if name in _LABELS:
            return getattr(host, name)
        if not (has(host, name) or name in getattr(host, "columns", ())):
            raise AttributeError(f"{type(self).__name__} of cuDF has no {name!r}")
        return given(getattr(host, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._host, name, taken(value))

    def __getitem__(self, key: Any) -> Any:
        return given(self._host[taken(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._host[taken(key)] = taken(value)

    def __contains__(self, key: Any) -> bool:
        return key in self._host

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{type(self).__name__} object is not iterable; use .to_pandas()")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the fake device: {self._host!r}>"

    def __neg__(self) -> Any:
        return given(-self._host)

    def __invert__(self) -> Any:
        return given(~self._host)

    def __abs__(self) -> Any:
        return given(abs(self._host))


def _binary(name: str, function: Callable[[Any, Any], Any]) -> None:
    setattr(Frame, f"__{name}__", lambda self, other: given(function(self._host, operand(other))))
    reflected = lambda self, other: given(function(operand(other), self._host))  # noqa: E731
    setattr(Frame, f"__r{name}__", reflected)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _binary(_name, getattr(operator, _name))
for _name in ("and", "or", "xor"):
    _binary(_name, getattr(operator, f"__{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):  # reflected, they are each other
    _binary(_name, getattr(operator, _name))


class DataFrame(Frame):
    """A frame of the fake device, with the parameters of cuDF's."""

    __slots__ = ()

    def __init__(
        self,
        data: Any = None,
        index: Any = None,
        columns: Any = None,
        dtype: Any = None,
        copy: Any = None,
    ) -> None:
        if copy is not None:
            raise NotImplementedError("copy is not currently implemented.")
        self._hold(pd.DataFrame(made(data), made(index), made(columns), dtype))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._host)


class Series(Frame):
    """A column with an index."""

    __slots__ = ()

    def __init__(
        self,
        data: Any = None,
        index: Any = None,
        dtype: Any = None,
        name: Any = None,
        copy: bool = False,
    ) -> None:
        self._hold(pd.Series(made(data), made(index), dtype, name))

    def unique(self) -> Any:
        """Return the different values as a series."""
        host = self._host
        return given(pd.Series(host.unique(), dtype=host.dtype, name=host.name))


class Index(Frame):
    """Labels of rows."""

    __slots__ = ()

    def __init__(self, data: Any = None, dtype: Any = None, name: Any = None) -> None:
        self._hold(pd.Index(made(data), dtype=dtype, name=name))


class RangeIndex(Index):
    """Labels that count."""

    __slots__ = ()

    def __init__(self, start: Any, stop: Any = None, step: int = 1, name: Any = None) -> None:
        self._hold(pd.RangeIndex(start, stop, step, name=name))


class MultiIndex(Index):
    """Labels of several levels."""

    __slots__ = ()

    @staticmethod
    def from_arrays(arrays: Any, sortorder: Any = None, names: Any = None) -> Any:
        """Make one of its levels, row by row."""
        return given(pd.MultiIndex.from_arrays([made(each) for each in arrays], names=names))


class Handle:
    """What methods of frames give that is no frame: groups, windows, accessors, indexers."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def __getattr__(self, name: str) -> Any:
        if not has(self._host, name):
            raise AttributeError(f"{type(self._host).__name__} of cuDF has no {name!r}")
        return given(getattr(self._host, name))

    def __getitem__(self, key: Any) -> Any:
        return given(self._host[taken(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._host[taken(key)] = taken(value)


_KINDS: dict[type, type[Frame]] = {
    pd.RangeIndex: RangeIndex,
    pd.MultiIndex: MultiIndex,
    pd.Index: Index,
    pd.DataFrame: DataFrame,
    pd.Series: Series,
}
_TABLES: tuple[tuple[Any, str], ...] = (
    (pd.DataFrame, "DataFrame"),
    (pd.Series, "Series"),
    (pd.MultiIndex, "MultiIndex"),
    (pd.DatetimeIndex, "DatetimeIndex"),
    (pd.Index, "Index"),
    (DataFrameGroupBy, "DataFrameGroupBy"),
    (SeriesGroupBy, "SeriesGroupBy"),
    (Rolling, "Rolling"),
    (Resampler, "Resampler"),
    (pd.Series.str, "StringMethods"),
    (pd.Series.cat, "CategoricalAccessor"),
)
_HANDLES = (*(kind for kind, _ in _TABLES[5:]), Expanding, ExponentialMovingWindow)
_INDEXERS = ("_iLocIndexer", "_LocIndexer", "_AtIndexer", "_iAtIndexer")


def has(host: Any, name: str) -> bool:
    """Say whether cuDF has a name of an object of pandas."""
    if name.startswith("_"):
        return False
    table = next((text for kind, text in _TABLES if isinstance(host, kind)), "")
    if not table and _is_of_times(type(host)):
        table = "DatetimeProperties"
    of_index = isinstance(host, pd.Index) and name in CUDF_NAMES["Index"]
    return of_index or name in CUDF_NAMES.get(table, ())


def _is_of_times(kind: type) -> bool:
    return kind.__name__.endswith("Properties")


def given(value: Any) -> Any:
    """Return what stands on the device for a value of the host behind it."""
    for kind in type(value).__mro__:
        if kind in _KINDS:
            return _KINDS[kind].of(value)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return Call(make).device(value.copy())
    kind = type(value)
    if isinstance(value, _HANDLES) or kind.__name__ in _INDEXERS or _is_of_times(kind):
        return Handle(value)
    if callable(value) and not isinstance(value, type):
        return lambda *args, **kwargs: given(value(*map(taken, args), **taken(kwargs)))
    return type(value)(map(given, value)) if type(value) in (list, tuple) else value


def taken(value: Any) -> Any:
    """Return what lies behind arguments; labels may be the host's, data may not."""
    if isinstance(value, Frame | Handle | ndarray):
        return value._host
    if isinstance(value, _OF_HOST):
        raise TypeError(f"Unsupported type {type(value)}: it lies on the host")
    if type(value) in (list, tuple):
        return type(value)(map(taken, value))
    if type(value) is dict:
        return {key: taken(each) for key, each in value.items()}
    return value


def operand(value: Any) -> Any:
    """Return what lies behind an operand, which is no label."""
    if isinstance(value, pd.Index):
        raise TypeError(f"Unsupported type {type(value)}: it lies on the host")
    return taken(value)


def made(value: Any) -> Any:
    """Return what lies behind data of which something is made, which may be an array."""
    if isinstance(value, np.ndarray):
        TRANSFERS.count("asarray", value.nbytes)
        return value.copy()
    if type(value) is dict:
        return {key: made(each) for key, each in value.items()}
    return taken(value)


def nbytes_of(host: Any) -> int:
    """Bytes of an object of pandas."""
    used = host.memory_usage(deep=False)
    return int(used if isinstance(used, int) else used.sum())


def _unpickled(host: Any) -> Any:
    TRANSFERS.count("unpickle", nbytes_of(host))
    return given(host)
