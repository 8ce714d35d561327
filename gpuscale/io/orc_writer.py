"""Frames into folders of ORC files, which appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.io.frames import FrameWriter
from gpuscale.io.parquet_writer import part_name
from gpuscale.io.staging import FolderStaging
from gpuscale.io.targets import Kind, describe

__all__ = ["OrcWriter"]


def _foreign(path: Path) -> str | None:
    """Say what a path holds, None for a folder of ORC files and for an empty folder."""
    if not path.is_dir():
        return describe(path)
    other = next((name for name in sorted(os.listdir(path)) if not name.endswith(".orc")), None)
    return None if other is None else f"a folder that also holds {other!r}"


_KIND = Kind("a folder of ORC files", is_folder=True, foreign=_foreign)


class OrcWriter(FrameWriter):
    """Writes a folder of ORC files, one for each partition; indexes are not written.

    Parameters
    ----------
    path : str or path
    overwrite : bool
        Whether a folder of ORC files may be replaced; anything else never is.
    storage_options : mapping, optional
    **options
        Arguments of ``pyarrow.orc.write_table``.
    """

    def __init__(
        self,
        path: PathLike,
        overwrite: bool = False,
        storage_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        self._staging = FolderStaging(path, overwrite, storage_options, _KIND)
        self._options = options
        self.token = f"orc-{uuid.uuid4().hex}"

    def open(self, schema: Any, npartitions: int) -> None:
        """Make a hidden folder, once it is sure that its name is free."""
        self._staging.begin()

    def write(self, place: tuple[int], frame: Any) -> None:
        """Write the file of one partition."""
        import pyarrow as pa
        from pyarrow import orc

        table = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1)
        with self._staging.open(f"{part_name(place[0])}.orc") as file:
            orc.write_table(table.replace_schema_metadata(None), file, **self._options)

    def commit(self) -> None:
        """Give the folder its name."""
        self._staging.publish()

    def abort(self) -> None:
        """Remove what was written so far."""
        self._staging.remove()
