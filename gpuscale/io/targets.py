"""Temporary names beside a target, so that a file appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

__all__ = ["check_free", "publish", "remove", "temporary_sibling"]


def check_free(path: Path, overwrite: bool) -> None:
    """Refuse a target that exists, or whose folder does not.

    Raises
    ------
    FileExistsError
        If the target exists and may not be replaced.
    FileNotFoundError
        If its folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}")
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(f"{path} exists; pass overwrite=True to replace it")


def temporary_sibling(path: Path) -> Path:
    """Return a hidden name in the same folder, and so on the same file system.

    Examples
    --------
    >>> temporary_sibling(Path("data/x.npy")).name.startswith(".x.npy.partial-")
    True
    """
    return path.with_name(f".{path.name}.partial-{uuid.uuid4().hex[:12]}")


def publish(temporary: Path, path: Path, overwrite: bool) -> None:
    """Give a finished file or folder its name; an old one stays until the new one is there."""
    check_free(path, overwrite)
    if not path.is_dir() and (temporary.is_file() or not path.exists()):
        os.replace(temporary, path)
        return
    old = temporary_sibling(path)  # a folder that is not empty cannot be replaced in one step
    os.rename(path, old)
    try:
        os.rename(temporary, path)
    except OSError:
        os.rename(old, path)
        raise
    remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        import shutil  # brings every format of archives along

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
