"""Arrays from what exists, and into files: pieces are read and written by the tasks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.asarray import asarray
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, is_masked, source
from gpuscale.backends.creation import resolve_backend
from gpuscale.backends.transfer import to_device
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.io.array_like import ItemWriter, reader_of
from gpuscale.io.functions import FunctionReader
from gpuscale.io.grid import align
from gpuscale.io.hdf5 import Hdf5Writer, open_hdf5
from gpuscale.io.npy import NpyWriter, open_npy
from gpuscale.io.npy_stack import NpyStackReader, NpyStackWriter
from gpuscale.io.pieces import PieceWriter
from gpuscale.io.zarr import ZarrWriter, open_zarr

__all__ = [
    "from_array",
    "from_hdf5",
    "from_map",
    "from_npy",
    "from_npy_stack",
    "from_zarr",
    "store",
    "to_backend",
    "to_hdf5",
    "to_npy",
    "to_npy_stack",
    "to_zarr",
]

PathLike = str | os.PathLike[str]


# --- reading -------------------------------------------------------------------------------------


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
    if isinstance(x, Array):
        return x if chunks == "auto" else x.rechunk(chunks)
    if is_masked(x):
        return asarray(x, chunks=chunks, like=like, backend=backend)
    result = Array(source(reader_of(x, lock=lock), chunks))
    if like is None and backend is None:
        return result
    return to_backend(result, resolve_backend(like, backend))


def from_zarr(
    url: Any,
    component: str = "",
    *,
    chunks: Any = "auto",
    storage_options: Mapping[str, Any] | None = None,
    zarr_format: int | None = None,
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

    Raises
    ------
    FileNotFoundError
        If there is no array.
    """
    reader = open_zarr(url, component, storage_options=storage_options, zarr_format=zarr_format)
    return Array(source(reader, chunks))


