"""Discrete Fourier transforms: transformed axes become one block, other axes stay cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.creation import arange
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.tiling import roll
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import normalize_axis

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

_NORMS = (None, "backward", "ortho", "forward")


def _axes_and_lengths(
    x: Array, s: Sequence[int | None] | None, axes: Sequence[int] | None, real_last: bool
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Spell axes and transformed lengths out; ``real_last``: the last input is half a spectrum."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    places = tuple(normalize_axis(axis, x.ndim) for axis in axes)
    if s is not None and len(s) != len(places):
        raise ValueError("Shape and axes have different lengths.")
    lengths = [x.shape[axis] for axis in places]
    if real_last and lengths:
        lengths[-1] = 2 * (lengths[-1] - 1)
    for k, n in enumerate(s or ()):
        if n is not None and n != -1:
            lengths[k] = int(n)
    if any(n < 1 for n in lengths):
        raise ValueError(f"Invalid number of FFT data points ({min(lengths)}) specified.")
    return places, tuple(lengths)


def _transform(
    name: str,
    x: Any,
    s: Sequence[int | None] | None,
    axes: Sequence[int] | None,
    norm: str | None,
    out: str = "full",
) -> Array:
    """Apply one of NumPy's n-dimensional transforms to every block.

    ``out`` says how long the last transformed axis gets: "full", "half" of a spectrum, or "real".
    """
    if norm not in _NORMS:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    x = as_array(x).compute_chunk_sizes()
    places, lengths = _axes_and_lengths(x, s, axes, real_last=out == "real")
    if not places:
        return x.astype(np.result_type(x.dtype, np.complex64))
    whole = x.rechunk({axis: -1 if axis in places else "auto" for axis in range(x.ndim)})
    chunks = list(whole.chunks)
    for axis, n in zip(places, lengths, strict=True):
        chunks[axis] = (n,)
    if out == "half":
        chunks[places[-1]] = (lengths[-1] // 2 + 1,)
    sample = np.ones((1,) * x.ndim, x.dtype)
    dtype = getattr(np.fft, name)(sample, lengths, places).dtype
    return map_blocks(
        _transform_chunk,
        whole,
        name=name,
        transform=name,
        s=lengths,
        axes=places,
        norm=norm,
        dtype=dtype,
        chunks=tuple(chunks),
    )


def _transform_chunk(
    chunk: Any, transform: str, s: tuple[int, ...], axes: tuple[int, ...], norm: str | None
) -> Any:
    return getattr(array_namespace(chunk).fft, transform)(chunk, s=s, axes=axes, norm=norm)


def _one(n: int | None) -> list[int | None] | None:
    return None if n is None else [n]


def fft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Fourier transform along one axis.

    Parameters
    ----------
    x : array
    n : int, optional
        Length of the axis; it is cut or filled with zeros.
    axis : int
    norm : {"backward", "ortho", "forward"}, optional

    Raises
    ------
    ValueError
        If ``n`` is less than 1, or ``norm`` is none of these.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fft(ga.ones(4)).compute().real
    array([4., 0., 0., 0.])
    """
    return _transform("fftn", x, _one(n), [axis], norm)


def ifft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse Fourier transform along one axis; parameters as for `fft`."""
    return _transform("ifftn", x, _one(n), [axis], norm)


def rfft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Fourier transform of real numbers: the non-negative half of the spectrum."""
    return _transform("rfftn", x, _one(n), [axis], norm, "half")


def irfft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse of `rfft`; ``n`` is the length of the result."""
    return _transform("irfftn", x, _one(n), [axis], norm, "real")


def hfft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Fourier transform of a signal with Hermitian symmetry: a real spectrum."""
    x = as_array(x)
    return irfft(x.conj(), n, axis, _swapped(norm))


