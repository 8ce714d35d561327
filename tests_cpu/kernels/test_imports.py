"""Importing the kernels costs no numba."""

import subprocess
import sys

SCRIPT = """
import sys
import gpuscale.kernels
import gpuscale.kernels.philox.distributions.sampling
assert "numba" not in sys.modules
assert "gpuscale.base" not in sys.modules
"""


def test_importing_the_kernels_loads_neither_numba_nor_gpuscale():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
