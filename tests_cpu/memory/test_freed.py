"""Temporary arrays are made of memory that is there already."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from gpuscale.memory.freed import keep_freed_memory

keep_freed_memory()
x = np.ones(2**16)

def work():
    for _ in range(200):
        a, b = x + x, x * x
        c = a - b
        del a, b, c

work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these limits")
def test_temporaries_cause_no_page_faults() -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) < 600  # one array has 128 pages, and 600 are made
