"""What functions read of modules, which is part of what they do."""

from __future__ import annotations

import enum
import os
import re
import sys
import sysconfig
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.base.tokens import ATOMS

__all__ = ["is_constant", "is_installed", "is_ours", "is_plain_data", "with_modules"]

_CONSTANTS = (range, re.Pattern, enum.Enum, np.generic, np.dtype)
_NAMED = {  # of modules that may never have been imported
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"),
}
_OURS = ("gpuscale", "numpy", "builtins")  # known by name: their code changes with their version
_INSTALLED = tuple(
    sysconfig.get_paths()[each] + os.sep for each in ("stdlib", "purelib", "platlib")
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")  # any other's


def with_modules(
    used: Mapping[str, Any],
    code: types.CodeType,
    counts: Callable[[Any], bool] = lambda value: True,
    above: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Put in the place of modules, unless they are installed, what a function may read of them.

    Parameters
    ----------
    used : mapping of str to object
        What the function reads, by name.
    code : code
        Of the function.
    counts : callable
        Says which values of a module are looked at.
    above : frozenset of str
        Modules that led here.

    Examples
    --------
    >>> module = types.ModuleType("settings")
    >>> module.RATE, module.unused = 3, 4
    >>> with_modules({"settings": module}, (lambda: settings.RATE).__code__)
    {'settings': ('settings', {'RATE': 3})}
    """
    read = dict(used)
    for name, value in used.items():
        if isinstance(value, types.ModuleType) and not is_installed(value.__name__):
            module = value.__name__
            read[name] = module
            if module not in above:
                there = vars(value)
                found = {
                    key: there[key]
                    for key in _attributes(code)
                    if key in there
                    and (isinstance(there[key], types.ModuleType) or counts(there[key]))
                }
                read[name] = (module, with_modules(found, code, counts, above | {module}))
    return read


@lru_cache(1000)
def _attributes(code: types.CodeType) -> list[str]:
    """Names that a function may read of a module."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return sorted({*code.co_names, *(name for each in inner for name in _attributes(each))})


@lru_cache(1000)
def is_installed(module: str) -> bool:
    """Say whether a module's code changes with its version alone.

    Examples
    --------
    >>> is_installed("os"), is_installed("nowhere")
    (True, False)
    """
    if is_ours(module):
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        return module in sys.builtin_module_names
    return file.startswith(_INSTALLED) or any(folder in file for folder in _PACKAGES)


def is_ours(name: str) -> bool:
    """Whether a name alone says what something does, since the version goes along."""
    return name.partition(":")[0].partition(".")[0] in _OURS


def is_constant(value: Any) -> bool:
    """Say whether a value is numbers, texts, dates, patterns and tuples of these.

    Nobody can change these.

    Examples
    --------
    >>> is_constant((1, ("a", 2.5))), is_constant([1])
    (True, False)
    """
    kind = type(value)
    if kind in (tuple, frozenset):
        return all(map(is_constant, value))
    return (
        kind in ATOMS
        or isinstance(value, _CONSTANTS)
        or kind.__qualname__ in _NAMED.get(kind.__module__, ())
    )


def is_plain_data(value: Any, depth: int = 10) -> bool:
    """Say whether a value is numbers, texts, arrays and containers of these, not too deep.

    Examples
    --------
    >>> is_plain_data({"rates": [1, 2.5]}), is_plain_data([len])
    (True, False)
    """
    kind = type(value)
    if kind is not tuple and kind is not frozenset and is_constant(value):
        return True
    if kind is np.ndarray:
        return not value.dtype.hasobject
    if kind in (dict, types.MappingProxyType):
        return is_plain_data([*value, *value.values()], depth)
    if kind not in (tuple, list, set, frozenset) or not depth:
        return False
    return all(is_plain_data(each, depth - 1) for each in value)
