"""Datasets of many files: written under a hidden name, and given theirs when all are there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.io.files import protocols
from gpuscale.io.targets import Kind, Target, hidden_sibling, make_locked, named_as, remove, unlock

__all__ = ["FilesStaging", "FolderStaging", "SingleStaging", "Staging"]


class Staging:
    """A hidden folder in which files wait for all others.

    On this machine it stands beside what is written, elsewhere within it: there it has a name that
    readers of datasets pass over, ``_partial-...``.

    Parameters
    ----------
    path : str or path
        Of what will be there, with the protocol of a store where it is not of this machine.
    overwrite : bool
        Whether something of the same kind may be replaced.
    storage_options : mapping, optional
    """

    def __init__(
        self, path: PathLike, overwrite: bool, storage_options: Mapping[str, Any] | None = None
    ) -> None:
        from fsspec.core import url_to_fs

        self.given, self.overwrite = os.fspath(path), overwrite
        self.fs, self.path = url_to_fs(self.given, **dict(storage_options or {}))
        self.on_disk = "file" in protocols(self.fs)
        self.in_memory = "memory" in protocols(self.fs)
        self.hidden = ""

    def begin(self) -> None:
        """Check that the name is free, and make the hidden folder.

        Raises
        ------
        FileExistsError
            If something is there that may not be replaced.
        FileNotFoundError
            If a file shall be written to a folder that does not exist.
        """
        self.check()
        if not self.on_disk:
            self.hidden = f"{self.beside()}/_partial-{uuid.uuid4().hex[:12]}"
            return
        beside = Path(self.path)
        if not beside.parent.is_dir():
            raise FileNotFoundError(
                f"cannot write {self.given}: there is no folder {beside.parent}"
            )
        hidden = hidden_sibling(beside, "partial")
        with named_as(self.given):
            while not make_locked(hidden, True):
                hidden = hidden_sibling(beside, "partial")
        self.hidden = str(hidden)

    def check(self) -> None:
        """Refuse a name that is taken."""
        raise NotImplementedError

    def beside(self) -> str:
        """Return the folder of a store in which the hidden one is."""
        return str(self.path).rpartition("/")[0]

    def open(self, name: str) -> Any:
        """Open a file of the hidden folder to be written."""
        path = f"{self.hidden}/{name}"
        if self.on_disk:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return open(path, "wb")
        return self.fs.open(path, "wb")

    def written(self) -> list[str]:
        """Return the names of all files that are there."""
        found = self.fs.find(self.hidden)
        return sorted(each[len(self.hidden) + 1 :] for each in found)

    def publish(self) -> None:
        """Give all files their names."""
        raise NotImplementedError

    def move(self, name: str, path: str) -> None:
        """Give one file its name, in the place of an old one."""
        if self.on_disk:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(f"{self.hidden}/{name}", path)
        else:
            self.fs.mv(f"{self.hidden}/{name}", path)

    def remove(self) -> None:
        """Remove the hidden folder and all that is in it."""
        if not self.hidden:
            return
        if self.on_disk:
            remove(Path(self.hidden))
            unlock(Path(self.hidden))
        else:
            with suppress(FileNotFoundError):
                self.fs.rm(self.hidden, recursive=True)
        self.hidden = ""


def _taken(given: str) -> FileExistsError:
    return FileExistsError(f"{given} exists; pass overwrite=True to replace it")


class FolderStaging(Staging):
    """A folder of files.

    Parameters
    ----------
    path, overwrite, storage_options
        As of `Staging`.
    kind : Kind
        What may be replaced.
    append : bool
        Whether files come beside those that are there.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool,
        storage_options: Mapping[str, Any] | None,
        kind: Kind,
        append: bool = False,
    ) -> None:
        super().__init__(path, overwrite, storage_options)
        self._kind, self.append = kind, append

    def beside(self) -> str:
        """Return the folder itself, where nobody takes what is hidden for a part of it."""
        return str(self.path)

    def check(self) -> None:
        """Refuse what may not be replaced, and what cannot be appended to."""
        if self.on_disk:
            target = Target(Path(self.path), self.overwrite, self._kind)
            if not (self.append and Path(self.path).is_dir()):
                target.check_free()
        elif not self.append and not self.overwrite and self.fs.exists(self.path):
            raise _taken(self.given)

    def publish(self) -> None:
        """Rename the folder, or its files where some are there already."""
        if self.on_disk and not (self.append and Path(self.path).is_dir()):
            Target(Path(self.path), self.overwrite, self._kind).put(Path(self.hidden))
            self.hidden = ""
            return
        names = self.written()
        if not self.append and self.fs.exists(self.path):
            for old in self.fs.find(self.path):
                if not old.startswith(self.hidden):
                    self.fs.rm(old)
        for name in names:
            self.move(name, f"{self.path}/{name}")
        self.remove()


class FilesStaging(Staging):
    """Files side by side, whose names have a number in the place of a ``*``.

    Parameters
    ----------
    path, overwrite, storage_options
        As of `Staging`; the path has a ``*``.
    name_of : callable
        ``name_of(number)`` takes the place of the ``*``.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool,
        storage_options: Mapping[str, Any] | None,
        name_of: Callable[[int], str],
    ) -> None:
        super().__init__(path, overwrite, storage_options)
        self._name_of = name_of

    def _old(self) -> list[str]:
        return [str(each) for each in self.fs.glob(self.path)]

    def check(self) -> None:
        """Refuse names that are taken by files that would look like some of these."""
        found = self._old()
        if found and not self.overwrite:
            raise _taken(found[0])

    def publish(self) -> None:
        """Remove old files, and give the new ones their names."""
        for old in self._old():
            self.fs.rm(old)
        for name in self.written():
            self.move(name, self.path.replace("*", self._name_of(int(name))))
        self.remove()


class SingleStaging(Staging):
    """One file that parts follow each other in.

    Parameters
    ----------
    path, overwrite, storage_options
        As of `Staging`.
    compression : str or None
        As fsspec calls it.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool,
        storage_options: Mapping[str, Any] | None,
        compression: str | None = None,
    ) -> None:
        super().__init__(path, overwrite, storage_options)
        self._compression = compression

    def check(self) -> None:
        """Refuse a name that is taken."""
        if self.fs.isdir(self.path):
            raise IsADirectoryError(f"{self.given} is a folder; name a file in it")
        if not self.overwrite and self.fs.exists(self.path):
            raise _taken(self.given)

    def publish(self) -> None:
        """Copy the parts into one file, and give it its name."""
        names = self.written()
        if self.on_disk:
            with open(f"{self.hidden}/whole", "wb") as file:
                self._fill(file, names)
            self.move("whole", self.path)
        else:
            with self.fs.open(self.path, "wb") as file:
                self._fill(file, names)
        self.remove()

    def _fill(self, file: Any, names: Iterable[str]) -> None:
        from shutil import copyfileobj

        from fsspec.compression import compr

        packed = file if self._compression is None else compr[self._compression](file, mode="wb")
        for name in names:
            with self.fs.open(f"{self.hidden}/{name}", "rb") as part:
                copyfileobj(part, packed, 1 << 20)
        if packed is not file:
            packed.close()
