"""Kernels on the disk: found again, shared by processes, no trouble when damaged or unwritable."""

import ctypes
import functools
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.base.errors import CacheWarning
from gpuscale.codegen import cache, compiler

SOURCE = "def kernel(g):\n    g[0] = g[1] + {0}\n"
CALL = """
import ctypes, sys, numpy as np
from gpuscale.base import config
from gpuscale.codegen import cache
config.set({"codegen.cache-dir": sys.argv[1]})
g = np.array([0, 40])
kernel = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3)(cache.compile_kernel(sys.argv[2]))
unused = np.zeros(2, dtype=np.int64)
kernel(unused.ctypes.data, unused.ctypes.data, g.ctypes.data)
print(g[0], "numba" in sys.modules)
"""


def result_of(source):
    g, unused = np.array([0, 40]), np.zeros(2, dtype=np.int64)
    call = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3)
    call(cache.compile_kernel(source))(unused.ctypes.data, unused.ctypes.data, g.ctypes.data)
    return g[0]


@pytest.fixture
def folder(tmp_path):
    with config.set({"codegen.cache-dir": str(tmp_path / "kernels")}):
        yield tmp_path / "kernels"


@pytest.fixture
def compilations(monkeypatch):
    """Sources that the compiler has seen."""
    forget(monkeypatch)
    seen = []
    original = compiler.compile_source
    monkeypatch.setattr(
        compiler, "compile_source", lambda name, text: seen.append(text) or original(name, text)
    )
    return seen


ENGINES = []  # machine code lives as long as its engine


def forget(monkeypatch):
    """Be a process that has loaded nothing yet."""
    new_engine = functools.cache(cache._engine.__wrapped__)
    ENGINES.append(new_engine())
    monkeypatch.setattr(cache, "_loaded", {})
    monkeypatch.setattr(cache, "_engine", new_engine)


def test_a_kernel_is_compiled_once(folder, compilations, monkeypatch):
    source = SOURCE.format(1)
    assert not cache.is_stored(source)
    assert result_of(source) == result_of(source) == 41
    assert cache.is_stored(source)
    forget(monkeypatch)
    assert result_of(source) == 41
    assert compilations == [source]
    (path,) = folder.iterdir()
    assert folder.stat().st_mode & 0o077 == 0 and path.suffix == ".kernel"


def test_another_source_is_another_kernel(folder):
    assert [result_of(SOURCE.format(n)) for n in (2, 3)] == [42, 43]
    assert len(list(folder.iterdir())) == 2


def test_processes_share_kernels_and_need_no_compiler(folder):
    command = [sys.executable, "-c", CALL, str(folder), SOURCE.format(4)]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = sorted(p.communicate()[0].split() for p in racing)
    assert found == [["44", "False"], ["44", "False"], ["44", "True"]]  # one has compiled
    assert [p.suffix for p in folder.iterdir()] == [".kernel"]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.split() == ["44", "False"]


@pytest.mark.parametrize("damage", ["empty", "nonsense", "cut", "flipped", "old"])
def test_damaged_files_are_replaced(folder, compilations, monkeypatch, damage):
    source = SOURCE.format(5)
    assert result_of(source) == 45
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes({
        "empty": b"",
        "nonsense": b"\x80\x04K\x01.\n\n\n",
        "cut": whole[:-9],
        "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
        "old": whole.replace(cache.HEADING, b"gpuscale kernel 0"),
    }[damage])  # fmt: skip
    forget(monkeypatch)
    assert result_of(source) == 45
    assert len(compilations) == 2 and len(path.read_bytes()) == len(whole)


def test_a_folder_that_cannot_be_written_is_a_warning_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with config.set({"codegen.cache-dir": str(blocked / "kernels")}):
        with pytest.warns(CacheWarning, match="codegen.cache-dir"):
            assert result_of(SOURCE.format(6)) == 46
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert result_of(SOURCE.format(7)) == 47


def test_a_folder_that_everybody_can_write_is_not_trusted(tmp_path, compilations, monkeypatch):
    source = SOURCE.format(8)
    with config.set({"codegen.cache-dir": str(tmp_path)}):
        assert result_of(source) == 48
        tmp_path.chmod(0o777)
        forget(monkeypatch)
        with pytest.warns(CacheWarning, match="everybody can write"):
            assert result_of(source) == 48
    assert compilations == [source] * 2


def test_a_broken_kernel_is_an_error_that_leaves_nothing(folder):
    with pytest.raises(Exception, match="undefined_name"):
        cache.compile_kernel("def kernel(g):\n    g[0] = undefined_name\n")
    assert not folder.exists()


def test_code_that_may_raise_is_refused(folder):
    with pytest.raises(RuntimeError, match="refers to"):
        cache.compile_kernel("def kernel(g):\n    if g[0]:\n        raise ValueError(g[0])\n")


def test_the_folder_follows_the_option_and_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with config.set({"codegen.cache-dir": "auto"}):
        assert cache.kernel_folder() == tmp_path / "gpuscale" / "kernels"
    with config.set({"codegen.cache-dir": "~/somewhere"}):
        assert str(cache.kernel_folder()) == os.path.expanduser("~/somewhere")
