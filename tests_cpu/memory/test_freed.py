"""Temporary arrays are made of memory that is there already; blocks go where memory is scarce."""

from __future__ import annotations

import os
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


only_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc has these limits"
)


def own_environment():
    """Leave out what a cluster sets for good, with which glibc learns nothing."""
    theirs = ("MALLOC_", "ARROW_DEFAULT_MEMORY_POOL")
    return {name: value for name, value in os.environ.items() if not name.startswith(theirs)}


@only_glibc
def test_temporaries_cause_no_page_faults() -> None:
    command = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env=own_environment()
    )
    assert int(found.stdout) < 600  # one array has 128 pages, and 600 are made


COLUMNS = """
import resource
import pyarrow as pa
import gpuscale.dataframe
zeros = pa.py_buffer(bytes(2**24))

def work():
    for _ in range(20):
        column = pa.allocate_buffer(2**24)
        memoryview(column)[:] = zeros
        del column

work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(pa.default_memory_pool().backend_name)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def of_columns(**variables: str) -> list[str]:
    environment = own_environment() | variables
    found = subprocess.run(
        [sys.executable, "-c", COLUMNS], capture_output=True, text=True, env=environment
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


@only_glibc
def test_columns_cause_no_page_faults() -> None:
    pool, faults = of_columns()
    assert pool == "system"
    assert int(faults) < 4096  # a column has as many pages, and 20 are made


@only_glibc
def test_what_a_user_says_of_arrow_stays() -> None:
    pool, _ = of_columns(ARROW_DEFAULT_MEMORY_POOL="mimalloc")
    assert pool == "mimalloc"
    pool, _ = of_columns(MALLOC_TRIM_THRESHOLD_="65536")
    assert pool != "system"


# Blocks between others that stay would remain as gaps. Once larger blocks have been freed, glibc
# has learned to keep all of this size.
GAPS = """
import numpy as np
from pathlib import Path

def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024

N = 2**23
for _ in range(3):
    np.ones(N, np.uint8), np.ones(2 * N, np.uint8)
HERE
blocks = [np.ones(N, np.uint8) for _ in range(21)]
before = resident()
del blocks[::2]
print((before - resident()) / N)
"""
SPILLING = """
import gpuscale
import gpuscale.array as ga

with gpuscale.config.set({"memory-limit": "4 MB"}):
    x = ga.random.random((1_000, 1_000), chunks=(50, 1_000)).map_blocks(np.copy, dtype=float)
    y = x.rechunk((1_000, 50)).map_blocks(np.linalg.norm, axis=0, drop_axis=0, dtype=float)
    y.sum().compute()
"""
SAYING = """
from gpuscale.memory.freed import keep_only_small_blocks

keep_only_small_blocks()
"""


@only_glibc
@pytest.mark.parametrize("scarce", [SAYING, SPILLING], ids=["said", "spilled"])
def test_freed_blocks_go_once_memory_is_scarce(scarce: str) -> None:
    program = GAPS.replace("HERE", scarce)
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=own_environment()
    )
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) > 6  # of 11 that were freed; a few lay in memory kept before
