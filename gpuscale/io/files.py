"""Files that paths, globs, lists and URLs name, here or in any store that fsspec knows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.base.types import PathLike
from gpuscale.io.mapped import check_unchanged, stamp_of

__all__ = ["Files", "compression_of", "find_files", "natural_key", "protocols"]

_GLOB = re.compile(r"[*?\[]")
#: What stores call the time or the version of a file, the surest first.
_VERSIONS = ("ETag", "etag", "generation", "LastModified", "last_modified", "updated", "mtime")


def natural_key(text: str) -> list[Any]:
    """Return what sorts names as people count: ``part.2`` stands before ``part.10``.

    Examples
    --------
    >>> sorted(["part.10", "part.2"], key=natural_key)
    ['part.2', 'part.10']
    """
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]


def compression_of(path: str) -> str | None:
    """Return how the ending of a name says that a file is compressed, in fsspec's words.

    Examples
    --------
    >>> compression_of("x.csv.gz"), compression_of("x.csv")
    ('gzip', None)
    """
    from fsspec.utils import infer_compression

    method: str | None = infer_compression(path)
    return method


@dataclass(frozen=True)
class Files:
    """Files of one file system, with what tells whether one of them has changed since.

    Parameters
    ----------
    fs : fsspec.AbstractFileSystem
    paths : tuple of str
        As the file system has them; on this machine they are absolute.
    stamps : tuple
        Size of each, and the time or name of its version.
    root : str
        The folder that was named; empty where files were.
    """

    fs: Any = field(compare=False, repr=False)
    paths: tuple[str, ...]
    stamps: tuple[tuple[int, Any], ...]
    root: str = ""

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def on_disk(self) -> bool:
        """Whether the files lie in the file system of this machine, which all its processes see."""
        return "file" in protocols(self.fs)

    @property
    def in_memory(self) -> bool:
        """Whether they are memory of this process, as those of ``memory://`` are."""
        return "memory" in protocols(self.fs)

    @cached_property
    def token(self) -> str:
        """Identity of what the files hold."""
        return tokenize("files", protocols(self.fs)[0], self.paths, self.stamps)

    def size(self, number: int) -> int:
        """Bytes of one file."""
        return self.stamps[number][0]

    def name(self, number: int) -> str:
        """What messages call a file."""
        path = self.paths[number]
        return path if self.on_disk else str(self.fs.unstrip_protocol(path))

    def check(self, number: int) -> None:
        """Refuse a file of this machine that has changed; elsewhere asking would cost a request.

        Raises
        ------
        ValueError
        """
        if self.on_disk:
            now = stamp_of(os.stat(self.paths[number]))
            check_unchanged(self.paths[number], self.stamps[number], now)

    def open(self, number: int) -> Any:
        """Open one file to be read."""
        path = self.paths[number]
        return open(path, "rb") if self.on_disk else self.fs.open(path, "rb")

    def read(self, number: int, start: int = 0, stop: int | None = None) -> bytes:
        """Return some bytes of one file."""
        if not self.on_disk:
            return bytes(self.fs.cat_file(self.paths[number], start=start, end=stop))
        with self.open(number) as file:
            file.seek(start)
            return bytes(file.read(-1 if stop is None else stop - start))

    def view(self, number: int, start: int, stop: int) -> memoryview:
        """Return many bytes of one file: their memory is taken from a pool, and goes back to it."""
        if not self.on_disk:
            return memoryview(self.read(number, start, stop))
        import pyarrow as pa

        with pa.OSFile(self.paths[number]) as file:
            file.seek(start)
            return memoryview(file.read_buffer(stop - start))


def find_files(
    paths: PathLike | Iterable[PathLike],
    storage_options: Mapping[str, Any] | None = None,
    *,
    folders: bool = False,
) -> Files:
    """Return the files that a path, a glob, or a list of them names.

    What a glob or a folder holds comes in the order in which people count; lists keep theirs.

    Parameters
    ----------
    paths : str, path or list of them
        With the protocol of a store (``s3://...``) where they are not of this machine.
    storage_options : mapping, optional
        Arguments of the file system.
    folders : bool
        Whether a folder stands for the files below it. Names that start with ``.`` or ``_`` are
        the notes of whoever wrote them.

    Raises
    ------
    FileNotFoundError
        If a file is missing, or none matches.
    IsADirectoryError
        If a path is a folder and may not be one.
    ValueError
        If paths are of several file systems, or none is given.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("10.csv", "9.csv"):
    ...     _ = (folder / name).write_text("a")
    >>> [os.path.basename(path) for path in find_files(folder / "*.csv").paths]
    ['9.csv', '10.csv']
    """
    if hasattr(paths, "read"):
        raise TypeError(
            f"files are opened by the tasks that read them: give the path, and not a "
            f"{type(paths).__name__}; what is in memory pandas can read, and from_pandas cut"
        )
    named = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not named:
        raise ValueError("no path was given")
    found = [_expand(os.fspath(each), dict(storage_options or {}), folders) for each in named]
    fs = found[0][0]
    if any(protocols(each[0]) != protocols(fs) for each in found):
        raise ValueError("paths are of several file systems; read each for itself, and concat")
    infos = [info for _, infos, _ in found for info in infos]
    stamps = tuple(_stamp(fs, info) for info in infos)
    root = found[0][2] if len(found) == 1 else ""
    return Files(fs, tuple(str(info["name"]) for info in infos), stamps, root)


def _expand(
    path: str, options: dict[str, Any], folders: bool
) -> tuple[Any, list[dict[str, Any]], str]:
    """Return the file system, what it says of each file, and the folder if one was named."""
    from fsspec.core import url_to_fs

    fs, inner = url_to_fs(path, **options)
    # A file may have a bracket in its name.
    if _GLOB.search(inner) and not fs.exists(inner):
        infos = _files(fs.glob(inner, detail=True))
        if not infos:
            raise FileNotFoundError(f"no file matches {path!r}")
        return fs, infos, ""
    info = fs.info(inner)
    if info["type"] != "directory":
        return fs, [info], ""
    if not folders:
        raise IsADirectoryError(f"{path} is a folder; name its files, as {path.rstrip('/')}/*")
    infos = [
        each
        for each in _files(fs.find(inner, detail=True))
        if not any(part[:1] in "._" for part in _below(each["name"], inner).split("/"))
    ]
    if not infos:
        raise FileNotFoundError(f"there is no file in {path}")
    return fs, infos, inner.rstrip("/")


def _below(path: str, folder: str) -> str:
    return path[len(folder.rstrip("/")) + 1 :]


def _files(found: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    infos = (info for info in found.values() if info["type"] != "directory")
    return sorted(infos, key=lambda info: natural_key(info["name"]))


def protocols(fs: Any) -> tuple[str, ...]:
    """Return the names of a file system; some have one, and some a few."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _stamp(fs: Any, info: Mapping[str, Any]) -> tuple[int, Any]:
    if "file" in protocols(fs):
        return stamp_of(os.stat(info["name"]))
    version = next((info[name] for name in _VERSIONS if info.get(name) is not None), None)
    return int(info["size"]), None if version is None else str(version)