def ihfft(x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
    """Inverse of `hfft`."""
    return rfft(x, n, axis, _swapped(norm)).conj()


def _swapped(norm: str | None) -> str | None:
    """The norm whose direction is the other one: hfft is the inverse of a forward transform."""
    return {None: "forward", "backward": "forward", "forward": "backward"}.get(norm, norm)


def fftn(x: Any, /, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    """Fourier transform along several axes, by default all.

    Parameters
    ----------
    x : array
    s : sequence of int, optional
        Lengths of the transformed axes.
    axes : sequence of int, optional
    norm : {"backward", "ortho", "forward"}, optional
    """
    return _transform("fftn", x, s, axes, norm)


def ifftn(x: Any, /, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    """Inverse Fourier transform along several axes; parameters as for `fftn`."""
    return _transform("ifftn", x, s, axes, norm)


def rfftn(x: Any, /, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    """Fourier transform of real numbers along several axes."""
    return _transform("rfftn", x, s, axes, norm, "half")


def irfftn(x: Any, /, s: Any = None, axes: Any = None, norm: str | None = None) -> Array:
    """Inverse of `rfftn`."""
    return _transform("irfftn", x, s, axes, norm, "real")


def fft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Array:
    """Fourier transform along two axes."""
    return fftn(x, s, axes, norm)


def ifft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Array:
    """Inverse Fourier transform along two axes."""
    return ifftn(x, s, axes, norm)


def rfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Array:
    """Fourier transform of real numbers along two axes."""
    return rfftn(x, s, axes, norm)


def irfft2(x: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None) -> Array:
    """Inverse of `rfft2`."""
    return irfftn(x, s, axes, norm)


# --- helpers -------------------------------------------------------------------------------------


def fftfreq(
    n: int,
    /,
    *,
    d: float = 1.0,
    chunks: Any = "auto",
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
) -> Array:
    """Frequencies of the elements of a transform, ``d`` being the spacing of the samples.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.fft.fftfreq(4).compute()
    array([ 0.  ,  0.25, -0.5 , -0.25])
    """
    places = arange(n, chunks=chunks, device=device, like=like)
    half = (n - 1) // 2 + 1
    frequencies = (places - n * (places >= half)) / (n * d)
    return frequencies if dtype is None else frequencies.astype(dtype)


def rfftfreq(
    n: int,
    /,
    *,
    d: float = 1.0,
    chunks: Any = "auto",
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
) -> Array:
    """Frequencies of the elements of a transform of real numbers."""
    places = arange(n // 2 + 1, chunks=chunks, device=device, like=like)
    frequencies = places / (n * d)
    return frequencies if dtype is None else frequencies.astype(dtype)


def _shift(x: Any, axes: Any, amount: Callable[[int], int]) -> Array:
    x = as_array(x)
    if axes is None:
        axes = range(x.ndim)
    places = tuple(axes) if isinstance(axes, Sequence | range) else (axes,)
    return roll(x, [amount(x.shape[axis]) for axis in places], list(places)) if places else x


def fftshift(x: Any, /, *, axes: Any = None) -> Array:
    """Move frequency zero to the center."""
    return _shift(x, axes, lambda n: n // 2)


def ifftshift(x: Any, /, *, axes: Any = None) -> Array:
    """Undo `fftshift`."""
    return _shift(x, axes, lambda n: -(n // 2))


def fft_wrap(function: Callable[..., Any], kind: str | None = None, dtype: Any = None) -> Any:
    """Return the lazy version of another library's transform, such as those of `scipy.fft`.

    Parameters
    ----------
    function : callable
        With NumPy's signature, ``function(x, n, axis)`` or ``function(x, s, axes)``.
    kind : str, optional
        Which of NumPy's transforms it is; its own name by default.
    dtype : dtype, optional
        Of the result, where it is not that of NumPy's.

    Raises
    ------
    ValueError
        If there is no such transform.
    """
    name = kind or function.__name__
    ours = globals().get(name)
    if name not in __all__ or ours is None:
        raise ValueError(f"Given unknown `kind` {name}.")

    def wrapped(x: Any, *args: Any, **kwargs: Any) -> Array:
        plan = ours(x, *args, **kwargs)
        x = as_array(x)
        changed = [a for a in range(x.ndim) if plan.numblocks[a] == 1]
        whole = x.rechunk({a: -1 if a in changed else plan.chunks[a] for a in range(x.ndim)})
        result = plan.dtype if dtype is None else dtype
        return map_blocks(_Call(function, args), whole, dtype=result, chunks=plan.chunks, **kwargs)

    wrapped.__name__ = name
    wrapped.__doc__ = f"Lazy, chunked version of {function.__module__}.{function.__name__}."
    return wrapped


class _Call:
    """A function with further positional arguments."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function, self.args = function, args
        self.__name__ = getattr(function, "__name__", "transform")

    def __call__(self, chunk: Any, **kwargs: Any) -> Any:
        return self.function(chunk, *self.args, **kwargs)
