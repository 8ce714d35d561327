"""The devices that workers get: what CUDA_VISIBLE_DEVICES says, and what the driver knows of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpuscale.backends.driver.devices import Device, Driver, State
from gpuscale.backends.driver.visible import select
from gpuscale.base.errors import ConfigError, EngineError

__all__ = ["VARIABLE", "VisibleDevice", "find_devices", "read_names", "rotated"]

VARIABLE = "CUDA_VISIBLE_DEVICES"

_NAME = re.compile(r"[0-9]+|GPU-[0-9a-fA-F-]+|MIG-[0-9a-zA-Z/-]+")
# What CUDA takes for the end of the list.
_END = ("-1", "nodevfiles")


@dataclass(frozen=True)
class VisibleDevice:
    """A GPU, or a MIG instance, that a worker may have.

    Parameters
    ----------
    name : str
        As CUDA_VISIBLE_DEVICES has it: an index, or a UUID.
    memory : int or None
        Bytes that it has; None if nobody knows.
    cores : str or None
        Those next to it, as ``"0-15"``; None if nobody knows.
    is_there : bool
        Whether the driver knows it. What is not there is pinned to, and never used.
    """

    name: str
    memory: int | None = None
    cores: str | None = None
    is_there: bool = True


def read_names(value: str | int | Sequence[str | int]) -> tuple[str, ...]:
    """Read a list of devices.

    Parameters
    ----------
    value : str, int, or sequence of str or int
        Indices, and UUIDs of devices or MIG instances, of which the beginning suffices.

    Returns
    -------
    tuple of str
        One for each device, none for ``""`` and ``"-1"``.

    Raises
    ------
    ConfigError
        What is no name of a device, or is there twice.

    Examples
    --------
    >>> read_names("1, 0"), read_names([0, "GPU-8a3b"]), read_names("")
    (('1', '0'), ('0', 'GPU-8a3b'), ())
    >>> read_names("0,0")
    Traceback (most recent call last):
    gpuscale.base.errors.ConfigError: CUDA_VISIBLE_DEVICES='0,0' names 0 twice; ...
    """
    entries = value.split(",") if isinstance(value, str) else value
    entries = [entries] if isinstance(entries, int) else entries
    if not isinstance(value, str) and any(type(each) not in (str, int) for each in entries):
        raise ConfigError(f"{VARIABLE}={value!r} is neither a text nor a list of devices")
    names: list[str] = []
    for entry in [str(each).strip() for each in entries]:
        if entry.lower() in _END or (not entry and len(entries) == 1):
            break
        if not _NAME.fullmatch(entry):
            raise ConfigError(
                f"{VARIABLE}={value!r}: {entry!r} is no device; write indices as '0,1', UUIDs as "
                "'GPU-...', or MIG instances as 'MIG-...' (nvidia-smi -L lists them)"
            )
        name = str(int(entry)) if entry.isdecimal() else entry
        if name in names:
            raise ConfigError(
                f"{VARIABLE}={value!r} names {name} twice; a worker for each device needs each once"
            )
        names.append(name)
    return tuple(names)


def rotated(names: Sequence[str], first: int) -> str:
    """Write the variable so that one of the devices comes first, which a process then uses.

    Parameters
    ----------
    names : sequence of str
    first : int
        Its place among them.

    Examples
    --------
    >>> [rotated(["0", "1", "2"], first) for first in range(3)]
    ['0,1,2', '1,2,0', '2,0,1']
    """
    return ",".join([*names[first:], *names[:first]])


def find_devices(
    value: str | int | Sequence[str | int] | None,
    environment: Mapping[str, str],
    driver: Driver,
    allow_no_device: bool = False,
) -> tuple[VisibleDevice, ...]:
    """Work out which devices workers get.

    Parameters
    ----------
    value : str, int, sequence or None
        As for `read_names`; None is what the environment says, or else all that there are. A
        GPU that is cut up by MIG counts as its instances.
    environment : mapping of str to str
    driver : Driver
        What is known of devices here.
    allow_no_device : bool
        Whether devices may be named that are not there.

    Raises
    ------
    EngineError
        There is no device, or nobody can say.
    ConfigError
        A name is none, or is not that of a device here.

    Examples
    --------
    >>> two = Driver(State.WORKS, devices=(Device(0, memory_total=80), Device(1, memory_total=80)))
    >>> [device.name for device in find_devices(None, {}, two)]
    ['0', '1']
    >>> find_devices("1", {}, two)
    (VisibleDevice(name='1', memory=80, cores=None, is_there=True),)
    """
    if value is None:
        value = environment.get(VARIABLE)
    names = None if value is None else read_names(value)
    if names is None:
        names = _all_names(driver)
    if names and driver.state is State.UNASKED:
        return tuple(VisibleDevice(name) for name in names)  # CUDA itself will say what is wrong
    if names and driver.devices:
        return _known(names, environment, driver.devices)
    if names and allow_no_device:
        return tuple(VisibleDevice(name, is_there=False) for name in names)
    raise EngineError(_no_device(driver, value, allow_no_device))


def _all_names(driver: Driver) -> tuple[str, ...]:
    """Names of all that CUDA can use, whole devices by index and instances by UUID."""
    return tuple(
        str(name)
        for device in driver.devices
        for name in ([part.uuid for part in device.instances] if device.mig else [device.index])
    )


def _known(
    names: Sequence[str], environment: Mapping[str, str], devices: Sequence[Device]
) -> tuple[VisibleDevice, ...]:
    found: list[VisibleDevice] = []
    same: dict[str, str] = {}
    for name in names:
        chosen = select({**environment, VARIABLE: name}, devices)
        if not chosen.devices:
            there = ", ".join(str(device.index) for device in devices)
            raise ConfigError(
                f"{VARIABLE}: {name!r} is no device here; there are {there} (nvidia-smi -L lists "
                "their UUIDs too)"
            )
        (what,) = chosen.chosen
        if what in same:
            raise ConfigError(
                f"{VARIABLE} names the same device twice, as {same[what]} and as {name}; a worker "
                "for each device needs each once"
            )
        same[what] = name
        (device,) = [each for each in devices if each.index == chosen.devices[0]]
        parts = {part.uuid: part.memory_total for part in device.instances}
        found.append(VisibleDevice(name, parts.get(what, device.memory_total), device.cores))
    return tuple(found)


def _no_device(driver: Driver, value: object, allow_no_device: bool) -> str:
    instead = (
        "gpuscale.cluster.LocalCluster and gpuscale-worker compute on the CPU; `gpuscale doctor` "
        "says more"
    )
    if allow_no_device:
        return f"allow_no_device=True needs devices to pretend: say {VARIABLE}='0,1'; {instead}"
    if driver.state is State.UNASKED:
        return f"{driver.said}: install nvidia-ml-py, or say {VARIABLE}='0,1'; {instead}"
    if driver.state is not State.WORKS:
        return f"no GPU can be used here: {driver.said}; {instead}"
    if value is not None:
        return f"no GPU can be used here: {VARIABLE} is {value!r}; {instead}"
    return f"no GPU can be used here: the driver has no device; {instead}"
