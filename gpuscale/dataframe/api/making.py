"""Frames of what functions and delayed calls return, a partition each, and of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import frame_library, frames_beside
from gpuscale.backends.seams import backend_name, on_device, to_host
from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.api.creating import from_pandas
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.promises import Promised, promise
from gpuscale.expr.frames import FrameMeta, unknown_rows
from gpuscale.expr.physical import Call, Exchange
from gpuscale.expr.plans import ConcatenatePlan
from gpuscale.graph.handle import Handle, same
from gpuscale.graph.lazy_values import handle_of
from gpuscale.io.frame_functions import CalledPieces
from gpuscale.run import compute

__all__ = ["from_array", "from_delayed", "from_map"]


@dataclass(frozen=True)
class _Mapped:
    """A function of `from_map` with all that it is given in each call."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    out: Any = None
    is_said: bool = False

    def __call__(self, columns: list[Any] | None, *values: Any) -> Any:
        """Call it for one partition, and compare what it gives with what was promised."""
        asked = {} if columns is None else {"columns": columns}
        if self.out is None:
            return self.function(*values, *self.args, **self.kwargs, **asked)
        out = self.out if columns is None else self.out[columns]
        checked = Promised(self.function, out, is_said=self.is_said)
        return checked(*values, *self.args, **self.kwargs, **asked)


def from_map(
    func: Callable[..., Any],
    *iterables: Iterable[Any],
    args: Sequence[Any] = (),
    meta: Any = None,
    divisions: Sequence[Any] | None = None,
    enforce_metadata: bool = True,
    **kwargs: Any,
) -> Any:
    """Make a frame of what a function returns, a partition for each call.

    Parameters
    ----------
    func : callable
        Called as ``func(*values, *args, **kwargs)``. If it has a parameter ``columns``, it is given
        a list of those that are needed, and leaves out the others.
    *iterables
        Of one length: their elements are the values of each call.
    args : sequence
    meta : object of pandas, mapping, or pair of name and dtype, optional
        What the function returns, without rows; by default the first call is made at once.
    divisions : sequence, optional
        Bounds of the index, one more than calls, if it is sorted.
    enforce_metadata : bool
        Whether results are compared with ``meta``.
    **kwargs

    Raises
    ------
    ValueError
        If there is nothing to call the function with, or iterables differ in length.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> def squares(start):
    ...     return pd.DataFrame({"x": range(start, start + 3)}).assign(y=lambda d: d.x**2)
    >>> gd.from_map(squares, [0, 10]).y.max().compute()
    np.int64(144)
    """
    if not iterables:
        raise ValueError("from_map takes at least one iterable of values")
    columns = [list(each) for each in iterables]
    lengths = {len(each) for each in columns}
    if len(lengths) != 1 or not columns[0]:
        raise ValueError(f"iterables of from_map have one length, of 1 at least, not {lengths}")
    values = list(zip(*columns, strict=True))
    bounds = _bounds(divisions, len(values))
    call = _Mapped(func, tuple(args), kwargs)
    out = emptied(call(None, *values[0])) if meta is None else promise(meta, pd.DataFrame())
    if enforce_metadata:
        call = _Mapped(func, tuple(args), kwargs, out, meta is not None)
    pieces = CalledPieces(call, values, out, bounds, _takes_columns(func, kwargs, out))
    return wrap(ReadPieces(pieces, None, ()))


def _takes_columns(func: Callable[..., Any], kwargs: Mapping[str, Any], out: Any) -> bool:
    if "columns" in kwargs or not isinstance(out, pd.DataFrame):
        return False
    try:
        return "columns" in inspect.signature(func).parameters
    except (TypeError, ValueError):  # functions of C have no signature to look at
        return False


def _bounds(divisions: Sequence[Any] | None, count: int) -> tuple[Any, ...] | None:
    if divisions is None or all(each is None for each in divisions):
        return None
    if len(divisions) != count + 1:
        raise ValueError(f"divisions of {count} partitions are {count + 1}, not {len(divisions)}")
    return tuple(divisions)


@dataclass(frozen=True)
class _Awaited:
    """What a delayed call returned, if it is what was promised; layouts look for `handle`."""

    handle: Handle
    out: Any
    check: bool

    @property
    def __name__(self) -> str:
        return "from_delayed"

    def __call__(self, value: Any) -> Any:
        return Promised(same, self.out, "a delayed call")(value) if self.check else value


