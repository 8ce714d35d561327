"""Every option once: name, type, unit, default and help; `config` reads and checks by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpuscale.base.errors import ConfigError
from gpuscale.base.resources import check_resources
from gpuscale.base.sizes import parse_bytes

__all__ = ["OPTIONS", "Option"]

# What YAML, shells and people write for a truth value.
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the configuration.

    Parameters
    ----------
    key : str
        Full name, as ``"array.chunk-size"``; also the environment variable
        ``GPUSCALE_ARRAY__CHUNK_SIZE``.
    types : tuple of type
        What its value may be; ``bool`` is not taken for an ``int``.
    unit : str
        Unit of its value, empty where there is none.
    default : object
        Value when nobody sets one.
    help : str
        One or two sentences for people.
    choices : tuple of object
        The only values it takes; with other types beside ``str``, the only strings.
    minimum : float, optional
        Smallest number it takes.
    read : callable, optional
        What makes use of a value; raises ValueError, saying why, for one that it cannot read.
    plugins : str
        Entry point group: names in it, of packages that are installed, are choices as well.
    """

    key: str
    types: tuple[type, ...]
    unit: str
    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    read: Callable[[Any], Any] | None = None
    plugins: str = ""

    @property
    def variable(self) -> str:
        """Name of its environment variable."""
        return "GPUSCALE_" + self.key.replace(".", "__").replace("-", "_").upper()

    def check(self, value: Any) -> Any:
        """Return a value as this option keeps it.

        Raises
        ------
        ConfigError
            If the option cannot take the value.

        Examples
        --------
        >>> option = Option("progress", (bool, str), "", "auto", "Show a bar.", choices=("auto",))
        >>> option.check("on")
        True
        >>> option.check(3)
        Traceback (most recent call last):
        gpuscale.base.errors.ConfigError: option progress cannot be 3 (int); it takes bool or 'auto'
        """
        if bool in self.types and isinstance(value, str):
            value = _TRUTH.get(value.lower(), value)
        known = type(value) in self.types
        if known and isinstance(value, str) and self.choices:
            known = value in self.choices or value in self._plugged
        if known and self.minimum is not None and isinstance(value, (int, float)):
            known = value >= self.minimum
        if not known:
            raise ConfigError(
                f"option {self.key} cannot be {value!r} ({type(value).__name__}); "
                f"it takes {self.accepted}"
            )
        if self.read is not None:
            try:
                self.read(value)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"option {self.key}: {error}") from None
        return value

    @property
    def accepted(self) -> str:
        """Types and values that it takes, in words."""
        words = [kind.__name__ for kind in self.types if not (kind is str and self.choices)] + [
            repr(choice) for choice in (*self.choices, *self._plugged)
        ]
        lowest = "" if self.minimum is None else f", at least {self.minimum:g}"
        return " or ".join(words).replace("NoneType", "None") + lowest

    @property
    def _plugged(self) -> tuple[str, ...]:
        """Choices that installed packages bring."""
        if not self.plugins:
            return ()
        from importlib.metadata import entry_points  # slow, and seldom of use

        return tuple(sorted(entry_points(group=self.plugins).names))


def _read_size(value: Any) -> int:
    return parse_bytes(value, total=1)


def _read_optional_size(value: Any) -> int | None:
    return None if value is None else _read_size(value)


