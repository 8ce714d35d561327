"""Kernels for CUDA over NumPy's arrays, in Numba's simulator.

`test_cuda.py` runs the files of this folder in a process of their own.
"""

import numpy as np
import pytest

from gpuscale.codegen.run_cuda import CudaTarget
from gpuscale.codegen.simulator_cuda import SimulatorLauncher


@pytest.fixture
def launcher():
    return SimulatorLauncher()


@pytest.fixture
def target(launcher):
    return CudaTarget(launcher)


@pytest.fixture
def rng():
    return np.random.default_rng(42)
