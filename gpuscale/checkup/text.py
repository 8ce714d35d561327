"""A checkup as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpuscale.backends.driver.devices import Device, Driver, Link, State
from gpuscale.base.sizes import format_bytes
from gpuscale.checkup.machine import Folder, Limit

if TYPE_CHECKING:
    from gpuscale.checkup.doctor import Checkup

__all__ = ["write_text"]

#: A line is what it is about, and what there is to say; the first may be empty.
Line = tuple[str, str]


def write_text(found: Checkup) -> str:
    """Write all of a checkup, in sections."""
    sections: list[tuple[str, list[Line]]] = [
        ("Machine", list(_machine(found))),
        ("GPUs", list(_driver(found))),
        ("Packages", list(_packages(found))),
        ("Features", list(_features(found))),
        ("Self-test", list(_self_test(found))),
        ("Advice", [("", trap.said) for trap in found.traps if not trap.is_broken]),
        ("Broken", [("", said) for said in found.broken]),
    ]
    lines = [_headline(found)]
    for title, rows in sections:
        if rows:
            lines += ["", title]
            width = max(len(name) for name, _ in rows)
            lines += [f"  {name:{width}}  {said}".rstrip() for name, said in rows]
    return "\n".join(lines)


def _headline(found: Checkup) -> str:
    number = len(found.broken)
    state = "what is installed works" if not number else f"{number} broken, see the end"
    tested = "" if found.self_test is not None else "; nothing was computed (--self-test does)"
    return f"gpuscale {found.version}: {state}{tested}"


# ------------------------------------------------------------------ the machine


def _machine(found: Checkup) -> Iterator[Line]:
    machine = found.machine
    if found.config_error:
        yield "options", "some cannot be read, see the end: here they have their defaults"
    yield "system", machine.system
    yield "Python", f"{machine.python}, {machine.executable}"
    yield "cores", f"{machine.cores} of {machine.cores_total}; {machine.workers} workers"
    memory = format_bytes(machine.memory)
    if machine.cgroup is not None and machine.cgroup <= machine.memory:
        memory += ", by the limit of the control group"
    yield "memory", memory
    for limit in found.limits:
        yield limit.option, _limit(limit)
    yield "kernel cache", _folder(machine.kernels, "kernel")
    spill = _folder(machine.spill, "file")
    yield "spill folder", spill if machine.spill_enabled else f"{spill}; not used: spill is off"


def _limit(limit: Limit) -> str:
    if limit.nbytes is None:
        return str(limit.value)
    size = format_bytes(limit.nbytes)
    return size if str(limit.value) == size else f"{size} (set to {limit.value!r})"


def _folder(folder: Folder, what: str) -> str:
    held = f"{folder.files} {what}{'s' * (folder.files != 1)}, {format_bytes(folder.nbytes)}"
    free = "free room unknown" if folder.free is None else f"{format_bytes(folder.free)} free"
    usable = folder.trouble or "writeable"
    return f"{folder.path}: {held}; {usable}; {free}"


# ------------------------------------------------------------------ driver and devices


def _driver(found: Checkup) -> Iterator[Line]:
    driver = found.driver
    if driver.version is not None:
        runs = "" if driver.cuda is None else f", runs CUDA up to {driver.cuda[0]}.{driver.cuda[1]}"
        yield "driver", f"{driver.version}{runs}"
    if driver.state is not State.WORKS:
        yield ("" if driver.version is not None else "driver"), driver.said
    yield from (("", f"{topic}: {said}") for topic, said in driver.unanswered.items())
    if driver.state is State.WORKS and not driver.devices:
        yield "devices", "none"
    for device in driver.devices:
        yield f"GPU {device.index}", ", ".join(_device(device))
        yield from (("", words) for words in _more(device))
    yield from _topology(driver)
    if found.visible.value is not None or driver.devices:
        value = found.visible.value
        set_to = "" if value is None else f"{value!r} selects "
        yield "CUDA_VISIBLE_DEVICES", set_to + found.visible.said
    if found.visible.warning:
        yield "", found.visible.warning


def _device(device: Device) -> Iterator[str]:
    yield device.name or "name unknown"
    if device.memory_total is not None:
        yield f"{format_bytes(device.memory_used or 0)} of {format_bytes(device.memory_total)} used"
    if device.compute_capability is not None:
        yield "compute capability {}.{}".format(*device.compute_capability)
    if device.is_virtual:
        yield "virtual"
    if device.persistence is not None:
        yield f"persistence {'on' if device.persistence else 'off'}"
    if device.compute_mode not in (None, "default"):
        yield f"compute mode {device.compute_mode}"


def _more(device: Device) -> Iterator[str]:
    known = {
        "": device.uuid,
        "PCI ": device.bus,
        "near cores ": device.cores,
        "active NVLinks: ": None if device.nvlinks is None else str(device.nvlinks),
    }
    words = ", ".join(f"{name}{value}" for name, value in known.items() if value)
    if words:
        yield words
    if device.mig:
        yield f"MIG is on, instances: {len(device.instances)}; CUDA shows a process one of them"
    for part in device.instances:
        size = "" if part.memory_total is None else f", {format_bytes(part.memory_total)}"
        yield f"  {part.name or 'MIG instance'}{size}, {part.uuid or 'UUID unknown'}"
    lacking = [topic for topic, said in device.unanswered.items() if said == "Not Supported"]
    if lacking:
        yield f"not supported here: {', '.join(lacking)}"
    silent = [f"{t} ({s})" for t, s in device.unanswered.items() if t not in lacking]
    if silent:
        yield f"not answered: {', '.join(silent)}"


def _topology(driver: Driver) -> Iterator[Line]:
    """Yield the paths between devices, as a table, and who cannot read whose memory."""
    if not driver.links:
        return
    between = {(link.first, link.second): link.path for link in driver.links}
    indices = sorted({index for pair in between for index in pair})
    heads = [f"GPU{index}" for index in indices]
    yield "topology", "".join(f"{head:>6}" for head in ["", *heads])
    for row, head in zip(indices, heads, strict=True):
        cells = ["X" if row == k else between[min(row, k), max(row, k)] for k in indices]
        yield "", "".join(f"{cell:>6}" for cell in [head, *cells])
    yield "peer access", _peers(driver.links)


def _peers(links: tuple[Link, ...]) -> str:
    by_reason: dict[str, list[str]] = {}
    for link in links:
        if link.peer != "OK":
            by_reason.setdefault(link.peer, []).append(f"{link.first}-{link.second}")
    if not by_reason:
        return "between all"
    return "; ".join(f"not {', '.join(pairs)}: {why}" for why, pairs in by_reason.items())


# ------------------------------------------------------------------ packages, features, the test


def _packages(found: Checkup) -> Iterator[Line]:
    for name, version in found.packages.items():
        if version is not None:
            yield name, version
    missing = [name for name, version in found.packages.items() if version is None]
    if missing:
        yield "not installed", ", ".join(missing)


def _features(found: Checkup) -> Iterator[Line]:
    width = max(len(each.name) for each in found.features)
    for each in found.features:
        why = "; ".join(each.why)
        if each.install:
            why += f" ({each.install})"
        yield each.state, f"{each.name:{width}}  {why}".rstrip()
    yield from (("", words) for words in _which_extra(found))


def _which_extra(found: Checkup) -> Iterator[str]:
    """Say which extra is for which driver, where there is none to ask."""
    if found.driver.cuda_major is None and any("cuda13" in each.install for each in found.features):
        yield "cuda13 is for drivers from 580 on; for older ones say cuda12"


def _self_test(found: Checkup) -> Iterator[Line]:
    test = found.self_test
    if test is None:
        return
    result = test.cpu.failed or f"right, in {test.cpu.seconds:.1f} s with compiling"
    yield "CPU", result
    yield from (("", f"warned: {words}") for words in test.cpu.warned)
    for each in test.devices:
        rates = {"to the device": each.to_device, "to the host": each.to_host}
        said = [f"{rate / 1e9:.1f} GB/s {way}" for way, rate in rates.items() if rate is not None]
        copied = f" ({format_bytes(each.nbytes)} from pinned memory)" if said else ""
        yield f"device {each.index}", (each.failed or f"right, {', '.join(said)}{copied}")
    if test.devices_said:
        yield "devices", test.devices_said
