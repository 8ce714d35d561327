"""Work on single partitions: functions of aligned ones, columns, rows, and new columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.columns import selected
from gpuscale.dataframe.inference import emptied, inferred, operands_of
from gpuscale.dataframe.nodes.moving import common_backend
from gpuscale.dataframe.undecided import (
    dtypes_in,
    is_undecided,
    loosened,
    others,
    otherwise_of,
    unlike,
)
from gpuscale.expr.frames import FrameMeta, ScalarMeta, unknown_rows
from gpuscale.expr.meta import GridMeta
from gpuscale.expr.node import Node

__all__ = ["Assign", "Filter", "Partwise", "Project", "Rows", "leading"]

Rows = Literal["same", "some", "new", "labels"]
"""What a function does to the index: leaves it, takes rows away in order, or makes another one.

"labels" is for an index itself: others for the very same rows, so that it can become a column.
"""


class Partwise(Node):
    """One function of aligned partitions, and of values that all of them share.

    Parameters
    ----------
    function : callable
        Named, so that other processes find it.
    args : tuple
        Nodes stand for their partitions; all else is given as it is.
    kwargs : tuple of (str, object)
        The same.
    label : str
    rows : {"same", "some", "new", "labels"}
        What becomes of the index. With "same" and "labels", the rows must stay, too.
    out : object of pandas, optional
        The result without rows, where the user has said it; found by calling the function else.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    label: str
    rows: Rows
    out: Any

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> GridMeta:
        result = self.out
        if result is None:
            result = inferred(self.function, self.args, self.kwargs)
        operands = operands_of(self.args, self.kwargs)
        first = leading(operands)
        common_backend(operands)
        if first is None:
            return ScalarMeta(result)
        meta = with_rows(first, emptied(result), self.rows, self.token)
        meta = replace(meta, otherwise=self._otherwise(meta, operands))
        return meta if first.sample is None else replace(meta, sample=result)

    def _otherwise(self, meta: FrameMeta, operands: Sequence[Node]) -> Any:
        """Return the dtypes that may come out instead; on devices nulls change none."""
        if meta.backend != FrameMeta.host or self.is_settled:
            return None
        call = self.function, self.args, self.kwargs
        found = others(*call, meta.frame, is_said=self.out is not None)
        if self.aligns(operands):
            found.append(loosened(dtypes_in(meta.frame)))
        return unlike(meta.frame, found)

    @property
    def is_settled(self) -> bool:
        """Whether the function makes all dtypes what is known beforehand."""
        return getattr(self.function, "settles", False)

    def aligns(self, operands: Sequence[Node]) -> bool:
        """Whether rows of the partitions have to be found by their labels, and may be missing."""
        if self.rows == "same" or hasattr(self.function, "outcomes"):
            return False
        metas = [each.meta for each in operands if isinstance(each.meta, FrameMeta)]
        most = max(meta.npartitions for meta in metas)
        return len({meta.layout for meta in metas if meta.npartitions == most}) > 1


class Project(Node):
    """Some columns of a frame in the order that is asked for, or one of them as a series."""

    x: Node
    columns: tuple[Any, ...]
    as_series: bool

    @property
    def name(self) -> str:
        return "getitem"

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        key = self.columns[0] if self.as_series else list(self.columns)
        frame = meta.frame[key] if self.as_series else selected(meta.frame, self.columns)
        return meta.of(frame, otherwise=self._otherwise(frame, key), full=self._full())

    def _full(self) -> tuple[bool, ...] | None:
        """Return which columns have no nulls."""
        meta: FrameMeta = self.x.meta
        if meta.full is None or meta.frame.columns.nlevels > 1:
            return None
        full = dict(zip(meta.frame.columns, meta.full, strict=True))
        return tuple(full[label] for label in self.columns)

    def _otherwise(self, frame: Any, key: Any) -> Any:
        """Return the dtypes that may be there instead, those of the columns."""
        meta: FrameMeta = self.x.meta
        if meta.otherwise is None:
            return None
        if not meta.frame.columns.is_unique or meta.frame.columns.nlevels > 1:
            return unlike(frame, [otherwise_of(meta)[key]])
        dtypes = dict(zip(meta.frame.columns, meta.otherwise, strict=True))
        return unlike(frame, [tuple(dtypes[label] for label in self.columns)])


class Filter(Node):
    """The rows of a frame, a series or an index for which an aligned series is true."""

    x: Node
    mask: Node

    @property
    def name(self) -> str:
        return "filter"

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        common_backend((self.x, self.mask))
        layout = tokenize("filter", meta.layout, self.mask)
        rows = unknown_rows(layout, meta.npartitions)
        known = {"otherwise": meta.otherwise, "full": meta.full}
        return meta.of(meta.frame, layout=layout, rows=rows, **known)


class Assign(Node):
    """A frame with some columns replaced or added, each by an aligned series or a value."""

    x: Node
    names: tuple[Any, ...]
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        return "assign"

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        common_backend(self.children)
        frame = emptied(inferred(assigned, (self.x, self.names, *self.values), ()))
        return meta.of(frame, otherwise=self._otherwise(frame), full=self._full(frame))

    def _full(self, frame: Any) -> tuple[bool, ...] | None:
        """Return which columns have no nulls, each column's by itself."""
        meta: FrameMeta = self.x.meta
        if meta.full is None or frame.columns.nlevels > 1 or not frame.columns.is_unique:
            return None
        full = dict(zip(meta.frame.columns, meta.full, strict=True))
        for name, value in zip(self.names, self.values, strict=True):
            full[name] = isinstance(value, Node) and (value.meta.full or (False,))[0]
        return tuple(full[label] for label in frame.columns)

    def _otherwise(self, frame: Any) -> Any:
        """Return the dtypes that may be there instead, each column's by itself."""
        if not any(map(is_undecided, self.children)):
            return None
        if not frame.columns.is_unique:
            args = (self.x, self.names, *self.values)
            return unlike(frame, others(assigned, args, (), frame))
        meta = self.x.meta
        other = dict(frame.dtypes)
        if meta.otherwise is not None:
            other |= dict(zip(meta.frame.columns, meta.otherwise, strict=True))
        for name, value in zip(self.names, self.values, strict=True):
            is_open = isinstance(value, Node) and is_undecided(value)
            other[name] = value.meta.otherwise[0] if is_open else frame[name].dtype
        return unlike(frame, [tuple(other[label] for label in frame.columns)])


def assigned(frame: Any, names: Sequence[Any], *values: Any) -> Any:
    """Return a frame with some columns replaced or added."""
    new = frame.copy(deep=False)
    for name, value in zip(names, values, strict=True):
        new[name] = value
    return new


def leading(nodes: Sequence[Node]) -> FrameMeta | None:
    """Return the frame whose partitions and rows work on some nodes follows."""
    metas = [node.meta for node in nodes if isinstance(node.meta, FrameMeta)]
    return max(metas, key=lambda meta: meta.npartitions, default=None)


def with_rows(meta: FrameMeta, frame: Any, rows: Rows, token: str) -> FrameMeta:
    """Return what is known of a result whose partitions come of those of another frame."""
    if rows == "same":
        return meta.of(frame)
    if rows == "labels":
        return meta.of(frame, divisions=None)
    unknown = unknown_rows(token, meta.npartitions)
    divisions = meta.divisions if rows == "some" else None
    return meta.of(frame, layout=token, rows=unknown, divisions=divisions)
