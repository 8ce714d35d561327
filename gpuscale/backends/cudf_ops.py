"""Rows of the seams for cuDF, loaded when the first of its frames arrives."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gpuscale.backends.frame_ops import ROWS, register_device_frames
from gpuscale.backends.seams import to_host
from gpuscale.base.errors import BackendError

__all__ = ["load_cudf"]


def _register_rows() -> None:
    import cudf

    kinds = cudf.DataFrame, cudf.Series, cudf.Index
    register_device_frames(kinds, cudf, "cudf")
    to_host.register(*kinds)(_to_pandas)


for _seam in (*ROWS, to_host):
    _seam.register_lazy("cudf")(_register_rows)


def _to_pandas(data: Any) -> Any:
    return data.to_pandas()


def load_cudf() -> ModuleType:
    """Return the module ``cudf``.

    Raises
    ------
    BackendError
        If it is not installed.
    """
    try:
        import cudf
    except ImportError as error:
        raise BackendError(
            f"cuDF cannot be imported here ({error}); install it with pip install "
            "'gpuscale[cuda13,cudf]', or compute on the host with backend='pandas'"
        ) from error
    found: ModuleType = cudf
    return found
