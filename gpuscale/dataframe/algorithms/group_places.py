"""Where the rows of groups go: by the order of several keys, by where rows stood, and back.

Rows are packed into one frame for the way: the columns by their numbers, keys that are no columns,
and places, of which the number of the partition is the upper part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from gpuscale.dataframe.algorithms.columns import columns_of
from gpuscale.dataframe.algorithms.partitioning import Cut, cut_by, joined, sortable
from gpuscale.dataframe.algorithms.samples import samples_together
from gpuscale.dataframe.algorithms.texts import different_texts, is_text

__all__ = [
    "KeyCut",
    "KeySample",
    "Packing",
    "PlaceCut",
    "as_they_stood",
    "key_label",
    "places_of",
    "with_places",
]

_PLACE = "place"
_OFFSET = 40  # bits of the number of a row in its partition
_LOOKED_AT = 1 << 12  # rows of a partition that are sampled, at the least
_FEW = 4  # values, with each of which all others are compared


def key_label(number: int) -> str:
    """Name of the column of a key.

    Examples
    --------
    >>> key_label(0)
    'key0'
    """
    return f"key{number}"


# ------------------------------------------------------------------ by the order of keys


@dataclass(frozen=True)
class KeySample:
    """A blueprint: keys that divide all rows evenly, in the order of several columns.

    Parameters
    ----------
    keys : tuple of label
    parts : int
    few : int
        So many rows are not divided: they may well be in one partition.
    """

    keys: tuple[Any, ...]
    parts: int
    few: int = 0

    def chunk(self, frame: Any) -> Sampled:
        """Return the keys of some rows, the same ones each time, and for how many each stands."""
        kinds = tuple(_kinds_of(frame[key]) for key in self.keys)
        rows, most = len(frame), max(_LOOKED_AT, 64 * self.parts)
        if rows > most:
            frame = frame.take(np.random.default_rng(0).integers(0, rows, most))
        sample = pd.DataFrame({k: frame[key].array for k, key in enumerate(self.keys)})
        return sample, np.full(len(sample), rows / max(1, len(sample))), kinds

    def combine(self, partials: list[Sampled]) -> Sampled:
        """Put samples together."""
        kinds = zip(*(each for *_, each in partials), strict=True)
        together = samples_together([(sample, weights) for sample, weights, _ in partials])
        return *together, tuple(frozenset().union(*each) for each in kinds)

    def finalize(self, partial: Sampled) -> Any:
        """Return the keys at which parts begin, each once, in order; none where they have none."""
        sample, weights, kinds = partial
        has_order = all(len(each) <= 1 and each <= _ORDERED for each in kinds)
        if weights.sum() <= self.few or not len(sample) or not has_order:
            return sample.iloc[:0]
        order = sample.sort_values(list(sample.columns), kind="stable").index.to_numpy()
        below = np.cumsum(weights[order])
        wanted = below[-1] * np.arange(1, self.parts) / self.parts
        places = np.minimum(np.searchsorted(below, wanted, side="right"), len(order) - 1)
        return sample.iloc[order[places]].drop_duplicates(ignore_index=True)


Sampled = tuple[Any, Any, tuple[frozenset[str], ...]]
"""Keys of some rows, for how many each stands, and of which kinds all are that are objects."""

_ORDERED = frozenset(("string", "bytes", "date", "time", "datetime", "integer", "decimal"))


def _kinds_of(key: Any) -> frozenset[str]:
    if key.dtype != object:
        return frozenset()
    return frozenset((infer_dtype(key, skipna=True),)) - {"empty"}


@dataclass(frozen=True)
class KeyCut:
    """Cut a partition by where keys stand among some that divide them; nulls come last."""

    keys: tuple[Any, ...]
    count: int

    def __call__(self, frame: Any, dividing: Any) -> Cut:
        """Cut it."""
        keys = [frame[key] for key in self.keys]
        return cut_by(frame, parts_of(keys, dividing), self.count)


def parts_of(keys: Sequence[Any], dividing: Any) -> Any:
    """Return for each row how many of some dividing keys do not come after its own.

    Examples
    --------
    >>> dividing = pd.DataFrame({0: [1, 1], 1: ["b", "c"]})
    >>> parts_of([pd.Series([1, 1, 2]), pd.Series(["a", "b", "a"])], dividing).tolist()
    [0, 1, 2]
    """
    found = np.zeros(len(keys[0]), np.int64)
    # Those rows whose keys so far are those of a dividing one: the next key is asked of them alone.
    rows, ties = np.arange(len(found)), np.zeros(len(found), np.int64)
    of_dividing = np.zeros(len(dividing), np.int64)
    for number, key in enumerate(keys):
        if not len(rows) or not len(dividing):
            break
        column = dividing[number]
        distinct = column.dropna().drop_duplicates().sort_values()
        width = 2 * len(distinct) + 2
        count = (1 + int(of_dividing.max())) * width
        asked = key if len(rows) == len(key) else key.take(rows)
        ranks = ties * width + _among(asked, distinct)
        of_dividing = of_dividing * width + _among(column, distinct)
        different, again = np.unique(of_dividing, return_inverse=True)
        found[rows] = _each(partial(np.searchsorted, of_dividing, side="right"), ranks, count)
        ties = _each(partial(_places_in, different), ranks, count)
        tied = np.flatnonzero(ties >= 0)
        rows, ties, of_dividing = rows[tied], ties[tied], again
    return found


def _each(function: Callable[[Any], Any], numbers: Any, count: int) -> Any:
    """Ask something of whole numbers below a count, once of each that could be if these are few."""
    return function(np.arange(count))[numbers] if count < len(numbers) else function(numbers)


def _places_in(different: Any, numbers: Any) -> Any:
    """Return where numbers are among different ones in order, -1 where they are not."""
    places = np.minimum(np.searchsorted(different, numbers), len(different) - 1)
    return np.where(different[places] == numbers, places, -1)


def _among(values: Any, distinct: Any) -> Any:
    """Even numbers for what lies between some values, odd ones for these, the last for nulls."""
    if is_text(values) and len(values) > len(distinct):  # each different one is looked up once
        ids, first = different_texts(values) or _first_of(values)
        return _among_in_turn(values.take(first), distinct)[ids]
    return _among_in_turn(values, distinct)


def _first_of(texts: Any) -> tuple[Any, Any]:
    """Return what `different_texts` does, by a library."""
    ids, _ = pd.factorize(texts.array, use_na_sentinel=False)
    return ids, np.unique(ids, return_index=True)[1]


def _among_in_turn(values: Any, distinct: Any) -> Any:
    nulls = values.isna().to_numpy()
    found = np.full(len(values), 2 * len(distinct) + 1, np.int64)
    there, among = sortable(values[~nulls] if nulls.any() else values), sortable(distinct)
    if len(among) <= _FEW:
        places: Any = sum((there > each).view(np.int8) + (there >= each) for each in among)
    else:
        left = np.searchsorted(among, there)
        places = 2 * left + (among[np.minimum(left, len(among) - 1)] == there)
    found[... if len(there) == len(found) else ~nulls] = places
    return found


# ------------------------------------------------------------------ by where rows stood


def places_of(number: int, rows: int) -> Any:
    """Return where the rows of a partition stand among all.

    Examples
    --------
    >>> (places_of(3, 2) >> 40).tolist(), (places_of(3, 2) - (3 << 40)).tolist()
    ([3, 3], [0, 1])
    """
    return np.arange(rows) + (number << _OFFSET)


def with_places(table: Any, number: int) -> Any:
    """Return a partition with a column of where its rows stand."""
    return table.assign(**{_PLACE: places_of(number, len(table))})


@dataclass(frozen=True)
class PlaceCut:
    """Cut rows by the partitions in which they stood, of which there were some number.

    Parameters
    ----------
    before : int
        Partitions in which rows stood.
    count : int
        Those in which they will stand: as many, or fewer.
    """

    before: int
    count: int

    def __call__(self, table: Any) -> Cut:
        """Cut it."""
        numbers = table[_PLACE].to_numpy() >> _OFFSET
        return cut_by(table, numbers * self.count // self.before, self.count)


def as_they_stood(pieces: Sequence[Any]) -> Any:
    """Put pieces together in the order in which their rows stood."""
    table = joined(pieces)
    return table.take(np.argsort(table[_PLACE].to_numpy(), kind="stable"))


# ------------------------------------------------------------------ packed rows


@dataclass(frozen=True)
class Packing:
    """How rows of a frame or a series are packed for the way, with their keys, and unpacked.

    Parameters
    ----------
    like : pandas.DataFrame or pandas.Series
        Without rows.
    keys : tuple of label
        Names of the keys that go beside the columns.
    """

    like: Any
    keys: tuple[Any, ...] = ()

    def __call__(self, frame: Any, *keys_and_number: Any) -> Any:
        """Pack a partition; of keys that have other rows, those count that it has."""
        *keys, number = keys_and_number
        return self.packed(frame, _beside(frame, keys), places_of(number, len(frame)))

    def without_places(self, frame: Any, *keys: Any) -> Any:
        """Pack a partition whose rows may stand anywhere."""
        return self.packed(frame, _beside(frame, keys), None)

    def packed(self, frame: Any, keys: Sequence[Any], places: Any) -> Any:
        """Pack rows that have places, or none."""
        columns: dict[Any, Any] = dict(enumerate(columns_of(frame)))
        columns.update({key_label(k): key for k, key in enumerate(keys)})
        index = frame.index
        own: dict[Any, Any] = {  # with their dtypes, or else texts that are objects become texts
            name: pd.Series(each.array, index, each.dtype, copy=False)
            for name, each in columns.items()
        }
        if places is not None:
            own[_PLACE] = places
        return pd.DataFrame(own, index=index, copy=False)

    def unpacked(self, table: Any) -> tuple[Any, ...]:
        """Return the frame or the series, and its keys."""
        if isinstance(self.like, pd.Series):
            frame = table[0].rename(self.like.name)
        else:
            frame = table.iloc[:, : self.like.shape[1]]
            frame.columns = self.like.columns
        keys = (table[key_label(k)].rename(name) for k, name in enumerate(self.keys))
        return frame, *keys

    def rows(self, table: Any) -> Any:
        """Return the frame or the series alone."""
        return self.unpacked(table)[0]

    def places(self, table: Any) -> Any:
        """Return where the rows stood."""
        return table[_PLACE].to_numpy()


def _beside(frame: Any, keys: Sequence[Any]) -> list[Any]:
    """Return for each row of a frame its keys, of which there may be others."""
    index = frame.index
    return [key if key.index.equals(index) else key.reindex(index) for key in keys]