def from_delayed(
    dfs: Any,
    meta: Any = None,
    divisions: Sequence[Any] | None = None,
    *,
    verify_meta: bool = True,
) -> Any:
    """Make a frame of what delayed calls return, a partition each.

    Parameters
    ----------
    dfs : Delayed or iterable of Delayed
    meta : object of pandas, mapping, or pair of name and dtype, optional
        What they return, without rows; by default the first one is computed at once.
    divisions : sequence, optional
        Bounds of the index, one more than calls, if it is sorted.
    verify_meta : bool
        Whether results are compared with ``meta``.

    Raises
    ------
    TypeError
        If something is not delayed.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale, gpuscale.dataframe as gd
    >>> parts = [gpuscale.delayed(pd.DataFrame)({"x": [k]}) for k in range(3)]
    >>> gd.from_delayed(parts, meta={"x": "int64"}).x.sum().compute()
    np.int64(3)
    """
    handles = []
    for each in list(dfs) if handle_of(dfs) is None else [dfs]:
        handle = handle_of(each)
        if handle is None:
            raise TypeError(
                f"from_delayed takes Delayed values, not {type(each).__name__}; wrap the function "
                "with gpuscale.delayed"
            )
        handles.append(handle)
    if not handles:
        raise ValueError("from_delayed takes at least one delayed value")
    example = compute(handles[0])[0] if meta is None else meta
    backend = backend_name(example) if on_device(example) else "pandas"
    out = promise(to_host(example), pd.DataFrame())
    return _of_handles(handles, out, _bounds(divisions, len(handles)), backend, verify_meta)


def _of_handles(
    handles: Sequence[Handle], out: Any, bounds: Any, backend: str, verify_meta: bool = True
) -> Any:
    layout = tokenize("from_delayed", *(each.key for each in handles))
    rows = unknown_rows(layout, len(handles))
    guess = (1 << 16,) * len(handles)
    nodes = tuple(
        Call(
            _Awaited(each, out, verify_meta),
            (),
            (),
            (),
            FrameMeta(out, rows[k : k + 1], f"{layout}-{k}", None, guess[:1], backend=backend),
        )
        for k, each in enumerate(handles)
    )
    whole = FrameMeta(out, rows, layout, bounds, guess, backend=backend)
    return wrap(Exchange(nodes, ConcatenatePlan(0), whole))


def from_array(
    x: Any, chunksize: int | None = None, columns: Any = None, npartitions: int | None = None
) -> Any:
    """Make a frame of a table of two axes, or a series of an array of one.

    Parameters
    ----------
    x : array_like or gpuscale.array.Array
        Blocks of rows of a lazy array become partitions as they are; they are not computed before.
    chunksize : int, optional
        Rows of each partition of what is in memory.
    columns : list of labels, or label, optional
        Names of the columns, or of the series; numbers from 0 by default.
    npartitions : int, optional
        Into how many partitions what is in memory is cut, instead of ``chunksize``.

    Examples
    --------
    >>> import numpy as np
    >>> import gpuscale.dataframe as gd
    >>> gd.from_array(np.eye(4), chunksize=2, columns=list("abcd")).b.sum().compute()
    np.float64(1.0)
    """
    if x.ndim not in (1, 2) if hasattr(x, "ndim") else False:
        raise ValueError(f"frames have two axes, and series have one, not {x.ndim}")
    if hasattr(x, "to_delayed") and hasattr(x, "rechunk"):
        return _of_blocks(x, columns)
    array = np.asarray(x)
    if array.ndim == 1 and array.dtype.names is None:
        return from_pandas(pd.Series(array, name=columns), npartitions, chunksize=chunksize)
    return from_pandas(pd.DataFrame(array, columns=columns), npartitions, chunksize=chunksize)


def _of_blocks(x: Any, columns: Any) -> Any:
    """Return a frame of the blocks of rows of a lazy array."""
    from gpuscale.lazy import delayed

    x.compute_chunk_sizes()
    x = x.rechunk({1: -1}) if x.ndim == 2 else x
    rows, first, parts = x.chunks[0], 0, []
    for count, block in zip(rows, x.to_delayed().ravel(), strict=True):
        parts.append(delayed(_framed)(block, first, columns))
        first += count
    meta = _framed(np.empty((0, *x.shape[1:]), x.dtype), 0, columns)
    starts = np.cumsum((0, *rows)).tolist()
    bounds = None if 0 in rows else (*starts[:-1], starts[-1] - 1)
    handles = [handle for each in parts if (handle := handle_of(each)) is not None]
    return _of_handles(handles, meta, bounds, frames_beside(x.backend))


def _framed(block: Any, first: int, columns: Any) -> Any:
    library = frame_library(frames_beside(backend_name(block)))
    index = library.RangeIndex(first, first + len(block))
    if block.ndim == 1:
        return library.Series(block, index, name=columns)
    return library.DataFrame(block, index, columns)
