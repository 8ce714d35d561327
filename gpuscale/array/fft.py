"""Discrete Fourier transforms, one axis after the other.

The axis being transformed becomes one block, and the other axes are cut in turn so that blocks
keep their size. A transform along several axes so never needs more than rows of the array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.tiling import roll
from gpuscale.array.batched import whole_axes
from gpuscale.array.calls import name_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array
from gpuscale.array.transforms import LineTransform
from gpuscale.array.ufunc import into
from gpuscale.base.config import get
from gpuscale.chunks.axes import normalize_axis
from gpuscale.chunks.blocks import max_block
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.memory.limits import parse_bytes

__all__ = [
    "fft",
    "fft2",
    "fft_wrap",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Axes = Sequence[int] | None
Lengths = Sequence[int | None] | None

_NORMS = (None, "backward", "ortho", "forward")
_SMALL = 1 << 20  # bytes of a block that is not worth cutting
_FROM_HALF = ("irfft", "hfft")  # from half a spectrum
_TO_HALF = ("rfft", "ihfft")  # to half a spectrum


# --- one axis ------------------------------------------------------------------------------------


def _along(name: str, x: Any, n: int | None, axis: int, norm: str | None, out: Any = None) -> Array:
    """Transform one axis by NumPy's function of that name."""
    if norm not in _NORMS:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    x = as_array(x).compute_chunk_sizes()
    axis = normalize_axis(axis, x.ndim)
    n = _length(name, x.shape[axis], n)
    node = _in_lines(x, [axis]).expr
    length = n // 2 + 1 if name in _TO_HALF else n
    dtype = getattr(np.fft, name)(np.ones(1, x.dtype), 1).dtype
    function = LineTransform(name, n, axis, norm, length, dtype)
    chunks = (*node.meta.chunks[:axis], (length,), *node.meta.chunks[axis + 1 :])
    room = function.room(max_block(node.meta.chunks))
    advice = whole_axes(name, node.meta.chunks, [axis])
    kernel = FunctionKernel(function, label=name, room=room, advice=advice)
    inputs = (BlockInput(node, axes=tuple(range(x.ndim))),)
    meta = node.meta.with_(chunks=chunks, dtype=dtype)
    return into(out, Array(Blockwise(kernel, inputs, chunks, meta)))


def _length(name: str, there: int, n: int | None) -> int:
    """Length of the signal: that of the axis, unless said."""
    if n is None:
        n = 2 * (there - 1) if name in _FROM_HALF else there
    n = n.__index__()
    if n < 1:
        raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    return n


def _in_lines(x: Array, axes: Sequence[int]) -> Array:
    """Make some axes one block each; cut the others so that blocks are as large as before."""
    if all(x.numblocks[axis] == 1 for axis in axes):
        return x
    itemsize = max(x.itemsize, 1)
    largest = prod(max(sizes, default=1) for sizes in x.chunks) * itemsize
    limit = max(_SMALL, min(largest, parse_bytes(get("array.chunk-size"))))
    spec = {axis: -1 if axis in axes else "auto" for axis in range(x.ndim)}
    return Array(rechunk(x.expr, normalize_chunks(spec, x.shape, itemsize, limit, x.chunks)))


def fft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform along one axis.

    Parameters
    ----------
    a : array
    n : int, optional
        Length of the axis; it is cut or filled with zeros.
    axis : int
    norm : {"backward", "ortho", "forward"}, optional
        Which direction is divided by the length.
    out : Array, optional

    Raises
    ------
    ValueError
        If ``n`` is less than 1, or ``norm`` is none of these.
    numpy.exceptions.AxisError
        If the axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fft(ga.ones(4)).compute().real
    array([4., 0., 0., 0.])
    """
    return _along("fft", a, n, axis, norm, out)


def ifft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Inverse Fourier transform along one axis; parameters as for `fft`."""
    return _along("ifft", a, n, axis, norm, out)


def rfft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform of real numbers: the non-negative half of the spectrum."""
    return _along("rfft", a, n, axis, norm, out)


def irfft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Inverse of `rfft`; ``n`` is the length of the result."""
    return _along("irfft", a, n, axis, norm, out)


