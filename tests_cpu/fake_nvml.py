"""A driver that is told what to answer, with the functions and errors of pynvml."""

from types import SimpleNamespace

import pytest


class NVMLError(Exception):
    """As pynvml's: a class for each kind, and what it says is fixed."""


class LibraryNotFound(NVMLError):
    def __init__(self):
        super().__init__("NVML Shared Library Not Found")


class DriverNotLoaded(NVMLError):
    def __init__(self):
        super().__init__("Driver Not Loaded")


class FakeNvml:
    """Devices as dictionaries; ``silent`` maps a function to what it says instead of an answer."""

    NVMLError = NVMLError
    NVMLError_LibraryNotFound = LibraryNotFound
    NVMLError_DriverNotLoaded = DriverNotLoaded

    def __init__(self, *devices, driver="580.82.07", cuda=13000, no_init=None, silent=()):
        self.devices = [dict(each) for each in devices]
        self.driver, self.cuda, self.no_init, self.silent = driver, cuda, no_init, dict(silent)
        self.is_open = False

    def __getattribute__(self, name):
        """Let a function that is silent raise what it says; None stands for one that is missing."""
        if name.startswith("nvml"):
            said = self.silent.get(name, "")
            if said is None:
                raise AttributeError(name)
            if said:
                return lambda *arguments: raise_it(NVMLError(said))
        return super().__getattribute__(name)

    def _ask(self, handle, key, function):
        said = handle.get("silent", {}).get(function)
        if said:
            raise NVMLError(said)
        return handle[key]

    def nvmlInit(self):
        if self.no_init is not None:
            raise self.no_init
        self.is_open = True

    def nvmlShutdown(self):
        self.is_open = False

    def nvmlSystemGetDriverVersion(self):
        assert self.is_open
        return self.driver

    def nvmlSystemGetCudaDriverVersion(self):
        return self.cuda

    def nvmlDeviceGetCount(self):
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index):
        self._ask(self.devices[index], "name", "nvmlDeviceGetHandleByIndex")
        return self.devices[index]

    def nvmlDeviceGetName(self, handle):
        return self._ask(handle, "name", "nvmlDeviceGetName")

    def nvmlDeviceGetUUID(self, handle):
        return self._ask(handle, "uuid", "nvmlDeviceGetUUID")

    def nvmlDeviceGetMemoryInfo(self, handle):
        total, used = self._ask(handle, "memory", "nvmlDeviceGetMemoryInfo")
        return SimpleNamespace(total=total, used=used, free=total - used)

    def nvmlDeviceGetCudaComputeCapability(self, handle):
        return self._ask(handle, "capability", "nvmlDeviceGetCudaComputeCapability")

    def nvmlDeviceGetPersistenceMode(self, handle):
        return self._ask(handle, "persistence", "nvmlDeviceGetPersistenceMode")

    def nvmlDeviceGetComputeMode(self, handle):
        return handle.get("mode", 0)

    def nvmlDeviceGetVirtualizationMode(self, handle):
        return handle.get("virtualization", 0)

    def nvmlDeviceGetPciInfo(self, handle):
        return SimpleNamespace(busId=self._ask(handle, "bus", "nvmlDeviceGetPciInfo"))

    def nvmlDeviceGetCpuAffinity(self, handle, words):
        mask = self._ask(handle, "cores", "nvmlDeviceGetCpuAffinity")
        return [mask >> 64 * place & (1 << 64) - 1 for place in range(max(words, 4))]

    def nvmlDeviceGetMigMode(self, handle):
        if "parts" not in handle:
            raise NVMLError("Not Supported")
        return [int(handle["parts"] is not None)] * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, handle):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle, slot):
        if slot not in handle["parts"]:
            raise NVMLError("Not Found")
        return handle["parts"][slot]

    def nvmlDeviceGetNvLinkState(self, handle, link):
        ends = handle.get("nvlinks")
        if ends is None:
            raise NVMLError("Not Supported")
        if link >= len(ends):
            raise NVMLError("Invalid Argument")
        return int(ends[link] is not None)

    def nvmlDeviceGetNvLinkRemotePciInfo(self, handle, link):
        return SimpleNamespace(busId=handle["nvlinks"][link])

    def nvmlDeviceGetP2PStatus(self, one, other, which):
        if which == 2:
            return 0 if one.get("nvlinks") and other.get("nvlinks") else 5
        return one.get("peer", 0)

    def nvmlDeviceGetTopologyCommonAncestor(self, one, other):
        return one.get("ancestor", 50)


def raise_it(error):
    raise error


def gpu(index, **changes):
    """Return an H100 of a server with eight, changed as said."""
    usual = {
        "name": "NVIDIA H100 80GB HBM3",
        "uuid": f"GPU-{index:08x}-aaaa",
        "bus": f"00000000:{0x10 + index:02X}:00.0".encode(),
        "memory": (80 << 30, 1 << 30),
        "capability": (9, 0),
        "persistence": 1,
        "cores": (1 << 48) - 1 << (48 if index >= 4 else 0),
    }
    return {**usual, **changes}


@pytest.fixture
def nvml():
    """Make a fake driver: ``nvml(device, ..., cuda=12040)``; ``nvml.gpu(0)`` is a device."""
    make = SimpleNamespace(gpu=gpu, driver=FakeNvml, NVMLError=NVMLError)
    make.library_not_found, make.driver_not_loaded = LibraryNotFound, DriverNotLoaded
    return make
