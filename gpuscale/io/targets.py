"""Targets of writing: they appear whole or not at all, and replace only what is of their kind.

What is written has a hidden name beside its target, ``.x.npy.partial-...``, until it is finished.
The writing process holds a lock on it, which ends with the process, so that the next write to the
same target can tell what a killed one left behind, and removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpuscale.base.types import PathLike

__all__ = [
    "Kind",
    "Target",
    "describe",
    "hidden_sibling",
    "make_locked",
    "named_as",
    "remove",
    "remove_unlocked",
    "unlock",
]

_locks: dict[Path, int] = {}  # descriptors of what this process is writing


@dataclass(frozen=True)
class Kind:
    """What a format leaves at its target.

    Parameters
    ----------
    name : str
        For messages, as "a .npy file".
    is_folder : bool
    foreign : callable
        ``foreign(path)`` says what stands at a path that exists, or None where that is of this
        kind, or empty, so that nothing else is lost where it is replaced.
    """

    name: str
    is_folder: bool
    foreign: Callable[[Path], str | None]


class Target:
    """Where a file or folder shall appear. Symbolic links are followed, as NumPy does.

    Parameters
    ----------
    path : path
    overwrite : bool
        Whether something of the same kind may be replaced; anything else never is.
    kind : Kind

    Examples
    --------
    >>> import tempfile
    >>> text = Kind("a text", False, lambda path: None if path.suffix == ".txt" else describe(path))
    >>> target = Target(Path(tempfile.mkdtemp()) / "x.txt", False, text)
    >>> hidden = target.begin()
    >>> hidden.name.startswith(".x.txt.partial-"), hidden.write_text("whole"), target.path.exists()
    (True, 5, False)
    >>> target.finish()
    >>> target.path.read_text(), hidden.exists()
    ('whole', False)
    """

    def __init__(self, path: Path, overwrite: bool, kind: Kind) -> None:
        self.path, self._given = Path(os.path.realpath(path)), path
        self._overwrite, self._kind = overwrite, kind
        self._hidden = self.path  # until there is one

    def check_free(self) -> None:
        """Refuse a target where something stands that may not be replaced.

        Raises
        ------
        FileExistsError, IsADirectoryError
            If something of this kind is there without ``overwrite``, or anything else.
        """
        if not os.path.lexists(self.path) and (self._overwrite or not self._given.is_symlink()):
            return
        what = self._kind.foreign(self.path) if self.path.exists() else "a link to nowhere"
        if what is None and self._overwrite:
            return
        if what is None:
            raise FileExistsError(f"{self._given} exists; pass overwrite=True to replace it")
        is_wrong_folder = self.path.is_dir() and not self._kind.is_folder
        error = IsADirectoryError if is_wrong_folder else FileExistsError
        raise error(
            f"{self._given} is {what}, and only {self._kind.name} can be replaced; write to "
            "another name, or remove it first"
        )

    def begin(self) -> Path:
        """Make an empty file or folder under a hidden name, and return its path.

        Raises
        ------
        FileNotFoundError
            If the folder of the target does not exist.
        FileExistsError, IsADirectoryError
            As for `check_free`.
        OSError
            If the folder takes no new files, as it does not without the permission to write.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"cannot write {self._given}: there is no folder {self.path.parent}"
            )
        self.check_free()
        with named_as(self._given):
            self._hidden = self._make_hidden()
        return self._hidden

    def _make_hidden(self) -> Path:
        _remove_stale(self.path)
        hidden = hidden_sibling(self.path, "partial")
        while not make_locked(hidden, self._kind.is_folder):
            hidden = hidden_sibling(self.path, "partial")
        return hidden

    def finish(self) -> None:
        """Give what is written its name; an old one stays until the new one is there."""
        self.put(self._hidden)

    def put(self, hidden: Path) -> None:
        """Give something its name that was made and locked elsewhere."""
        self.check_free()
        if self._kind.is_folder and self.path.exists():
            _swap(hidden, self.path)
        else:
            os.replace(hidden, self.path)
        unlock(hidden)

    def abandon(self) -> None:
        """Remove what was written; after `finish`, do nothing."""
        if self._hidden != self.path:
            remove(self._hidden)
            unlock(self._hidden)


def describe(path: Path) -> str:
    """Say what stands at a path, without opening what is no plain file.

    Examples
    --------
    >>> describe(Path("/"))[:12], describe(Path("/dev/null"))
    ('a folder tha', 'a device')
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        names = sorted(os.listdir(path))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"a folder that holds {names[0]!r}{more}" if names else "an empty folder"
    if stat.S_ISREG(mode):
        return "a file of another kind"
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return "a device"
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket"


def remove(path: Path) -> None:
    """Remove a file or a folder; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        import shutil  # brings every format of archives along

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def hidden_sibling(path: Path, role: str) -> Path:
    """Return a hidden name in the same folder, and so on the same file system."""
    return path.with_name(f".{path.name}.{role}-{uuid.uuid4().hex[:12]}")


@contextmanager
def named_as(given: PathLike) -> Iterator[None]:
    """Have errors of making something hidden name what was asked for.

    Raises
    ------
    OSError
        Of the same kind.
    """
    try:
        yield
    except OSError as error:
        reason = f"its folder takes no new files: {error.strerror}"
        raise OSError(error.errno, reason, os.fspath(given)) from None


def _swap(new: Path, path: Path) -> None:
    """Put a folder in the place of another: one that is not empty is not replaced in one step."""
    old = hidden_sibling(path, "old")
    os.rename(path, old)
    try:
        os.rename(new, path)
    except OSError:
        os.rename(old, path)
        raise
    remove(old)


def make_locked(hidden: Path, is_folder: bool) -> bool:
    """Make a file or folder and lock it; False where another process took it for a stale one."""
    if is_folder:
        hidden.mkdir()
    else:
        hidden.touch(exist_ok=False)
    try:
        descriptor = os.open(hidden, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except OSError:  # a file system without locks: nobody can tell there what is stale
        os.close(descriptor)
        return True
    if not os.path.exists(hidden):
        os.close(descriptor)
        return False
    _locks[hidden] = descriptor
    return True


def unlock(hidden: Path) -> None:
    """Let go of what `make_locked` made; it has its name, or is removed."""
    descriptor = _locks.pop(hidden, None)
    if descriptor is not None:
        os.close(descriptor)


def _remove_stale(path: Path) -> None:
    """Remove what writers left beside a target when they were killed."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(partial|old)-[0-9a-f]{{12}}")
    with os.scandir(path.parent) as entries:
        found = [(Path(each.path), m[1]) for each in entries if (m := name.fullmatch(each.name))]
    for each, role in found:
        # An old folder is all there is if its writer was killed before the new one had its name.
        if role == "partial" or path.exists():
            remove_unlocked(each)


def remove_unlocked(hidden: Path) -> None:
    """Remove a file or folder unless a process that lives has locked it."""
    try:
        descriptor = os.open(hidden, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(hidden)
    except OSError:
        pass
    finally:
        os.close(descriptor)
