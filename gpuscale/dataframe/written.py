"""Methods of frames and series that write files."""

from __future__ import annotations

from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.dataframe.collection import api

__all__ = ["Written"]


class Written:
    """What a table and a column can both be written to."""

    __slots__ = ()

    def to_csv(self, path: PathLike, **kwargs: Any) -> None:
        """Write a CSV file, or one for each partition; see `gpuscale.dataframe.to_csv`."""
        api().writing.to_csv(self, path, **kwargs)

    def to_hdf(self, path: PathLike, key: str, **kwargs: Any) -> None:
        """Write a table of an HDF5 file; see `gpuscale.dataframe.to_hdf`."""
        api().hdf.to_hdf(self, path, key, **kwargs)

    def to_json(self, path: PathLike, **kwargs: Any) -> None:
        """Write JSON, a line for each row; see `gpuscale.dataframe.to_json`."""
        api().writing.to_json(self, path, **kwargs)

    def to_orc(self: Any, path: PathLike, **kwargs: Any) -> None:
        """Write a folder of ORC files; see `gpuscale.dataframe.to_orc`."""
        table = self.to_frame() if self.ndim == 1 else self
        api().writing.to_orc(table, path, **kwargs)

    def to_sql(self, name: str, uri: str, **kwargs: Any) -> None:
        """Write a table of a database; see `gpuscale.dataframe.to_sql`."""
        api().databases.to_sql(self, name, uri, **kwargs)
