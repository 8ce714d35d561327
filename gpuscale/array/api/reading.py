"""Arrays from files and from anything with slices: pieces are read by the tasks that need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.asarray import asarray
from gpuscale.array.api.moving import to_backend
from gpuscale.array.collection import Array
from gpuscale.array.convert import is_masked, source, without_labels
from gpuscale.backends.creation import resolve_backend
from gpuscale.backends.foreign import adopted
from gpuscale.base.types import PathLike
from gpuscale.io.array_like import reader_of
from gpuscale.io.functions import FunctionReader
from gpuscale.io.hdf5 import open_hdf5
from gpuscale.io.npy import open_npy
from gpuscale.io.npy_stack import NpyStackReader
from gpuscale.io.zarr import open_zarr

__all__ = ["from_array", "from_hdf5", "from_map", "from_npy", "from_npy_stack", "from_zarr"]


def from_array(
    x: Any,
    chunks: Any = "auto",
    *,
    lock: Any = None,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Make an array of anything with ``shape``, ``dtype`` and ``__getitem__``.

    Parameters
    ----------
    x : object
        ndarray, memmap, h5py dataset, zarr array, or the like. Pieces are read when they are
        needed, and again where that is cheaper than keeping them. A masked array of NumPy's
        becomes a `gpuscale.array.ma.MaskedArray`.
    chunks : int, str, tuple or dict
        Block sizes; automatic ones are multiples of the stored chunks.
    lock : bool or lock, optional
        Held while reading; by default only for libraries known to need it.
    like, backend : optional
        Library of the chunks; where it is not that of ``x``, pieces are moved as they are read.

    Raises
    ------
    TypeError
        If ``x`` is no array.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.from_array(np.arange(4), chunks=2).sum().compute()
    np.int64(6)
    """
    x = without_labels(x)
    if isinstance(x, Array):
        return _on(x if chunks == "auto" else x.rechunk(chunks), like, backend)
    if is_masked(x):
        return asarray(x, chunks=chunks, like=like, backend=backend)
    return _on(Array(source(reader_of(adopted(x), lock=lock), chunks)), like, backend)


def _on(x: Array, like: Any, backend: str | None) -> Array:
    """Move pieces as soon as they are read to the backend that the caller names, if any."""
    if like is None and backend is None:
        return x
    return to_backend(x, resolve_backend(like, backend))


def from_zarr(
    url: Any,
    component: str = "",
    *,
    chunks: Any = "auto",
    storage_options: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Read a Zarr array.

    Parameters
    ----------
    url : str, path, zarr store or zarr.Array
        A folder, a URL that fsspec understands, or what is open already.
    component : str
        Where the array lies within a group.
    chunks : int, str, tuple or dict
        Block sizes; automatic ones are multiples of the stored chunks.
    storage_options : mapping, optional
        For the file system behind a URL.
    zarr_format : {2, 3}, optional
        By default the one that is found.
    like, backend : optional
        Library of the chunks, as for `from_array`.

    Raises
    ------
    FileNotFoundError
        If there is no array.
    """
    reader = open_zarr(url, component, storage_options=storage_options, zarr_format=zarr_format)
    return _on(Array(source(reader, chunks)), like, backend)


def from_npy(
    path: PathLike, *, chunks: Any = "auto", like: Any = None, backend: str | None = None
) -> Array:
    """Read a ``.npy`` file through memory mapping; ``like`` and ``backend`` as for `from_array`.

    The file must stay as it is. A change is an error when a piece is read; a file that becomes
    shorter while a task computes with a piece kills the process, as with `numpy.memmap`. Another
    file in its place, as `to_npy` puts it there, is no change.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, or is truncated; in computing, if it has changed.
    """
    return _on(Array(source(open_npy(path), chunks)), like, backend)


def from_npy_stack(
    path: PathLike, *, chunks: Any = "auto", like: Any = None, backend: str | None = None
) -> Array:
    """Read a folder of ``.npy`` files as `to_npy_stack` writes it, or dask does.

    The files must stay as they are, as for `from_npy`. ``like`` and ``backend`` are as for
    `from_array`.

    Raises
    ------
    FileNotFoundError
        If the folder or one of its files is missing.
    ValueError
        If they do not fit their description; in computing, if one has changed.
    """
    return _on(Array(source(NpyStackReader(path), chunks)), like, backend)


def from_hdf5(
    path: PathLike,
    dataset: str,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Read a dataset of an HDF5 file; ``like`` and ``backend`` as for `from_array`.

    The dataset must stay as it is; others may be written to the file by `to_hdf5`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    KeyError
        If it holds no such dataset.
    ValueError
        In computing, if another dataset has taken the place of one that is read through h5py.
    """
    return _on(Array(source(open_hdf5(path, dataset), chunks)), like, backend)


def from_map(
    function: Callable[..., Any],
    shape: Sequence[int],
    dtype: Any,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Make an array whose pieces a Python function reads.

    Parameters
    ----------
    function : callable
        ``function(slices) -> array``: the elements that a tuple of slices selects.
    shape : sequence of int
    dtype : dtype
    chunks : int, str, tuple or dict
    like, backend : optional
        Library of the chunks, as for `from_array`; the function returns arrays of NumPy.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.from_map(lambda s: np.arange(10)[s], (10,), int, chunks=5).sum().compute()
    np.int64(45)
    """
    reader = FunctionReader(function, tuple(shape), np.dtype(dtype))
    return _on(Array(source(reader, chunks)), like, backend)
