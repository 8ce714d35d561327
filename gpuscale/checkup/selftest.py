"""Compute something, on the CPU and on each device: the one part that touches CUDA."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np

import gpuscale.array as ga
from gpuscale.backends.cupy_trial import DeviceTrial, device_count, try_device
from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.visible import Selection
from gpuscale.base import config
from gpuscale.base.errors import BackendError
from gpuscale.checkup.packages import Installed

__all__ = ["CpuTrial", "SelfTest", "run_self_test"]


@dataclass(frozen=True)
class CpuTrial:
    """What came of a small array program.

    Parameters
    ----------
    seconds : float
        How long it took, compiling included.
    warned : tuple of str
        What it warned of.
    failed : str
        What was raised; empty if all went well.
    """

    seconds: float = 0.0
    warned: tuple[str, ...] = ()
    failed: str = ""


@dataclass(frozen=True)
class SelfTest:
    """What the self-test found.

    Parameters
    ----------
    cpu : CpuTrial
    devices : tuple of DeviceTrial
    devices_said : str
        Why no device was tried, or empty.
    devices_failed : bool
        Whether that is a failure.
    """

    cpu: CpuTrial
    devices: tuple[DeviceTrial, ...] = ()
    devices_said: str = ""
    devices_failed: bool = False

    @property
    def failures(self) -> tuple[str, ...]:
        """What is installed and did not work, one sentence each."""
        found = [f"CPU: {self.cpu.failed}"] if self.cpu.failed else []
        found += [f"device {each.index}: {each.failed}" for each in self.devices if each.failed]
        return (*found, self.devices_said) if self.devices_failed else tuple(found)


def run_self_test(installed: Installed, driver: Driver, visible: Selection) -> SelfTest:
    """Compute on the CPU, and on each device where CuPy and a driver are.

    This compiles a kernel, which is kept, and creates a CUDA context on each device.
    """
    cpu = try_cpu()
    if driver.state is State.ABSENT:
        return SelfTest(cpu, devices_said="no device to try: there is no driver")
    if driver.state is State.WORKS and not visible.chosen:
        why = f"CUDA_VISIBLE_DEVICES selects {visible.said}" if driver.devices else "there is none"
        return SelfTest(cpu, devices_said=f"no device to try: {why}")
    if not installed.of("cupy"):
        return SelfTest(cpu, devices_said="devices are not tried: CuPy is not installed")
    try:
        count = device_count()
    except BackendError as error:
        return SelfTest(cpu, devices_said=str(error), devices_failed=True)
    except Exception as error:  # of the runtime's many
        said = " ".join(f"CUDA does not start: {type(error).__name__}: {error}".split())
        return SelfTest(cpu, devices_said=said, devices_failed=True)
    return SelfTest(cpu, tuple(map(try_device, range(count))))


def try_cpu() -> CpuTrial:
    """Compute a deviation by the engine, with a compiled kernel, and compare it with NumPy's."""
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with config.set({"codegen.min-elements": 0, "array.backend": "numpy"}):
                x = ga.random.default_rng(0).random((300, 200), chunks=(120, 90))
                found = (x - x.mean(axis=0)).std(axis=1).compute(progress=False)
                host = x.compute(progress=False)
            np.testing.assert_allclose(found, (host - host.mean(axis=0)).std(axis=1), rtol=1e-12)
            failed = ""
        except Exception as error:  # whatever it raises is what the user wants to know
            failed = " ".join(f"{type(error).__name__}: {error}".split())
    warned = tuple(dict.fromkeys(str(each.message) for each in caught))
    return CpuTrial(time.perf_counter() - began, warned, failed)
