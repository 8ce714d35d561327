"""Methods of pandas that work on each partition by itself: rows of tables, not bodies.

A row says what becomes of the index, see `gpuscale.dataframe.nodes.partwise.Rows`. Signature and
text are those of pandas.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import pandas as pd
from pandas.api.types import is_list_like

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device
from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, api, in_place
from gpuscale.dataframe.inference import nonempty, nulls
from gpuscale.dataframe.nodes.partwise import Rows

__all__ = ["Function", "Method", "Property", "attribute", "dress", "with_methods"]

C = TypeVar("C", bound=type)

# Of frames and series alike.
_BOTH: dict[str, Rows] = {
    "abs": "same",
    "add_prefix": "same",
    "add_suffix": "same",
    "astype": "same",
    "at_time": "some",
    "between": "same",
    "between_time": "some",
    "clip": "same",
    "combine_first": "same",
    "droplevel": "new",
    "dropna": "some",
    "fillna": "same",
    "isin": "same",
    "isna": "same",
    "isnull": "same",
    "mask": "same",
    "notna": "same",
    "notnull": "same",
    "rename": "same",
    "rename_axis": "same",
    "reorder_levels": "new",
    "repeat": "new",
    "replace": "same",
    "round": "same",
    "stack": "new",
    "swaplevel": "new",
    "to_period": "new",
    "to_timestamp": "new",
    "tz_convert": "new",
    "tz_localize": "new",
    "where": "same",
}
FRAME_METHODS: dict[str, Rows] = {
    **{k: v for k, v in _BOTH.items() if k != "between"},
}
SERIES_METHODS: dict[str, Rows] = {**_BOTH, "combine": "same", "to_frame": "same"}
INDEX_METHODS: dict[str, Rows] = {
    "astype": "labels",
    "droplevel": "labels",
    "dropna": "some",
    "fillna": "labels",
    "get_level_values": "labels",
    "rename": "same",
    "repeat": "new",
    "round": "labels",
    "set_names": "same",
    "to_frame": "new",
    "to_series": "new",
    "where": "labels",
}


def attribute(owner: Any, name: str) -> Any:
    """Return what a partition, or its library, has of a name.

    Raises
    ------
    NotSupportedError
        If it is one of a device, and has nothing of that name.
    """
    try:
        return getattr(owner, name)
    except AttributeError as error:
        if type(owner).__module__.startswith("pandas"):
            raise
        raise NotSupportedError(
            f"{name} is not supported there ({error}); move the frame to the host first, by "
            'to_backend("pandas")'
        ) from error


_NUMBERS = frozenset(("len", "count", "find", "rfind", "index", "rindex", "get", "__getitem__"))
"""Methods of texts that give numbers, or may: of a list what is in it."""


def of_vague(method: str, partition: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a method of texts of objects that are all null: these may be texts or lists elsewhere.

    Examples
    --------
    >>> import pandas as pd
    >>> of_vague("upper", pd.Series([None], dtype=object)).tolist()
    [None]
    >>> of_vague("len", pd.Series([None], dtype=object)).tolist()
    [nan]
    """
    result = getattr(partition.astype(object).str, method)(*args, **kwargs)
    return result.astype("float64") if method in _NUMBERS else result


def is_vague(partition: Any) -> bool:
    """Whether a partition has nulls alone, which do not say of what they are; devices' do."""
    if not len(partition) or on_device(partition) or partition.dtype not in (object, float):
        return False
    return bool(partition[:1].isna().all() and partition.isna().all())


_VARY = frozenset(
    (
        *("where", "mask", "combine_first", "map", "replace", "clip", "fillna"),
        *("floordiv", "rfloordiv", "mod", "rmod", "to_numeric", "compare"),
    )
)
"""What gives dtypes that data decide, as accessors of texts and times do, see `undecided`."""


