"""Whether a local Zarr array still is what it was when it was opened."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

from gpuscale.io.mapped import Stamp, stamp_of

__all__ = ["LayoutWatch"]

_METADATA = {2: ".zarray", 3: "zarr.json"}


class LayoutWatch:
    """Notices that others have put another array in the place of a `zarr.Array`.

    What chunks hold may change, as it may for zarr; what the metadata say of them must not: they
    would be decoded as something else, or count as never written.

    Parameters
    ----------
    array : zarr.Array
    folder : path
        Where it lies.
    """

    def __init__(self, array: Any, folder: Path) -> None:
        self._array, self._folder = array, folder
        self._file = folder / _METADATA[array.metadata.zarr_format]
        self._stamp: Stamp | None = None  # of metadata that were found to be alike

    def check(self) -> None:
        """Compare the metadata with those of the array, if their file is not the one seen last.

        Raises
        ------
        FileNotFoundError
            If there is none any more.
        ValueError
            If shape, dtype, chunks, codecs or fill value are others.
        """
        try:
            stamp = stamp_of(os.stat(self._file))
            if stamp == self._stamp:
                return
            found = self._reopened()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"the Zarr array {self._folder} is gone, or its format is another one, since it "
                "was opened; open it again where it is"
            ) from error
        before, now = _layout(self._array), _layout(found)
        changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        if changed:
            raise ValueError(
                f"the Zarr array {self._folder} has been overwritten since it was opened: "
                f"{', '.join(changed)} changed; open it again"
            )
        self._stamp = stamp

    def _reopened(self) -> Any:
        import zarr

        version = self._array.metadata.zarr_format
        return zarr.open_array(self._folder, mode="r", zarr_format=version)


def _layout(array: Any) -> dict[str, str]:
    """All that the metadata say but what users note there; as text, in which NaN equals itself."""
    # Pickling gives the codecs of shards a byte order that single bytes do not have: both get it.
    metadata = pickle.loads(pickle.dumps(array.metadata))
    return {k: repr(v) for k, v in metadata.to_dict().items() if k != "attributes"}