def from_npy(path: PathLike, *, chunks: Any = "auto") -> Array:
    """Read a ``.npy`` file through memory mapping.

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
    return Array(source(open_npy(path), chunks))


def from_npy_stack(path: PathLike, *, chunks: Any = "auto") -> Array:
    """Read a folder of ``.npy`` files as `to_npy_stack` writes it, or dask does.

    The files must stay as they are, as for `from_npy`.

    Raises
    ------
    FileNotFoundError
        If the folder or one of its files is missing.
    ValueError
        If they do not fit their description; in computing, if one has changed.
    """
    return Array(source(NpyStackReader(path), chunks))


def from_hdf5(path: PathLike, dataset: str, *, chunks: Any = "auto") -> Array:
    """Read a dataset of an HDF5 file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    KeyError
        If it holds no such dataset.
    """
    return Array(source(open_hdf5(path, dataset), chunks))


def from_map(
    function: Callable[..., Any], shape: Sequence[int], dtype: Any, *, chunks: Any = "auto"
) -> Array:
    """Make an array whose pieces a Python function reads.

    Parameters
    ----------
    function : callable
        ``function(slices) -> array``: the elements that a tuple of slices selects.
    shape : sequence of int
    dtype : dtype
    chunks : int, str, tuple or dict

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.from_map(lambda s: np.arange(10)[s], (10,), int, chunks=5).sum().compute()
    np.int64(45)
    """
    return Array(source(FunctionReader(function, tuple(shape), np.dtype(dtype)), chunks))


def to_backend(x: Any, backend: Any = None) -> Array:
    """Move the chunks to another library: "numpy", "cupy", a module or an array of it.

    Raises
    ------
    BackendError
        If there is no such backend.
    """
    x = as_array(x)
    name = resolve_backend(
        None if isinstance(backend, str) else backend, backend if isinstance(backend, str) else None
    )
    if name == x.backend:
        return x
    node = x.expr
    kernel = FunctionKernel(to_device, (name,), label=f"to_{name}")
    meta: ArrayMeta = node.meta.with_(backend=name)
    inputs = (BlockInput(node, axes=tuple(range(x.ndim))),)
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))


# --- writing -------------------------------------------------------------------------------------


def _write(
    arrays: Sequence[Array], writers: Sequence[PieceWriter], options: dict[str, Any]
) -> None:
    """Open all targets, cut the arrays so that no two tasks touch one stored chunk, and write."""
    opened: list[PieceWriter] = []
    nodes = []
    try:
        for x, writer in zip(arrays, writers, strict=True):
            x.compute_chunk_sizes()
            writer.open(x.shape, x.dtype, x.chunks)  # type: ignore[arg-type]
            opened.append(writer)
            nodes.append(x.rechunk(align(x.chunks, writer.safe_grid())).expr)  # type: ignore
    except BaseException:
        for writer in opened:
            writer.abort()
        raise
    from gpuscale.run import run_sinks

    run_sinks(nodes, writers, **options)


def store(
    sources: Any, targets: Any, *, regions: Any = None, lock: Any = None, **options: Any
) -> None:
    """Compute arrays into objects that take ``target[slices] = piece``.

    Parameters
    ----------
    sources : array or sequence of array
    targets : object or sequence of object
        With ``shape`` and ``__setitem__``: ndarrays, memmaps, h5py datasets, zarr arrays. Blocks
        are moved to the boundaries of the target's chunks, so that no two tasks write one.
    regions : tuple of slice, or sequence of them, optional
        The part of each target to fill. As for `to_zarr`, several processes must not write regions
        that share a stored chunk.
    lock : bool or lock, optional
        Held while writing; by default only for libraries known to need it.
    **options
        As for `gpuscale.compute`.

    Raises
    ------
    ValueError
        If the shapes, or the numbers of sources, targets and regions, differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> target = np.zeros(4)
    >>> ga.store(ga.ones(4, chunks=2), target)
    >>> target
    array([1., 1., 1., 1.])
    """
    if not isinstance(sources, list | tuple):
        sources, targets = [sources], [targets]
        regions = None if regions is None else [regions]
    regions = [None] * len(sources) if regions is None else list(regions)
    if not len(sources) == len(targets) == len(regions):
        raise ValueError(
            f"store got {len(sources)} sources, {len(targets)} targets and {len(regions)} regions"
        )
    writers = [ItemWriter(t, r, lock) for t, r in zip(targets, regions, strict=True)]
    _write([as_array(x) for x in sources], writers, options)


def to_zarr(
    x: Any,
    url: Any,
    component: str = "",
    *,
    chunks: tuple[int, ...] | None = None,
    shards: tuple[int, ...] | None = None,
    region: tuple[slice, ...] | None = None,
    overwrite: bool = False,
    zarr_format: int = 3,
    storage_options: Mapping[str, Any] | None = None,
    engine: Any = None,
    **options: Any,
) -> None:
    """Write a new Zarr array, or a region of one that is open.

    Parameters
    ----------
    x : array
    url : str, path, zarr store or zarr.Array
        An open array is written into, the whole or a region.
    component : str
        Where the array shall lie within a group.
    chunks, shards : tuple of int, optional
        Stored chunks; those of ``x`` by default. ``x`` is cut so that each is written by one
        task.
    region : tuple of slice, optional
        Part of an open array to fill. Threads of one process may write regions that share a
        stored chunk, which they then fill one after the other; several processes must not, since
        one would undo what another wrote.
    overwrite : bool
        Whether a Zarr array of that name, or an empty group or folder, may be replaced. Anything
        else never is: a group that holds something, other files and folders.
    zarr_format : {2, 3}
    storage_options : mapping, optional
        For the file system behind a URL.
    engine : str or Engine, optional
    **options
        What else ``zarr.create_array`` takes: compressors, fill_value, attributes, ...

    Raises
    ------
    FileExistsError
        If there is an array already and ``overwrite`` is not set, or anything else; nothing is
        written then.

    Notes
    -----
    In a local folder the array is made beside its name, as the file of `to_npy` is.
    """
    x = as_array(x)
    if hasattr(url, "__setitem__") and hasattr(url, "shape"):
        writer: PieceWriter = ItemWriter(url, region)
    elif region is not None:
        raise ValueError("region= needs an array that is open: pass a zarr.Array, not its path")
    else:
        writer = ZarrWriter(
            url,
            component,
            chunks=chunks,
            shards=shards,
            overwrite=overwrite,
            zarr_format=zarr_format,
            storage_options=storage_options,
            options=options,
        )
    _write([x], [writer], {"engine": engine})


def to_npy(x: Any, path: PathLike, *, overwrite: bool = False, **options: Any) -> None:
    """Write one ``.npy`` file, in pieces.

    Parameters
    ----------
    x : array
    path : str or path
        Symbolic links are followed. The file is written beside its name, as
        ``.name.partial-...``, and an old one stays until it is finished; what a process that was
        killed left there is removed by the next write to the same name.
    overwrite : bool
        Whether a ``.npy`` file of that name, or an empty file, may be replaced; anything else
        never is.
    **options
        As for `gpuscale.compute`.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is not set, or is no ``.npy`` file.
    IsADirectoryError
        If there is a folder of that name.

    Examples
    --------
    >>> import tempfile
    >>> import gpuscale.array as ga
    >>> path = tempfile.mkdtemp() + "/x.npy"
    >>> ga.to_npy(ga.arange(3), path)
    >>> ga.to_npy(ga.arange(4), path, overwrite=True)
    >>> np.load(path)
    array([0, 1, 2, 3])
    """
    _write([as_array(x)], [NpyWriter(path, overwrite)], options)


def to_npy_stack(
    x: Any, path: PathLike, axis: int = 0, *, overwrite: bool = False, **options: Any
) -> None:
    """Write a folder of ``.npy`` files, one for each block along an axis.

    Parameters
    ----------
    x : array
    path : str or path
        Of the folder, which is made as that of `to_npy` is.
    axis : int
        Axis along which the files follow each other.
    overwrite : bool
        Whether such a folder, if it holds nothing else, or an empty one may be replaced;
        anything else never is.
    **options
        As for `gpuscale.compute`.

    Raises
    ------
    FileExistsError
        If the folder exists and ``overwrite`` is not set, or something else is there.

    Examples
    --------
    >>> import os, tempfile
    >>> import gpuscale.array as ga
    >>> path = tempfile.mkdtemp() + "/x"
    >>> ga.to_npy_stack(ga.arange(4, chunks=2), path)
    >>> sorted(os.listdir(path)), ga.from_npy_stack(path).sum().compute()
    (['0.npy', '1.npy', 'info', 'info.json'], np.int64(6))
    """
    _write([as_array(x)], [NpyStackWriter(path, axis, overwrite)], options)


def to_hdf5(
    x: Any,
    path: PathLike,
    dataset: str = "/x",
    *,
    overwrite: bool = False,
    engine: Any = None,
    **options: Any,
) -> None:
    """Write a dataset of an HDF5 file.

    Parameters
    ----------
    x : array
    path : str or path
    dataset : str
    overwrite : bool
        Whether a dataset of that name may be replaced; a group that holds something never is.
    engine : str or Engine, optional
    **options
        What else ``h5py.Group.create_dataset`` takes: compression, ...

    Raises
    ------
    FileExistsError
        If the dataset exists and ``overwrite`` is not set, or is a group, or the path leads to
        no file.
    """
    writer = Hdf5Writer(path, dataset, overwrite=overwrite, options=options)
    _write([as_array(x)], [writer], {"engine": engine})
