"""Merges of two partitions, or of all that there is: which keys, and which columns they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.dataframe.algorithms.exploding import check_size
from gpuscale.dataframe.algorithms.matching import merged_by_numbers, without_strangers
from gpuscale.dataframe.algorithms.partitioning import Index
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.minding import minds_columns
from gpuscale.dataframe.undecided import otherwise_of, undecided_labels, with_dtypes
from gpuscale.expr.frames import FrameMeta

__all__ = ["DROPS", "Merge"]

_ONE_EACH = ("left_anti", "right_anti", "leftsemi")  # of which no row comes more than once

DROPS = {"inner": ("left", "right"), "left": ("right",), "right": ("left",)}
"""Of which frames rows that meet none of the other are not in the result."""


_KEEPS_LEFT = ("left", "outer", "left_anti")  # where rows may meet none of the right frame
_KEEPS_RIGHT = ("right", "outer", "right_anti")

_REMEMBERED = 256
_TEMPLATES: dict[tuple[Merge, str, str, str], list[Any]] = {}


@dataclass(frozen=True)
class Merge:
    """What ``pandas.merge`` takes, and a call of it.

    The result may have some of its columns alone.
    """

    how: str = "inner"
    on: Any = None
    left_on: Any = None
    right_on: Any = None
    left_index: bool = False
    right_index: bool = False
    sort: bool = False
    suffixes: Any = ("_x", "_y")
    indicator: Any = False
    validate: str | None = None
    columns: tuple[Any, ...] | None = None

    def __call__(self, left: Any, right: Any) -> Any:
        """Merge two partitions, or all that there is."""
        numbers = self._numbers(left, right)
        if len(numbers) == 1 and self.how != "right" and not self.sort and not self.indicator:
            merged = merged_by_numbers(left, right, *numbers[0], self.how, self.columns)
            if merged is not None:
                return merged
        merged = self._by_pandas(left, right, numbers)
        return merged if self.columns is None else merged[list(self.columns)]

    def _by_pandas(self, left: Any, right: Any, numbers: list[tuple[Any, Any]]) -> Any:
        if numbers and "left" in DROPS[self.how]:
            left = without_strangers(left, *numbers[0], right)
        if numbers and "right" in DROPS[self.how]:
            right = without_strangers(right, *numbers[0][::-1], left)
        if self.how not in _ONE_EACH:
            keys = ([], []) if self.how == "cross" else self.keys(left, right)
            check_size(left, right, *keys)
        return frame_namespace(left).merge(left, right, **self.options)

    def _numbers(self, left: Any, right: Any) -> list[tuple[Any, Any]]:
        """Pairs of columns that are compared, if a look at them may tell which rows meet none."""
        if self.left_index or self.right_index or self.validate or self.how not in DROPS:
            return []
        pairs = list(zip(*self.keys(left, right), strict=True))
        return [] if any(isinstance(each, Index) for pair in pairs for each in pair) else pairs

    @property
    def options(self) -> dict[str, Any]:
        """As pandas takes them."""
        return {
            name: list(value) if isinstance(value, tuple) and name != "suffixes" else value
            for name, value in vars(self).items()
            if name != "columns"
        }

    def reads_only(self, label: Any, k: int, frames: Sequence[Any]) -> bool:
        """Whether a column of one of two frames is the key, by its values, and not in the result.

        Then it may be there as categories, too.
        """
        pairs = self._numbers(*frames)
        if self.columns is None or len(pairs) != 1 or pairs[0][k] != label:
            return False
        return not {label, *(f"{label}{end}" for end in self.suffixes)} & {*self.columns}

    def keys(self, left: Any, right: Any) -> tuple[list[Any], list[Any]]:
        """Return what is compared, of each frame: labels, or `Index`."""
        shared = self.on
        if shared is None and not self._says_keys:
            shared = tuple(label for label in left.columns if label in right.columns)
        mine = _keys(left, self.left_on if shared is None else shared, self.left_index)
        theirs = _keys(right, self.right_on if shared is None else shared, self.right_index)
        return mine, theirs

    def template(self, left: Any, right: Any) -> Any:
        """Return what comes of two nodes, without rows; contradictions are raised here.

        Plans are made anew with each call of `compute`, of the same merges: these are remembered.
        """
        found = self._remembered(
            "", left, right, lambda: [self._of(*self._planned(left.meta, right.meta))]
        )
        return found[0]

    def outcomes(self, left: Any, right: Any) -> list[Any]:
        """Return what else may come of two nodes, where rows of a side meet none, without rows."""
        return self._remembered("otherwise", left, right, lambda: self._others(left, right))

    def _others(self, left: Any, right: Any) -> list[Any]:
        metas = left.meta, right.meta
        frames = self._planned(*metas)
        found = []
        if any(meta.otherwise is not None for meta in metas):
            try:
                found.append(self._of(*map(otherwise_of, metas)))
            except (TypeError, ValueError):  # not both keys may come out so: one may, or none
                found.append(_any_of(self._of(*frames), metas))
        alone = [(1, 0)] if self.how in _KEEPS_LEFT else []
        alone += [(0, 1)] if self.how in _KEEPS_RIGHT else []
        return [*found, *(self._of(*frames, rows) for rows in alone)]

    def _planned(self, left: FrameMeta, right: FrameMeta) -> tuple[Any, Any]:
        """Return two frames as they are planned; of keys that do not agree, data may decide one."""
        frames = left.frame, right.frame
        keys = ([], []) if self.how == "cross" else self.keys(*frames)
        if not any(map(minds_columns, (left, right), keys)):
            return frames
        try:
            self._of(*frames)
        except (TypeError, ValueError):
            return _agreeing(left, right, list(zip(*keys, strict=True)))
        return frames

    def _of(self, left: Any, right: Any, rows: tuple[int, int] = (1, 1)) -> Any:
        """Return what comes of made-up rows, without them."""
        return emptied(self(nonempty(left, rows[0]), nonempty(right, rows[1])))

    def _remembered(
        self, asked: str, left: Any, right: Any, make: Callable[[], list[Any]]
    ) -> list[Any]:
        key = self, asked, left.meta.token, right.meta.token
        found = _TEMPLATES.get(key)
        if found is None:
            if len(_TEMPLATES) >= _REMEMBERED:
                _TEMPLATES.clear()
            found = _TEMPLATES[key] = make()
        return found

    def minds(self, metas: Sequence[FrameMeta]) -> bool:
        """Whether partitions have keys of several dtypes; all other columns are passed on."""
        keys = ([], []) if self.how == "cross" else self.keys(*(meta.frame for meta in metas))
        return any(map(minds_columns, metas, keys))

    def wants(self, left: Any, right: Any, wanted: Any) -> tuple[Any, Any]:
        """Return the columns of both nodes that some columns of the result need.

        A column that both have, and that is no key, is kept in both: its name gets a suffix.
        """
        if wanted is None:
            return None, None
        frames = left.meta.frame, right.meta.frame
        keys = [
            {label for label in labels if not isinstance(label, Index)}
            for labels in self.keys(*frames)
        ]
        both = {label for label in frames[0].columns if label in frames[1].columns}
        named = {
            label
            for label in both
            if label in wanted or any(f"{label}{end}" in wanted for end in self.suffixes)
        }
        sides = [
            frozenset(keys[k] | named | {c for c in frames[k].columns if c in wanted})
            for k in (0, 1)
        ]
        return sides[0], sides[1]

    @property
    def _says_keys(self) -> bool:
        named = self.left_on is not None or self.right_on is not None
        return named or self.left_index or self.right_index


def _agreeing(left: FrameMeta, right: FrameMeta, pairs: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Return two frames, of which keys whose dtypes data decide have those of the other frame."""
    frames = left.frame, right.frame
    new: list[dict[Any, Any]] = [{}, {}]
    for pair in pairs:
        if any(isinstance(label, Index) for label in pair):
            continue
        opened = [
            minds_columns(meta, [label]) for meta, label in zip((left, right), pair, strict=True)
        ]
        k = 1 if opened[1] else 0
        if opened[k]:
            new[k][pair[k]] = frames[1 - k][pair[1 - k]].dtype
    found = [
        with_dtypes(frame, [given.get(label, dtype) for label, dtype in frame.dtypes.items()])
        for frame, given in zip(frames, new, strict=True)
    ]
    return found[0], found[1]


def _any_of(result: Any, metas: Sequence[FrameMeta]) -> Any:
    """Return a result in which columns may hold anything of whose dtypes data decide."""
    unsure = {label for meta in metas if meta.otherwise for label in undecided_labels(meta)}
    dtypes = result.dtypes.items()
    return with_dtypes(result, [np.dtype(object) if k in unsure else d for k, d in dtypes])


def _keys(frame: Any, labels: Any, by_index: bool) -> list[Any]:
    if by_index:
        return [Index(level) for level in range(frame.index.nlevels)]
    listed = list(labels) if isinstance(labels, list | tuple) else [labels]
    has_columns = hasattr(frame, "columns")
    return [
        Index(each) if not has_columns or each not in frame.columns else each for each in listed
    ]
