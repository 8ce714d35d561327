"""HDF5 files that are open in this process: one handle for all readers of a file.

HDF5 shows all handles of a file in one process what the first of them found. A handle that stays
open so hides what is written later; here it is renewed once the file has changed. All functions
are called with `one_thread_lock` held.
"""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakValueDictionary

from gpuscale.io.mapped import stamp_of

__all__ = ["OpenFile", "begin_writing", "end_writing", "import_h5py", "open_file", "shared_file"]


def import_h5py() -> Any:
    """Return h5py, or say how to get it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError("HDF5 files need h5py: pip install 'gpuscale[hdf5]'") from error
    return h5py


def open_file(path: str) -> Any:
    """Open a file for reading.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no HDF5 file, or is truncated.
    """
    try:
        return import_h5py().File(path, "r")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be opened as an HDF5 file: {error}") from error


class OpenFile:
    """A file that is open for reading, and its datasets; it is closed when nobody holds it."""

    file: Any = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.renew()

    def renew(self) -> None:
        """Open the file as it is now."""
        self.close()
        self.stamp = _stamp(self.path)
        self.file = open_file(self.path)
        self._found: dict[str, tuple[Any, int]] = {}

    def close(self) -> None:
        """Close the file until it is renewed."""
        if self.file is not None:
            self.file.close()

    @property
    def is_current(self) -> bool:
        """Whether the file has not changed since it was opened."""
        return bool(self.file) and self.stamp == _stamp(self.path, self.stamp)

    def dataset(self, name: str) -> tuple[Any, int]:
        """Return a dataset, and its address in the file, which a dataset that replaces it has not.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        found = self._found.get(name)
        if found is None:
            h5py, dataset = import_h5py(), self.file.get(name)
            if isinstance(dataset, h5py.Group):
                raise KeyError(
                    f"{name!r} in {self.file.filename} is a group, no dataset; "
                    f"it holds {_datasets_in(dataset) or 'none'}"
                )
            if not isinstance(dataset, h5py.Dataset):
                there = ", ".join(self.file) or "nothing"
                raise KeyError(
                    f"{self.file.filename} holds no dataset {name!r}; its root holds {there}"
                )
            found = self._found[name] = dataset, h5py.h5o.get_info(dataset.id).addr
        return found


def _datasets_in(group: Any, most: int = 6) -> str:
    """Names of the first datasets in a group and those within it, for messages."""
    found: list[str] = []

    def visit(name: str, item: Any) -> bool | None:
        if isinstance(item, import_h5py().Dataset):
            found.append(f"{group.name.rstrip('/')}/{name}")
        return True if len(found) > most else None  # which ends the visit

    group.visititems(visit)
    return ", ".join(found[:most]) + ", ..." * (len(found) > most)


_files: WeakValueDictionary[str, OpenFile] = WeakValueDictionary()
_written: dict[str, OpenFile] = {}  # as they were before


def shared_file(path: str) -> OpenFile:
    """Return a file, open for reading, as it is now.

    Parameters
    ----------
    path : str
        Without symbolic links.
    """
    if path in _written:  # what is being written is not whole
        return _written[path]
    found = _files.get(path)
    if found is None:
        found = _files[path] = OpenFile(path)
    elif not found.is_current:
        found.renew()
    return found


def begin_writing(path: str) -> None:
    """Take note that a file is being written; readers go on with what was there before.

    Raises
    ------
    OSError
        If it is already, or someone else has opened it in this process.
    """
    shared, h5f = _files.get(path), import_h5py().h5f
    own = None if shared is None else shared.file.id.id  # handles of one file compare as equal
    others = [each for each in h5f.get_obj_ids(types=h5f.OBJ_FILE) if each.id != own]
    if path in _written or any(_is_of(path, each) for each in others):
        raise OSError(
            f"{path} is open in this program, which would not see what is written, or damage it; "
            "close it first"
        )
    shared = shared_file(path)
    if shared.file.mode == "r+":
        shared.renew()  # else it would write what someone did who has closed his handle since
    _written[path] = shared


def end_writing(path: str) -> None:
    """Let readers see what was written."""
    found = _written.pop(path, None)
    if found is not None:
        found.close()


def _stamp(path: str, gone: Any = None) -> Any:
    try:
        status = os.stat(path)
    except OSError:  # it lost its name, but what is open stays
        return gone
    return status.st_dev, status.st_ino, *stamp_of(status)


def _is_of(path: str, opened: Any) -> bool:
    name = os.fsdecode(import_h5py().h5f.get_name(opened))
    return os.path.exists(name) and os.path.samefile(name, path)
