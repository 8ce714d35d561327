"""The tests of frames, which the CPU and the fake device pass, on cuDF."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(3600)
def test_all_of_it(cupy):
    """In a process of its own, whose option dataframe.backend sends the rows to the device."""
    pytest.importorskip("cudf", reason="needs cuDF: pip install 'gpuscale[cuda13,cudf]'")
    command = [sys.executable, "-m", "pytest", "-q", "--backend", "cudf", "tests_cpu/dataframe"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
