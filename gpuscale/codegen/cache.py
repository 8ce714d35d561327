"""Compile the source of a kernel, or load it from the disk.

Numba keeps machine code beside a source file, under the file's time and size. So the source is
written once to ``<folder>/<hash>.py`` with a fixed time; the hash covers everything that the
machine code depends on. Processes may race: the first to link its file wins, all texts are equal.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from gpuscale.base import config
from gpuscale.base.errors import CacheWarning

__all__ = ["compile_kernel", "kernel_folder"]

Function = Callable[[Any], None]
#: Modules whose code is compiled into kernels: a change of theirs makes kernels new.
INGREDIENTS = (
    "gpuscale.codegen.draw_cpu",
    "gpuscale.codegen.geometry",
    "gpuscale.codegen.intrinsics",
    "gpuscale.codegen.merge_cpu",
    "gpuscale.codegen.tiles_cpu",
    "gpuscale.kernels",
)
TIME_STAMP = 1_000_000_000  # any fixed number of seconds


def kernel_folder() -> Path:
    """Folder of compiled kernels, from the option ``codegen.cache-dir``."""
    chosen = config.get("codegen.cache-dir")
    if chosen != "auto":
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "gpuscale" / "kernels"


@lru_cache(maxsize=1)
def _environment() -> str:
    """Everything besides the source that the machine code depends on."""
    import llvmlite
    import numba
    from llvmlite import binding

    digest = hashlib.sha256()
    for name in INGREDIENTS:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
        for file in files:
            digest.update(file.read_bytes())
    words = (numba.__version__, llvmlite.__version__, binding.get_host_cpu_name(),
             binding.get_host_cpu_features().flatten(), digest.hexdigest())  # fmt: skip
    return "\n".join(words)


def compile_kernel(source: str) -> int:
    """Compile a kernel, or load its machine code from the folder of kernels.

    Parameters
    ----------
    source : str
        A module that defines ``kernel(g)``, g a pointer to int64.

    Returns
    -------
    int
        Address of the machine code, ``void kernel(int64_t *g)``; it lives as long as the process.

    Warns
    -----
    CacheWarning
        Once, where the folder cannot be written; kernels then live as long as the process.
    """
    name = "k" + hashlib.sha256((source + _environment()).encode()).hexdigest()[:40]
    try:
        path = _write_source(kernel_folder(), name, source)
    except OSError as error:
        _warn_unwritable(str(kernel_folder()), str(error))
        return _jit(_in_memory(name, source), cache=False)
    try:
        return _jit(_imported(name, path), cache=True)
    except Exception as error:  # whatever a damaged file leads to: NumbaError is one of many
        _forget(path)
        try:
            return _jit(_in_memory(name, source), cache=False)
        except Exception as second:
            raise second from error


_alive: list[Any] = []  # Numba frees the code of what nobody holds


def _jit(function: Function, cache: bool) -> int:
    from numba import cfunc, types

    vector = types.CPointer(types.int64)
    compiled = cfunc(types.void(vector), error_model="numpy", cache=cache)(function)
    _alive.append(compiled)
    address: int = compiled.address
    return address


def _write_source(folder: Path, name: str, source: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & stat.S_IWOTH:
        raise PermissionError("everybody can write there, and machine code would be trusted")
    path = folder / f"{name}.py"
    try:
        if path.read_bytes() == source.encode() and path.stat().st_mtime == TIME_STAMP:
            return path
        path.unlink()  # damaged
    except FileNotFoundError:
        pass
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(source)
        os.utime(temporary, (TIME_STAMP, TIME_STAMP))
        try:
            os.link(temporary, path)
        except FileExistsError:
            return path  # another process was first, with the same text
    finally:
        os.unlink(temporary)
    return path


def _imported(name: str, path: Path) -> Function:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba finds the globals of machine code from the disk there
    spec.loader.exec_module(module)
    kernel: Function = module.kernel
    return kernel


def _in_memory(name: str, source: str) -> Function:
    scope: dict[str, Any] = {"__name__": name}
    exec(compile(source, f"<{name}>", "exec"), scope)
    kernel: Function = scope["kernel"]
    return kernel


def _forget(path: Path) -> None:
    """Remove a kernel's files; the next process writes them anew."""
    for file in [path, *(path.parent / "__pycache__").glob(f"{path.stem}*")]:
        file.unlink(missing_ok=True)


@lru_cache(maxsize=8)
def _warn_unwritable(folder: str, reason: str) -> None:
    warnings.warn(
        f"compiled kernels cannot be kept in {folder} ({reason}); they are compiled again in "
        "every process. Set the option codegen.cache-dir to a folder that can be written.",
        CacheWarning,
        stacklevel=3,
    )
