"""PTX on the disk, beside the machine code of the CPU: compiled once for each compute capability.

A stored kernel is found without Numba: its name covers its text, its arguments, the versions of
the compilers and the source of what they compile into it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gpuscale.codegen.cache import keep, kernel_folder, source_digest, stored
from gpuscale.codegen.launch_cuda import Kernel

__all__ = ["ptx_of"]

INGREDIENTS = (
    "gpuscale.codegen.compiler_cuda",
    "gpuscale.codegen.intrinsics_cuda",
    "gpuscale.codegen.truncation",
)
COMPILERS = ("numba", "numba-cuda", "llvmlite", "nvidia-nvvm", "nvidia-cuda-nvcc-cu12")


def ptx_of(kernel: Kernel, architecture: tuple[int, int]) -> bytes:
    """Compile a kernel, or read its PTX from the folder of kernels.

    Parameters
    ----------
    kernel : Kernel
    architecture : tuple of int
        Compute capability, as (9, 0).

    Raises
    ------
    ImportError
        It is not stored, and numba-cuda is not installed.

    Warns
    -----
    CacheWarning
        Once, where the folder cannot be used.
    """
    path = _path(kernel, architecture)
    ptx = stored(path)
    if ptx is None:
        from gpuscale.codegen.compiler_cuda import compile_ptx

        ptx = compile_ptx(kernel, architecture)
        keep(path, ptx)
    return ptx


def _path(kernel: Kernel, architecture: tuple[int, int]) -> Path:
    words = [_environment(), *map(str, architecture), *kernel.types, kernel.text]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
    major, minor = architecture
    return kernel_folder() / f"{digest[:40]}.sm_{major}{minor}.ptx"


@cache
def _environment() -> str:
    """Everything besides the text that PTX depends on."""
    return "\n".join([*map(_version, COMPILERS), source_digest(INGREDIENTS)])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
