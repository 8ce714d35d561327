"""Run the texts of CUDA kernels without a device, thread by thread, in Numba's simulator.

Only for tests, and slow. The environment variable NUMBA_ENABLE_CUDASIM=1 must be set before
``numba.cuda`` is imported. The functions that kernels call are NumPy's here.
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numba_cuda  # noqa: F401  Numba's own numba.cuda is another, older one
import numpy as np
from numba import cuda

from gpuscale.codegen.emit_cuda import OTHER_NAMES, SAME_BINARY, SAME_UNARY, TYPE_NAMES
from gpuscale.codegen.launch_cuda import Kernel
from gpuscale.codegen.simulator_blocks import wait_in_blocks
from gpuscale.codegen.simulator_shared import share_arrays

__all__ = ["Memory", "SimulatorLauncher"]

_ASIDE = """
def simulated(*args):
    with np.errstate(all="ignore"):
        kernel(*args)
"""


class Memory:
    """A pointer to the first element of an array, which may be read and written around it.

    Unlike a pointer it knows where the array's memory ends: leaving it is an error.
    """

    def __init__(self, array: Any) -> None:
        low, high = np.lib.array_utils.byte_bounds(array)
        kind = np.dtype(np.uint8) if array.dtype.kind == "b" else array.dtype
        self.array = array  # keeps the memory alive
        self.first = (array.__array_interface__["data"][0] - low) // kind.itemsize
        memory: Any = (ctypes.c_char * (high - low)).from_address(low)
        self.elements = np.frombuffer(memory, kind)

    def _place(self, index: int) -> int:
        place = self.first + int(index)
        if not 0 <= place < self.elements.size:
            raise IndexError(f"element {index} is outside of the array's memory")
        return place

    def __getitem__(self, index: int) -> Any:
        return self.elements[self._place(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        assert value.dtype == self.elements.dtype, (value.dtype, self.elements.dtype)
        self.elements[self._place(index)] = value


class SimulatorLauncher:
    """Launches kernels over NumPy's arrays; see `launch_cuda.Launcher`.

    Parameters
    ----------
    threads : int
        Of a block. Where they wait for each other few are faster.
    """

    blocks = 4

    def __init__(self, threads: int = 64) -> None:
        self.threads = threads
        self.launched: list[Kernel] = []

    def empty(self, shape: Sequence[int], dtype: Any) -> Any:
        """Make an array that holds nonsense."""
        count = math.prod(shape) * dtype.itemsize
        return np.full(count, 0xA5, np.uint8).view(dtype).reshape(tuple(shape))

    def address(self, array: Any) -> int:
        """Address of the first element."""
        return int(array.__array_interface__["data"][0])

    def prepare(self, kernel: Kernel) -> bool:
        """Make the text a function."""
        _function(kernel.text)
        return True

    def launch(
        self, kernel: Kernel, grid: tuple[int, int], block: tuple[int, int], args: Sequence[Any]
    ) -> None:
        """Run all threads of all blocks."""
        assert grid[0] * grid[1] <= self.blocks and block[0] * block[1] <= self.threads
        self.launched.append(kernel)
        given = [_argument(kind, arg) for kind, arg in zip(kernel.types, args, strict=True)]
        with _one_at_a_time:
            _function(kernel.text)[grid, block](*given)


def _argument(kind: str, value: Any) -> Any:
    if kind[0] == "*":
        return Memory(value)
    return np.dtype(kind).type(value)


share_arrays()
wait_in_blocks()
_one_at_a_time = threading.Lock()  # the simulator knows one kernel at a time


@lru_cache(maxsize=512)
def _function(text: str) -> Any:
    scope = _scope()
    exec(compile(text + _ASIDE, "<kernel>", "exec"), scope)
    return cuda.jit(scope["simulated"])


def _scope() -> dict[str, Any]:
    """Names that the text of a kernel may use, as `intrinsics_cuda.scope`."""
    names: dict[str, Any] = {"cuda": cuda, "np": np, "inf": float("inf"), "nan": float("nan")}
    names |= {name: np.dtype(name).type for name in TYPE_NAMES}
    names |= {"boolean": np.bool_, "wide": int}
    rounding = ("sqrt", "fabs", "floor", "ceil", "trunc", "rint", "copysign")
    names |= {name: getattr(np, name) for name in (*rounding, *SAME_UNARY, *SAME_BINARY)}
    names |= {other: getattr(np, name) for name, other in OTHER_NAMES.items()}
    names |= {"maximum": _first(np.greater_equal, True), "minimum": _first(np.less_equal, True)}
    names |= {"fmax": _first(np.greater_equal, False), "fmin": _first(np.less_equal, False)}
    names |= {"pow": np.power, "cyl_bessel_i0": lambda x: x.dtype.type(np.i0(x))}
    names["gcd"] = np.gcd
    names |= {"product": lambda x, y: x * y, "select": lambda c, x, y: x if c else y}
    names |= {"ldexp": np.ldexp, "ilogb": lambda x: np.frexp(x)[1] - np.int32(1)}
    names["quotient"] = lambda x, y: type(x)(int(abs(int(x)) // abs(int(y))) * _sign(x, y))
    names |= {"bit_count": np.bitwise_count, "integer_of": _integer_of, "floating_of": _floating_of}
    for kind in ("int32", "int64", "uint32", "uint64"):
        names[f"truncate_{kind}"] = _truncation(np.dtype(kind))
    for size in (2, 4, 8, 16):
        names[f"load{size}"], names[f"store{size}"] = _vector(size)
    return names


def _sign(x: Any, y: Any) -> int:
    return 1 if (x < 0) == (y < 0) else -1


def _first(better: Any, keeps_nan: bool) -> Any:
    def choose(x: Any, y: Any) -> Any:
        odd = x if keeps_nan else y
        return x if better(x, y) or odd != odd else y

    return choose


def _integer_of(x: Any) -> Any:
    return x.view(np.int64 if x.itemsize == 8 else np.int32)


def _floating_of(x: Any) -> Any:
    return x.view(np.float64 if x.itemsize == 8 else np.float32)


def _truncation(dtype: Any) -> Any:
    """Convert as x86-64 does, out of range too."""
    half = 2 ** (8 * dtype.itemsize - 1)

    def truncate(x: Any) -> Any:
        x = float(x)
        upper = dtype.kind == "u" and x >= half
        moved = x - half if upper else x
        found = int(moved) if -half <= moved < half else -half
        if dtype.kind == "u":
            found = (found ^ (-half if upper else 0)) & (2 * half - 1)
        return dtype.type(found)

    return truncate


def _vector(size: int) -> tuple[Any, Any]:
    def check(memory: Memory, index: int) -> None:
        address = memory.elements.__array_interface__["data"][0]
        itemsize = memory.elements.itemsize
        assert (address + (memory.first + index) * itemsize) % (size * itemsize) == 0, "not aligned"

    def load(memory: Memory, index: int) -> Any:
        check(memory, index)
        return tuple(memory[index + k] for k in range(size))

    def store(memory: Memory, index: int, values: Any) -> None:
        check(memory, index)
        assert len(values) == size
        for k, value in enumerate(values):
            memory[index + k] = value

    return load, store