def hfft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform of a signal with Hermitian symmetry: a real spectrum."""
    return _along("hfft", a, n, axis, norm, out)


def ihfft(
    a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None
) -> Array:
    """Inverse of `hfft`."""
    return _along("ihfft", a, n, axis, norm, out)


# --- several axes --------------------------------------------------------------------------------


def _spelled(x: Array, s: Lengths, axes: Axes) -> list[tuple[int, int | None]]:
    """Axis and length of each transform along several axes; -1 is the length that is there."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    places = [normalize_axis(axis, x.ndim) for axis in axes]
    lengths = [None] * len(places) if s is None else list(s)
    if len(lengths) != len(places):
        raise ValueError("Shape and axes have different lengths.")
    return [
        (axis, x.shape[axis] if n == -1 else n) for axis, n in zip(places, lengths, strict=True)
    ]


def _several(
    others: str, last: str, a: Any, s: Lengths, axes: Axes, norm: str | None, out: Any
) -> Array:
    """Transform several axes, the last of them by a function of its own."""
    x = as_array(a).compute_chunk_sizes()
    steps = [(others, *step) for step in _spelled(x, s, axes)]
    if steps:
        end = (last, *steps.pop()[1:])
        # Real numbers become half a spectrum first, and come back from it last.
        steps = [end, *steps] if last in _TO_HALF else [*steps, end]
    elif last != others:
        raise IndexError(f"{last}n needs at least one axis")
    for name, axis, n in steps:
        x = _along(name, x, n, axis, norm)
    return into(out, x)


