"""One pool for CuPy, Numba and cuDF, each choice in a process of its own."""

import subprocess
import sys

import pytest

BEGIN = """
from gpuscale.backends.creation import namespace
from gpuscale.base import config
import gpuscale.memory
config.set(OPTIONS)
cupy = namespace("cupy")
x = cupy.ones(1_000_000)
y = x + 1
assert float(y.sum()) == 2e6
"""

SHARED = """
import rmm, rmm.statistics
from rmm.allocators.cupy import rmm_cupy_allocator
assert cupy.cuda.get_allocator() is rmm_cupy_allocator
assert rmm.statistics.get_statistics().current_bytes >= 16_000_000
from gpuscale.backends.devices import IN_USE
assert IN_USE["cupy"].figures().used >= 16_000_000
"""

CHOICES = {
    "default": {},
    "async": {"rmm-async": True, "rmm-pool-size": "64 MiB", "rmm-release-threshold": "1 GiB"},
    "limited": {"rmm-async": True, "rmm-maximum-pool-size": "512 MiB"},
    "pool": {"rmm-async": False, "rmm-pool-size": "64 MiB", "rmm-maximum-pool-size": 0.5},
    "managed": {"rmm-managed-memory": True, "rmm-pool-size": "64 MiB"},
    "tracked": {"rmm-track-allocations": True},
}


def run(script, options):
    script = script.replace("OPTIONS", repr(options))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("options", CHOICES.values(), ids=CHOICES.keys())
def test_a_pool_of_rmm(cupy, options):
    pytest.importorskip("rmm", reason="needs RMM")
    run(BEGIN + SHARED, options)


@pytest.mark.gpu
def test_a_log(cupy, tmp_path):
    pytest.importorskip("rmm", reason="needs RMM")
    run(BEGIN, {"rmm-log-directory": str(tmp_path)})
    assert list(tmp_path.glob("rmm_log_*"))


@pytest.mark.gpu
def test_numba_shares_it(cupy):
    pytest.importorskip("rmm", reason="needs RMM")
    pytest.importorskip("numba_cuda", reason="needs numba-cuda")
    script = (
        BEGIN
        + SHARED
        + (
            "from numba import cuda\n"
            "before = rmm.statistics.get_statistics().current_bytes\n"
            "array = cuda.device_array(1_000_000)\n"
            "assert rmm.statistics.get_statistics().current_bytes >= before + 8_000_000\n"
        )
    )
    run(script, {})


@pytest.mark.gpu
def test_without_rmm_the_limit_is_of_cupys_pool(cupy):
    script = (
        "import sys\nsys.modules['rmm'] = None\n"
        + BEGIN
        + "assert cupy.get_default_memory_pool().get_limit() == 512 << 20\n"
    )
    run(script, {"rmm-maximum-pool-size": "512 MiB"})


@pytest.mark.gpu
def test_a_pool_larger_than_the_device(cupy):
    script = BEGIN.replace(
        'cupy = namespace("cupy")',
        "try:\n    namespace('cupy')\n    raise SystemExit('no error')\n"
        "except config.ConfigError as error:\n    assert 'the device has' in str(error)\n"
        "    raise SystemExit(0)",
    )
    run(script, {"rmm-pool-size": "100 TiB"})
