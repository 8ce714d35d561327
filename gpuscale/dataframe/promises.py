"""What users say that their functions give, and whether it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.seams import on_device
from gpuscale.dataframe.algorithms.settling import Settle
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.undecided import dtypes_in, loosened, with_dtypes

__all__ = [
    "Promised",
    "alike",
    "all_null",
    "as_it_is",
    "but_for_nulls",
    "described",
    "name_of",
    "nulls_as",
    "of_a_kind",
    "promise",
    "widened",
]


def promise(meta: Any, like: Any) -> Any:
    """Return an object of pandas without rows, from what users write for ``meta=``.

    Parameters
    ----------
    meta : object of pandas, dtype, pair of name and dtype, mapping or sequence of pairs
    like : object of pandas
        Its index is that of the result.

    Examples
    --------
    >>> promise({"x": "int64"}, pd.DataFrame()).dtypes.to_dict()
    {'x': dtype('int64')}
    """
    if isinstance(meta, pd.DataFrame | pd.Series | pd.Index):
        return emptied(meta)
    index = like.index[:0] if hasattr(like, "index") and not isinstance(like, pd.Index) else None
    if isinstance(meta, Mapping) or (
        isinstance(meta, list) and all(isinstance(p, tuple) for p in meta)
    ):
        columns = {name: pd.Series([], dtype=dtype) for name, dtype in dict(meta).items()}
        frame = pd.DataFrame(columns)
        return frame if index is None else frame.set_index(index)
    name, dtype = meta if isinstance(meta, tuple) and len(meta) == 2 else (None, meta)
    return pd.Series([], name=name, dtype=dtype, index=index)


def alike(found: Any, promised: Any) -> bool:
    """Whether class, names and dtypes are the same."""
    return described(found) == described(promised)


def of_a_kind(found: Any, promised: Any) -> bool:
    """Whether class and names are the same, and dtypes but for what nulls make of them.

    Examples
    --------
    >>> of_a_kind(pd.Series([1.0, None]), pd.Series([1])), of_a_kind(pd.Series([1]), pd.Series("a"))
    (True, False)
    """
    if _class(found) != _class(promised):
        return False
    if isinstance(found, pd.DataFrame):
        names = found.columns.equals(promised.columns)
        pairs = zip(found.items(), promised.items(), strict=True) if names else ()
        return names and all(of_a_kind(ours, theirs) for (_, ours), (_, theirs) in pairs)
    if found.name != promised.name:
        return False
    return found.dtype == promised.dtype or _kind(found) in ("empty", _kind(promised))


def but_for_nulls(found: Any, promised: Any) -> bool:
    """Whether class, names and dtypes are the same, or these are what nulls make of them.

    Examples
    --------
    >>> but_for_nulls(pd.Series([1.0, None]), pd.Series([1]))
    True
    >>> but_for_nulls(pd.Series([1]), pd.Series([1.0]))
    False
    """
    if not of_a_kind(found, promised):
        return False
    own, wanted = dtypes_in(found), dtypes_in(promised)
    return all(map(_is_either, own, wanted, loosened(wanted)))


def _is_either(dtype: Any, wanted: Any, with_nulls: Any) -> bool:
    return dtype in (wanted, with_nulls)


# ------------------------------------------------------------------ what is cast


def as_it_is(found: Any, promised: Any) -> Any:
    """Return what was found."""
    return found


def nulls_as(found: Any, promised: Any) -> Any:
    """Cast columns of nulls alone, which do not say of what they are, to what is promised.

    Examples
    --------
    >>> nulls_as(pd.Series([float("nan")]), pd.Series([], dtype="str")).dtype
    <StringDtype(na_value=nan)>
    """
    return _cast(found, promised, _dtype_of_nulls)


def widened(found: Any, promised: Any) -> Any:
    """Cast nulls, and numbers that wider ones hold as they are, to what is promised.

    Examples
    --------
    >>> widened(pd.Series([1, 2]), pd.Series([], dtype="float64")).dtype
    dtype('float64')
    >>> widened(pd.Series([2**53 + 1]), pd.Series([], dtype="float64")).dtype
    dtype('int64')
    """
    return _cast(found, promised, _dtype_of_wider)


def _cast(found: Any, promised: Any, dtype_of: Callable[[Any, Any], Any]) -> Any:
    own, wanted = dtypes_in(found), dtypes_in(promised)
    if own == wanted or len(own) != len(wanted) or _class(found) != _class(promised):
        return found
    is_table = isinstance(found, pd.DataFrame)
    columns = (found.iloc[:, k] if is_table else found for k in range(len(own)))
    dtypes = tuple(
        dtype if dtype == new else dtype_of(column, new)
        for column, dtype, new in zip(columns, own, wanted, strict=True)
    )
    return found if dtypes == own else Settle()(found, with_dtypes(found, dtypes))


def _dtype_of_nulls(values: Any, promised: Any) -> Any:
    return loosened([promised])[0] if all_null(values) else values.dtype


def _dtype_of_wider(values: Any, promised: Any) -> Any:
    own = values.dtype
    is_wider = (
        isinstance(own, np.dtype)
        and isinstance(promised, np.dtype)
        and own.kind in "iuf"
        and promised.kind in "iuf"
        and np.can_cast(own, promised)
    )
    return promised if is_wider and _holds(values, promised) else _dtype_of_nulls(values, promised)


def _holds(values: Any, dtype: Any) -> bool:
    """Whether a wider dtype has all the numbers: large ones fall between those of floats."""
    if values.dtype.kind == "f":
        return True
    with np.errstate(invalid="ignore"):
        return bool((values.astype(dtype).astype(values.dtype) == values).all())


# ------------------------------------------------------------------ what is checked


def all_null(values: Any) -> bool:
    """Whether a series or an index has nulls alone, and at least one."""
    return bool(len(values) and pd.isna(values.to_numpy()).all())


def _kind(values: Any) -> str:
    """Name what values are, whatever nulls have made of their dtype."""
    if all_null(values):
        return "empty"
    kind = str(pd.api.types.infer_dtype(values, skipna=True))
    return "number" if kind in ("integer", "floating", "mixed-integer-float") else kind


@dataclass(frozen=True)
class Promised:
    """A function whose result is checked against what was promised.

    Parameters
    ----------
    function : callable
    out : object of pandas
        Without rows.
    said : str
        What errors call it.
    agree : callable
        Whether a result is what was promised; by default names and dtypes have to be the same.
    cast : callable
        What becomes of a result before that.
    is_said : bool
        Whether the user has said it, by ``meta=``.
    """

    function: Callable[..., Any]
    out: Any
    said: str = ""
    agree: Callable[[Any, Any], bool] = alike
    cast: Callable[[Any, Any], Any] = widened
    is_said: bool = False

    @property
    def may_vary(self) -> bool:
        """Whether partitions may give several dtypes."""
        return self.agree is not alike

    @property
    def name(self) -> str:
        """Name of what is called, where that is a method of pandas."""
        return str(getattr(self.function, "name", ""))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function.

        Raises
        ------
        TypeError
            If the result is something else; both are shown.
        """
        result = self.function(*args, **kwargs)
        if on_device(result):
            return result  # where dtypes are those of its library
        if not isinstance(result, pd.DataFrame | pd.Series | pd.Index):
            result = pd.Series([result])
        if not len(result) and type(result) is type(self.out):
            return self.out  # of no rows, functions make columns of any dtype
        result = self.cast(result, self.out)
        if not self.agree(result, self.out):
            name = self.said or f"the function {name_of(self.function)}"
            advice = (
                "let it give what meta= says, or say there what it gives in all partitions"
                if self.is_said
                else f"say what it gives by meta={_said(result, self.out)}"
            )
            raise TypeError(
                f"{name} was expected to give {described(self.out)} and gave "
                f"{described(result)}; {advice}"
            )
        return result


def _said(found: Any, planned: Any) -> str:
    """Say what users may write for ``meta=``, where made-up values had given nulls or objects."""
    one = isinstance(found, pd.Series) and isinstance(planned, pd.Series)
    is_open = one and planned.dtype == object and found.name == planned.name
    return repr((found.name, str(found.dtype))) if is_open else ""


def name_of(function: Any) -> str:
    """Name of a function, for people."""
    return str(getattr(function, "__name__", function))


def described(frame: Any) -> str:
    """Class, names and dtypes, for people."""
    if isinstance(frame, pd.DataFrame):
        columns = ", ".join(f"{name}: {dtype}" for name, dtype in frame.dtypes.items())
        return f"a DataFrame of {columns}"
    return f"a {_class(frame)} {frame.name!r} of {frame.dtype}"


def _class(frame: Any) -> str:
    return "Index" if isinstance(frame, pd.Index) else type(frame).__name__