@dataclass(frozen=True)
class Method:
    """Call a method of a partition, or of one of its accessors."""

    name: str
    accessor: str = ""

    @property
    def may_vary(self) -> bool:
        """Whether the dtype of what comes out depends on the elements."""
        return self.name in _VARY or self.accessor in ("str", "dt")

    def __call__(self, partition: Any, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        if self.accessor == "str" and is_vague(partition):
            return of_vague(self.name, partition, *args, **kwargs)
        owner = attribute(partition, self.accessor) if self.accessor else partition
        return attribute(owner, self.name)(*args, **kwargs)


@dataclass(frozen=True)
class Function:
    """Call a function of the library of a partition."""

    name: str
    accessor: ClassVar[str] = ""

    @property
    def may_vary(self) -> bool:
        """Whether the dtype of what comes out depends on the elements."""
        return self.name in _VARY

    def __call__(self, partition: Any, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return attribute(frame_namespace(partition), self.name)(partition, *args, **kwargs)


@dataclass(frozen=True)
class Property:
    """Ask a partition, or one of its accessors, for an attribute."""

    name: str
    accessor: str = ""

    @property
    def may_vary(self) -> bool:
        """Whether the dtype of what comes out depends on the elements."""
        return self.accessor in ("str", "dt")

    def __call__(self, partition: Any) -> Any:
        """Ask for it."""
        owner = attribute(partition, self.accessor) if self.accessor else partition
        return attribute(owner, self.name)


def with_methods(pandas: type, table: Mapping[str, Rows]) -> Callable[[C], C]:
    """Give a collection the methods of a table that a class of pandas has.

    Methods that the class defines itself are left alone.
    """

    def decorate(collection: C) -> C:
        for name, rows in table.items():
            if name not in collection.__dict__ and hasattr(pandas, name):
                setattr(collection, name, _method(collection, pandas, name, rows))
        return collection

    return decorate


def _method(collection: type, pandas: type, name: str, rows: Rows) -> Callable[..., Any]:
    theirs = getattr(pandas, name)
    numbers = _place_of_numbering(theirs)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if numbers is not None and (len(args) > numbers or "ignore_index" in kwargs):
            ignore_index = args[numbers] if len(args) > numbers else kwargs.pop("ignore_index")
            result = method(self, *args[:numbers], **kwargs)
            return result.reset_index(drop=True) if ignore_index else result
        if name == "dropna":
            _check_dropna(self, kwargs)
        own = "new" if _changes_labels(self, name, args, kwargs) else rows
        if name in _RESOLVES:
            args = resolved(self, args)
            kwargs = dict(zip(kwargs, resolved(self, kwargs.values()), strict=True))
        if name in _LOOKS_UP and (self.ndim == 1 or name != "isin"):
            return looked_up(Method(name), self, args, kwargs, own)
        return call(Method(name), (self, *args), kwargs, name, own)

    dress(method, theirs, f"{collection.__name__}.{name}", f"{pandas.__name__}.{name}")
    return in_place(method, _check_filled if name == "fillna" else None)


def _place_of_numbering(theirs: Any) -> int | None:
    """Return where ``ignore_index`` is among arguments: all rows are numbered, no partition's."""
    with suppress(TypeError, ValueError):
        names = list(inspect.signature(theirs).parameters)[1:]  # without self
        return names.index("ignore_index") if "ignore_index" in names else None
    return None


_RESOLVES = frozenset(("mask", "where"))
"""Methods whose functions take all rows, of which they say something."""


def resolved(x: Any, values: Iterable[Any]) -> tuple[Any, ...]:
    """Call those values that are functions with the collection, and not with its partitions."""
    return tuple(
        each(x) if callable(each) and not isinstance(each, Frame) else each for each in values
    )


_LOOKS_UP = frozenset(("isin", "rename", "replace"))
"""Methods that look values or labels up in a series, where others align it; no table's ``isin``."""


def looked_up(
    method: Method, x: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], rows: Rows
) -> Any:
    """Call a method that needs the whole of each series among its arguments."""
    lazy = [each for each in (*args, *kwargs.values()) if isinstance(each, Frame)]
    whole = {id(each): each.repartition(npartitions=1) for each in lazy}
    args = tuple(whole.get(id(each), each) for each in args)
    kwargs = {name: whole.get(id(each), each) for name, each in kwargs.items()}
    return call(method, (x, *args), kwargs, method.name, rows, shared=list(whole.values()))


def _changes_labels(x: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a method gives the rows other labels, so that they belong to no others."""
    if name in ("add_prefix", "add_suffix"):
        return x.ndim == 1 or kwargs.get("axis") in (0, "index")
    if name != "rename":
        return False
    if x.ndim == 1:
        index = kwargs.get("index", args[0] if args else None)
        return callable(index) or isinstance(index, Mapping)
    given = args[0] if args else kwargs.get("mapper")
    by_axis = given is not None and kwargs.get("axis") not in (1, "columns")
    return by_axis or kwargs.get("index") is not None


def _check_dropna(x: Any, kwargs: Mapping[str, Any]) -> None:
    subset = kwargs.get("subset")
    if x.ndim == 2 and subset is not None and x.columns.nlevels == 1:
        api().columns.check_labels(x, list(subset) if is_list_like(subset) else [subset])
    if kwargs.get("axis") in (1, "columns"):
        raise NotSupportedError(
            "dropna along columns has to look at all rows before the columns are known; choose "
            "columns by df[df.columns[~df.isna().any().compute()]]"
        )


def _check_filled(x: Any, *args: Any, **kwargs: Any) -> None:
    """Raise what pandas raises where categories with nulls are filled with what is none of them.

    Only where that may be is it computed whether there are any.
    """
    frame = x._meta if x.ndim == 2 else x._meta.to_frame()
    if any(isinstance(each, Frame) for each in (*args, *kwargs.values())):
        return
    for k, dtype in enumerate(frame.dtypes):
        if not isinstance(dtype, pd.CategoricalDtype):
            continue
        some = x._meta.iloc[:, [k]] if x.ndim == 2 else x._meta
        try:
            nonempty(some, values=nulls).fillna(*args, **kwargs)
        except (TypeError, ValueError):
            column = x.iloc[:, k] if x.ndim == 2 else x
            if column.isna().any().compute():
                raise


def dress(function: Any, theirs: Any, qualname: str, of: str) -> None:
    """Give a function the name, the signature and the first words of a method of pandas."""
    function.__name__ = qualname.rpartition(".")[2]
    function.__qualname__ = qualname
    text = inspect.getdoc(theirs) or ""
    first = text.partition("\n\n")[0]
    function.__doc__ = f"{first}\n\nAs ``pandas.{of}``, on each partition."
    with suppress(TypeError, ValueError):
        function.__signature__ = inspect.signature(theirs)
