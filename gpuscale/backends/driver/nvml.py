"""Ask the driver about itself and its devices, through NVML: no CUDA context comes of it.

Every question may go unanswered: an old driver does not know it, a virtual GPU does not support it,
a container has no permission. Such an answer is a line of the result, never an exception.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Any

from gpuscale.backends.driver.cores import cores_of
from gpuscale.backends.driver.devices import Device, Driver, Instance, Link, State

__all__ = ["ask_driver", "read_driver"]

# The numbers behind NVML's names (nvml.h). pynvml spells some of its own constants as tuples.
_PEER_READ, _PEER_NVLINK = 0, 2
_PEER_STATUS = {
    0: "OK",
    1: "the chipset does not support it",
    2: "the GPU does not support it",
    3: "the path over the I/O hub does not support it",
    4: "switched off in the driver's registry",
    5: "not supported",
}
_ANCESTORS = {0: "PIX", 10: "PIX", 20: "PXB", 30: "PHB", 40: "NODE", 50: "SYS"}
_COMPUTE_MODES = {0: "default", 1: "exclusive thread", 2: "prohibited", 3: "exclusive process"}
_VIRTUAL = 2  # of the answers about virtualization: a vGPU in a guest
_MAX_NVLINKS = 36

# The kernel module says its version here, to those who have no NVML; WSL has its library alone.
_MODULE = "/proc/driver/nvidia/version"
_WSL_LIBRARY = "/usr/lib/wsl/lib/libnvidia-ml.so.1"


def ask_driver() -> Driver:
    """Return what NVML knows, or why it knows nothing."""
    try:
        import pynvml
    except Exception as error:  # a broken installation raises what it likes
        if isinstance(error, ModuleNotFoundError) and error.name == "pynvml":
            return without_nvml()
        return Driver(State.BROKEN, f"nvidia-ml-py cannot be imported: {_words(error)}")
    return read_driver(pynvml)


def without_nvml(module: str = _MODULE, library: str = _WSL_LIBRARY) -> Driver:
    """Return what can be seen of a driver without asking it.

    Parameters
    ----------
    module : str
        The file in which the kernel module says its version.
    library : str
        The file of the library that a driver without such a module has.
    """
    said = "nvidia-ml-py is not installed, so that the driver cannot be asked about its devices"
    version = module_version(module)
    if version is None and not os.path.exists(library):
        return Driver(State.ABSENT, "there is no NVIDIA driver here")
    return Driver(State.UNASKED, said, version=version or None)


def module_version(module: str) -> str | None:
    """Return the version of the kernel module: empty if it says none, None if it is not there."""
    try:
        words = Path(module).read_text().partition("\n")[0].split()
    except OSError:
        return None
    return next((word for word in words if word[:1].isdigit() and "." in word), "")


def read_driver(library: Any) -> Driver:
    """Return what an NVML library knows.

    Parameters
    ----------
    library : module
        ``pynvml``, or what answers like it.
    """
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        return _silent(library, error)
    try:
        return _Questions(library).driver()
    finally:
        with suppress(library.NVMLError):  # all has been asked
            library.nvmlShutdown()


def _silent(library: Any, error: Exception, module: str = _MODULE) -> Driver:
    """Tell a machine without a driver from one whose driver does not answer."""
    absent = ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded")
    kinds = tuple(getattr(library, name) for name in absent if hasattr(library, name))
    if isinstance(error, kinds) and module_version(module) is None:
        return Driver(State.ABSENT, f"there is no NVIDIA driver here ({_words(error)})")
    said = f"the driver does not answer ({_words(error)})"
    return Driver(State.BROKEN, said, version=module_version(module) or None)


class _Questions:
    """Asks one library, and keeps what it does not answer."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._unanswered: dict[str, str] = {}

    def ask(self, topic: str, name: str, *arguments: Any) -> Any:
        """Return an answer, or None with the reason kept under the topic."""
        function: Callable[..., Any] | None = getattr(self._library, name, None)
        if function is None:
            self._unanswered[topic] = f"this nvidia-ml-py has no {name}"
            return None
        try:
            return function(*arguments)
        except Exception as error:  # an NVMLError, or what pynvml trips over in a new answer
            self._unanswered[topic] = _words(error)
            return None

    def taken(self) -> dict[str, str]:
        """Hand over what went unanswered since the last time."""
        taken, self._unanswered = self._unanswered, {}
        return taken

    def driver(self) -> Driver:
        version = _text(self.ask("driver version", "nvmlSystemGetDriverVersion"))
        cuda = self.ask("CUDA version", "nvmlSystemGetCudaDriverVersion")
        count = self.ask("number of devices", "nvmlDeviceGetCount")
        unanswered = self.taken()
        handles: dict[int, Any] = {}
        devices = []
        for index in range(count or 0):
            handle = self.ask("handle", "nvmlDeviceGetHandleByIndex", index)
            if handle is None:
                devices.append(Device(index, unanswered=self.taken()))
            else:
                handles[index] = handle
                devices.append(self.device(index, handle))
        links = tuple(
            self.link(devices[first], handles[first], devices[second], handles[second])
            for first, second in combinations(handles, 2)
        )
        self.taken()  # what links do not answer, they show
        return Driver(
            State.WORKS,
            version=version,
            cuda=None if cuda is None else (cuda // 1000, cuda % 1000 // 10),
            devices=tuple(devices),
            links=links,
            unanswered=unanswered,
        )

    def device(self, index: int, handle: Any) -> Device:
        memory = self.ask("memory", "nvmlDeviceGetMemoryInfo", handle)
        capability = self.ask("compute capability", "nvmlDeviceGetCudaComputeCapability", handle)
        persistence = self.ask("persistence", "nvmlDeviceGetPersistenceMode", handle)
        mode = self.ask("compute mode", "nvmlDeviceGetComputeMode", handle)
        virtual = self.ask("virtualization", "nvmlDeviceGetVirtualizationMode", handle)
        pci = self.ask("PCI bus", "nvmlDeviceGetPciInfo", handle)
        words = (os.sysconf("SC_NPROCESSORS_CONF") + 63) // 64
        cores = self.ask("CPU affinity", "nvmlDeviceGetCpuAffinity", handle, words)
        mig, instances = self.mig(handle)
        return Device(
            index,
            name=_text(self.ask("name", "nvmlDeviceGetName", handle)),
            uuid=_text(self.ask("UUID", "nvmlDeviceGetUUID", handle)),
            bus=None if pci is None else _text(pci.busId),
            memory_total=None if memory is None else int(memory.total),
            memory_used=None if memory is None else int(memory.used),
            compute_capability=None if capability is None else (capability[0], capability[1]),
            persistence=None if persistence is None else bool(persistence),
            compute_mode=None if mode is None else _COMPUTE_MODES.get(mode, f"mode {mode}"),
            is_virtual=virtual == _VIRTUAL,
            mig=mig,
            instances=instances,
            nvlinks=self.nvlinks(handle),
            cores=None if cores is None else cores_of(list(cores)),
            unanswered=self.taken(),
        )

    def mig(self, handle: Any) -> tuple[bool | None, tuple[Instance, ...]]:
        """Say whether MIG is on, and its instances; GPUs that have no MIG do not support asking."""
        modes = self.ask("MIG", "nvmlDeviceGetMigMode", handle)
        if modes is None or not modes[0]:
            return (None if modes is None else False), ()
        count = self.ask("MIG instances", "nvmlDeviceGetMaxMigDeviceCount", handle)
        instances = []
        for slot in range(count or 0):
            found = self.instance(handle, slot)
            if found is not None:
                instances.append(found)
        return True, tuple(instances)

    def instance(self, handle: Any, slot: int) -> Instance | None:
        """Return the MIG instance in a slot; most slots are empty."""
        topic = f"MIG slot {slot}"
        part = self.ask(topic, "nvmlDeviceGetMigDeviceHandleByIndex", handle, slot)
        if part is None:
            if self._unanswered[topic] == "Not Found":
                del self._unanswered[topic]
            return None
        memory = self.ask(f"{topic}: memory", "nvmlDeviceGetMemoryInfo", part)
        return Instance(
            uuid=_text(self.ask(f"{topic}: UUID", "nvmlDeviceGetUUID", part)),
            name=_text(self.ask(f"{topic}: name", "nvmlDeviceGetName", part)),
            memory_total=None if memory is None else int(memory.total),
            memory_used=None if memory is None else int(memory.used),
        )

    def nvlinks(self, handle: Any) -> int | None:
        """Count active NVLinks; asking beyond the last link is an error, and ends the count."""
        active = 0
        for link in range(_MAX_NVLINKS):
            state = self.ask("NVLink", "nvmlDeviceGetNvLinkState", handle, link)
            if state is None:
                if link == 0:
                    return None
                del self._unanswered["NVLink"]
                break
            active += bool(state)
        return active

    def link(self, first: Device, one: Any, second: Device, other: Any) -> Link:
        peer = self.ask("peer", "nvmlDeviceGetP2PStatus", one, other, _PEER_READ)
        if peer is None:
            said = f"not answered: {self._unanswered['peer']}"
        else:
            said = _PEER_STATUS.get(peer, "unknown")
        bonded = self.ask("peer", "nvmlDeviceGetP2PStatus", one, other, _PEER_NVLINK)
        if bonded == 0 and first.nvlinks and second.nvlinks:
            direct = self.direct_links(first, one, second)
            path = f"NV{direct or min(first.nvlinks, second.nvlinks)}"
        else:
            level = self.ask("path", "nvmlDeviceGetTopologyCommonAncestor", one, other)
            path = _ANCESTORS.get(level, "?")
        return Link(first.index, second.index, path, said)

    def direct_links(self, first: Device, one: Any, second: Device) -> int:
        """Count NVLinks that end at the other device: none where they lead to a switch."""
        found = 0
        for link in range(_MAX_NVLINKS):
            if not self.ask("NVLink", "nvmlDeviceGetNvLinkState", one, link):
                continue
            remote = self.ask("NVLink", "nvmlDeviceGetNvLinkRemotePciInfo", one, link)
            if remote is not None and second.bus is not None:
                found += (_text(remote.busId) or "").lower() == second.bus.lower()
        return found


def _text(value: str | bytes | None) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
