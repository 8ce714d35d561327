"""What a launcher is asked to do for hand-written kernels, by a stand-in."""

import numpy as np
import pytest

from gpuscale.base.errors import BackendError
from gpuscale.codegen.device_cuda import KernelDevice
from gpuscale.codegen.launch_cuda import packed
from gpuscale.kernels.rows.rows_cuda import gather


class Launcher:
    """Launches nothing, and remembers what it was asked for."""

    threads, blocks = 256, 4096

    def __init__(self, works=True):
        self.works, self.launches = works, []

    def empty(self, shape, dtype):
        return np.empty(shape, dtype)

    def address(self, array):
        return array.ctypes.data

    def prepare(self, kernel):
        return self.works

    def launch(self, kernel, grid, block, args):
        self.launches.append((kernel, grid, block, packed(kernel.types, args, self)))


def test_an_operation_becomes_launches():
    launcher = Launcher()
    table, index = np.arange(12, dtype=np.float32).reshape(4, 3), np.array([3, 0])
    out = gather(KernelDevice(launcher), table, index)
    assert out.shape == (2, 3) and out.dtype == np.float32
    ((kernel, grid, block, words),) = launcher.launches
    assert (grid, block) == ((1, 1), (256, 1))
    assert kernel.types == ("uint32[]", "int64[]", "uint32[]", "int64[]", *["int64"] * 6)
    assert "build_gather" in kernel.text
    owner, parent, size, itemsize, address, length, step = words[:7]
    assert (owner, parent, size, itemsize, length, step) == (0, 0, 12, 4, 12, 4)
    assert address == table.ctypes.data
    assert [int(word) for word in words[28:]] == [2, 4, 3, 0, 1, 3]
    assert all(word.itemsize == 8 for word in words)


def test_stored_kernels_are_found_again_by_their_text():
    first, second = Launcher(), Launcher()
    for launcher in (first, second):
        gather(KernelDevice(launcher), np.ones(4), np.array([0]))
    assert first.launches[0][0] == second.launches[0][0]


def test_a_kernel_that_cannot_be_compiled_is_an_error_with_a_remedy():
    with pytest.raises(BackendError, match=r"kernel rows.gather, .* install 'gpuscale\[cuda13\]'"):
        gather(KernelDevice(Launcher(works=False)), np.ones(4), np.array([0]))
