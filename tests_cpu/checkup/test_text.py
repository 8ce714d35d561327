import pytest

from gpuscale.backends.cupy_trial import DeviceTrial
from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.nvml import read_driver
from gpuscale.checkup import doctor as examining
from gpuscale.checkup.doctor import examine
from gpuscale.checkup.packages import Installed
from gpuscale.checkup.selftest import CpuTrial, SelfTest

BASE = {"numpy": "2.4.6", "numba": "0.68.1", "llvmlite": "0.50.0"}
ABSENT = Driver(State.ABSENT, "there is no NVIDIA driver here")


def text(driver, environment=(), versions=()):
    return str(examine(Installed({**BASE, **dict(versions)}), driver, dict(environment)))


def section(written, title):
    """Return the lines of one section."""
    (body,) = [part for part in written.split("\n\n") if part.startswith(title + "\n")]
    return [line.strip() for line in body.splitlines()[1:]]


def test_a_machine_without_a_gpu():
    written = text(ABSENT)
    assert "what is installed works" in written.splitlines()[0]
    assert section(written, "GPUs") == ["driver  there is no NVIDIA driver here"]
    features = section(written, "Features")
    assert features[0] == "works    arrays on the CPU"
    assert features[1].endswith("not installed: cupy (pip install 'gpuscale[cuda13]')")
    assert features[-1] == "cuda13 is for drivers from 580 on; for older ones say cuda12"
    machine = section(written, "Machine")
    names = ("system", "Python", "cores", "memory", "memory-limit", "kernel cache", "spill folder")
    for name in names:
        assert any(line.startswith(name) for line in machine), name
    assert "Broken" not in written and "Advice" not in written and "Self-test" not in written


def test_eight_devices(nvml):
    switches = [b"00000000:AA:00.0"] * 18
    driver = read_driver(nvml.driver(*(nvml.gpu(k, nvlinks=switches) for k in range(8))))
    lines = section(text(driver, {"CUDA_VISIBLE_DEVICES": "7,0"}), "GPUs")
    assert lines[0].split(None, 1) == ["driver", "580.82.07, runs CUDA up to 13.0"]
    assert lines[1].split(None, 2)[2] == (
        "NVIDIA H100 80GB HBM3, 1.0 GiB of 80.0 GiB used, compute capability 9.0, persistence on"
    )
    assert lines[2] == (
        "GPU-00000000-aaaa, PCI 00000000:10:00.0, near cores 0-47, active NVLinks: 18"
    )
    head = next(k for k, line in enumerate(lines) if line.startswith("topology"))
    assert lines[head].split()[1:] == [f"GPU{k}" for k in range(8)]
    assert lines[head + 3].split() == ["GPU2", "NV18", "NV18", "X", *["NV18"] * 5]
    assert lines[head + 9] == "peer access           between all"
    assert lines[head + 10] == "CUDA_VISIBLE_DEVICES  '7,0' selects GPU 7, GPU 0"


def test_pairs_without_peer_access(nvml):
    devices = [nvml.gpu(0, peer=1), nvml.gpu(1, peer=5), nvml.gpu(2)]
    lines = section(text(read_driver(nvml.driver(*devices))), "GPUs")
    peers = next(line for line in lines if line.startswith("peer access"))
    assert peers.endswith("not 0-1, 0-2: the chipset does not support it; not 1-2: not supported")


def test_parts_and_what_is_not_answered(nvml):
    part = {"name": "H100 MIG 3g.40gb", "uuid": "MIG-1", "memory": (40 << 30, 0)}
    silent = {"nvmlDeviceGetMemoryInfo": "Insufficient Permissions"}
    cut = nvml.gpu(0, parts={1: part}, silent=silent, virtualization=2, persistence=0, mode=3)
    lines = section(text(read_driver(nvml.driver(cut))), "GPUs")
    assert "virtual, persistence off, compute mode exclusive process" in lines[1]
    assert "MIG is on, instances: 1; CUDA shows a process one of them" in lines
    assert "H100 MIG 3g.40gb, 40.0 GiB, MIG-1" in lines
    assert "not supported here: NVLink" in lines
    assert "not answered: memory (Insufficient Permissions)" in lines


def test_a_device_of_which_nothing_is_known(nvml):
    denied = nvml.gpu(0, silent={"nvmlDeviceGetHandleByIndex": "Insufficient Permissions"})
    silent = {"nvmlSystemGetCudaDriverVersion": "Function Not Found"}
    lines = section(text(read_driver(nvml.driver(denied, silent=silent))), "GPUs")
    assert lines[0].split() == ["driver", "580.82.07"]
    assert lines[1] == "CUDA version: Function Not Found"
    assert lines[2].split(None, 2)[2] == "name unknown"
    assert lines[3] == "not answered: handle (Insufficient Permissions)"


@pytest.mark.parametrize(
    ("driver", "lines"),
    [
        (
            Driver(State.UNASKED, "nvidia-ml-py is not installed", version="550.54"),
            ["driver  550.54", "nvidia-ml-py is not installed"],
        ),
        (
            Driver(State.BROKEN, "the driver does not answer"),
            ["driver  the driver does not answer"],
        ),
        (Driver(State.WORKS, version="580.1"), ["driver   580.1", "devices  none"]),
    ],
)
def test_drivers_without_devices(driver, lines):
    assert section(text(driver), "GPUs") == lines


def test_what_is_broken_stands_at_the_end(nvml):
    driver = read_driver(nvml.driver(nvml.gpu(0), cuda=12040))
    versions = {"cupy-cuda13x": "14.0", "ucx-py": "0.45"}
    written = text(driver, {"CUDA_VISIBLE_DEVICES": "0,9"}, versions)
    assert "1 broken, see the end" in written.splitlines()[0]
    (said,) = section(written, "Broken")
    assert said.startswith("arrays on GPUs, CUDA kernels, RMM pools: cupy-cuda13x is for CUDA 13")
    assert "archived" in section(written, "Advice")[0]
    assert section(written, "GPUs")[-1].startswith("'9' names no device here")


def test_the_self_test(monkeypatch):
    trials = (
        DeviceTrial(0, 64 << 20, 25e9, 12.34e9),
        DeviceTrial(1, 64 << 20, 25e9, None, "run a kernel: CompileException: no"),
    )
    test = SelfTest(CpuTrial(1.26, ("no room",)), trials, "and no more")
    monkeypatch.setattr(examining, "run_self_test", lambda *arguments: test)
    found = examine(Installed(BASE), ABSENT, {}, self_test=True)
    assert not found.ok
    lines = section(str(found), "Self-test")
    assert lines[0] == "CPU       right, in 1.3 s with compiling"
    assert lines[1] == "warned: no room"
    assert lines[2] == (
        "device 0  right, 25.0 GB/s to the device, 12.3 GB/s to the host (64.0 MiB from pinned "
        "memory)"
    )
    assert lines[3:] == ["device 1  run a kernel: CompileException: no", "devices   and no more"]
    assert section(str(found), "Broken") == [
        "self-test: device 1: run a kernel: CompileException: no"
    ]
