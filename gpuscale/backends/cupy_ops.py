"""Rows of the seams for CuPy, loaded when the first CuPy array arrives."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import Any

from gpuscale.backends import device_ops
from gpuscale.backends.pinned import stager_of
from gpuscale.backends.seams import is_out_of_memory, owns_memory, to_host
from gpuscale.base.errors import BackendError

__all__ = ["OutOfMemoryError", "load_cupy", "out_of_memory_type"]


def _register_rows() -> None:
    import cupy

    device_ops.register_device_rows(cupy.ndarray, cupy, "cupy")
    owns_memory.register(cupy.ndarray)(_cupy_owns_memory)
    to_host.register(cupy.ndarray)(stager_of(cupy).fetch)


for _seam in (*device_ops.ROWS, owns_memory, to_host):
    _seam.register_lazy("cupy")(_register_rows)


# What the libraries below CuPy, and Numba, say where an allocation fails.
_STATUS = {
    "CUDARuntimeError": 2,
    "CUDADriverError": 2,
    "CudaAPIError": 2,
    "CUBLASError": 3,
    "CuFFTError": 2,
    "CUSOLVERError": 2,
    "CuSparseError": 2,
}
_LIBRARIES = frozenset({"cupy", "cupy_backends", "numba", "numba_cuda", "rmm"})


@is_out_of_memory.register(BaseException)
def _is_out_of_memory(error: BaseException) -> bool:
    kind = type(error)
    if kind.__name__ == "OutOfMemoryError":  # CuPy's, PyTorch's, and ours
        return True
    if isinstance(error, MemoryError):
        return str(error).startswith("std::bad_alloc")  # RMM's
    if kind.__module__.partition(".")[0] not in _LIBRARIES or kind.__name__ not in _STATUS:
        return False
    found = (getattr(error, name, None) for name in ("status", "code", "result"))
    return _STATUS[kind.__name__] in found


def _cupy_owns_memory(data: Any) -> bool:
    import cupy

    # Views have pointers of their own to the memory that they share.
    return _holders(data) <= _holders(cupy.empty(1, cupy.uint8))


def _holders(data: Any) -> int:
    return sys.getrefcount(data.data.mem)


class OutOfMemoryError(MemoryError):
    """What `cupy.cuda.memory.OutOfMemoryError` is, where there is no CuPy."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        self._size = size
        limited = f", limit set to: {limit:,} bytes" if limit else ""
        super().__init__(
            f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes{limited})."
        )


def out_of_memory_type() -> type[MemoryError]:
    """Return the error that CuPy raises where its pool has no more memory.

    Examples
    --------
    >>> issubclass(out_of_memory_type(), MemoryError)
    True
    """
    try:
        from cupy.cuda.memory import OutOfMemoryError as of_cupy
    except ImportError:
        return OutOfMemoryError
    found: type[MemoryError] = of_cupy
    return found


def requested_bytes(error: BaseException) -> int:
    """Return how many bytes an allocation asked for that failed, 0 where that is not known.

    Examples
    --------
    >>> requested_bytes(OutOfMemoryError(800, 0)), requested_bytes(MemoryError("std::bad_alloc"))
    (800, 0)
    """
    return int(getattr(error, "_size", 0))  # CuPy's own name


def load_cupy() -> ModuleType:
    """Return the module ``cupy`` where it can work.

    Raises
    ------
    BackendError
        If CuPy is not installed, or finds no CUDA device.
    """
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            f"CuPy cannot be imported here ({error}); install it with "
            "pip install 'gpuscale[cuda13]' (or [cuda12], whichever your driver has), "
            "or compute on the CPU with like=numpy"
        ) from error
    # Every GPU package imports without a driver, so only this question tells.
    if not cupy.cuda.is_available():
        chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
        hidden = "" if chosen is None else f" among those of CUDA_VISIBLE_DEVICES={chosen!r}"
        raise BackendError(
            f"there is no CUDA device here{hidden}, or its driver does not answer: 'nvidia-smi' "
            "shows what the driver sees; run this on a machine with a GPU, or compute on the CPU "
            "with like=numpy"
        )
    return cupy
