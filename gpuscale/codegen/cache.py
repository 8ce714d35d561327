"""Machine code on the disk: a kernel that was compiled once is there at once, without Numba.

Each kernel is one object file, ``<folder>/<hash>.kernel``; the hash covers its source, the source
of everything compiled into it, the versions of the compilers and the processor. Files are written
under another name and then renamed, so processes may race: all write the same. Where files can be
locked, one process compiles and the others wait for it. A file that does not match its own checksum
is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import stat
import threading
import warnings
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import CacheWarning

__all__ = ["compile_kernel", "is_stored", "keep", "kernel_folder", "source_digest", "stored"]

#: Modules whose code is compiled into kernels: a change of theirs makes kernels new.
INGREDIENTS = (
    "gpuscale.codegen.compiler",
    "gpuscale.codegen.draw_cpu",
    "gpuscale.codegen.geometry",
    "gpuscale.codegen.groups_cpu",
    "gpuscale.codegen.hashing_cpu",
    "gpuscale.codegen.intrinsics",
    "gpuscale.codegen.lookups_cpu",
    "gpuscale.codegen.merge_cpu",
    "gpuscale.codegen.scatter_cpu",
    "gpuscale.codegen.tiles_cpu",
    "gpuscale.codegen.truncation",
    "gpuscale.kernels",
)
HEADING = b"gpuscale kernel 1"


def kernel_folder() -> Path:
    """Folder of compiled kernels, from the option ``codegen.cache-dir``."""
    chosen = config.get("codegen.cache-dir")
    if chosen != "auto":
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "gpuscale" / "kernels"


def compile_kernel(source: str) -> int:
    """Compile a kernel, or load its machine code from the folder of kernels.

    Parameters
    ----------
    source : str
        A module that defines ``kernel(g)``, g a pointer to int64.

    Returns
    -------
    int
        Address of the machine code, see `compiler.compile_source`; it lives as long as the
        process.

    Warns
    -----
    CacheWarning
        Once, where the folder cannot be used; kernels then live as long as the process.
    """
    path = _path(source)
    symbol = f"kernel_{path.stem}"
    if symbol not in _loaded:
        code = stored(path)
        if code is None:
            with _alone(path):
                code = stored(path) or _compiled(symbol, source, path)
        _load(symbol, code)
    return _loaded[symbol]


def _compiled(symbol: str, source: str, path: Path) -> bytes:
    from gpuscale.codegen.compiler import compile_source

    code = compile_source(symbol, source)
    keep(path, code)
    return code


@block
def _alone(path: Path) -> Generator[None, None, None]:
    """Let one process of the machine compile a kernel, for which others wait, if files lock."""
    lock = None
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                os.unlink(path.with_suffix(".lock"))
                path.parent.rmdir()  # which fails but where nothing was compiled
            os.close(lock)


def is_stored(source: str) -> bool:
    """Whether a kernel is on the disk already."""
    return _path(source).exists()


def _path(source: str) -> Path:
    digest = hashlib.sha256((_environment() + source).encode()).hexdigest()
    return kernel_folder() / f"{digest[:40]}.kernel"


@cache
def _environment() -> str:
    """Everything besides the source that machine code depends on."""
    from importlib.metadata import version

    from llvmlite import binding

    versions = [version(name) for name in ("numba", "llvmlite")]
    cpu = [binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()]
    return "\n".join([*versions, *cpu, source_digest(INGREDIENTS), ""])


def source_digest(modules: Sequence[str]) -> str:
    """Digest of the source of modules, whole packages included, without importing them."""
    digest = hashlib.sha256()
    for name in modules:
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if spec.submodule_search_locations else [origin]
        for file in files:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def stored(path: Path) -> bytes | None:
    """Code of a stored kernel; None where there is none, or a damaged one."""
    try:
        if _is_open_to_all(path.parent):
            return None
        heading, checksum, code = path.read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    return code if heading == HEADING and checksum == _checksum(code) else None


def keep(path: Path, code: bytes) -> None:
    """Store the code of a kernel; a folder that cannot be used is a warning, once."""
    try:
        _write(path, code)
    except OSError as error:
        _warn_once(str(path.parent), str(error))


def _write(path: Path, code: bytes) -> None:
    import tempfile

    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_open_to_all(folder):
        raise PermissionError("everybody can write there, and machine code would be trusted")
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"\n".join([HEADING, _checksum(code), code]))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _is_open_to_all(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IWOTH)


def _checksum(code: bytes) -> bytes:
    return hashlib.sha256(code).hexdigest().encode()


_loaded: dict[str, int] = {}
_loading = threading.Lock()


@cache
def _engine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def _load(symbol: str, code: bytes) -> None:
    """Put machine code where it can run, once: the engine cannot hold a symbol twice."""
    from llvmlite import binding

    with _loading:
        if symbol not in _loaded:
            engine = _engine()
            engine.add_object_file(binding.ObjectFileRef.from_data(code))
            engine.finalize_object()
            _loaded[symbol] = engine.get_function_address(symbol)


@lru_cache(maxsize=8)
def _warn_once(folder: str, reason: str) -> None:
    warnings.warn(
        f"compiled kernels cannot be kept in {folder} ({reason}); they are compiled again in "
        "every process. Set the option codegen.cache-dir to a folder that can be written.",
        CacheWarning,
        stacklevel=4,
    )