def fftn(
    a: Any, s: Lengths = None, axes: Axes = None, norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform along several axes, by default all.

    Parameters
    ----------
    a : array
    s : sequence of int, optional
        Lengths of the transformed axes; -1 is the length that an axis has.
    axes : sequence of int, optional
    norm, out
        As for `fft`.

    Raises
    ------
    ValueError
        If ``s`` and ``axes`` have different lengths, a length is less than 1, or ``norm`` is wrong.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fftn(ga.ones((2, 2), chunks=1)).compute().real
    array([[4., 0.],
           [0., 0.]])
    """
    return _several("fft", "fft", a, s, axes, norm, out)


def ifftn(
    a: Any, s: Lengths = None, axes: Axes = None, norm: str | None = None, out: Any = None
) -> Array:
    """Inverse Fourier transform along several axes; parameters as for `fftn`."""
    return _several("ifft", "ifft", a, s, axes, norm, out)


def rfftn(
    a: Any, s: Lengths = None, axes: Axes = None, norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform of real numbers along several axes; the last gets half a spectrum."""
    return _several("fft", "rfft", a, s, axes, norm, out)


def irfftn(
    a: Any, s: Lengths = None, axes: Axes = None, norm: str | None = None, out: Any = None
) -> Array:
    """Inverse of `rfftn`."""
    return _several("ifft", "irfft", a, s, axes, norm, out)


def fft2(
    a: Any, s: Lengths = None, axes: Axes = (-2, -1), norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform along two axes."""
    return fftn(a, s, axes, norm, out)


def ifft2(
    a: Any, s: Lengths = None, axes: Axes = (-2, -1), norm: str | None = None, out: Any = None
) -> Array:
    """Inverse Fourier transform along two axes."""
    return ifftn(a, s, axes, norm, out)


def rfft2(
    a: Any, s: Lengths = None, axes: Axes = (-2, -1), norm: str | None = None, out: Any = None
) -> Array:
    """Fourier transform of real numbers along two axes."""
    return rfftn(a, s, axes, norm, out)


def irfft2(
    a: Any, s: Lengths = None, axes: Axes = (-2, -1), norm: str | None = None, out: Any = None
) -> Array:
    """Inverse of `rfft2`."""
    return irfftn(a, s, axes, norm, out)


# --- helpers -------------------------------------------------------------------------------------


def fftfreq(
    n: int,
    d: float = 1.0,
    chunks: Any = "auto",
    *,
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Frequencies of the elements of a transform, ``d`` being the spacing of the samples.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fftfreq(4).compute()
    array([ 0.  ,  0.25, -0.5 , -0.25])
    """
    places = arange(_positive(n), chunks=chunks, device=device, like=like, backend=backend)
    half = (n - 1) // 2 + 1
    frequencies = (places - n * (places >= half)) * (1.0 / (n * d))
    return frequencies if dtype is None else frequencies.astype(dtype)


def rfftfreq(
    n: int,
    d: float = 1.0,
    chunks: Any = "auto",
    *,
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Frequencies of the elements of a transform of real numbers."""
    places = arange(_positive(n) // 2 + 1, chunks=chunks, device=device, like=like, backend=backend)
    frequencies = places * (1.0 / (n * d))
    return frequencies if dtype is None else frequencies.astype(dtype)


def _positive(n: Any) -> int:
    if not hasattr(n, "__index__"):
        raise ValueError("n should be an integer")
    if n < 0:
        raise ValueError(f"negative dimensions are not allowed: {n} frequencies")
    return n.__index__()


def _shift(x: Any, axes: Any, amount: Callable[[int], int]) -> Array:
    x = as_array(x)
    if axes is None:
        axes = range(x.ndim)
    places = tuple(axes) if isinstance(axes, Sequence | range) else (axes,)
    return roll(x, [amount(x.shape[axis]) for axis in places], list(places)) if places else x


def fftshift(x: Any, axes: Any = None) -> Array:
    """Move frequency zero to the center."""
    return _shift(x, axes, lambda n: n // 2)


def ifftshift(x: Any, axes: Any = None) -> Array:
    """Undo `fftshift`."""
    return _shift(x, axes, lambda n: -(n // 2))


def fft_wrap(function: Callable[..., Any], kind: str | None = None, dtype: Any = None) -> Any:
    """Return the lazy version of another library's transform, such as those of `scipy.fft`.

    Parameters
    ----------
    function : callable
        With NumPy's signature, ``function(a, n=, axis=)`` or ``function(a, s=, axes=)``.
    kind : str, optional
        Which of NumPy's transforms it is, which says the shape of the result; its own name by
        default.
    dtype : dtype, optional
        Of the result; by default the function is tried on a tiny array of NumPy's.

    Raises
    ------
    ValueError
        If there is no such transform; when the result is called, if the function fails on the
        tiny array.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fft_wrap(np.fft.rfft)(ga.ones((2, 4), chunks=1)).shape
    (2, 3)
    """
    name = kind or name_of(function)
    if name not in _KINDS:
        raise ValueError(f"Given unknown `kind` {name}; pass kind=, one of {', '.join(_KINDS)}")
    ours = globals()[name]
    one = name[-1] not in "2n"
    names = ("n", "axis") if one else ("s", "axes")

    def fft_wrap(a: Any, *args: Any, **kwargs: Any) -> Array:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        x = as_array(a).compute_chunk_sizes()
        usual = -1 if one else (-2, -1) if "2" in name else tuple(range(x.ndim))
        place = given.setdefault(names[1], usual)
        axes = [normalize_axis(k, x.ndim) for k in ((place,) if one else place)]
        whole = _in_lines(x, axes)
        shape = ours(whole, **given).shape
        chunks = tuple((shape[k],) if k in axes else c for k, c in enumerate(whole.chunks))
        tiny = {names[1]: given[names[1]]}
        result = _tried(function, x, tiny) if dtype is None else dtype
        return map_blocks(function, whole, dtype=result, chunks=chunks, **given)

    # Errors name the public function by the code that runs; users see the transform.
    fft_wrap.__name__ = fft_wrap.__qualname__ = name
    fft_wrap.__doc__ = f"Lazy, chunked version of {function.__module__}.{name_of(function)}."
    return fft_wrap


def _tried(function: Callable[..., Any], x: Array, axes: dict[str, Any]) -> np.dtype[Any]:
    """Dtype of what a transform makes of two elements along each axis."""
    try:
        result = function(np.ones((2,) * x.ndim, x.dtype), **axes)
    except Exception as error:
        raise ValueError(
            f"{name_of(function)} failed on a tiny array of NumPy's, which is how the dtype of its "
            f"result is found; pass dtype= to fft_wrap ({type(error).__name__}: {error})"
        ) from error
    return np.dtype(result.dtype)


_KINDS = [name for name in __all__ if "freq" not in name and "s" not in name and "_" not in name]
