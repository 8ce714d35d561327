"""What an option of clusters is, and the short ways to write one down: a row of `options`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from gpuscale.base.errors import ConfigError
from gpuscale.base.options import OPTIONS as CONFIG_OPTIONS
from gpuscale.base.options import Option
from gpuscale.base.sizes import parse_bytes

__all__ = [
    "ALL",
    "CLASSES",
    "COMMANDS",
    "ClusterOption",
    "NAMES",
    "OF_GPUS",
    "SIZE",
    "SWITCH",
    "TEXT",
    "Taker",
    "WORKERS",
    "of_config",
    "read_resources",
    "row",
    "switch",
]


class Taker(StrEnum):
    """Who takes options."""

    LOCAL = "LocalCluster"
    LOCAL_CUDA = "LocalCUDACluster"
    WORKER = "gpuscale-worker"
    CUDA_WORKER = "gpuscale-cuda-worker"
    SCHEDULER = "gpuscale-scheduler"


CLASSES = (Taker.LOCAL, Taker.LOCAL_CUDA)
WORKERS = (Taker.WORKER, Taker.CUDA_WORKER)
OF_GPUS = (Taker.LOCAL_CUDA, Taker.CUDA_WORKER)
COMMANDS = (*WORKERS, Taker.SCHEDULER)
ALL = (*CLASSES, *COMMANDS)

TEXT = (str, type(None))
SIZE = (str, int, float, type(None))
SWITCH = (bool, type(None))
NAMES = (str, list, tuple, type(None))


@dataclass(frozen=True, slots=True)
class ClusterOption:
    """One option.

    Parameters
    ----------
    name : str
        As an argument of classes, and what a command line calls its value.
    types : tuple of type
        What its value may be; on a command line a text is read as the first of them that is not
        text, if it can be.
    default : object
        Value when nobody says one.
    help : str
        One or two sentences for people.
    takers : tuple of Taker
        Who takes it.
    unit : str
        Unit of its value, empty where there is none.
    flags : tuple of str
        How a command line spells it.
    off_flags : tuple of str
        How a command line spells that it is False.
    choices : tuple of str
        The only texts that it takes, if there are any.
    is_repeated : bool
        Whether a command line may say it several times, for a list.
    key : str
        The option of the configuration that it sets in a worker; None leaves that one as it is
        where the cluster is made.
    read : callable, optional
        What raises ValueError, saying why, for a value that nothing can be made of here.

    Examples
    --------
    >>> from gpuscale.cluster.options import find_option
    >>> find_option("enable_nvlink").flags, find_option("enable_nvlink").off_flags
    (('--enable-nvlink',), ('--disable-nvlink',))
    >>> find_option("threads_per_worker").flags
    ('--nthreads',)
    """

    name: str
    types: tuple[type, ...]
    default: Any
    help: str
    takers: tuple[Taker, ...]
    unit: str = ""
    flags: tuple[str, ...] = ()
    off_flags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_repeated: bool = False
    key: str = ""
    read: Callable[[Any], Any] | None = None

    @property
    def is_switch(self) -> bool:
        """Whether a command line says it without a value."""
        return bool in self.types and bool(self.flags)

    def check(self, value: Any) -> Any:
        """Return a value as this option keeps it.

        Parameters
        ----------
        value : object
            Of one of its types, or the text for it that a command line has.

        Raises
        ------
        ConfigError
            If the option cannot take the value.

        Examples
        --------
        >>> from gpuscale.cluster.options import find_option
        >>> find_option("threads_per_worker").check("2")
        2
        >>> find_option("threads_per_worker").check("two")
        Traceback (most recent call last):
        gpuscale.base.errors.ConfigError: option threads_per_worker cannot be 'two' (str); ...
        """
        if value is None and type(None) in self.types:
            return None
        if isinstance(value, str) and str not in self.types and int in self.types:
            value = int(value) if value.strip().lstrip("-").isdecimal() else value
        config = _CONFIG.get(self.key)
        return (config or self._as_config).check(value)

    @property
    def _as_config(self) -> Option:
        option = Option(
            self.name, self.types, self.unit, self.default, self.help, self.choices, read=self.read
        )
        if self.unit != "bytes":
            return option
        read = self.read or (lambda size: parse_bytes(size, total=1))
        return replace(option, minimum=0, read=read)


_CONFIG: Mapping[str, Option] = {option.key: option for option in CONFIG_OPTIONS}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def row(
    name: str,
    types: tuple[type, ...],
    default: Any,
    help: str,
    takers: tuple[Taker, ...],
    **more: Any,
) -> ClusterOption:
    """A row with the usual flag, where a command line takes it at all."""
    if not set(takers).isdisjoint(COMMANDS):
        more.setdefault("flags", (_flag(name),))
    return ClusterOption(name, types, default, help, takers, **more)


def switch(name: str, help: str, takers: tuple[Taker, ...], default: Any = False) -> ClusterOption:
    """A row of a switch: ``--enable-x`` and ``--disable-x``, or ``--x`` and ``--no-x``."""
    flag = _flag(name)
    off = flag.replace("--enable-", "--disable-", 1)
    off = off if off != flag else "--no-" + flag[2:]
    return row(name, SWITCH, default, help, takers, off_flags=(off,))


def of_config(key: str) -> ClusterOption:
    """A row of an option that the configuration has: what it means is said there."""
    option, name = _CONFIG[key], key.replace("-", "_")
    off = (f"--no-{key}",) if bool in option.types else ()
    types = tuple(dict.fromkeys((*option.types, type(None))))
    more = {"unit": option.unit, "off_flags": off, "choices": option.choices, "key": key}
    return row(name, types, None, option.help, OF_GPUS, **more)


def read_resources(said: str | Mapping[str, Any] | None) -> dict[str, float] | None:
    """Read what tasks may ask of a worker: a mapping, or the text of a command line.

    Raises
    ------
    ConfigError
        It is neither, or has something else than numbers.

    Examples
    --------
    >>> read_resources("GPU=2 MEM=10e9"), read_resources({"GPU": 1})
    ({'GPU': 2.0, 'MEM': 10000000000.0}, {'GPU': 1.0})
    >>> read_resources("GPU")
    Traceback (most recent call last):
    gpuscale.base.errors.ConfigError: option resources: it is pairs such as 'GPU=2 MEM=10e9', or ...
    """
    if not said:
        return None
    try:
        pairs: Any = said.items() if isinstance(said, Mapping) else _pairs(said)
        return {name: float(value) for name, value in pairs}
    except (TypeError, ValueError):
        raise ConfigError(
            f"option resources: it is pairs such as 'GPU=2 MEM=10e9', or a dictionary of numbers, "
            f"not {said!r}"
        ) from None


def _pairs(text: str) -> list[list[str]]:
    return [pair.split("=") for pair in text.replace(",", " ").split()]
