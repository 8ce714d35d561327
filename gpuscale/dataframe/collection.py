"""What frames, series and indexes have in common, and how nodes become the classes users hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar

from gpuscale.base.nearest import meant
from gpuscale.base.types import is_known
from gpuscale.collection import Collection
from gpuscale.dataframe import display
from gpuscale.dataframe.elsewhere import advice
from gpuscale.expr.frames import ScalarMeta
from gpuscale.expr.node import Node

__all__ = ["Frame", "Labelled", "api", "collects", "in_place", "wrap"]

C = TypeVar("C", bound=type)

_KINDS: dict[type, Any] = {}


def collects(kind: type) -> Callable[[C], C]:
    """Register the collection of results that are of a class of pandas."""

    def register(collection: C) -> C:
        _KINDS[kind] = collection
        return collection

    return register


def wrap(node: Node) -> Any:
    """Return the collection of a node, by what it promises to give."""
    meta = node.meta
    kind = ScalarMeta if isinstance(meta, ScalarMeta) else type(meta.frame)
    return next(_KINDS[each] for each in kind.__mro__ if each in _KINDS)(node)


def in_place(
    method: Callable[..., Any], check: Callable[..., None] | None = None
) -> Callable[..., Any]:
    """Let a method change its own collection where ``inplace=True`` says so, as in pandas.

    Parameters
    ----------
    method : callable
    check : callable, optional
        Is called before, with what the method is called with, and raises what data will have the
        method raise: later lines, which see what was changed, would raise it instead.
    """

    @wraps(method)
    def either(self: Any, *args: Any, **kwargs: Any) -> Any:
        inplace = kwargs.pop("inplace", False)
        result = method(self, *args, **kwargs)
        if not inplace:
            return result
        if type(result) is not type(self):
            raise TypeError(
                f"{method.__name__} makes a {type(result).__name__} of a {type(self).__name__}, "
                "which cannot be done in place: leave out inplace=True"
            )
        if check is not None:
            check(self, *args, **kwargs)
        self._expr = result.expr
        return None

    return either


def api() -> Any:
    """Return the package of public functions, loaded when first needed."""
    from gpuscale.dataframe import api as found

    return found


class Frame(Collection):
    """The base of `DataFrame`, `Series` and `Index`: rows in partitions, in order."""

    __slots__ = ()

    def __init__(self, expr: Node) -> None:
        if not isinstance(expr, Node):
            kind = type(self).__name__
            raise TypeError(
                f"a {kind} is not made of a {type(expr).__name__}; make it with pandas, and cut it "
                f"into partitions: gd.from_pandas(pandas.{kind}(...), npartitions=2)"
            )
        super().__init__(expr)

    @property
    def _meta(self) -> Any:
        return self._expr.meta.frame

    def __getattr__(self, name: str) -> Any:
        kind = type(self)
        if name.startswith("_") or hasattr(kind, name):
            return object.__getattribute__(self, name)  # which raises what it raised
        instead = advice(kind.__name__, name) or meant(name, dir(kind))
        raise AttributeError(f"{kind.__name__!r} has no attribute {name!r}{instead}")

    def _wrap(self, expr: Node) -> Any:
        return wrap(expr)

    @property
    def npartitions(self) -> int:
        """Number of partitions."""
        return self._expr.meta.npartitions

    @property
    def divisions(self) -> tuple[Any, ...]:
        """Bounds of the index of the partitions, one more than these; None where not known."""
        divisions = self._expr.meta.divisions
        return (None,) * (self.npartitions + 1) if divisions is None else divisions

    @property
    def known_divisions(self) -> bool:
        """Whether the index is known to be sorted, and where it is cut."""
        return self._expr.meta.divisions is not None

    @property
    def ndim(self) -> int:
        """Number of axes, as pandas counts them."""
        return int(self._meta.ndim)

    @property
    def partitions(self) -> Any:
        """The same by partitions: ``df.partitions[1:3]`` keeps whole partitions."""
        return api().partitions.PartitionIndexer(self)

    def get_partition(self, n: int) -> Any:
        """Return one partition; the same as ``partitions[n]``."""
        return self.partitions[n]

    def to_delayed(self) -> list[Any]:
        """Return each partition as a delayed value."""
        result: list[Any] = api().partitions.to_delayed(self)
        return result

    def map_partitions(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function on each partition; see `gpuscale.dataframe.map_partitions`."""
        return api().partitions.map_partitions(func, self, *args, **kwargs)

    def repartition(self, divisions: Any = None, npartitions: Any = None, **options: Any) -> Any:
        """Cut it into other partitions; see `gpuscale.dataframe.repartition`."""
        return api().repartition.repartition(self, divisions, npartitions, **options)

    def shuffle(
        self, on: Any = None, npartitions: int | None = None, on_index: bool = False, **options: Any
    ) -> Any:
        """Bring rows with equal keys into the same partition.

        Parameters
        ----------
        on : label or list of labels
        npartitions : int, optional
        on_index : bool
            The index is the key.
        **options
            ``ignore_index``, ``shuffle_method`` and ``force`` of dask mean nothing here.
        """
        return api().shuffling.shuffle(self, on, npartitions, on_index, **options)

    @in_place
    def sort_index(
        self,
        *,
        axis: Any = 0,
        level: Any = None,
        ascending: Any = True,
        na_position: str = "last",
        sort_remaining: bool = True,
        ignore_index: bool = False,
        key: Any = None,
        npartitions: int | None = None,
    ) -> Any:
        """Sort rows by their labels; rows of equal labels keep their order.

        Parameters
        ----------
        axis : {0, 1}
            1 sorts columns.
        level : int, label, or list of these, optional
            By which levels of the index; all by default.
        ascending : bool or list of bool
        na_position : {"last", "first"}
        key : callable, optional
            Applied to the index before.
        sort_remaining : bool
            Whether the other levels say which of equal labels comes first.
        ignore_index : bool
            Number the rows of the result.
        npartitions : int, optional
        """
        options = {"ascending": ascending, "na_position": na_position, "key": key}
        if level is not None:
            options |= {"level": level, "sort_remaining": sort_remaining}
        if axis in (1, "columns"):
            return api().columns.with_sorted_columns(self, options)
        result = api().shuffling.sort_index(self, options, npartitions)
        return result.reset_index(drop=True) if ignore_index else result

    def to_backend(self, backend: str | None = None) -> Any:
        """Move partitions to another library of frames.

        Parameters
        ----------
        backend : {"pandas", "cudf"}, optional
            By default what the option ``dataframe.backend`` says.
        """
        return api().moving.to_backend(self, backend)

    def clear_divisions(self) -> Any:
        """Forget the bounds of the index."""
        return wrap(api().partitions.without_divisions(self.expr))

    def groupby(self, by: Any = None, level: Any = None, **options: Any) -> Any:
        """Group rows by columns, series, or the index.

        Parameters
        ----------
        by : label, Series, callable, mapping, or list of these
        level : int, label, or list of these, optional
            Levels of the index, instead.
        **options
            ``as_index``, ``sort``, ``group_keys``, ``observed`` and ``dropna``, as pandas has them.
        """
        from gpuscale.dataframe.groupby import grouped

        return grouped(self, by, level, **options)

    def head(self, n: int = 5, npartitions: int = -1) -> Any:
        """Compute the first rows: as many partitions are computed as are needed for them.

        Parameters
        ----------
        n : int
            Negative: all rows but the last ones.
        npartitions : int
            Look at so many partitions at most; -1 for as many as it takes.
        """
        return api().ends.head(self, n, npartitions)

    def tail(self, n: int = 5) -> Any:
        """Compute the last rows; of a negative number, all rows but the first ones."""
        return api().ends.tail(self, n)

    def __iter__(self) -> Iterator[Any]:
        for part in api().partitions.computed(self):  # of which one is in memory at a time
            yield from part

    def __len__(self) -> int:
        rows = self._expr.meta.rows
        return sum(rows) if is_known(rows) else int(api().reductions.length(self).compute())

    def to_dask_array(self, lengths: Any = None, meta: Any = None, optimize: bool = True) -> Any:
        """Elements as a lazy `gpuscale.array.Array`, a block for each partition.

        Parameters
        ----------
        lengths : bool or sequence of int, optional
            Rows of the partitions, True to count them now. By default they stay what they are, and
            may be unknown.
        meta, optimize
            Not needed here.
        """
        return api().bridges.to_array(self, lengths)

    @property
    def values(self) -> Any:
        """Elements as a lazy array; see `to_dask_array`."""
        return self.to_dask_array()

    def to_numpy(self, *args: Any, **options: Any) -> Any:
        """Compute the elements, as an array of NumPy."""
        return self.compute().to_numpy(*args, **options)

    def copy(self, deep: bool = False) -> Any:
        """Return a collection whose changes this one does not see."""
        return wrap(self._expr)

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``func(self, *args, **kwargs)``, as pandas does."""
        if isinstance(func, tuple):
            function, name = func
            return function(*args, **{name: self, **kwargs})
        return func(self, *args, **kwargs)

    def __repr__(self) -> str:
        return display.text(self)

    def _repr_html_(self) -> str:
        return display.html(self)

    def __bool__(self) -> bool:
        raise ValueError(
            f"the truth value of a {type(self).__name__} is ambiguous; use .any() or .all() and "
            "compute() it"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        return np.asarray(self.compute(), dtype=dtype)


class Labelled(Frame):
    """The base of `DataFrame` and `Series`: rows with an index."""

    __slots__ = ()

    def __round__(self, decimals: int = 0) -> Any:
        return self.round(decimals)

    @property
    def index(self) -> Any:
        """The index."""
        return api().columns.index_of(self)

    @property
    def loc(self) -> Any:
        """Rows by labels, as ``df.loc[start:stop]``; see `pandas.DataFrame.loc`."""
        return api().labels.LabelIndexer(self)

    @property
    def iloc(self) -> Any:
        """Rows by positions, as ``df.iloc[-3:]``; see `pandas.DataFrame.iloc`."""
        return api().positions.PositionIndexer(self)

    @in_place
    def reset_index(self, level: Any = None, *, drop: bool = False, **options: Any) -> Any:
        """Number the rows from 0, and make columns of the index, as pandas does.

        Rows of several partitions are counted before they are numbered, where nobody knows how many
        there are.
        """
        return api().positions.reset_index(self, drop, {"level": level, **options})
