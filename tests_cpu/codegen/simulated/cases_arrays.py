"""Whole computations whose chunks go through kernels for CUDA."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.codegen import targets
from gpuscale.codegen.run_cuda import CudaTarget
from gpuscale.codegen.simulator_cuda import SimulatorLauncher
from gpuscale.testing import fake_device


class FakeLauncher(SimulatorLauncher):
    """Launches kernels over the arrays of the fake device."""

    def empty(self, shape, dtype):
        return fake_device.fake.empty(tuple(shape), dtype)

    def address(self, array):
        return super().address(array._host)

    def launch(self, kernel, grid, block, args):
        hosts = [a._host if isinstance(a, fake_device.ndarray) else a for a in args]
        super().launch(kernel, grid, block, hosts)


@pytest.fixture
def launcher():
    launcher = SimulatorLauncher(threads=32)
    targets.register_target("numpy", lambda: CudaTarget(launcher))
    yield launcher
    targets.register_target("numpy", targets._cpu)


def headline():
    x = ga.random.default_rng(3).random((24, 24), chunks=12)
    return (x + x.T) - x.mean(axis=0)


def test_the_headline_is_that_of_the_cpu(launcher):
    results = [f(headline()) for f in (lambda y: y.std(axis=0), lambda y: y.sum(), lambda y: y)]
    got = [each.compute() for each in results]
    assert launcher.launched
    targets.register_target("numpy", targets._cpu)
    for g, r in zip(got, results, strict=True):
        np.testing.assert_allclose(g, r.compute(), rtol=1e-12, atol=1e-12)


def test_chains_slices_and_positions(launcher):
    values = np.random.default_rng(0).standard_normal((20, 30))
    x = ga.asarray(values, chunks=(7, 11))
    y = ga.where(x > 0, ga.sqrt(ga.abs(x)), x * 2 - 1)[::2, ::-1]
    want = np.where(values > 0, np.sqrt(np.abs(values)), values * 2 - 1)[::2, ::-1]
    np.testing.assert_array_equal(y.compute(), want)
    np.testing.assert_array_equal(y.argmax(axis=1).compute(), want.argmax(axis=1))
    assert int(y.argmin().compute()) == want.argmin()
    np.testing.assert_allclose(y.var(axis=0).compute(), want.var(axis=0))
    assert launcher.launched


def test_casts_and_what_kernels_lack(launcher):
    values = np.arange(40, dtype=np.int16).reshape(5, 8)
    x = ga.asarray(values, chunks=3)
    np.testing.assert_array_equal(
        ga.gcd(x, 12).astype("f4").compute(), np.gcd(values, 12).astype("f4")
    )
    np.testing.assert_array_equal((x.astype("f2") + 1).compute(), values.astype("f2") + 1)


def test_chunks_of_a_device_stay_there():
    launcher = FakeLauncher(threads=32)
    targets.register_target(fake_device.fake.__name__, lambda: CudaTarget(launcher))
    with fake_device.active():
        x = ga.random.default_rng(3).random((24, 24), chunks=12, like="fake")
        y = (x + x.T) - x.mean(axis=0)
        got = y.std(axis=0).compute(), y.argmax().compute()
    assert sum("s0_0 = cuda.shared" in kernel.text for kernel in launcher.launched) >= 4
    z = headline()
    targets.register_target(fake_device.fake.__name__, lambda: None)
    np.testing.assert_allclose(got[0], z.std(axis=0).compute(), rtol=1e-12)
    assert int(got[1]) == int(z.argmax().compute())
