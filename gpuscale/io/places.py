"""Where arrays lie: which memory, file or store, and whether two of them share it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gpuscale.base.dispatch import Dispatch
from gpuscale.io.chunk_locks import storage_name

__all__ = ["anchored", "file_behind", "is_open_to_all", "place_of", "share_storage"]


anchored: Dispatch[Any] = Dispatch(
    "anchored",
    doc="""Return a handle of the same stored array that is right from every current folder.

    A relative path means what it means here and now: workers of a cluster run elsewhere. Libraries
    whose arrays keep relative paths register a row; whatever has none stays the object it is.
    """,
)


@anchored.register(object)
def _anchored_as_it_is(array: Any) -> Any:
    return array


def file_behind(array: Any) -> str | None:
    """Return the file that changes where somebody assigns to an array that is mapped.

    Examples
    --------
    >>> file_behind(np.zeros(3)) is None
    True
    """
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.filename is not None and array.mode != "c":
            return os.path.realpath(array.filename)
        array = array.base
    return None


def place_of(array: Any) -> tuple[str, str | None]:
    """Return the file, or the name of what is no file, and the name within it.

    All of an HDF5 dataset's handles share one, as do those of a Zarr array.
    """
    file = getattr(array, "file", None)
    if type(array).__module__.partition(".")[0] == "h5py" and file is not None:
        return os.path.realpath(file.filename), array.name
    return file_behind(array) or storage_name(array), None


def share_storage(one: Any, other: Any) -> bool:
    """Whether what is assigned to one array may be seen in another.

    Examples
    --------
    >>> x = np.zeros(4)
    >>> share_storage(x, x[::-1]), share_storage(x, x.copy())
    (True, False)
    """
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if np.may_share_memory(one, other):
            return True
        file = file_behind(one)
        return file is not None and file == file_behind(other)
    return place_of(one) == place_of(other)


def is_open_to_all(array: Any) -> bool:
    """Whether other processes may write to what an array of this one writes to.

    That is known of Zarr arrays in folders and behind URLs; what is not known stays here.

    Examples
    --------
    >>> is_open_to_all(np.zeros(3))
    False
    """
    store = getattr(array, "store", None)
    if isinstance(getattr(store, "root", None), str | os.PathLike):
        return True
    protocol = getattr(getattr(store, "fs", None), "protocol", "memory")
    return "memory" not in ((protocol,) if isinstance(protocol, str) else protocol)
