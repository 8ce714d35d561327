"""Rows that have a whole number, by compiled loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.loops import are_worth_it, run

__all__ = ["Rows", "looked_up", "pays"]

Array = Any

_MODULE = "gpuscale.codegen.lookups_cpu"
_NEAR = 4
"""Slots of a table of all numbers in a range, for each row that is entered or looked up."""
_SAVED = 60
"""Additions that take as long as what the loops save beside a library, for each row."""
_LOOK_UP = Helper(
    _MODULE,
    "look_up",
    ("int64", "", "int64", "", "", "", "int32", "", "int32", "int64", "int64"),
)
_LIST_PAIRS = Helper(_MODULE, "list_pairs", ("int64", "", "int32", "int64", "int64"))


def pays(rows: int) -> bool:
    """Whether rows are looked up by kernels, or by a library until these are worth their making.

    Examples
    --------
    >>> pays(10)
    False
    """
    return are_worth_it((_LOOK_UP, _LIST_PAIRS), rows, _SAVED)


@dataclass(frozen=True)
class Rows:
    """Rows of the keys that values are.

    Attributes
    ----------
    first : array of int64
        For each value the first row that has it, or -1.
    following : array of int32, optional
        For each row the next one that has its key, or -1; None where each key is there once.
    missing : int
        Values that are no key.
    pairs : int
        Of a value and a row that has it.
    """

    first: Array
    following: Array | None
    missing: int
    pairs: int

    @classmethod
    def once(cls, first: Array) -> Rows:
        """Return rows of keys that are there once."""
        met = int(np.count_nonzero(first >= 0))
        return cls(first, None, len(first) - met, met)

    def listed(self) -> tuple[Array | None, Array]:
        """Return the values and the rows of all pairs: in the order of values, then of rows.

        None stands for all values in order, each of which has one row.
        """
        if self.following is None:
            if not self.missing:
                return None, self.first
            there = np.flatnonzero(self.first >= 0)
            return there, self.first[there]
        left, right = np.empty(self.pairs, np.int64), np.empty(self.pairs, np.int64)
        run(_LIST_PAIRS, self.first, len(self.first), self.following, left, right)
        return left, right


def looked_up(values: Array, keys: Array) -> Rows:
    """Find the rows of the keys that values are.

    Parameters
    ----------
    values, keys : array of int64
        Contiguous; fewer keys than 2**31, and one at least.

    Examples
    --------
    >>> left, right = looked_up(np.array([7, 5, 6]), np.array([5, 7, 5])).listed()
    >>> left.tolist(), right.tolist()
    ([0, 1, 1], [1, 0, 2])
    >>> looked_up(np.array([7, 5]), np.array([5, 7])).listed()
    (None, array([1, 0]))
    """
    low, high = int(keys.min()), int(keys.max())
    size = high - low + 1
    if size > _NEAR * (len(keys) + len(values)):
        size = 2 << len(keys).bit_length()  # of hashes, as that is not how many numbers there are
    table, following = np.full(size, -1, np.int32), np.empty(len(keys), np.int32)
    first, found = np.empty(len(values), np.int64), np.zeros(3, np.int64)
    words = (values, len(values), keys, len(keys), low, high, table, size, following)
    run(_LOOK_UP, *words, first, found)
    repeated, missing, pairs = found.tolist()
    return Rows(first, following if repeated else None, missing, pairs)
