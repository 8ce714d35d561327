"""What CuPy is asked to do, by a stand-in: there is no device here."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from gpuscale.base.errors import KernelWarning
from gpuscale.codegen import target_cuda
from gpuscale.codegen.launch_cuda import ENTRY
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.codegen.run_cuda import CudaTarget


class Array:
    """The part of a CuPy array that launching needs."""

    def __init__(self, array):
        self.array = array
        self.data = SimpleNamespace(ptr=array.ctypes.data)
        self.shape, self.dtype, self.itemsize = array.shape, array.dtype, array.itemsize
        self.strides = array.strides

    def transpose(self, *axes):
        return Array(self.array.transpose(*axes))


class Cupy:
    """A device with one module loader, which records what it is given."""

    def __init__(self):
        self.loaded, self.launches, self.id = [], [], 0
        self.cuda = SimpleNamespace(
            Device=lambda: SimpleNamespace(id=self.id, compute_capability="90"),
            function=SimpleNamespace(Module=lambda: SimpleNamespace(
                load=self.loaded.append,
                get_function=lambda name: lambda *args: self.launches.append((name, *args)),
            )),
        )  # fmt: skip

    def empty(self, shape, dtype):
        return Array(np.empty(shape, dtype))


@pytest.fixture
def cupy():
    return Cupy()


@pytest.fixture
def target(cupy, monkeypatch):
    monkeypatch.setattr(target_cuda, "ptx_of", lambda kernel, cc: b"PTX %d%d" % cc)
    return CudaTarget(target_cuda.CupyLauncher(cupy))


def program():
    b = ProgramBuilder()
    total = b.apply("add", b.load(0, "f4"), b.param(0, "f4"))
    shifted = b.apply("add", b.cast(total, "c8"), b.param(1, "c8"))
    return b.build(total, shifted, b.apply("less", b.cast(b.index(0), "f8"), b.param(2, "f8")))


def test_arguments_are_the_bytes_that_a_kernel_reads(cupy, target):
    x = Array(np.zeros((3, 10), np.float32)[:, ::2])
    index = AffineIndex(7, (100, 3))
    found = target.map(program(), [x], [index], [1.5, 2 - 1j, 0.25], x.shape, None)
    assert cupy.loaded == [b"PTX 90"]
    ((name, grid, block, args),) = cupy.launches
    assert name == ENTRY and (len(grid), len(block)) == (3, 3)
    assert block[0] * block[1] * block[2] <= 1024
    addresses = [x.data.ptr, *(each.data.ptr for each in found)]
    assert args[:4] == tuple(map(np.uint64, addresses))
    assert all(a.dtype == np.uint64 for a in args[:4])
    sizes_and_steps = [3, 5, 3, 5, 7, 10, 2, 100, 3, 5, 5, 5]
    assert [(a.dtype.str, int(a)) for a in args[4:-4]] == [("<i8", n) for n in sizes_and_steps]
    assert [(a.dtype.str, float(a)) for a in args[-4:]] == [
        *[("<f4", 1.5), ("<f4", 2.0), ("<f4", -1.0)],
        ("<f8", 0.25),
    ]


def test_kernels_are_loaded_once_for_each_device(cupy, target):
    x = Array(np.zeros(8, np.float32))
    for device in (0, 0, 1, 0):
        cupy.id = device
        target.map(program(), [x], [AffineIndex(0, (1,))], [0, 0, 0], x.shape, None)
    assert len(cupy.loaded) == 2 and len(cupy.launches) == 4


@pytest.mark.parametrize(
    "error, message",
    [(ImportError("no numba_cuda"), "gpuscale\\[cuda13\\]"), (RuntimeError("refused"), "report")],
)
def test_without_a_compiler_operations_run_one_by_one(cupy, target, monkeypatch, error, message):
    def refuse(kernel, architecture):
        raise error

    monkeypatch.setattr(target_cuda, "ptx_of", refuse)
    x = Array(np.zeros(8, np.float32))
    arguments = program(), [x], [AffineIndex(0, (1,))], [0, 0, 0], x.shape, None
    with pytest.warns(KernelWarning, match=message):
        assert target.map(*arguments) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert target.map(*arguments) is None
    assert cupy.launches == []


def test_more_arguments_than_a_device_takes_are_left_to_the_interpreter(cupy, target):
    b = ProgramBuilder()
    total = b.load(0, "f4")
    for k in range(1, 200):
        total = b.apply("add", total, b.load(k, "f4"))
    arrays = [Array(np.zeros((6, 8), np.float32)[::2, ::2]) for _ in range(200)]
    assert target.map(b.build(total), arrays, [], [], (3, 4), None) is None
    few = b.build(b.apply("add", b.load(0, "f4"), b.load(1, "f4")))
    assert target.map(few, arrays[:2], [], [], (3, 4), None) is not None
    assert len(cupy.launches) == 1
