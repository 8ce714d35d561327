"""Dtypes that all rows decide: what may come out in the place of what a plan says.

pandas makes floating-point numbers of integers, and objects of truth values, where nulls come in.
A plan knows no rows, so it says the dtype without nulls, and beside it that of the other case.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from gpuscale.dataframe.inference import emptied, nonempty, nulls, sample
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = [
    "Varying",
    "dtypes_in",
    "is_full",
    "is_undecided",
    "loosened",
    "may_vary",
    "nulled",
    "of_objects",
    "others",
    "otherwise_of",
    "undecided_labels",
    "unlike",
    "varies",
    "with_dtypes",
]

T = TypeVar("T", bound=Callable[..., Any])

_OBJECTS = np.dtype(object)


def loosened(dtypes: Iterable[Any]) -> tuple[Any, ...]:
    """Return the dtypes that columns of some dtypes have with nulls.

    Examples
    --------
    >>> loosened(pd.DataFrame({"x": [1], "y": [1.5], "z": [True]}).dtypes)
    (dtype('float64'), dtype('float64'), dtype('O'))
    """
    return tuple(map(_loose, dtypes))


def unlike(frame: Any, found: Iterable[Any]) -> tuple[Any, ...] | None:
    """Return the dtypes of a frame, those of others where they differ; None if none does.

    Parameters
    ----------
    frame : object of pandas
    found : iterable of objects of pandas, tuples of dtypes, or None
        What is of another kind tells nothing.

    Examples
    --------
    >>> unlike(pd.Series([1]), [pd.Series([1]), pd.Series([1.5])])
    (dtype('float64'),)
    """
    own = dtypes_in(frame)
    dtypes = own
    for each in found:
        is_alike = isinstance(each, tuple) or type(each) is type(frame)
        others = dtypes_in(each) if is_alike else ()
        if len(others) == len(own):
            dtypes = tuple(map(_either, own, dtypes, others))
    return None if dtypes == own else dtypes


def _either(planned: Any, other: Any, new: Any) -> Any:
    """Return what a dtype may be instead: objects, where it is one of several."""
    if new in (planned, other):
        return other
    return new if _OBJECTS in (planned, new) or other == planned else _OBJECTS


def is_undecided(node: Node) -> bool:
    """Whether data decide about a dtype of a frame."""
    return getattr(node.meta, "otherwise", None) is not None


def is_full(operand: Any) -> bool:
    """Whether a series, or each column of a frame, is known to have no nulls."""
    full = getattr(operand.meta, "full", None) if isinstance(operand, Node) else None
    return full is not None and all(full)


def undecided_labels(meta: FrameMeta) -> list[Any]:
    """Return the labels of the columns whose dtypes data decide."""
    if not isinstance(meta.frame, pd.DataFrame):
        return [meta.frame.name]
    pairs = zip(meta.frame.columns, meta.frame.dtypes, meta.otherwise or (), strict=True)
    return [label for label, planned, other in pairs if planned != other]


def dtypes_in(frame: Any) -> tuple[Any, ...]:
    """Return the dtypes of columns, of one alone one; none of an index of levels."""
    if isinstance(frame, pd.DataFrame):
        return tuple(frame.dtypes)
    if isinstance(frame, tuple):
        return frame
    is_one = isinstance(frame, pd.Series | pd.Index) and not isinstance(frame, pd.MultiIndex)
    return (frame.dtype,) if is_one else ()


def otherwise_of(meta: FrameMeta) -> Any:
    """Return the frame with the dtypes that it may have instead, its own where it is sure."""
    return meta.frame if meta.otherwise is None else with_dtypes(meta.frame, meta.otherwise)


def _any_in(frame: Any) -> tuple[Any, ...]:
    """Return the dtypes of columns that may hold anything."""
    return (_OBJECTS,) * len(dtypes_in(frame))


def _loose(dtype: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iub":
        return dtype
    return np.dtype(object) if dtype.kind == "b" else np.dtype(np.float64)


def with_dtypes(frame: Any, dtypes: Sequence[Any]) -> Any:
    """Return an object of pandas without rows, with other dtypes."""
    frame = emptied(frame)
    if not isinstance(frame, pd.DataFrame):
        (dtype,) = dtypes or (None,)
        is_index = isinstance(frame, pd.Index)
        if dtype is None or frame.dtype == dtype:
            return frame
        made = pd.Index if is_index else pd.Series
        options = {} if is_index else {"index": frame.index}
        return made([], dtype=dtype, name=frame.name, **options)
    if frame.columns.is_unique and len(frame.columns):
        pairs = zip(frame.dtypes.items(), dtypes, strict=True)
        new = {label: dtype for (label, own), dtype in pairs if own != dtype}
        if all(isinstance(each, np.dtype) and each.kind in "fO" for each in new.values()):
            return frame.astype(new)
    columns = [pd.Series([], dtype=dtype, index=frame.index) for dtype in dtypes]
    result = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    result.columns = frame.columns
    return result


def nulled(frame: Any, inputs: Iterable[Node]) -> list[Any]:
    """Return what else comes of frames of which some dtypes are undecided.

    A column keeps its dtype if it is that of a column of the same label, of which it is sure, and
    may have the other one of a column of which it is not. Of what may be objects objects may come.
    """
    metas = [each.meta for each in inputs if isinstance(each.meta, FrameMeta)]
    if all(meta.otherwise is None for meta in metas):
        return []
    if not isinstance(frame, pd.DataFrame):
        return _nulled_one(frame, metas)
    sure: dict[Any, Any] = {}
    other: dict[Any, tuple[Any, Any]] = {}
    for meta in metas:
        if isinstance(meta.frame, pd.DataFrame):
            unsure = undecided_labels(meta) if meta.otherwise is not None else []
            dtypes = list(meta.frame.dtypes.items())
            sure.update({label: dtype for label, dtype in dtypes if label not in unsure})
            trios = zip(dtypes, meta.otherwise or (), strict=False)
            other.update({label: (own, new) for (label, own), new in trios if label in unsure})
    pairs = frame.dtypes.items()
    return [tuple(_kept(d, sure.get(k), *other.get(k, (None, None))) for k, d in pairs)]


def _nulled_one(frame: Any, metas: Sequence[FrameMeta]) -> list[Any]:
    own, open_ones = dtypes_in(frame), [meta for meta in metas if meta.otherwise is not None]
    pairs = [zip(dtypes_in(meta.frame), meta.otherwise or (), strict=True) for meta in open_ones]
    if any(other == _OBJECTS != planned for each in pairs for planned, other in each):
        return [_any_in(frame)]
    found = [meta.otherwise for meta in open_ones if dtypes_in(meta.frame) == own]
    return found or [loosened(own)]


def of_objects(frame: Any, inputs: Iterable[Node]) -> list[Any]:
    """Return what else comes of objects where texts come of made-up ones, which are texts."""
    text = pd.StringDtype(na_value=np.nan)
    given = (each.meta.frame for each in inputs if isinstance(each.meta, FrameMeta))
    is_open = text in dtypes_in(frame) and any(_OBJECTS in dtypes_in(each) for each in given)
    return [tuple(_OBJECTS if d == text else d for d in dtypes_in(frame))] if is_open else []


def _kept(dtype: Any, sure: Any, planned: Any, other: Any) -> Any:
    """Return what else a column may have, by what is known of those of the same label."""
    if planned is not None and (dtype == planned or other == _OBJECTS):
        return other
    return dtype if sure == dtype else _loose(dtype)


# ------------------------------------------------------------------ what functions give


def others(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    result: Any,
    is_said: bool = False,
) -> list[Any]:
    """Return what else may come of a call of aligned partitions: rows of dtypes, or frames.

    Parameters
    ----------
    function, args, kwargs
        The call; nodes among its arguments stand for their partitions.
    result : object of pandas
        What is planned.
    is_said : bool
        Whether it is planned without calling the function.
    """
    found = outcomes(function, args, kwargs, result)
    if is_said:
        found += nulled(result, _nodes(args, kwargs))
    elif any(is_undecided(each) for each in _nodes(args, kwargs)):
        found.append(_tried(function, args, kwargs, _otherwise, result))
    return found


def may_vary(function: Any) -> bool:
    """Whether the dtype of what a function gives depends on the rows that it is given."""
    if getattr(function, "may_vary", False) or hasattr(function, "outcomes"):
        return True
    own = getattr(function, "__func__", function)  # of a method
    return any(own is each for each in (*_DIVISIONS, *_VARY))


def varies(function: T) -> T:
    """Mark a function of partitions that brings nulls in, or not, as the rows have it."""
    _VARY.append(function)
    return function


_VARY: list[Any] = []


@dataclass(frozen=True)
class Varying:
    """A function of partitions that brings nulls in, or not, where others of its calls do not."""

    function: Callable[..., Any]
    may_vary: ClassVar[bool] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self.function(*args, **kwargs)


def _is_division(function: Any) -> bool:
    return any(function is each for each in _DIVISIONS)


def outcomes(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    result: Any,
) -> list[Any]:
    """Return what else may come of a call that decides itself, by the rows that it is given."""
    if hasattr(function, "outcomes"):
        return list(function.outcomes(*args))
    if not may_vary(function):
        return []
    name, accessor = getattr(function, "name", ""), getattr(function, "accessor", None)
    if name == "fillna":  # by what a dtype cannot hold, where there is a null
        return [_tried(function, args, kwargs, _of_nulls, result)]
    if name in _OF_VALUES and not accessor:
        return _OF_VALUES[name](args[1:], dict(kwargs), result)
    if accessor is None and not _is_division(function):
        return [loosened(dtypes_in(result))]
    rows = (nonempty,) if accessor and is_full(args[0]) else (nonempty, _of_nulls)
    return [_tried(function, args, kwargs, each, result) for each in rows]


_DIVISIONS = (operator.floordiv, operator.mod, np.floor_divide, np.remainder)


def _tried(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    make: Callable[[Any], Any],
    result: Any,
) -> Any:
    """Return what a call gives of made-up rows; where these do not do, what comes of nulls."""
    with catch_warnings(), np.errstate(all="ignore"):
        simplefilter("ignore")
        with suppress(Exception):
            given = {name: _made(value, make) for name, value in kwargs}
            return emptied(function(*(_made(each, make) for each in args), **given))
    return loosened(dtypes_in(result))


def _made(operand: Any, make: Callable[[Any], Any]) -> Any:
    if make is _otherwise and isinstance(operand, Node) and is_undecided(operand):
        return otherwise_of(operand.meta)
    return sample(operand, make)


def _otherwise(frame: Any) -> Any:
    return frame


def _of_nulls(frame: Any) -> Any:
    return nonempty(frame, values=nulls)


def _nodes(args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> list[Node]:
    values = (*args, *(value for _, value in kwargs))
    return [each for each in values if isinstance(each, Node)]


def _of_map(args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> list[Any]:
    """Nothing else where all that is mapped to is of one dtype, which has nulls."""
    given = args[0] if args else next(iter(kwargs.values()), None)
    if isinstance(given, Node):
        given = getattr(given.meta, "frame", None)
    if isinstance(given, pd.Series):
        is_sure = dtypes_in(given) == loosened(dtypes_in(given)) == dtypes_in(result)
        return [] if is_sure else [_any_in(result)]
    is_text = isinstance(given, Mapping) and all(isinstance(v, str) for v in given.values())
    is_text = is_text and all(isinstance(each, pd.StringDtype) for each in dtypes_in(result))
    return [] if is_text else [_any_in(result)]


def _of_replace(args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> list[Any]:
    """Nothing else where texts make way for texts, and numbers for numbers that fit."""
    named = (kwargs[name] for name in ("to_replace", "value") if name in kwargs)
    kinds = set(map(type, _leaves((*args, *named))))
    if kinds <= {str, type(None)}:
        return []
    if not kinds <= {int, float}:  # None makes objects
        return [_any_in(result)]
    is_whole = kinds <= {int} and np.dtype(bool) not in dtypes_in(result)
    return [] if is_whole else [loosened(dtypes_in(result))]


def _of_clip(args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> list[Any]:
    kinds = set(map(type, _leaves((*args, *kwargs.values()))))
    return [] if kinds <= {int, type(None), str} else [loosened(dtypes_in(result))]


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if not isinstance(value, list | tuple | set):
        return [value]
    return [leaf for each in value for leaf in _leaves(each)]


_OF_VALUES: dict[str, Callable[..., list[Any]]] = {
    "map": _of_map,
    "replace": _of_replace,
    "clip": _of_clip,
}
"""Methods whose dtypes single values decide: what else may come of what they are given."""
