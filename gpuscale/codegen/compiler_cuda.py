"""From the text of a CUDA kernel to PTX: the only module that runs Numba's compiler for it.

PTX needs neither a device nor a driver; the driver makes machine code of it when it is loaded.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numba_cuda  # noqa: F401  Numba's own numba.cuda is another, older one
from numba import cuda
from numba.cuda import types

from gpuscale.codegen.intrinsics_cuda import scope
from gpuscale.codegen.launch_cuda import ENTRY, Kernel

__all__ = ["compile_ptx"]


def compile_ptx(kernel: Kernel, architecture: tuple[int, int]) -> bytes:
    """Compile a kernel for devices of one compute capability, and later ones.

    Parameters
    ----------
    kernel : Kernel
    architecture : tuple of int
        Compute capability, as (9, 0).

    Returns
    -------
    bytes
        PTX whose entry is `launch_cuda.ENTRY`.

    Raises
    ------
    RuntimeError
        The kernel would need functions that are not in it.
    """
    names = dict(_scope())
    exec(compile(kernel.text, "<kernel>", "exec"), names)
    ptx, _ = cuda.compile_ptx(names["kernel"], tuple(map(_type, kernel.types)), cc=architecture)
    if ".extern .func" in ptx:
        foreign = re.findall(r"\.extern \.func[^;]*?(\w+)\s*\(", ptx)
        raise RuntimeError(f"a kernel refers to {', '.join(foreign)}")
    return _renamed(ptx).encode()


@cache
def _scope() -> dict[str, Any]:
    return scope()


def _type(name: str) -> Any:
    if name[-1] == "]":
        return types.Array(getattr(types, name[:-2]), 1, "C")
    kind = getattr(types, name.removeprefix("*"))
    return types.CPointer(kind) if name[0] == "*" else kind


def _renamed(ptx: str) -> str:
    """Give the entry a plain name: Numba's differs from process to process."""
    (name,) = re.findall(r"\.visible \.entry (\w+)\(", ptx)
    ptx = ptx.replace(name, ENTRY)
    environment = re.search(r"\.common \.global [^;]*?(\w*NumbaEnv\w*);", ptx)
    return ptx if environment is None else ptx.replace(environment[1], f"{ENTRY}_unused")
