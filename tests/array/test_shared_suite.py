"""The tests of arrays, which the CPU and the fake device pass, on CuPy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(3600)
def test_all_of_it(cupy):
    """In a process of its own, whose option array.backend sends the data to the device."""
    command = [sys.executable, "-m", "pytest", "-q", "--backend", "cupy", "tests_cpu/array"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
