"""Objects in few characters, without asking them: what a user's ``__repr__`` does, nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

__all__ = ["brief", "brief_call", "name_of"]

MOST_CHARACTERS = 40  # of a text
MOST_ITEMS = 4
MOST_IN_ALL = 200
MOST_BITS = 128

_PLAIN = frozenset({type(None), bool, float, complex, type(Ellipsis), type(NotImplemented)})
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}
# Libraries whose objects tell their shape and dtype at once.
_ARRAYS = frozenset({"numpy", "cupy", "pandas", "cudf", "gpuscale"})


def _same(value: Any) -> Any:
    return value


def brief(value: Any, resolve: Callable[[Any], Any] = _same, depth: int = 2) -> str:
    """Write an object in few characters.

    Parameters
    ----------
    value : object
    resolve : callable, optional
        What stands for each object, at any depth.
    depth : int
        How many containers inside of each other are looked into.

    Examples
    --------
    >>> brief([1, "two", np.ones((3, 4)), {"x": 5}, 6, 7])
    "[1, 'two', <ndarray float64 (3, 4)>, {'x': 5}, 2 more]"
    >>> brief("a" * 50), brief(2**1000), brief(len), brief(object())
    ("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'...", '<int of 1001 bits>', 'len', '<object>')
    """
    value = resolve(value)
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if kind is int:
        bits = value.bit_length()
        return repr(value) if bits <= MOST_BITS else f"<int of {bits} bits>"
    if kind is str or kind is bytes:
        return repr(value[:MOST_CHARACTERS]) + "..." * (len(value) > MOST_CHARACTERS)
    if kind in _BRACKETS:
        return _container(value, resolve, depth)
    if kind is slice:
        parts = (brief(each, resolve, 0) for each in (value.start, value.stop, value.step))
        return f"slice({', '.join(parts)})"
    if kind in (FunctionType, BuiltinFunctionType, type):
        return _cut(value.__name__)
    return _cut(_instance(value, kind))


def _container(value: Any, resolve: Callable[[Any], Any], depth: int) -> str:
    kind = type(value)
    opening, closing = _BRACKETS[kind]
    if not depth and value:
        return f"{opening}...{closing}"
    if not value and kind in (set, frozenset):
        return f"{kind.__name__}()"
    try:
        first = list(islice(value.items() if kind is dict else value, MOST_ITEMS))
    except RuntimeError:  # another thread changes it
        return f"{opening}...{closing}"
    if kind is dict:
        items = [f"{brief(k, resolve, 0)}: {brief(v, resolve, depth - 1)}" for k, v in first]
    else:
        items = [brief(each, resolve, depth - 1) for each in first]
    if len(value) > len(first):
        items.append(f"{len(value) - len(first):,} more")
    comma = "," * (kind is tuple and len(value) == 1)
    return f"{opening}{', '.join(items)}{comma}{closing}"


def _instance(value: Any, kind: type) -> str:
    if kind.__module__ == "numpy" and isinstance(value, np.number | np.bool_):
        return repr(value)
    if kind.__module__.partition(".")[0] in _ARRAYS:
        try:
            known = [getattr(value, name, None) for name in ("dtype", "shape")]
        except Exception:
            known = []
        told = [str(each) for each in known if isinstance(each, tuple | np.dtype)]
        return f"<{' '.join([kind.__name__, *told])}>"
    return f"<{kind.__name__}>"


def _cut(text: str, most: int = 2 * MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def brief_call(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    resolve: Callable[[Any], Any] = _same,
) -> str:
    """Write a call in few characters.

    Examples
    --------
    >>> brief_call("divmod", (1, 0)), brief_call("load", ("x.npy",), {"mode": "r"})
    ('divmod(1, 0)', "load('x.npy', mode='r')")
    >>> brief_call("max", range(9))
    'max(0, 1, 2, 3, 4, 5, 3 more)'
    """
    most = MOST_ITEMS + 2
    given: Iterable[tuple[str, Any]] = [
        *(("", each) for each in args[:most]),
        *((f"{key}=", each) for key, each in islice((kwargs or {}).items(), most)),
    ]
    items = [prefix + brief(each, resolve) for prefix, each in given]
    if more := len(args) + len(kwargs or {}) - len(items):
        items.append(f"{more:,} more")
    return _cut(f"{name}({', '.join(items)})", MOST_IN_ALL)


def name_of(function: Any) -> str:
    """Name a function in keys and messages.

    Examples
    --------
    >>> from functools import partial
    >>> name_of(partial(max, 1)), name_of(lambda: 0)
    ('max', 'lambda')
    """
    inner = getattr(function, "func", function)  # of a partial
    name: str = getattr(inner, "__name__", None) or type(inner).__name__
    return name.strip("<>_") or "call"
