"""Where results go that memory has no room for: one folder for each process, gone with it.

Beside each folder lies a file that its process keeps locked. The system unlocks it when the process
ends, however it ends, so whoever finds a folder unlocked may remove it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from gpuscale.base import config
from gpuscale.base.errors import SpillError
from gpuscale.memory.spill_file import MOST_SHARED, SharedFile, SpillFile, write_file

__all__ = ["SpillFolder", "spill_folder", "spill_root"]

_MOUNTS = "/proc/self/mounts"
_IN_MEMORY = ("tmpfs", "ramfs")


def spill_root() -> Path:
    """Folder in which each process of this user has its own.

    It lies in the option ``temporary-directory``, or in the system's folder for temporary files;
    where the latter is kept in memory, which would defeat the purpose, in ``/var/tmp``.
    """
    chosen = config.get("temporary-directory")
    if chosen is None:
        chosen = tempfile.gettempdir()
        if _is_in_memory(chosen) and not _is_in_memory("/var/tmp"):
            chosen = "/var/tmp"
    return Path(chosen) / f"gpuscale-{os.getuid()}"


def _is_in_memory(path: str, mounts: str = _MOUNTS) -> bool:
    """Say whether a folder that can be written to is a file system without a disk."""
    try:
        lines = Path(mounts).read_text().splitlines()
        path = os.path.realpath(path)
    except OSError:
        return False
    kinds = {fields[1]: fields[2] for fields in map(str.split, lines)}
    while path not in kinds and path != "/":
        path = os.path.dirname(path)
    return kinds.get(path) in _IN_MEMORY


class SpillFolder:
    """A folder of this process, removed when the process ends.

    Folders of processes that are dead are removed first.

    Parameters
    ----------
    root : path

    Raises
    ------
    SpillError
        If the folder cannot be made, or the root belongs to somebody else.
    """

    def __init__(self, root: Path) -> None:
        with _explained(root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            info = root.lstat()
            if info.st_uid != os.getuid() or root.is_symlink():
                raise PermissionError(f"{root} belongs to somebody else")
            _remove_abandoned(root)
            self.path = _locked_folder(root)
        self._owner = os.getpid()
        self._numbers = count()
        self._shared: weakref.ref[SharedFile] | None = None  # that the next results are added to
        self._lock = threading.Lock()
        atexit.register(self.remove)

    def new_file(self) -> Path:
        """Name a file that does not exist yet."""
        return self.path / str(next(self._numbers))

    def store(self, parts: Iterable[memoryview], sample: memoryview, nbytes: int) -> SpillFile:
        """Write bytes: to a file of their own, or after those of others if there are few.

        Parameters
        ----------
        parts : iterable of memoryview
            The bytes, in any number of parts.
        sample : memoryview
            Some of them, which decide whether all are compressed.
        nbytes : int
            How many there are.
        """
        if nbytes > MOST_SHARED:
            return write_file(self.new_file(), parts, sample)
        with self._lock:
            shared = None if self._shared is None else self._shared()
            if shared is None or shared.is_full:
                shared = SharedFile(self.new_file())
                self._shared = weakref.ref(shared)
        return shared.add(parts, sample)

    @property
    def is_mine(self) -> bool:
        """Whether it belongs to this process, and not to the one that this is a fork of."""
        return self._owner == os.getpid() and self.path.is_dir()

    def remove(self) -> None:
        """Remove the folder and all in it."""
        if self.is_mine:
            shutil.rmtree(self.path, ignore_errors=True)
            with suppress(OSError):
                _lock_of(self.path).unlink()
        atexit.unregister(self.remove)


_folders: dict[Path, SpillFolder] = {}
_lock = threading.Lock()


def spill_folder() -> SpillFolder:
    """Return this process's folder, made at its first use."""
    root = spill_root()
    with _lock:
        found = _folders.get(root)
        if found is None or not found.is_mine:
            found = _folders[root] = SpillFolder(root)
        return found


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _locked_folder(root: Path) -> Path:
    """Make a folder whose lock this process holds."""
    for number in count():
        folder = root / f"{os.getpid()}-{number}"
        try:
            file = os.open(_lock_of(folder), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except FileExistsError:
            continue
        fcntl.flock(file, fcntl.LOCK_EX)  # kept open, and so locked, until the process ends
        if _is_at(_lock_of(folder), file):
            folder.mkdir(mode=0o700)
            return folder
        os.close(file)  # another process took it for abandoned before it was locked
    raise AssertionError("there is always another number")


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _remove_abandoned(root: Path) -> None:
    """Remove the folders of processes that ended without doing it."""
    for path in root.glob("*.lock"):
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink()
        except OSError:  # its process lives, or another one removes it at this moment
            pass
        finally:
            os.close(file)


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpillError(
            f"no folder for results that memory has no room for can be made in {root}: {error}; "
            "set the option temporary-directory to a folder that can be written, or turn the "
            "option spill off"
        ) from error
