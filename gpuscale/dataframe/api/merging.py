"""Rows of two frames by what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.nearest import nearest_told
from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api.columns import nearest
from gpuscale.dataframe.api.creating import from_pandas
from gpuscale.dataframe.api.repartition import by_number
from gpuscale.dataframe.api.shuffling import shuffled
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.estimates import likely_nbytes
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.methods import attribute
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.engines.base import planned_for_default
from gpuscale.expr.node import Node
from gpuscale.memory.limits import chunk_bytes

__all__ = ["merge", "merge_asof"]

SMALL = 32 << 20
"""A frame that is not larger by projection goes whole to all partitions of the other, if it has
room beside these in the memory of a worker."""

_SURELY = 8  # times as large it may be, if filters leave all of it

# With these the frame that goes everywhere adds no rows of its own.
_RIGHT_EVERYWHERE = ("inner", "left", "cross", "left_anti", "leftsemi")
_LEFT_EVERYWHERE = ("inner", "right", "cross", "right_anti")


def merge(
    left: Any,
    right: Any,
    how: str = "inner",
    on: Any = None,
    left_on: Any = None,
    right_on: Any = None,
    left_index: bool = False,
    right_index: bool = False,
    sort: bool = False,
    suffixes: Sequence[str | None] = ("_x", "_y"),
    indicator: bool | str = False,
    validate: str | None = None,
    *,
    npartitions: int | None = None,
    broadcast: bool | None = None,
    shuffle_method: Any = None,
) -> Any:
    """Join rows of two frames by columns or indexes; see `pandas.merge`.

    A small frame goes whole to each partition of the other, whose rows keep their order; two small
    ones meet in one task where that would not do, as for ``how="outer"``. Otherwise
    both are shuffled by the hash of their keys: the rows are those of pandas, in the order of
    partitions, each in pandas' order. Where pandas numbers the rows, each partition has numbers
    of its own; ``reset_index(drop=True)`` numbers them all. Of a side whose rows meet none of the
    other, which was filtered, few are shuffled: ``explain`` says ``with-known-keys``. Where files
    say that whole numbers which are the key come in order of partitions, on both sides, these are
    cut at the same keys, and nothing is hashed: ``in-order``.

    Parameters
    ----------
    left, right : DataFrame or Series
        Of gpuscale, and one of them may be of pandas.
    how, on, left_on, right_on, left_index, right_index, sort, suffixes, indicator, validate
        As pandas has them; keys are labels.
    npartitions : int, optional
        Of a shuffle; by default as many as the frame that has more.
    broadcast : bool, optional
        Whether the smaller frame goes to all partitions of the other; by default where it is
        projected to take 32 MiB or less, or likely to after filters, by what files note of columns.
        Where workers have little memory it is a sixteenth of that, for each thread.
    shuffle_method : object, optional
        Means nothing here; dask has it.

    Raises
    ------
    KeyError
        If there is no such column; the nearest is named.
    pandas.errors.MergeError
        If keys are contradictory, or ``validate`` finds what it looks for.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> left = gd.from_pandas(pd.DataFrame({"k": [1, 2, 3], "x": [4, 5, 6]}), npartitions=2)
    >>> left.merge(pd.DataFrame({"k": [3, 1], "y": [7, 8]}), on="k").compute()
       k  x  y
    0  1  4  8
    0  3  6  7
    """
    left, right = _frames(left, right)
    call = Merge(
        how,
        _labels(on),
        _labels(left_on),
        _labels(right_on),
        left_index=left_index,
        right_index=right_index,
        suffixes=tuple(suffixes),
        indicator=indicator,
        validate=validate,
    )
    _check_labels(call, left, right)
    out = call.template(left.expr, right.expr)
    nodes = _brought_together(call, left, right, npartitions, broadcast)
    if sort and nodes[0].meta.npartitions == nodes[1].meta.npartitions == 1:
        call, sort = replace(call, sort=True), False
    result = wrap(Partwise(call, nodes, (), f"merge-{how}", "new", out))
    return result.sort_values(_sorted_by(call)) if sort else result


def _frames(left: Any, right: Any) -> tuple[Any, Any]:
    found = []
    for each in (left, right):
        if isinstance(each, pd.DataFrame | pd.Series):
            each = from_pandas(each, npartitions=1)
        if not isinstance(each, Frame):
            raise TypeError(f"merge takes frames, not {type(each).__name__}")
        if each.ndim == 1:
            if each.name is None:
                raise ValueError("Cannot merge a Series without a name")
            each = each.to_frame()  # type: ignore[attr-defined]
        found.append(each)
    return found[0], found[1]


def _check_labels(call: Merge, left: Any, right: Any) -> None:
    for side, frame, labels in (
        ("left", left, call.on),
        ("right", right, call.on),
        ("left", left, call.left_on),
        ("right", right, call.right_on),
    ):
        for label in labels if isinstance(labels, tuple) else [labels]:
            if isinstance(label, Frame) or pd.api.types.is_list_like(label):
                raise TypeError(
                    "keys of a merge are labels; give a series a column by assign(key=...) before"
                )
            known = label in frame.columns or label in frame._meta.index.names
            if label is not None and not known:
                raise KeyError(f"{label}: not in the {side} frame{nearest(frame, label)}")


def _sorted_by(call: Merge) -> list[Any]:
    if call.on is None:
        raise NotSupportedError("sort=True of a merge without on=; sort_values the result")
    return list(call.on) if isinstance(call.on, tuple) else [call.on]


def _labels(labels: Any) -> Any:
    return tuple(labels) if isinstance(labels, list) else labels


def _brought_together(
    call: Merge, left: Any, right: Any, npartitions: int | None, broadcast: bool | None
) -> tuple[Node, Node]:
    """Return frames of which partitions of one number have all the rows that meet."""
    if left.npartitions == right.npartitions == 1:
        return left.expr, right.expr
    small = _most(left)
    everywhere = _goes_everywhere(call, left, right, broadcast, small)
    if everywhere == "right":
        return left.expr, by_number(right.expr, 1)
    if everywhere == "left":
        return by_number(left.expr, 1), right.expr
    if call.how == "cross":
        return left.expr, by_number(right.expr, 1)
    if call.left_index and call.right_index and left.known_divisions and right.known_divisions:
        (one, other), _ = aligned([left.expr, right.expr])
        return one, other
    if broadcast is None and npartitions is None and max(_sizes(left, right, small)) <= small:
        return by_number(left.expr, 1), by_number(right.expr, 1)
    mine, theirs = call.keys(left._meta, right._meta)
    count = npartitions or max(left.npartitions, right.npartitions)
    return shuffled(left.expr, mine, count), shuffled(right.expr, theirs, count)


def _most(frame: Any) -> int:
    """Bytes up to which a frame is small."""
    with planned_for_default():
        return chunk_bytes(frame.expr.meta.backend, SMALL)


def _goes_everywhere(
    call: Merge, left: Any, right: Any, broadcast: bool | None, small: int
) -> str | None:
    """Which frame goes whole to all partitions of the other: a small one, or the smaller one."""
    if broadcast is False:
        return None
    sizes = dict(zip(("left", "right"), _sizes(left, right, small), strict=True))
    may = {
        "right": call.how in _RIGHT_EVERYWHERE and call.validate in (None, "m:1", "many_to_one"),
        "left": call.how in _LEFT_EVERYWHERE and call.validate in (None, "1:m", "one_to_many"),
    }
    # Rows come in the order of the left frame in pandas, and so they do where the right one moves.
    for side in sorted(sizes, key=lambda side: (max(sizes[side], small), side == "left")):
        frame = left if side == "left" else right
        is_small = broadcast or frame.npartitions == 1 or sizes[side] <= small
        if may[side] and is_small:
            return side
    return None


def _sizes(left: Any, right: Any, small: int) -> list[int]:
    """Bytes that frames are likely to have, unless they may be much larger than is small."""
    nodes = [left.expr, right.expr]
    return [
        likely_nbytes([node]) if node.meta.nbytes <= _SURELY * small else node.meta.nbytes
        for node in nodes
    ]


def join(left: Any, other: Any, on: Any, how: str, suffixes: Any, sort: bool, validate: Any) -> Any:
    """Join columns of other frames by their index; see `DataFrame.join`."""
    if isinstance(other, list | tuple):
        if on is not None:
            raise ValueError("Joining multiple DataFrames only supported for joining on index")
        for each in other:
            left = join(left, each, None, how, suffixes, sort, validate)
        return left
    return merge(
        left,
        other,
        how,
        left_on=on,
        left_index=on is None,
        right_index=True,
        suffixes=tuple(each or None for each in suffixes),
        sort=sort,
        validate=validate,
    )


@dataclass(frozen=True)
class MergeAsOf:
    """A call of ``pandas.merge_asof``."""

    options: tuple[tuple[str, Any], ...]

    def outcomes(self, left: Node, right: Node) -> list[Any]:
        """Return what else may come of two nodes, where rows meet none, without rows."""
        return [emptied(self(nonempty(left.meta.frame, 1), right.meta.frame))]

    def __call__(self, left: Any, right: Any) -> Any:
        """Merge a partition with all of the other frame."""
        return attribute(frame_namespace(left), "merge_asof")(left, right, **dict(self.options))


def merge_asof(left: Any, right: Any, **options: Any) -> Any:
    """Join each row with the nearest one of another frame; see `pandas.merge_asof`.

    Both are sorted by the key; the right one goes whole to each partition of the left one.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> trades = gd.from_pandas(pd.DataFrame({"t": [1, 5, 9], "n": [1, 2, 3]}), npartitions=2)
    >>> prices = pd.DataFrame({"t": [0, 4, 8], "price": [7.0, 8.0, 9.0]})
    >>> gd.merge_asof(trades, prices, on="t").compute().price.tolist()
    [7.0, 8.0, 9.0]
    """
    left, right = _frames(left, right)
    call = MergeAsOf(tuple(options.items()))
    with nearest_told([*left.columns, *right.columns]):
        out = emptied(call(nonempty(left._meta, 1), nonempty(right._meta, 1)))
    rows: Any = "new" if options.get("on") or options.get("left_on") else "same"
    return wrap(Partwise(call, (left.expr, by_number(right.expr, 1)), (), "merge_asof", rows, out))
