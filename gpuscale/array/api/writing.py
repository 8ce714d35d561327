"""Arrays into files and whatever takes slices: pieces are written by the tasks that make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.base.errors import NotSupportedError
from gpuscale.base.types import PathLike
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.walk import toposort
from gpuscale.io.array_like import ItemWriter
from gpuscale.io.grid import align
from gpuscale.io.hdf5 import Hdf5Writer
from gpuscale.io.npy import NpyWriter
from gpuscale.io.npy_stack import NpyStackWriter
from gpuscale.io.pieces import PieceWriter
from gpuscale.io.zarr import ZarrWriter

__all__ = ["to_hdf5", "to_npy", "to_npy_stack", "to_zarr"]


def write(arrays: Sequence[Array], writers: Sequence[PieceWriter], options: dict[str, Any]) -> None:
    """Open all targets, cut the arrays so that no two tasks touch one stored chunk, and write."""
    nodes = opened_for(arrays, writers)
    try:
        nodes = _with_copies(nodes, writers, options)
    except BaseException:
        for writer in writers:
            writer.abort()
        raise
    from gpuscale.run import run_sinks

    run_sinks(nodes, writers, **options)


def opened_for(arrays: Sequence[Array], writers: Sequence[PieceWriter]) -> list[Node]:
    """Open targets, and return the arrays cut for them."""
    opened: list[PieceWriter] = []
    nodes: list[Node] = []
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
    return nodes


def _with_copies(
    nodes: list[Node], writers: Sequence[PieceWriter], options: dict[str, Any]
) -> list[Node]:
    """Compute those first that read, in other places than they write, what is written here."""
    numbered = list(enumerate(writers))
    held = [i for i, node in enumerate(nodes) if not all(is_safe(node, i, w) for w in numbered)]
    if not held:
        return nodes
    from gpuscale.run import compute

    copies = compute(*(Array(nodes[at]) for at in held), **options)
    for at, copy in zip(held, copies, strict=True):
        nodes[at] = as_array(copy).rechunk(nodes[at].meta.chunks).expr
    return nodes


def is_safe(node: Node, at: int, numbered: tuple[int, PieceWriter]) -> bool:
    """Whether tasks of a node may run while a writer fills its target."""
    number, writer = numbered
    if not isinstance(writer, ItemWriter):
        return True  # what it writes is new
    touched: set[str] = set()  # nodes that read the target
    for each in toposort([node]):
        if isinstance(each, Source):
            shows = getattr(each.reader, "shows", None)
            if shows is None or not shows(writer.array):
                continue
            in_place = at == number and writer.is_all_of(each.reader)
        elif not any(child.token in touched for child in each.children):
            continue
        else:
            in_place = isinstance(each, Elementwise) and all(
                child.meta.chunks == each.meta.chunks
                for child in each.children
                if child.token in touched
            )
        if not in_place:
            return False
        touched.add(each.token)
    return True


def _check_writes_now(name: str, options: dict[str, Any]) -> None:
    """Take dask's words where they ask for what happens anyhow."""
    if not options.pop("compute", True) or options.pop("return_stored", False):
        raise NotSupportedError(
            f"{name} writes at once and returns nothing; open the array that is to be written, and "
            "say gpuscale.array.store(x, it, compute=False), or return_stored=True"
        )


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
    _check_writes_now("to_zarr", options)
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
    write([x], [writer], {"engine": engine})


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
    >>> import numpy as np
    >>> import gpuscale.array as ga
    >>> path = tempfile.mkdtemp() + "/x.npy"
    >>> ga.to_npy(ga.arange(3), path)
    >>> ga.to_npy(ga.arange(4), path, overwrite=True)
    >>> np.load(path)
    array([0, 1, 2, 3])
    """
    write([as_array(x)], [NpyWriter(path, overwrite)], options)


def to_npy_stack(
    dirname: PathLike, x: Any, axis: int = 0, *, overwrite: bool = False, **options: Any
) -> None:
    """Write a folder of ``.npy`` files, one for each block along an axis.

    Parameters
    ----------
    dirname : str or path
        The folder, which is made as the file of `to_npy` is. It comes first, as in dask; the
        method is ``x.to_npy_stack(dirname)``.
    x : array
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
    TypeError
        If the array comes first.

    Examples
    --------
    >>> import os, tempfile
    >>> import gpuscale.array as ga
    >>> path = tempfile.mkdtemp() + "/x"
    >>> ga.to_npy_stack(path, ga.arange(4, chunks=2))
    >>> sorted(os.listdir(path)), ga.from_npy_stack(path).sum().compute()
    (['0.npy', '1.npy', 'info', 'info.json'], np.int64(6))
    """
    if isinstance(dirname, Array):
        raise TypeError("to_npy_stack takes the folder first: to_npy_stack(dirname, x)")
    write([as_array(x)], [NpyStackWriter(dirname, axis, overwrite)], options)


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
    OSError
        If the program has opened the file with h5py, or is writing it already.
    """
    _check_writes_now("to_hdf5", options)
    writer = Hdf5Writer(path, dataset, overwrite=overwrite, options=options)
    write([as_array(x)], [writer], {"engine": engine})
