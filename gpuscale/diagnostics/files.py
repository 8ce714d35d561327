"""Pictures and pages are in their place as a whole, or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from gpuscale.base.types import PathLike

__all__ = ["write_atomically"]


def write_atomically(path: PathLike, data: bytes) -> None:
    """Write a file beside its place and move it there: a full disk leaves nothing, or what was."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # such as /dev/stdout
        target.write_bytes(data)
        return
    temporary = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:12]}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
