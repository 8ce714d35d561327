"""Who minds that partitions have dtypes of their own, and who passes elements on as they are.

What comes of those who pass them on has the dtype of pandas once it is put together. Everything
minds that does not say otherwise here, or where it is written.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from gpuscale.dataframe.undecided import dtypes_in, undecided_labels
from gpuscale.expr.frames import FrameMeta

__all__ = ["minds", "minds_columns", "minds_kinds", "passes_on", "promoted"]

T = TypeVar("T", bound=Callable[..., Any])

_PASSING: set[Any] = set()

_METHODS = frozenset(
    (
        *("isna", "isnull", "notna", "notnull", "fillna", "dropna", "where", "mask"),
        *("combine_first", "rename", "rename_axis", "add_prefix", "add_suffix", "to_frame"),
        *("droplevel", "reorder_levels", "swaplevel", "set_names", "set_axis", "reset_index"),
        *("drop", "repeat"),
    )
)
_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
_EXACT = 1 << 53  # below it floating-point numbers are all whole numbers


def passes_on(function: T) -> T:
    """Mark a function of partitions, or a class of these or of blueprints, that minds no dtypes.

    Where it depends, a class has a method ``minds(metas)`` instead: what it says of its inputs.
    """
    _PASSING.add(function)
    return function


def minds(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], metas: Sequence[FrameMeta]
) -> bool:
    """Whether a call, or a blueprint, tells partitions with nulls from others.

    Parameters
    ----------
    function : callable or Blueprint
    args, kwargs
        What it is called with.
    metas : sequence of FrameMeta
        Of the inputs, in their order; those whose dtypes are settled say none is undecided.
    """
    if isinstance(function, MethodType):  # a step of a blueprint
        function = function.__self__
    if type(function) in _PASSING or isinstance(function, FunctionType) and function in _PASSING:
        return False
    if hasattr(function, "minds"):
        return bool(function.minds(metas))
    if any(function is each for each in _COMPARISONS):
        return not any(map(_is_exact, args[:2]))
    name, accessor = getattr(function, "name", ""), getattr(function, "accessor", None)
    if accessor != "":
        return bool(accessor != "str")  # which knows no numbers
    given = (*args[1:], *kwargs.values())
    if name == "isin":
        return not all(isinstance(e, list | set) and all(map(_is_exact, e)) for e in given)
    if name == "astype":
        return given not in (("float64",), (float,), (np.float64,))
    return name not in _METHODS and name != "index"


def minds_columns(meta: FrameMeta, labels: Any) -> bool:
    """Whether data decide the dtype of a column among some."""
    if meta.otherwise is None:
        return False
    if not isinstance(meta.frame, pd.DataFrame) or labels is None:
        return True
    return not set(labels).isdisjoint(undecided_labels(meta))


def minds_kinds(meta: FrameMeta) -> bool:
    """Whether data decide about more than whether integers are floating-point numbers.

    These are equal where they are put together, so that groups of both meet.
    """
    if meta.otherwise is None:
        return False
    pairs = zip(dtypes_in(meta.frame), meta.otherwise, promoted(meta), strict=True)
    return any(own != other and not is_one for own, other, is_one in pairs)


def promoted(meta: FrameMeta) -> tuple[bool, ...]:
    """Return of which columns data decide whether integers are floating-point numbers."""
    own = dtypes_in(meta.frame)
    return tuple(map(_is_promoted, own, own if meta.otherwise is None else meta.otherwise))


def _is_promoted(own: Any, other: Any) -> bool:
    both = isinstance(own, np.dtype) and isinstance(other, np.dtype)
    return both and own.kind in "iu" and other.kind == "f"


def _is_exact(value: Any) -> bool:
    """Whether a whole number compares with a value as the floating-point number of it does."""
    if isinstance(value, int | float | np.integer | np.floating):
        number: Any = value
        return bool(abs(number) < _EXACT or number != number)
    return isinstance(value, str)
