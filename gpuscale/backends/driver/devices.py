"""What is known of a driver and its devices, as plain data; `nvml` asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Device", "Driver", "Instance", "Link", "State"]


class State(Enum):
    """Whether there is a driver that answers."""

    #: It answers.
    WORKS = "works"
    #: There is none, as on every machine without a GPU.
    ABSENT = "absent"
    #: Nobody can ask it: nvidia-ml-py is not installed.
    UNASKED = "unasked"
    #: It is there and does not answer.
    BROKEN = "broken"


@dataclass(frozen=True)
class Instance:
    """A part of a device that MIG has cut off."""

    uuid: str | None
    name: str | None
    memory_total: int | None
    memory_used: int | None


@dataclass(frozen=True)
class Device:
    """One GPU; sizes in bytes, None for what the driver does not answer.

    Parameters
    ----------
    index : int
        Its number in NVML, which counts by PCI bus.
    unanswered : dict of str to str
        What the driver did not answer, and what it said instead.
    """

    index: int
    name: str | None = None
    uuid: str | None = None
    bus: str | None = None
    memory_total: int | None = None
    memory_used: int | None = None
    compute_capability: tuple[int, int] | None = None
    persistence: bool | None = None
    compute_mode: str | None = None
    is_virtual: bool = False
    mig: bool | None = None
    instances: tuple[Instance, ...] = ()
    nvlinks: int | None = None
    cores: str | None = None
    unanswered: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """How two devices are connected.

    Parameters
    ----------
    first, second : int
        Indices of the devices.
    path : str
        As ``nvidia-smi topo -m`` writes it: ``"NV18"`` for 18 NVLinks, else ``PIX``, ``PXB``,
        ``PHB``, ``NODE`` or ``SYS``, the nearer the earlier; ``"?"`` if nobody knows.
    peer : str
        ``"OK"``, or why one cannot read the memory of the other.
    """

    first: int
    second: int
    path: str
    peer: str


@dataclass(frozen=True)
class Driver:
    """The driver, its devices, and how they are connected.

    Parameters
    ----------
    said : str
        What is the matter where it does not answer, in words.
    cuda : (int, int) or None
        The newest version of CUDA that it runs.
    """

    state: State
    said: str = ""
    version: str | None = None
    cuda: tuple[int, int] | None = None
    devices: tuple[Device, ...] = ()
    links: tuple[Link, ...] = ()
    unanswered: dict[str, str] = field(default_factory=dict)

    @property
    def cuda_major(self) -> int | None:
        """Major version of CUDA that it runs; guessed from its own number if it does not say.

        Examples
        --------
        >>> Driver(State.UNASKED, version="550.54.15").cuda_major
        12
        """
        if self.cuda is not None:
            return self.cuda[0]
        branch = (self.version or "").partition(".")[0]
        if not branch.isdigit():
            return None
        # CUDA 13 begins with driver 580, CUDA 12 with 525 (CUDA Toolkit release notes, table 2).
        return 13 if int(branch) >= 580 else 12 if int(branch) >= 525 else 11
