"""A process that runs operations of `*_cuda.py`: in Numba's simulator, or only compiling kernels.

It is a process of its own since the simulator is chosen by an environment variable that Numba reads
when it is imported. Requests and answers are pickles on its standard input and output.
"""

import importlib
import os
import pickle
import re
import sys
import warnings
from collections import Counter
from functools import cache
from typing import ClassVar

import numpy as np

CAPABILITIES = ((8, 0), (9, 0), (10, 0))


@cache
def built(kernel):
    return kernel.build()


class Device:
    """Host memory in the role of a device's, with what was allocated counted."""

    def __init__(self):
        self.allocated = 0
        self.compiled = []

    def empty(self, shape, dtype):
        array = self.zeros(shape, dtype)
        array.reshape(-1).view(np.uint8)[...] = 0xA5  # nobody may count on zeros
        return array

    def zeros(self, shape, dtype):
        array = np.zeros(shape, dtype)
        self.allocated += array.nbytes
        return array

    def number(self, array):
        assert array.size == 1
        return int(array.reshape(-1)[0])


class Running:
    """What `cuda` stands for in functions that kernels of other files call."""

    def __getattr__(self, name):
        from numba.cuda.simulator.kernel import _get_kernel_context

        return getattr(_get_kernel_context(), name)


class Simulator(Device):
    """Runs kernels in Numba's simulator."""

    def launch(self, kernel, grid, block, *arguments):
        from numba import cuda

        from gpuscale.codegen.simulator_blocks import wait_in_blocks
        from gpuscale.codegen.simulator_shared import share_arrays
        from gpuscale.kernels import blocks_cuda

        share_arrays()
        wait_in_blocks()

        # Simulated threads enter and leave such a function together, and the simulator's own way to
        # give it the running kernel is to change a global variable at each of these moments.
        blocks_cuda.cuda = Running()
        arrays = [each for each in arguments if isinstance(each, np.ndarray)]
        assert all(each.ndim == 1 and each.flags.c_contiguous for each in arrays)
        cuda.jit(built(kernel))[grid, block](*arguments)


class Compiler(Device):
    """Compiles kernels, and runs none.

    The first variant of a kernel is compiled for each capability, the others for one by turns.
    """

    ptx: ClassVar[dict] = {}  # of each text
    variants: ClassVar[Counter] = Counter()  # of each kernel, by name

    def number(self, array):
        return 0

    def address(self, array):
        return array.ctypes.data

    def launch(self, kernel, grid, block, *arguments):
        from gpuscale.codegen.compiler_cuda import compile_ptx
        from gpuscale.codegen.device_cuda import written
        from gpuscale.codegen.launch_cuda import packed

        assert grid >= 1 and block >= 1
        text = written(kernel, arguments)
        if text not in self.ptx:
            turn = self.variants[kernel.name]
            chosen = (CAPABILITIES[turn % len(CAPABILITIES)],) if turn else CAPABILITIES
            self.ptx[text] = {each: compile_ptx(text, each).decode() for each in chosen}
            self.variants[kernel.name] += 1
        for (major, minor), ptx in self.ptx[text].items():
            target = f".target sm_{major}{minor}"
            assert target in ptx, f"no line {target!r}"
            parameters = set(re.findall(r"_param_\d+", ptx))
            assert len(parameters) == len(packed(text.types, arguments, self))
        self.compiled.append(kernel.name)


def answer(device, module, name, arguments, options):
    module = importlib.import_module(module)
    if hasattr(module, "_device"):  # it makes its own
        module._device, module._THREADS = lambda: device, 8
        result = getattr(module, name)(*arguments, **options)
    else:
        result = getattr(module, name)(device, *arguments, **options)
    return arguments[0] if result is None else result, device.allocated, device.compiled


def main():
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed does not mix with answers
    warnings.simplefilter("ignore")  # integers wrap, as they do on a device
    kind = {"simulate": Simulator, "compile": Compiler}[sys.argv[1]]
    while True:
        try:
            request = pickle.load(requests)
        except EOFError:
            return
        try:
            result = (True, answer(kind(), *request))
        except Exception as error:
            result = (False, error)
        pickle.dump(result, answers)
        answers.flush()


if __name__ == "__main__":
    main()
