"""The class that users hold: properties, protocols and methods, each one line.

What an operation means stands in ``array/api``; methods hand over to the function of that name,
and so do the operators of `gpuscale.array.arithmetic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import index as as_int
from typing import Any

import numpy as np

from gpuscale.array.arithmetic import Arithmetic, namespace
from gpuscale.base.types import Chunks, is_known
from gpuscale.expr.meta import ArrayMeta

__all__ = ["Array"]


def _method(name: str) -> Callable[..., Any]:
    """Hand over to the public function of that name, whose signature and text it takes on."""

    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return getattr(namespace(), name)(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"Array.{name}"
    method.__doc__ = f"See :func:`gpuscale.array.{name}`."
    return method


class Array(Arithmetic):
    """A lazy, chunked, n-dimensional array with NumPy's interface.

    Made by the functions of `gpuscale.array`, never directly. An array is a handle on an
    immutable expression; in-place operations give the handle another expression.
    """

    __slots__ = ()
    __array_priority__ = 100

    # --- what is known without computing -------------------------------------------------------
    @property
    def _meta(self) -> ArrayMeta:
        meta: ArrayMeta = self._expr.meta
        return meta

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis; where data decides, it is counted now, and once."""
        return self.compute_chunk_sizes()._meta.shape  # type: ignore[return-value]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._meta.dtype

    @property
    def chunks(self) -> Chunks:
        """Sizes of the blocks along each axis, in elements; ``?`` where data decides."""
        return self._meta.chunks

    @property
    def chunksize(self) -> tuple[Any, ...]:
        """Largest block along each axis."""
        return tuple(max(c) if is_known(c) else c[0] for c in self.chunks)

    @property
    def numblocks(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return self._meta.numblocks

    @property
    def npartitions(self) -> int:
        """Number of blocks."""
        return int(np.prod(self.numblocks, dtype=int))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._meta.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.compute_chunk_sizes()._meta.size

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def backend(self) -> str:
        """Name of the backend whose arrays the chunks are."""
        return self._meta.backend

    @property
    def device(self) -> str:
        """Device of the chunks, for the Array API standard."""
        return "cpu" if self.backend == "numpy" else self.backend

    def compute_chunk_sizes(self) -> Array:
        """Count sizes that depend on data, now; return the array itself."""
        if not self._meta.known:
            from gpuscale.keeping import count_sizes

            self._expr = count_sizes(self).expr
        return self

    # --- views ---------------------------------------------------------------------------------
    @property
    def T(self) -> Array:
        """The array with its axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Array:
        """The array with its last two axes swapped."""
        result: Array = namespace().matrix_transpose(self)
        return result

    @property
    def A(self) -> Array:
        """The array itself; there for code written for matrices."""
        return self

    @property
    def real(self) -> Array:
        """Real parts."""
        result: Array = namespace().real(self)
        return result

    @property
    def imag(self) -> Array:
        """Imaginary parts."""
        result: Array = namespace().imag(self)
        return result

    @property
    def blocks(self) -> Any:
        """The array by blocks: ``x.blocks[0, 1:3]`` keeps whole blocks."""
        return namespace().indexing.BlockIndexer(self)

    partitions = blocks

    @property
    def vindex(self) -> Any:
        """Pointwise indexing: ``x.vindex[[0, 1], [2, 3]]`` picks two elements."""
        return namespace().indexing.PointIndexer(self)

    @property
    def flat(self) -> Any:
        """Elements in C order, one after another; ``x.flat[3]`` picks from all axes."""
        return namespace().indexing.FlatIndexer(self)

    # --- protocols -----------------------------------------------------------------------------
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError("a gpuscale array is computed: it cannot become NumPy without a copy")
        return np.asarray(self.compute(), dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return namespace().protocols.array_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return namespace().protocols.array_function(self, function, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return namespace().protocols.array_namespace(api_version)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: bool | None = None,
    ) -> Any:
        wishes = {"stream": stream, "max_version": max_version, "dl_device": dl_device}
        wishes["copy"] = copy
        return namespace().protocols.dlpack(
            self, {k: v for k, v in wishes.items() if v is not None}
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = namespace().protocols.dlpack_device(self)
        return device

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.backend == "numpy":  # so that hasattr says no
            raise AttributeError("the chunks of this array lie in the memory of the host")
        found: dict[str, Any] = namespace().protocols.cuda_array_interface(self)
        return found

    def __repr__(self) -> str:
        text: str = namespace().display.text(self)
        return text

    def _repr_html_(self) -> str:
        html: str = namespace().display.html(self)
        return html

    def __format__(self, spec: str) -> str:
        return format(self._number(), spec) if spec and not self.ndim else super().__format__(spec)

    def to_svg(self, size: int = 120) -> str:
        """Draw the grid of chunks as SVG, its longest side ``size`` pixels long."""
        svg: str = namespace().display.svg(self, size)
        return svg

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"The truth value of an array with {self.size} elements is ambiguous. "
                "Use a.any() or a.all()"
            )
        return bool(self._number())

    def _number(self) -> Any:
        if self.size != 1:
            raise TypeError("only length-1 arrays can be converted to Python scalars")
        result = self.compute()
        return result.item() if hasattr(result, "item") else result

    def _python(self, kind: Callable[[Any], Any]) -> Any:
        """A Python number; whether it may come of an array with axes, NumPy's version says."""
        return kind(np.asarray(self) if self.ndim and self.size == 1 else self._number())

    def __int__(self) -> int:
        return int(self._python(int))

    def __float__(self) -> float:
        return float(self._python(float))

    def __complex__(self) -> complex:
        return complex(self._python(complex))

    def __round__(self, ndigits: int | None = None) -> Any:
        """As `round` of NumPy's numbers; of no digits and no axes, the nearest integer."""
        if ndigits is None and not self.ndim:
            return round(self._number())
        return self.round(ndigits or 0)

    def __index__(self) -> int:
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self._number())

    def __getitem__(self, index: Any) -> Array:
        result: Array = namespace().indexing.getitem(self, index)
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        self._expr = namespace().indexing.setitem(self, index, value).expr

    def __copy__(self) -> Array:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Array:
        return self.copy()

    # --- methods -------------------------------------------------------------------------------
    def transpose(self, *axes: Any) -> Array:
        """Permute the axes; see :func:`gpuscale.array.transpose`."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        result: Array = namespace().transpose(self, order)
        return result

    def reshape(self, *shape: Any, **kwargs: Any) -> Array:
        """Give the array a new shape; see :func:`gpuscale.array.reshape`."""
        wanted = shape[0] if len(shape) == 1 else shape
        result: Array = namespace().reshape(self, wanted, **kwargs)
        return result

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """Move the chunks to a device, for the Array API standard."""
        if stream is not None:
            raise ValueError("to_device takes no stream: the engine chooses it")
        if device == self.device:
            return self
        moved: Array = self.to_backend("numpy" if device == "cpu" else device)
        return moved

    def map_blocks(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Array:
        """Apply a function to blocks; see :func:`gpuscale.array.map_blocks`."""
        result: Array = namespace().map_blocks(func, self, *args, **kwargs)
        return result

    def map_overlap(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Array:
        """Apply a function to blocks with halos; see :func:`gpuscale.array.map_overlap`."""
        result: Array = namespace().map_overlap(func, self, *args, **kwargs)
        return result

    def item(self, *index: Any) -> Any:
        """One element as a Python number, computed now; one index counts through all axes."""
        if not index:
            if self.size != 1:
                raise ValueError("can only convert an array of size 1 to a Python scalar")
            return self._number()
        place = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
        return (self.ravel() if len(place) == 1 else self)[place]._number()

    def tolist(self) -> Any:
        """All elements in nested lists, computed now."""
        return np.asarray(self).tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """All elements as they lie in memory, computed now."""
        return np.asarray(self).tobytes(order)

    def to_npy_stack(self, dirname: Any, axis: int = 0, **options: Any) -> None:
        """Write a folder of ``.npy`` files; see :func:`gpuscale.array.to_npy_stack`."""
        namespace().to_npy_stack(dirname, self, axis, **options)

    def fill(self, value: Any) -> None:
        """Replace all elements by one value, in place."""
        self[...] = value

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Replace elements of the flattened array, in place; see :func:`gpuscale.array.put`."""
        namespace().put(self, indices, values, mode)

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Array:
        """Keep positions for which a condition holds; see :func:`gpuscale.array.compress`."""
        result: Array = namespace().compress(condition, self, axis, out)
        return result

    def sort(self, axis: int = -1, kind: str | None = None, **options: Any) -> None:
        """Sort along an axis, in place; :func:`gpuscale.array.sort` gives another array."""
        self._expr = namespace().sort(self, as_int(axis), kind, **options).expr

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect") -> None:
        """Put elements where sorting would, in place; see :func:`gpuscale.array.partition`."""
        self._expr = namespace().partition(self, kth, as_int(axis), kind).expr

    all = _method("all")
    any = _method("any")
    argmax = _method("argmax")
    argmin = _method("argmin")
    argpartition = _method("argpartition")
    argsort = _method("argsort")
    argtopk = _method("argtopk")
    astype = _method("astype")
    choose = _method("choose")
    clip = _method("clip")
    conj = _method("conj")
    conjugate = _method("conjugate")
    copy = _method("copy")
    cumprod = _method("cumprod")
    cumsum = _method("cumsum")
    diagonal = _method("diagonal")
    dot = _method("dot")
    flatten = _method("flatten")
    max = _method("max")
    mean = _method("mean")
    min = _method("min")
    moment = _method("moment")
    nonzero = _method("nonzero")
    prod = _method("prod")
    ptp = _method("ptp")
    ravel = _method("ravel")
    rechunk = _method("rechunk")
    repeat = _method("repeat")
    round = _method("round")
    searchsorted = _method("searchsorted")
    shuffle = _method("shuffle")
    squeeze = _method("squeeze")
    std = _method("std")
    store = _method("store")
    sum = _method("sum")
    swapaxes = _method("swapaxes")
    take = _method("take")
    to_backend = _method("to_backend")
    to_delayed = _method("to_delayed")
    to_hdf5 = _method("to_hdf5")
    to_npy = _method("to_npy")
    to_zarr = _method("to_zarr")
    topk = _method("topk")
    trace = _method("trace")
    var = _method("var")
    view = _method("view")
