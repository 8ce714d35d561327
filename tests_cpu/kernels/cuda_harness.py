"""Hand-written kernels run like functions: on the CPU here, for CUDA in the process of a server.

An operation is named `family.name`: `name` in `gpuscale/kernels/family/family_cpu.py` and in
`family_cuda.py`, where a device comes before all other arguments. Blocks are small in the
simulator, which needs a fifth of a millisecond for each of their threads.
"""

import importlib
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("cuda_server.py")
ROOT = Path(__file__).parents[2]

needs_numba_cuda = pytest.mark.skipif(
    find_spec("numba_cuda") is None,
    reason="compiling kernels to PTX needs numba-cuda: pip install 'numba-cuda[cu13]'",
)


class Server:
    """A process that answers one request at a time."""

    def __init__(self, kind):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if kind == "simulate":
            environment["NUMBA_ENABLE_CUDASIM"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def ask(self, operation, *arguments, **options):
        """Return the result, bytes allocated on the device, and names of kernels compiled."""
        family, name = operation.split(".")
        module = f"gpuscale.kernels.{family}.{family}_cuda"
        return self.call(module, name, *arguments, **options)

    def call(self, module, name, *arguments, **options):
        """Do as `ask` for a function of any module."""
        pickle.dump((module, name, arguments, options), self.process.stdin)
        self.process.stdin.flush()
        good, answer = pickle.load(self.process.stdout)
        if not good:
            raise answer
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)


class Target:
    """Where operations run; `few` is how many examples a property is tried with."""

    def __init__(self, name, server=None):
        self.name, self.server, self.few = name, server, 8 if server else 50

    def run(self, operation, *arguments, threads=16, **options):
        """Return the result, or the first argument as an operation without one leaves it."""
        if self.server:
            return self.server.ask(operation, *arguments, threads=threads, **options)[0]
        family, name = operation.split(".")
        module = importlib.import_module(f"gpuscale.kernels.{family}.{family}_cpu")
        result = getattr(module, name)(*arguments, **options)
        return arguments[0] if result is None else result
