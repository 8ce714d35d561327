"""Which devices CUDA_VISIBLE_DEVICES leaves to this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpuscale.backends.driver.devices import Device

__all__ = ["Selection", "select"]


@dataclass(frozen=True)
class Selection:
    """What CUDA_VISIBLE_DEVICES selects.

    Parameters
    ----------
    value : str or None
        What it is set to; None if it is not set.
    chosen : tuple of str
        Devices, as ``"GPU 0"``, and MIG instances, as ``"MIG-..."``, in the order of CUDA.
    devices : tuple of int
        Indices of the devices that these are, or lie on.
    said : str
        The meaning in words.
    warning : str
        What is probably a mistake, or empty.
    """

    value: str | None
    chosen: tuple[str, ...]
    devices: tuple[int, ...]
    said: str
    warning: str = ""


def select(environment: Mapping[str, str], devices: Sequence[Device]) -> Selection:
    """Work out what CUDA shows this process (CUDA programming guide, "CUDA Environment Variables").

    Entries are indices, or UUIDs of devices or MIG instances of which the beginning suffices. The
    first that names nothing ends the list.

    Examples
    --------
    >>> two = [Device(0, uuid="GPU-8a"), Device(1, uuid="GPU-9b")]
    >>> select({"CUDA_VISIBLE_DEVICES": "GPU-9,0"}, two).chosen
    ('GPU 1', 'GPU 0')
    >>> select({"CUDA_VISIBLE_DEVICES": "1,7,0"}, two).warning
    "'7' names no device here, so CUDA ignores it and all that follows"
    """
    value = environment.get("CUDA_VISIBLE_DEVICES")
    if value is None:
        everything = tuple(each.index for each in devices)
        chosen = tuple(f"GPU {index}" for index in everything)
        return Selection(None, chosen, everything, "not set: all devices")
    if not devices:
        return Selection(value, (), (), "nothing that is known here, as no device is")
    names: list[str] = []
    indices: list[int] = []
    warning = ""
    for entry in [each.strip() for each in value.split(",")] if value.strip() else []:
        found = _find(entry, devices)
        if found is None:
            if entry != "-1" and entry.lower() != "nodevfiles":
                warning = f"{entry!r} names no device here, so CUDA ignores it and all that follows"
            break
        if found[0] in names:
            warning = f"{found[0]} is named twice; CUDA may then show no device at all"
            break
        names.append(found[0])
        indices.append(found[1])
    if not warning:
        warning = _order_warning(value, environment, devices)
    said = ", ".join(names) if names else "no device"
    return Selection(value, tuple(names), tuple(dict.fromkeys(indices)), said, warning)


def _find(entry: str, devices: Sequence[Device]) -> tuple[str, int] | None:
    """Return the name and the index of what an entry stands for."""
    if entry.isdecimal():
        index = int(entry)
        return (f"GPU {index}", index) if index in [each.index for each in devices] else None
    for prefix in ("GPU-", "MIG-"):
        if not entry.startswith(prefix):
            continue
        if prefix == "GPU-":
            known = [(each.uuid, f"GPU {each.index}", each.index) for each in devices]
        else:
            parts = [(part, each.index) for each in devices for part in each.instances]
            known = [(part.uuid, str(part.uuid), index) for part, index in parts]
        found = [(name, index) for uuid, name, index in known if (uuid or "").startswith(entry)]
        if len(found) == 1:
            return found[0]
    return None


def _order_warning(value: str, environment: Mapping[str, str], devices: Sequence[Device]) -> str:
    """Say that numbers may mean other devices: CUDA counts the fastest first, NVML by PCI bus."""
    by_number = any(each.strip().isdecimal() for each in value.split(","))
    if not by_number or environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        return ""
    if len({each.name for each in devices}) < 2:
        return ""
    return (
        "the devices differ, and CUDA counts the fastest first: set CUDA_DEVICE_ORDER=PCI_BUS_ID "
        "for the numbers shown here"
    )
