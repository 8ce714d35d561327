"""`tokenize`: one short name for any operands, equal exactly when they mean the same.

Operands become plain Python values first (`_plain`), which `marshal` then writes as bytes for the
hash. Format 2 of marshal is used since it neither interns strings nor shares references, both of
which would make the bytes depend on the history of the process.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import io
import marshal
import mmap
import os
import sys
import types
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from gpuscale.base import config
from gpuscale.base.dispatch import Dispatch
from gpuscale.base.identities import by_identity, met, now

__all__ = [
    "ARRAY_CONTENT_LIMIT",
    "ATOMS",
    "by_identity",
    "elsewhere",
    "field_names",
    "importable_name",
    "is_by_identity",
    "most_read",
    "normalize_token",
    "tagged",
    "tokenize",
    "tokenize_now",
    "tokenize_plain",
]

ARRAY_CONTENT_LIMIT = 2**20
"""Arrays up to this many bytes are known by their content, larger ones by their identity."""

ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
"""What marshal writes as it is, and what holds nothing else.

Exact types only: marshal would write a NumPy scalar, which derives from float, as if it were raw
bytes.
"""

_DIGEST_BYTES = 16

elsewhere: ContextVar[Callable[[Any], tuple[Any, ...]] | None] = ContextVar(
    "elsewhere", default=None
)
"""Stands in for the last resorts while `base.steady` makes tokens that other processes make too."""

most_read: ContextVar[int | None] = ContextVar("most_read", default=None)
"""How many bytes of an array `base.steady` reads; larger ones are refused, if there is a limit."""

normalize_token: Dispatch[Any] = Dispatch(
    "normalize_token",
    doc="""Row by type: what stands for an operand in its token.

    A row takes the object and returns values that `tokenize` already knows. Register one, lazily by
    module name where the library is optional, for a type that neither has a
    ``__gpuscale_tokenize__`` method nor pickles cheaply.
    """,
)


def tokenize(*operands: Any) -> str:
    """Return the deterministic identity of any operands: 32 hexadecimal digits.

    The same values give the same token in every process. Types matter (``1``, ``1.0`` and ``True``
    differ), so does the order of a dict, because it can decide the order of a result's columns. So
    do the steps from one element of an array to the next, and whether it may be written.

    Parameters
    ----------
    *operands : object
        Python values and containers, slices, dtypes, NumPy scalars and arrays, enums, functions,
        dataclasses, objects with a method ``__gpuscale_tokenize__``, and all that pickles. Arrays
        over `ARRAY_CONTENT_LIMIT` bytes, and what cannot be pickled, are known by identity: the
        same object has the same token as long as it lives, in this process only.

    Returns
    -------
    str
        The token.

    Examples
    --------
    >>> tokenize(1, "a", (2.0, None)) == tokenize(1, "a", (2.0, None))
    True
    >>> tokenize(1) == tokenize(1.0)
    False
    >>> import numpy as np
    >>> tokenize(np.arange(3)) == tokenize(np.arange(3))
    True
    """
    return tokenize_plain(_plain(operands))


def tokenize_now(*operands: Any) -> str:
    """Return the token of what operands are right now, whatever they were before.

    As `tokenize`, but arrays of any size are read, by as many threads as there are workers. What
    cannot be told from others has a new token each time, since it may have changed.

    Examples
    --------
    >>> import numpy as np
    >>> buffer = np.zeros(300_000)
    >>> before = tokenize(buffer), tokenize_now(buffer)
    >>> buffer[0] = 1
    >>> tokenize(buffer) == before[0], tokenize_now(buffer) == before[1]
    (True, False)
    """
    before = now.set(True)
    try:
        return tokenize(*operands)
    finally:
        now.reset(before)


def tokenize_plain(value: Any) -> str:
    """Return the token of tuples and lists of atoms: exact numbers, strings and bytes.

    Examples
    --------
    >>> tokenize_plain((1, ("a",))) == tokenize(1, ("a",))
    True
    """
    from hashlib import blake2b  # here: it brings OpenSSL along

    return blake2b(marshal.dumps(value, 2), digest_size=_DIGEST_BYTES).hexdigest()


def _plain(value: Any) -> Any:
    """Rewrite a value with atoms, tuples and lists alone.

    Everything else becomes a tuple that starts with Ellipsis. A bare Ellipsis is rewritten too, so
    no value of the user's can be mistaken for one of these.
    """
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is tuple or kind is list:
        if ATOMS.issuperset(map(type, value)):
            return value
        return kind(map(_plain, value))
    return normalize_token(value)


def tagged(tag: str, *parts: Any) -> tuple[Any, ...]:
    """Return what stands for a value that is made of others."""
    return (..., tag, *map(_plain, parts))


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


# ------------------------------------------------------------------ Python's own types


@normalize_token.register(object)
def _any_object(value: Any) -> tuple[Any, ...]:
    kind = type(value)
    steadily = elsewhere.get()
    if steadily is not None:
        return steadily(value)
    tag, name, hook, fields = _recipes.get(kind) or _recipe(kind)
    if hook is not None:
        return (..., tag, name, _plain(hook(value)))
    if fields is not None:
        return (..., tag, name, *[_plain(getattr(value, field)) for field in fields])
    return _by_name(value)


_recipes: dict[type, tuple[Any, ...]] = {}


def _recipe(kind: type) -> tuple[Any, ...]:
    """How objects of a class are told apart; of our own classes, which stay, found once."""
    hook, fields = getattr(kind, "__gpuscale_tokenize__", None), field_names(kind)
    if hook is None and fields is None:
        return None, None, None, None
    recipe = "dataclass" if hook is None else "object", _plain(kind), hook, fields
    if kind.__module__.startswith("gpuscale."):
        _recipes[kind] = recipe
    return recipe


@normalize_token.register(type)
def _by_name(value: Any) -> tuple[Any, ...]:
    steadily = elsewhere.get()
    if steadily is not None:
        return steadily(value)
    name = importable_name(value)
    return _by_pickle(value) if name is None else (..., "name", name)


@normalize_token.register(dict)
def _dict(value: dict[Any, Any]) -> tuple[Any, ...]:
    if type(value) is not dict:
        return _any_object(value)
    return tagged("dict", list(value), list(value.values()))


@normalize_token.register(types.MappingProxyType)
def _mapping_proxy(value: types.MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return tagged("mappingproxy", dict(value))


@normalize_token.register(set, frozenset)
def _set(value: set[Any] | frozenset[Any]) -> tuple[Any, ...]:
    if type(value) not in (set, frozenset):
        return _any_object(value)
    name = type(value).__name__
    if len(kinds := set(map(type, value))) == 1 and kinds <= _SORTED:
        return (..., name, sorted(value))
    return (..., name, sorted(marshal.dumps(_plain(item), 2) for item in value))


_SORTED = {int, str}  # whose order is that of what they are, in any process


@normalize_token.register(slice)
def _slice(value: slice) -> tuple[Any, ...]:
    return tagged("slice", value.start, value.stop, value.step)


@normalize_token.register(range)
def _range(value: range) -> tuple[Any, ...]:
    return (..., "range", value.start, value.stop, value.step)


@normalize_token.register(type(...))
def _ellipsis(_value: Any) -> tuple[Any, ...]:
    return (..., "ellipsis")


@normalize_token.register(bytearray, memoryview)
def _buffer(value: bytearray | memoryview) -> tuple[Any, ...]:
    return (..., type(value).__name__, bytes(value))


@normalize_token.register(enum.Enum)
def _enum(value: enum.Enum) -> tuple[Any, ...]:
    return tagged("enum", type(value), value.value)


@normalize_token.register(functools.partial)
def _partial(value: functools.partial[Any]) -> tuple[Any, ...]:
    return tagged("partial", type(value), value.func, value.args, value.keywords)


@normalize_token.register(types.MethodType)
def _bound_method(value: types.MethodType) -> tuple[Any, ...]:
    return tagged("method", value.__func__, value.__self__)


_Cached: Any = type(functools.lru_cache(len))


@normalize_token.register(_Cached)
def _cached(value: Any) -> tuple[Any, ...]:
    if elsewhere.get() is not None or importable_name(value) is not None:
        return _by_name(value)
    return tagged("cached", value.__wrapped__, value.cache_parameters())  # pickles by name alone


_names_of_fields: weakref.WeakKeyDictionary[type, tuple[str, ...] | None]
_names_of_fields = weakref.WeakKeyDictionary()


def field_names(kind: type) -> tuple[str, ...] | None:
    """Return names of the fields of a dataclass, None for other classes, each asked once."""
    try:
        return _names_of_fields[kind]
    except KeyError:
        pass
    is_one = dataclasses.is_dataclass(kind)
    names = tuple(field.name for field in dataclasses.fields(kind)) if is_one else None
    _names_of_fields[kind] = names
    return names


# ------------------------------------------------------------------ NumPy's types


@normalize_token.register(np.dtype)
def _dtype(value: np.dtype[Any]) -> tuple[Any, ...]:
    # The short spelling says too little of records, variable-width strings and user-defined types.
    vague = value.kind in "VT" or value.isbuiltin == 2
    said = repr(value) if vague else value.str
    if value.metadata is not None:
        return tagged("dtype", said, dict(value.metadata))
    return (..., "dtype", said)


@normalize_token.register(np.generic)
def _numpy_scalar(value: np.generic) -> tuple[Any, ...]:
    if value.dtype.hasobject:
        return tagged("scalar", value.dtype, value.item())
    return tagged("scalar", value.dtype, value.tobytes())


@normalize_token.register(np.ndarray)
def _ndarray(value: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    if elsewhere.get() is None:
        if value.nbytes > ARRAY_CONTENT_LIMIT and not now.get():
            return by_identity(value)
    elif value.nbytes > (most_read.get() or value.nbytes):
        raise ValueError("this array is too large to be read each time")
    if type(value) not in (np.ndarray, np.memmap):  # a masked array is more than its data
        return tagged("subclass", _attributes(value), _layout(value), _any_object(value))
    return tagged("ndarray", value.dtype, value.shape, _layout(value), _content(value))


def _layout(value: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """What code can see of an array beside its elements: its steps, whether it may be written.

    Whether it has gaps decides what `view` and `reshape` do. Axes of one element have steps that
    lead nowhere.
    """
    steps = [step for n, step in zip(value.shape, value.strides, strict=True) if n != 1]
    return tuple(steps) if value.size else (), bool(value.flags.writeable)


def _content(value: np.ndarray[Any, Any]) -> Any:
    if value.dtype.hasobject:
        return value.tolist()
    if value.nbytes <= ARRAY_CONTENT_LIMIT:
        return value.tobytes()
    # Without the copies that `tobytes` and `marshal` make.
    return _digest(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)


_PIECE = 1 << 22  # bytes; a token must not depend on the number of threads


def _digest(data: memoryview) -> bytes:
    """Hash many bytes: the hashes of pieces, made side by side if there are some."""
    from hashlib import blake2b

    def short(piece: memoryview | bytes) -> bytes:
        return blake2b(piece, digest_size=2 * _DIGEST_BYTES).digest()

    pieces = [data[k : k + _PIECE] for k in range(0, len(data), _PIECE)]
    if len(pieces) < _MANY_PIECES:
        return short(b"".join(map(short, pieces)))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(config.get("num-workers") or len(os.sched_getaffinity(0))) as pool:
        return short(b"".join(pool.map(short, pieces)))


_MANY_PIECES = 8


_OF_MASKED = {"_mask", "_fill_value", "_sharedmask", "_isfield", "_baseclass", "_basedict"}


def _attributes(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Attributes of an array of a subclass, which NumPy does not pickle."""
    own = _OF_MASKED if isinstance(value, np.ma.MaskedArray) else set()
    return {key: item for key, item in getattr(value, "__dict__", {}).items() if key not in own}


