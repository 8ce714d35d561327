"""What users say that their functions give, and whether it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.backends.seams import on_device
from gpuscale.dataframe.inference import emptied

__all__ = ["Promised", "alike", "all_null", "described", "name_of", "of_a_kind", "promise"]


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
    """

    function: Callable[..., Any]
    out: Any
    said: str = ""
    agree: Callable[[Any, Any], bool] = alike

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
        if not self.agree(result, self.out):
            name = self.said or f"the function {name_of(self.function)}"
            raise TypeError(
                f"{name} was expected to give {described(self.out)} and gave "
                f"{described(result)}; say what it gives by meta="
            )
        return result


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
