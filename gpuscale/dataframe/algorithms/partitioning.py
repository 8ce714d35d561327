"""Where rows go: by the hash of their keys, or by where keys stand in an order.

Equal keys go to the same partition, whatever their dtypes: those of two frames meet, where these
are joined. Rows that go to one partition keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace, key_hashes, places_among
from gpuscale.backends.seams import (
    array_namespace,
    backend_name,
    from_host,
    nbytes,
    on_device,
    owns_memory,
    to_host,
)
from gpuscale.backends.transfer import to_device
from gpuscale.codegen.scatter import hashed, ordered, pays
from gpuscale.dataframe.algorithms.columns import concat, is_frame, worth_joining
from gpuscale.memory.parts import Parts

__all__ = [
    "Cut",
    "HashCut",
    "Index",
    "RangeCut",
    "codes_of_hashes",
    "cut_by",
    "joined",
    "key_of",
    "sortable",
]


@dataclass(frozen=True, eq=False)
class Cut(Parts):
    """Rows in the order of new partitions, and where each of these ends.

    Parts are those rows that go to one of the new partitions, which may be a view.
    """

    rows: Any
    ends: Any

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return int(nbytes(self.rows))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> Any:
        start = int(self.ends[number - 1]) if number else 0
        return self.rows.iloc[start : int(self.ends[number])]

    def between(self, number: int, start: int, stop: int) -> Any:
        """Return rows of a part, which may be a view."""
        return self[number].iloc[start:stop]

    @classmethod
    def of(cls, parts: Sequence[Any]) -> Cut:
        """Put parts together again."""
        return cls(concat(parts), np.cumsum(list(map(len, parts))))


@backend_name.register(Cut)
def _backend_of_rows(cut: Cut) -> str:
    return backend_name(cut.rows)


@on_device.register(Cut)
def _on_device(cut: Cut) -> bool:
    return on_device(cut.rows)


@owns_memory.register(Cut)
def _owns_memory(cut: Cut) -> bool:
    return owns_memory(cut.rows)


@to_host.register(Cut)
def _to_host(cut: Cut) -> Cut:
    return Cut(to_host(cut.rows), cut.ends)


@from_host.register(Cut)
def _from_host(cut: Cut, backend: str) -> Cut:
    return Cut(from_host(cut.rows, backend), cut.ends)


@nbytes.register(Cut)
def _nbytes(cut: Cut) -> int:
    return cut.nbytes


class Index(NamedTuple):
    """Stands for a level of the index among keys."""

    level: Any = 0


def key_of(frame: Any, key: Any) -> Any:
    """Return a column, or a level of the index, as an array; a series is its only column.

    Examples
    --------
    >>> key_of(pd.DataFrame({"x": [1, 2]}, index=[3, 4]), Index()).tolist()
    [3, 4]
    """
    if isinstance(key, Index):
        return frame.index.get_level_values(key.level)
    return frame[key] if is_frame(frame) else frame


def cut_by(frame: Any, codes: Any, count: int) -> Cut:
    """Put rows in the order of their new partitions.

    Raises
    ------
    AssertionError
        If a row would be lost.
    """
    assert len(codes) == len(frame), "a row was lost"
    order, ends = _in_order(codes, count)
    assert ends[-1] == len(codes) == len(order) and len(ends) == count, "a row was lost"
    return Cut(frame.take(order), ends)


def _in_order(codes: Any, count: int) -> tuple[Any, Any]:
    """Return rows in the order of their codes, and where those of each code end."""
    xp = array_namespace(codes)
    if xp is np and codes.dtype == np.int64 and pays(len(codes), "ordered"):
        return ordered(codes, count)
    ends = np.cumsum(to_host(xp.bincount(codes, minlength=count)))
    small = codes.astype(np.uint16) if count < 2**16 else codes  # which NumPy sorts by radix
    return xp.argsort(small, kind="stable"), ends


def joined(pieces: Sequence[Any]) -> Any:
    """Put pieces together, all of their rows."""
    filled = worth_joining(pieces)
    # One alone is copied, or else it keeps alive all that it is a view of.
    whole = concat(filled) if len(filled) > 1 else filled[0].copy()
    assert len(whole) == sum(map(len, pieces)), "a row was lost"
    return whole


# ------------------------------------------------------------------ by hash


@dataclass(frozen=True)
class HashCut:
    """Cut a partition by the hashes of some keys."""

    keys: tuple[Any, ...]
    count: int

    @property
    def labels(self) -> frozenset[Any]:
        """Columns that it looks at."""
        return frozenset(key for key in self.keys if not isinstance(key, Index))

    def __call__(self, frame: Any) -> Cut:
        """Cut it."""
        values = [key_of(frame, key) for key in self.keys]
        return cut_by(frame, codes_of_hashes(values, self.count), self.count)


def codes_of_hashes(keys: Sequence[Any], count: int) -> Any:
    """Return a number below a count for each row: the same for the same keys.

    Examples
    --------
    >>> whole, half = pd.Series([1, 2, 3]), pd.Series([3.0, 2.0])
    >>> codes_of_hashes([whole], 7)[::-1][:2].tolist() == codes_of_hashes([half], 7).tolist()
    True
    """
    if len(keys) == 1 and _is_plain(keys[0]) and pays(len(keys[0]), "hashed"):
        return hashed(_comparable(keys[0]), count)
    total: Any = np.uint64(0)
    for key in keys:
        total = total * np.uint64(1_000_003) + key_hashes(key)
    total ^= total >> np.uint64(32)
    return (total % np.uint64(count)).astype(np.int64)


@key_hashes.register(pd.DataFrame, pd.Series, pd.Index)
def _hashes(key: Any) -> Any:
    """Hash values, those that are equal alike, though their dtypes differ."""
    dtype = key.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categorical = pd.Categorical(key)
        of_categories = np.append(_hashes(categorical.categories), _hash_of_null())
        return of_categories[categorical.codes]
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        return pd.util.hash_array(_comparable(key))
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return _of_times(pd.Series(key))
    return _of_objects(key)


def _is_plain(key: Any) -> bool:
    """Whether a key is of numbers of NumPy."""
    is_one = isinstance(key, pd.Series | pd.Index) and not on_device(key)
    return is_one and isinstance(key.dtype, np.dtype) and key.dtype.kind in "biuf"


def _comparable(key: Any) -> Any:
    """Return numbers as floating point, those that are equal with the same bits."""
    numbers = pd.Series(key).to_numpy(dtype=np.float64, na_value=np.nan)
    if isinstance(key.dtype, np.dtype) and key.dtype.kind in "biu":
        return numbers
    numbers = numbers + 0.0  # no zero has a sign
    numbers[np.isnan(numbers)] = np.nan  # of which there are many
    return numbers


def _hash_of_null() -> Any:
    return pd.util.hash_array(np.array([np.nan]))


def _of_times(times: Any) -> Any:
    if isinstance(times.dtype, pd.ArrowDtype):
        times = times.astype(times.dtype.numpy_dtype)
    accessor = times.dt
    found = pd.util.hash_array(accessor.as_unit("us").astype("int64").to_numpy().astype(np.float64))
    found[times.isna().to_numpy()] = _hash_of_null()
    return found


def _of_objects(key: Any) -> Any:
    """Hash texts and other objects, each different one once."""
    codes, values = pd.factorize(pd.Series(key).array)
    objects = np.asarray(values, dtype=object)
    if pd.api.types.infer_dtype(objects, skipna=True) in ("string", "empty"):
        found = pd.util.hash_array(objects, categorize=False)
    else:
        found = np.array([_of_object(each) for each in objects], dtype=np.uint64)
    return np.append(found, _hash_of_null())[codes]


def _of_object(value: Any) -> int:
    if isinstance(value, str):
        return int(pd.util.hash_array(np.array([value], dtype=object))[0])
    if isinstance(value, frozenset):  # whose order differs between processes
        return sum(map(_of_object, value)) % 2**64
    if isinstance(value, tuple):  # equal to one of other numbers
        return sum(k * _of_object(each) for k, each in enumerate(value, 1)) % 2**64
    if isinstance(value, datetime):
        value = pd.Timestamp(value)
        value = value.tz_convert("UTC") if value.tz else value
    if type(value).__repr__ is object.__repr__:
        raise TypeError(
            f"a {type(value).__name__} has no hash that is the same in all processes; make a key "
            "of text or numbers of it"
        )
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return int(pd.util.hash_array(np.array([repr(value)], dtype=object))[0])
    return int(pd.util.hash_array(np.array([number + 0.0]))[0])


# ------------------------------------------------------------------ by order


@dataclass(frozen=True)
class RangeCut:
    """Cut a partition by where the values of a key stand among some that divide them.

    Parameters
    ----------
    key : label or Index
    count : int
    ascending : bool
    nulls_last : bool
    function : callable, optional
        Applied to the key before.
    """

    key: Any
    count: int
    ascending: bool = True
    nulls_last: bool = True
    function: Any = None

    @property
    def labels(self) -> frozenset[Any]:
        """Columns that it looks at."""
        return frozenset() if isinstance(self.key, Index) else frozenset([self.key])

    def __call__(self, frame: Any, dividing: Any) -> Cut:
        """Cut it; dividing values are a series in ascending order."""
        values = key_of(frame, self.key)
        if self.function is not None:
            values = self.function(values)
        values = frame_namespace(values).Series(values)
        dividing = to_device(dividing, backend_name(values))
        return cut_by(frame, self.codes(values, dividing), self.count)

    def codes(self, values: Any, dividing: Any) -> Any:
        """Return the number of the new partition of each row."""
        nulls = values.isna().values
        found = array_namespace(nulls).zeros(len(values), dtype=np.int64)
        if len(dividing):
            found[~nulls] = places_among(dividing, values[~nulls])
        if not self.ascending:
            found = len(dividing) - found
        found[nulls] = self.count - 1 if self.nulls_last else 0
        return found


@places_among.register(pd.Series)
def _places_among(dividing: Any, values: Any) -> Any:
    return np.searchsorted(sortable(dividing), sortable(values), side="right")


def sortable(values: Any) -> Any:
    """Return an array that NumPy searches; of categories the codes, of texts objects."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        if getattr(values.dt, "tz", None) is not None:
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        return values.to_numpy()
    return values.to_numpy()
