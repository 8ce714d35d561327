"""Rows for CuPy, on a stand-in that has its names; what CuPy itself does is tested on a GPU."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from gpuscale.backends.cupy_ops import OutOfMemoryError, load_cupy
from gpuscale.backends.seams import is_out_of_memory
from gpuscale.base.errors import BackendError

ROOT = Path(__file__).parents[2]

STAND_IN = """
import numpy

class ndarray:
    def __init__(self, data): self._data = numpy.array(data)
    shape = property(lambda self: self._data.shape)
    strides = property(lambda self: self._data.strides)
    itemsize = property(lambda self: self._data.itemsize)
    nbytes = property(lambda self: self._data.nbytes)
    get = lambda self: self._data

class cuda:
    is_available = staticmethod(lambda: True)
    Device = type("Device", (), {"id": 0})

asarray = ndarray
"""

SCRIPT = """
import sys
import gpuscale.backends
from gpuscale.backends.creation import resolve_backend
assert resolve_backend("cupy") == "cupy"
assert "cupy" not in sys.modules

import numpy as np, cupy
from gpuscale.backends.seams import array_namespace, backend_name, nbytes, to_host
from gpuscale.backends.transfer import to_device
x = to_device(np.arange(6.0), "cupy")
assert type(x) is cupy.ndarray
assert array_namespace(x) is cupy and backend_name(x) == "cupy" and nbytes(x) == 48
assert to_host((x, x))[1].tolist() == [0, 1, 2, 3, 4, 5]
assert resolve_backend(like=x) == resolve_backend(like=cupy) == "cupy"
assert to_device(x, "numpy").tolist() == [0, 1, 2, 3, 4, 5]
"""


def test_rows_are_loaded_with_the_first_array(tmp_path):
    """In a process of its own, where no CuPy was or will be loaded."""
    (tmp_path / "cupy.py").write_text(STAND_IN)
    paths = f"import sys; sys.path[:0] = {[str(tmp_path), str(ROOT)]!r}\n"
    done = subprocess.run([sys.executable, "-c", paths + SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(BackendError, match=r"pip install 'gpuscale\[cuda13\]'.*like=numpy"):
        load_cupy()


def test_without_a_device(monkeypatch):
    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(is_available=lambda: False)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(BackendError, match="no CUDA device here.*nvidia-smi.*like=numpy"):
        load_cupy()
    cupy.cuda.is_available = lambda: True
    assert load_cupy() is cupy


def raised(module, name, text="", **attributes):
    """An exception of a library, as far as it tells of itself."""
    base = MemoryError if name == "OutOfMemoryError" else RuntimeError
    error = type(name, (base,), {"__module__": module})(text)
    vars(error).update(attributes)
    return error


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError(1, 2, 3),
        raised("cupy.cuda.memory", "OutOfMemoryError"),
        raised("torch", "OutOfMemoryError"),
        MemoryError("std::bad_alloc: out_of_memory: CUDA error at: /rmm/cuda_memory_resource.hpp"),
        raised("cupy_backends.cuda.api.runtime", "CUDARuntimeError", status=2),
        raised("cupy_backends.cuda.api.driver", "CUDADriverError", status=2),
        raised("cupy_backends.cuda.libs.cublas", "CUBLASError", status=3),
        raised("cupy.cuda.cufft", "CuFFTError", result=2),
        raised("numba.cuda.cudadrv.driver", "CudaAPIError", code=2),
    ],
    ids=lambda error: type(error).__name__,
)
def test_out_of_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 8 TiB for an array"),
        ValueError("std::bad_alloc"),
        raised("cupy_backends.cuda.api.runtime", "CUDARuntimeError", status=700),
        raised("cupy_backends.cuda.libs.cublas", "CUBLASError", status=2),
        raised("somewhere", "CudaAPIError", code=2),
        KeyboardInterrupt(),
        "out of memory",
    ],
    ids=lambda error: type(error).__name__,
)
def test_not_out_of_memory(error):
    assert not is_out_of_memory(error)
