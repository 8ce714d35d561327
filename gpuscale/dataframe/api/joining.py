"""Frames one after the other, and side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device
from gpuscale.dataframe.algorithms.columns import concat as concat_partitions
from gpuscale.dataframe.api.creating import from_pandas
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.minding import passes_on
from gpuscale.dataframe.nodes.regroup import Regroup

__all__ = ["concat"]


def concat(
    dfs: Any,
    axis: int | str = 0,
    join: str = "outer",
    ignore_index: bool = False,
    keys: Any = None,
    names: Any = None,
    ignore_unknown_divisions: bool = False,
    ignore_order: bool = False,
    interleave_partitions: bool = False,
) -> Any:
    """Put frames one after the other, or side by side; see `pandas.concat`.

    Parameters
    ----------
    dfs : sequence or mapping of DataFrame and Series
        Those of pandas may be among them. Of a mapping, the keys are ``keys``.
    axis : {0, "index", 1, "columns"}
        Side by side, rows are aligned by their labels; where these differ, rows of several
        partitions come in the order of their labels.
    join : {"outer", "inner"}
        Which columns (rows, side by side) are there in the end.
    ignore_index : bool
        Number the rows (columns, side by side) anew.
    keys, names : sequence, optional
        Labels of another level of the index in front, one for each frame, and names of levels.
    ignore_unknown_divisions, ignore_order, interleave_partitions : bool
        As dask has them: rows are always in the order of pandas.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2)
    >>> gd.concat([df, df]).x.compute().tolist()
    [1, 2, 1, 2]
    """
    if isinstance(dfs, Mapping):
        keys, dfs = list(dfs) if keys is None else keys, list(dfs.values())
    if isinstance(dfs, Frame | pd.DataFrame | pd.Series) or not isinstance(dfs, Iterable):
        raise TypeError("concat takes a sequence or a mapping of frames, not one")
    frames = [_collection(each) for each in dfs if each is not None]
    if not frames:
        raise ValueError("there is nothing to put together")
    if axis in (1, "columns"):
        options = {"join": join, "ignore_index": ignore_index, "keys": keys, "names": names}
        options["sort"] = any(frame.npartitions > 1 for frame in frames) or None
        function = SideBySide(tuple((k, v) for k, v in options.items() if v is not None))
        return call(function, frames, label="concat")
    if axis not in (0, "index"):
        raise ValueError(f"axis is 0 or 1, not {axis!r}")
    if keys is not None:
        frames = _keyed(frames, list(keys), names)
    result = _one_after_the_other(frames, join)
    return result.reset_index(drop=True) if ignore_index else result


def _collection(frame: Any) -> Any:
    if isinstance(frame, pd.DataFrame | pd.Series):
        return from_pandas(frame, npartitions=1)
    if not isinstance(frame, Frame) or isinstance(frame._meta, pd.Index):
        raise TypeError(f"concat takes frames and series, not {type(frame).__name__}")
    return frame


@passes_on
@dataclass(frozen=True)
class SideBySide:
    """Put partitions side by side."""

    options: tuple[tuple[str, Any], ...]

    def __call__(self, *partitions: Any) -> Any:
        """Align and join them; where labels differ, in their order, as divisions promise."""
        options = dict(self.options)
        first, *others = (each.index for each in partitions)
        if all(first.equals(each) for each in others):
            options.pop("sort", None)
        if not on_device(first) and all(first.identical(each) for each in others):
            # The very same index, so that labels that repeat are not looked up, as in pandas 3.0.
            partitions = tuple(each.set_axis(first, axis=0) for each in partitions)
        return concat_partitions(partitions, axis=1, **options)


@dataclass(frozen=True)
class Conform:
    """Give a partition the columns and dtypes that all have together.

    Columns of which data have decided another dtype than was planned keep it: what comes of that
    one and those of other frames is known once they are put together.

    Parameters
    ----------
    out : object of pandas
        Without rows.
    planned : tuple of pairs of label and dtype
        Columns that have another dtype, as far as that can be known.
    """

    out: Any
    planned: tuple[tuple[Any, Any], ...]

    def __call__(self, partition: Any) -> Any:
        """Put it before one without rows, as pandas finds columns and dtypes, and cast."""
        if isinstance(self.out, pd.Series):
            named = (
                partition if partition.name == self.out.name else partition.rename(self.out.name)
            )
            is_planned = any(dtype == partition.dtype for _, dtype in self.planned)
            return named.astype(self.out.dtype) if is_planned else named
        frame = partition.to_frame() if partition.ndim == 1 else partition
        planned = dict(self.planned)
        found = {name: dtype for name, dtype in frame.dtypes.items() if name in self.out.columns}
        kept = [name for name, dtype in found.items() if planned.get(name, "") != dtype]
        new = {name: dtype for name, dtype in self.out.dtypes.items() if name not in kept}
        return frame.reindex(columns=self.out.columns).astype(new)


def _keyed(frames: list[Any], keys: Sequence[Any], names: Any) -> list[Any]:
    if len(keys) != len(frames):
        raise ValueError(f"there are {len(keys)} keys for {len(frames)} frames")
    return [
        call(with_key, (frame, key, names), label="concat", rows="new")
        for frame, key in zip(frames, keys, strict=True)
    ]


def with_key(partition: Any, key: Any, names: Any) -> Any:
    """Return a partition with another level of its index in front."""
    return frame_namespace(partition).concat({key: partition}, names=names)


def _one_after_the_other(frames: list[Any], join: str) -> Any:
    out = emptied(pd.concat([nonempty(frame._meta) for frame in frames], join=join))
    nodes = tuple(_conformed(frame, out).expr for frame in frames)
    pieces = tuple(
        ((k, block, None),)
        for k, node in enumerate(nodes)
        for block in range(node.meta.npartitions)
    )
    return wrap(Regroup(nodes, pieces, _divisions(nodes), "concat"))


def _conformed(frame: Any, out: Any) -> Any:
    meta = frame._meta
    same = type(meta) is type(out) and meta.index.dtype == out.index.dtype
    if same and isinstance(out, pd.DataFrame):
        same = meta.columns.equals(out.columns) and meta.dtypes.equals(out.dtypes)
    elif same:
        same = meta.dtype == out.dtype and meta.name == out.name
    if same:
        return frame
    dtypes = dict(meta.dtypes) if isinstance(meta, pd.DataFrame) else {meta.name: meta.dtype}
    wanted = dict(out.dtypes) if isinstance(out, pd.DataFrame) else {meta.name: out.dtype}
    planned = tuple((label, d) for label, d in dtypes.items() if d != wanted.get(label, d))
    return call(Conform(out, planned), (frame,), label="concat")


def _divisions(nodes: Sequence[Any]) -> tuple[Any, ...] | None:
    """Bounds of all, where each frame begins behind the end of the one before."""
    bounds = [node.meta.divisions for node in nodes]
    if None in bounds:
        return None
    try:
        if any(a[-1] >= b[0] for a, b in zip(bounds, bounds[1:], strict=False)):
            return None
    except TypeError:
        return None
    return tuple(label for each in bounds[:-1] for label in each[:-1]) + bounds[-1]
