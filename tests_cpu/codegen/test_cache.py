"""Kernels on the disk: found again, shared by processes, no trouble when damaged or unwritable."""

import ctypes
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.base.errors import CacheWarning
from gpuscale.codegen import cache

SOURCE = "def kernel(g):\n    g[0] = g[1] + {0}\n"
CALL = """
import ctypes, sys, numpy as np
from gpuscale.base import config
from gpuscale.codegen import cache
config.set({"codegen.cache-dir": sys.argv[1]})
g = np.array([0, 40])
kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(cache.compile_kernel(sys.argv[2]))
kernel(g.ctypes.data)
print(g[0])
"""


def result_of(source):
    g = np.array([0, 40])
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(cache.compile_kernel(source))(g.ctypes.data)
    return g[0]


@pytest.fixture
def folder(tmp_path):
    with config.set({"codegen.cache-dir": str(tmp_path / "kernels")}):
        yield tmp_path / "kernels"


def files(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_a_kernel_is_written_once_and_loaded_again(folder):
    source = SOURCE.format(1)
    assert result_of(source) == 41
    before = files(folder)
    assert {p.suffix for p in before} == {".py", ".nbi", ".nbc"}
    assert folder.stat().st_mode & 0o077 == 0
    assert result_of(source) == 41
    assert files(folder) == before


def test_another_source_is_another_kernel(folder):
    assert [result_of(SOURCE.format(n)) for n in (2, 3)] == [42, 43]
    assert len(list(folder.glob("*.py"))) == 2


def test_processes_may_race(folder):
    command = [sys.executable, "-c", CALL, str(folder), SOURCE.format(4)]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [p.communicate()[0].strip() for p in racing] == ["44"] * 3
    assert len(list(folder.glob("*.py"))) == 1
    assert not [p for p in folder.iterdir() if p.suffix not in (".py", "") or p.is_symlink()]


@pytest.mark.parametrize("suffix", [".py", ".nbi", ".nbc"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x80\x04K\x01."])
def test_damaged_files_are_replaced(folder, suffix, content):
    source = SOURCE.format(5)
    assert result_of(source) == 45
    (path,) = folder.rglob(f"*{suffix}")
    path.write_bytes(content)
    assert result_of(source) == 45
    assert result_of(source) == 45


def test_a_folder_that_cannot_be_written_is_a_warning_once(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with config.set({"codegen.cache-dir": str(blocked / "kernels")}):
        with pytest.warns(CacheWarning, match="codegen.cache-dir"):
            assert result_of(SOURCE.format(6)) == 46
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert result_of(SOURCE.format(7)) == 47


def test_a_folder_that_everybody_can_write_is_not_trusted(tmp_path):
    tmp_path.chmod(0o777)
    warned = pytest.warns(CacheWarning, match="everybody can write")
    with config.set({"codegen.cache-dir": str(tmp_path)}), warned:
        assert result_of(SOURCE.format(8)) == 48
    assert not list(tmp_path.glob("*.py"))


def test_a_broken_kernel_is_an_error_not_a_loop(folder):
    with pytest.raises(Exception, match="undefined_name"):
        cache.compile_kernel("def kernel(g):\n    g[0] = undefined_name\n")
    assert not list(folder.rglob("k*"))


def test_the_folder_follows_the_option_and_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with config.set({"codegen.cache-dir": "auto"}):
        assert cache.kernel_folder() == tmp_path / "gpuscale" / "kernels"
    with config.set({"codegen.cache-dir": "~/somewhere"}):
        assert str(cache.kernel_folder()) == os.path.expanduser("~/somewhere")
