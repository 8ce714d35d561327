"""`gpuscale.doctor`: what works here, and what is missing for what does not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.nvml import ask_driver
from gpuscale.backends.driver.visible import Selection, select
from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.checkup.features import Finding, find_features
from gpuscale.checkup.in_force import find_lost_files, find_option_traps
from gpuscale.checkup.machine import Limit, Machine, look_at_machine, read_limits
from gpuscale.checkup.packages import Installed, read_installed
from gpuscale.checkup.selftest import SelfTest, run_self_test
from gpuscale.checkup.text import write_text
from gpuscale.checkup.traps import Trap, find_traps

__all__ = ["Checkup", "doctor", "examine"]


@dataclass(frozen=True, repr=False)
class Checkup:
    """What `doctor` found; its text is what ``print`` shows.

    Attributes
    ----------
    version : str
        Of gpuscale.
    machine : Machine
        Cores, memory and folders; by the defaults of options that cannot be read.
    limits : tuple of Limit
        Options that limit memory, and the bytes that they come to; as above.
    driver : Driver
        The driver, its devices, and how they are connected.
    visible : Selection
        What CUDA_VISIBLE_DEVICES leaves.
    packages : dict of str to str or None
        Versions, None for what is not installed.
    features : tuple of Finding
        For each feature whether it works, and what is missing.
    traps : tuple of Trap
        Versions that do not fit together, and options in force that cannot work.
    self_test : SelfTest or None
        None if it was not asked for.
    config_error : str
        Why the options cannot be read, a line for each that is wrong; or empty.
    """

    version: str
    machine: Machine
    limits: tuple[Limit, ...]
    driver: Driver
    visible: Selection
    packages: Mapping[str, str | None]
    features: tuple[Finding, ...]
    traps: tuple[Trap, ...]
    self_test: SelfTest | None = None
    config_error: str = ""

    @property
    def broken(self) -> tuple[str, ...]:
        """What is installed and does not work, one sentence each; empty if all does."""
        found = [f"options: {line}" for line in self.config_error.splitlines()]
        if self.driver.state is State.BROKEN:
            found.append(f"driver: {self.driver.said}")
        by_reason: dict[str, list[str]] = {}
        for each in self.features:
            if each.state == "broken":
                by_reason.setdefault("; ".join(each.why), []).append(each.name)
        found += [f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()]
        found += [trap.said for trap in self.traps if trap.is_broken]
        if self.self_test is not None:
            found += [f"self-test: {words}" for words in self.self_test.failures]
        return tuple(found)

    @property
    def ok(self) -> bool:
        """Whether all that is installed works; what is merely missing does not count.

        Examples
        --------
        >>> found = doctor()
        >>> found.ok == (len(found.broken) == 0)
        True
        """
        return not self.broken

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values that JSON can hold.

        Examples
        --------
        >>> sorted(doctor().to_dict())[:3]
        ['broken', 'config_error', 'driver']
        """
        plain: dict[str, Any] = _plain({**vars(self), "broken": self.broken, "ok": self.ok})
        return plain

    def __str__(self) -> str:
        return write_text(self)

    __repr__ = __str__


def doctor(self_test: bool = False) -> Checkup:
    """Look what works on this machine, and what is missing for what does not.

    Packages are known by their metadata and devices by NVML: no library of a device is imported,
    and no CUDA context is created. On the command line it is ``gpuscale doctor``.

    Parameters
    ----------
    self_test : bool
        Compute something as well: a small array program on the CPU, and on each device an
        allocation, a kernel, and copies there and back. This alone uses CUDA.

    Returns
    -------
    Checkup
        Its text says all; `Checkup.to_dict` has it as values, `Checkup.broken` what is wrong.

    Examples
    --------
    >>> import gpuscale
    >>> found = gpuscale.doctor()
    >>> found.machine.cores >= 1
    True
    >>> next(each.state for each in found.features if each.name == "arrays on the CPU")
    'works'
    """
    return examine(read_installed(), ask_driver(), os.environ, self_test=self_test)


def examine(
    installed: Installed, driver: Driver, environment: Mapping[str, str], self_test: bool = False
) -> Checkup:
    """Draw the conclusions from what is installed and what the driver says."""
    visible = select(environment, driver.devices)
    chosen = [each.memory_total for each in driver.devices if each.index in visible.devices]
    totals = [total for total in chosen if total is not None]
    features = find_features(installed, driver, len(visible.chosen))
    traps = find_traps(installed, driver)
    machine: Machine
    limits: tuple[Limit, ...] = ()
    tested: SelfTest | None = None
    config_error = ""
    try:
        limits = read_limits(totals)
        tested = run_self_test(installed, driver, visible) if self_test else None
        machine = look_at_machine()  # with the kernel that the test has left in the cache
        traps += find_option_traps(machine, features, totals)
    except ConfigError as error:
        config_error = str(error)
        with config.of_what_is_right():
            limits, machine = read_limits(totals), look_at_machine()
    traps += find_lost_files(environment)
    return Checkup(
        version=installed.versions.get("gpuscale", "not installed, but run from its source"),
        machine=machine,
        limits=limits,
        driver=driver,
        visible=visible,
        packages=installed.shown(),
        features=features,
        traps=traps,
        self_test=tested,
        config_error=config_error,
    )


def _plain(value: Any) -> Any:
    """Turn dataclasses, tuples and enumerations into what JSON can hold."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "__dataclass_fields__"):
        return _plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value