OPTIONS: tuple[Option, ...] = (
    Option(
        key="array.backend",
        types=(str,),
        unit="",
        default="numpy",
        help="Library that holds the chunks of arrays made from nothing or from the host's data; "
        "strings, dates and objects stay on the host.",
        choices=("numpy", "cupy"),
    ),
    Option(
        key="array.chunk-size",
        types=(str, int),
        unit="bytes",
        default="128 MiB",
        help="Size that chunks='auto' aims at; a number of bytes or a text such as '1 GiB'.",
        minimum=1,
        read=_read_size,
    ),
    Option(
        key="array.max-blocks",
        types=(int,),
        unit="blocks",
        default=10_000_000,
        help="Chunks that would cut an array into more blocks than this are refused as a mistake.",
        minimum=1,
    ),
    Option(
        key="array.split-every",
        types=(int,),
        unit="chunks",
        default=16,
        help="How many partial results one step of a tree reduction combines.",
        minimum=2,
    ),
    Option(
        key="codegen.enabled",
        types=(bool,),
        unit="",
        default=True,
        help="Compile runs of elementwise operations; when off, NumPy does them one by one.",
    ),
    Option(
        key="codegen.min-elements",
        types=(int,),
        unit="elements",
        default=1_000_000,
        help="Work on fewer elements than this is not compiled, as it would not pay; 0: all is.",
        minimum=0,
    ),
    Option(
        key="codegen.cache-dir",
        types=(str,),
        unit="",
        default="auto",
        help="Folder of compiled kernels; 'auto' is gpuscale/kernels in the user's cache folder.",
    ),
    Option(
        key="dataframe.backend",
        types=(str,),
        unit="",
        default="pandas",
        help="Library that holds the partitions of frames that are read or made of the host's.",
        choices=("pandas", "cudf"),
    ),
    Option(
        key="device-memory-limit",
        types=(str, int, float),
        unit="bytes",
        default="auto",
        help="Memory of the device that tasks may hold at once: bytes, a text such as '20 GiB', a "
        "fraction of the device's such as 0.5, or 'auto' for 80 % of it.",
        minimum=0,
        read=_read_size,
    ),
    Option(
        key="device-spill-to-host",
        types=(str, int, float),
        unit="bytes",
        default=0.5,
        help="Memory of the host for results that the device has no room for, before they go to "
        "disk; it counts in memory-limit, of which a fraction may be said.",
        minimum=0,
        read=_read_size,
    ),
    Option(
        key="engine",
        types=(str,),
        unit="",
        default="threads",
        help="Engine that runs the tasks: 'threads', 'sync', 'distributed' on the workers of the "
        "cluster whose client is open, or one that a plugin brings.",
        choices=("threads", "sync", "distributed"),
        plugins="gpuscale.engines",
    ),
    Option(
        key="memory-limit",
        types=(str, int, float),
        unit="bytes",
        default="auto",
        help="Memory that tasks may hold at once: bytes, a text such as '4 GiB', a fraction of "
        "the machine's such as 0.5, or 'auto' for 80 % of what the machine or its cgroup allows. "
        "From 256 MiB on, up to two fifths of it are left for the rest of the process.",
        minimum=0,
        read=_read_size,
    ),
    Option(
        key="num-workers",
        types=(int,),
        unit="threads",
        default=0,
        help="Threads of the engine 'threads'; 0 is one for each core that the process may use.",
        minimum=0,
    ),
    Option(
        key="progress",
        types=(bool, str),
        unit="",
        default="auto",
        help="Show a progress bar; 'auto' shows one on a terminal or in a notebook, for work of "
        "more than half a second.",
        choices=("auto",),
    ),
    Option(
        key="spill",
        types=(bool,),
        unit="",
        default=True,
        help="Write results to disk where the memory limit leaves no room for them; when off, one "
        "task at a time runs beyond the limit.",
    ),
    Option(
        key="resources",
        types=(dict,),
        unit="",
        default={},
        help="How much there is of what is scarce, by name, such as {'GPU': 1}; tasks ask for some "
        "by annotate(resources=...).",
        read=check_resources,
    ),
    Option(
        key="rmm-pool-size",
        types=(str, int, float, type(None)),
        unit="bytes",
        default=None,
        help="Device memory that the pool takes at once: bytes, a text such as '4 GiB' or a "
        "fraction of the device's; None lets it grow as needed. All rmm- options are read when "
        "a process first uses CuPy.",
        minimum=0,
        read=_read_optional_size,
    ),
    Option(
        key="rmm-maximum-pool-size",
        types=(str, int, float, type(None)),
        unit="bytes",
        default=None,
        help="Device memory that the pool may have at most; None is what the device has.",
        minimum=0,
        read=_read_optional_size,
    ),
    Option(
        key="rmm-managed-memory",
        types=(bool,),
        unit="",
        default=False,
        help="Use memory that the driver moves to the host and back; it may exceed the device.",
    ),
    Option(
        key="rmm-async",
        types=(bool, str),
        unit="",
        default="auto",
        help="Use the driver's stream-ordered pool; 'auto' does so where the device has one and "
        "the memory is not managed.",
        choices=("auto",),
    ),
    Option(
        key="rmm-release-threshold",
        types=(str, int, float, type(None)),
        unit="bytes",
        default=None,
        help="What the driver's pool keeps at a synchronization; None is all it has.",
        minimum=0,
        read=_read_optional_size,
    ),
    Option(
        key="rmm-log-directory",
        types=(str, type(None)),
        unit="",
        default=None,
        help="Folder where RMM writes each allocation and release, which is slow; None: nowhere.",
    ),
    Option(
        key="rmm-track-allocations",
        types=(bool,),
        unit="",
        default=False,
        help="Let RMM keep the call stack of each allocation that is alive, which is slow.",
    ),
    Option(
        key="temporary-directory",
        types=(str, type(None)),
        unit="",
        default=None,
        help="Folder for results that memory has no room for; None is the system's own, or "
        "/var/tmp where that is kept in memory.",
    ),
)
