"""Kernels on CUDA devices through CuPy: the only module of this folder that imports it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from gpuscale.base.errors import KernelWarning
from gpuscale.codegen.cache_cuda import ptx_of
from gpuscale.codegen.launch_cuda import ENTRY, Kernel, packed
from gpuscale.codegen.run_cuda import CudaTarget

__all__ = ["CupyLauncher", "cupy_target"]


class CupyLauncher:
    """Loads kernels by CuPy and runs them on the current device and stream.

    Parameters
    ----------
    cupy : module, optional
        Stands for CuPy in tests.
    """

    threads = 256
    blocks = 4096

    def __init__(self, cupy: Any = None) -> None:
        self._cupy = import_module("cupy") if cupy is None else cupy
        self._functions: dict[tuple[int, Kernel], Any] = {}
        self._failed: set[Kernel] = set()
        self._guard = threading.Lock()

    def empty(self, shape: Sequence[int], dtype: Any) -> Any:
        """Make an array that nothing is written to yet."""
        return self._cupy.empty(tuple(shape), dtype)

    def address(self, array: Any) -> int:
        """Address of an array's first element."""
        return int(array.data.ptr)

    def prepare(self, kernel: Kernel) -> bool:
        """Load a kernel, compiled if need be; warn, once, if it cannot be compiled."""
        device = self._cupy.cuda.Device()
        if (device.id, kernel) in self._functions:
            return True
        with self._guard:
            if kernel in self._failed:
                return False
            try:
                self._load(device, kernel)
            except Exception as error:
                self._failed.add(kernel)
                warnings.warn(_complaint(error), KernelWarning, stacklevel=2)
                return False
        return True

    def _load(self, device: Any, kernel: Kernel) -> None:
        if (device.id, kernel) in self._functions:
            return
        digits = device.compute_capability  # "90" for 9.0, "121" for 12.1
        ptx = ptx_of(kernel, (int(digits[:-1]), int(digits[-1])))
        module = self._cupy.cuda.function.Module()
        module.load(ptx)
        self._functions[device.id, kernel] = module.get_function(ENTRY)

    def launch(
        self, kernel: Kernel, grid: tuple[int, int], block: tuple[int, int], args: Sequence[Any]
    ) -> None:
        """Run a kernel over a grid of blocks, on the current stream."""
        function = self._functions[self._cupy.cuda.Device().id, kernel]
        function((*grid, 1), (*block, 1), packed(kernel.types, args, self))


def _complaint(error: Exception) -> str:
    if isinstance(error, ImportError):
        return (
            "kernels for CUDA cannot be compiled here, operations run one by one, which is "
            f"slower; install numba-cuda: pip install 'gpuscale[cuda13]' or [cuda12] ({error})"
        )
    return (
        "a kernel for CUDA cannot be compiled or loaded and is interpreted, which is slower; "
        f"please report it ({type(error).__name__}: {error})"
    )


def cupy_target() -> CudaTarget | None:
    """Make the row of `targets` for CuPy; None where it is not installed."""
    return CudaTarget(CupyLauncher()) if find_spec("cupy") else None