@normalize_token.register(np.memmap)
def _memmap(value: np.memmap[Any, Any]) -> tuple[Any, ...]:
    file_map = getattr(value, "_mmap", None)
    # What is written to a private ("c") map never reaches the file.
    is_written = value.mode != "r" and (now.get() or most_read.get() is not None)
    is_private = value.mode == "c" or is_written
    if type(value) is not np.memmap or file_map is None or value.filename is None or is_private:
        return _ndarray(value)
    # A view keeps the `offset` of the whole map, so where it starts is told by its address.
    map_start = value.offset - value.offset % mmap.ALLOCATIONGRANULARITY
    map_address = np.frombuffer(file_map, np.uint8).__array_interface__["data"][0]
    start = map_start + value.__array_interface__["data"][0] - map_address
    stat = os.stat(value.filename)
    file = (os.fspath(value.filename), stat.st_mtime_ns, stat.st_size)
    return tagged("memmap", file, start, value.dtype, value.shape, value.strides)


# ------------------------------------------------------------------ the three last resorts


def importable_name(value: Any) -> str | None:
    """Return ``module:qualified.name`` of what an import would find again, else None.

    Whatever lives in ``__main__`` has no such name: a notebook may define it again tomorrow.
    """
    try:
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    except Exception:  # whatever its own methods raise
        return None
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is value else None


def _by_pickle(value: Any) -> tuple[Any, ...]:
    try:
        return (..., "pickle", _class_name(type(value)), _pickled(value))
    except Exception:  # objects may raise anything when asked to pickle themselves
        return by_identity(value)


def _pickled(value: Any) -> bytes:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, item: Any) -> Any:
            if type(item) is _Cached and importable_name(item) is None:
                return functools.lru_cache, (item.__wrapped__,)
            if type(item) is np.ndarray and not item.flags.forc and not item.dtype.hasobject:
                return _layout, (_layout(item), np.ascontiguousarray(item))
            return super().reducer_override(item)

    written = io.BytesIO()
    Pickler(written, protocol=5).dump(value)
    return written.getvalue()


def is_by_identity(*operands: Any) -> bool:
    """Say whether the token of operands stands for objects that may have changed since."""
    found: list[Any] = []
    before = met.set(found)
    try:
        _plain(operands)
    finally:
        met.reset(before)
    return bool(found)
