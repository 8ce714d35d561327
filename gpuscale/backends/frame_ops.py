"""Rows of the seams that are the same for each library of frames on a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpuscale.backends import frame_seams, seams
from gpuscale.backends.shared_ops import device_token
from gpuscale.base.dispatch import Dispatch
from gpuscale.base.tokens import normalize_token

__all__ = ["ROWS", "register_device_frames"]


def _nbytes(data: Any) -> int:
    used = data.memory_usage()
    return int(used if isinstance(used, int) else used.sum())


def _joined(library: Any) -> Callable[..., Any]:
    def join(first: Any, partitions: Sequence[Any], grid: tuple[int, ...]) -> Any:
        return library.concat(list(partitions)) if len(partitions) > 1 else first

    return join


def _hashes(key: Any) -> Any:
    """Hash values, those that are equal alike: numbers as floating-point ones, texts as texts."""
    dtype = key.dtype
    if hasattr(dtype, "categories"):
        key = key.astype(dtype.categories.dtype)
    elif getattr(dtype, "kind", "O") in "biuf":
        key = key.astype("float64") + 0.0
    return key.hash_values(method="xxhash64").values


def _places_among(dividing: Any, values: Any) -> Any:
    if hasattr(dividing.dtype, "categories"):
        dividing, values = dividing.cat.codes, values.cat.codes
    return dividing.searchsorted(values, side="right")


def _table_of(library: Any) -> Callable[..., Any]:
    def table(first: Any, columns: Mapping[Any, Any]) -> Any:
        return library.DataFrame(dict(columns))

    return table


ROWS: dict[Dispatch[Any], Callable[[Any, str], Callable[..., Any]]] = {
    seams.backend_name: lambda library, name: lambda data: name,
    frame_seams.frame_namespace: lambda library, name: lambda data: library,
    seams.join_grid: lambda library, name: _joined(library),
    frame_seams.key_hashes: lambda library, name: _hashes,
    frame_seams.places_among: lambda library, name: _places_among,
    frame_seams.table: lambda library, name: _table_of(library),
    seams.nbytes: lambda library, name: _nbytes,
    seams.on_device: lambda library, name: lambda data: True,
    # Columns may share memory, and nothing tells; then less goes with a frame than it takes.
    seams.owns_memory: lambda library, name: lambda data: True,
    normalize_token: lambda library, name: device_token,
}
"""Seam -> what makes its row, of the library and its name."""


def register_device_frames(kinds: Sequence[type], library: Any, name: str) -> None:
    """Register these rows for the frames, series and indexes of a library.

    Parameters
    ----------
    kinds : sequence of type
    library : module
        With the names of pandas.
    name : str
        Name of the backend.
    """
    for seam, make in ROWS.items():
        seam.register(*kinds)(make(library, name))
