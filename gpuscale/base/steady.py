"""Tokens that another process finds again: what is kept on disk has them for its name.

A token of `base.tokens` may stand for one object of this process, or for a function by its name
alone. Here functions are known by their code, objects by what they would be pickled as, arrays of
any size by their content; what has none of these is refused.
"""

from __future__ import annotations

import copyreg
import dis
import sys
import types
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import cached_property, partialmethod, singledispatch, singledispatchmethod
from typing import Any

from gpuscale.base.blocks import block
from gpuscale.base.errors import CheckpointError
from gpuscale.base.read_classes import annotations_of, class_members
from gpuscale.base.read_modules import (
    is_constant,
    is_installed,
    is_ours,
    is_plain_data,
    with_modules,
)
from gpuscale.base.tokens import elsewhere, field_names, importable_name, tagged, tokenize

__all__ = ["Steady", "code_of", "global_names", "own_attributes", "wraps"]

_DISPATCHES = singledispatch(len).__code__  # type: ignore[attr-defined]
_OF_DISPATCHES = vars(singledispatch(len)).keys()


class Steady:
    """Makes steady tokens, each object's once.

    A class with a method ``__gpuscale_steady__(self, known)`` says itself what stands for its
    objects; the others are known as `tokenize` knows them, or as this module says.

    Parameters
    ----------
    known : mapping
        Handed to ``__gpuscale_steady__``: the steady token of what has a token or key of this
        process only.

    Examples
    --------
    >>> Steady({}).token(lambda x: x + 1) == Steady({}).token(lambda x: x + 1)
    True
    >>> Steady({}).token(lambda x: x + 1) == Steady({}).token(lambda x: x + 2)
    False
    """

    def __init__(self, known: Mapping[Any, str]) -> None:
        self._known = known
        self._known_as: dict[int, tuple[Any, tuple[Any, ...]]] = {}  # id -> (kept alive, token)
        self._entered: dict[int, int] = {}  # id of function or class -> how deep
        self._circular: dict[int, tuple[Any, tuple[Any, ...], int]] = {}  # until one is left
        self._reach = 0  # least depth that what is being looked into leads back to
        self._open: list[Any] = []  # what is being looked into
        self._way: list[str] = []  # names of what leads there

    def token(self, *operands: Any) -> str:
        """Return the token of some operands.

        Raises
        ------
        CheckpointError
            Something has no token that another process would find again.
        """
        with self._in_force():
            return tokenize(*operands)

    @block
    def _in_force(self) -> Generator[None, None, None]:
        before = elsewhere.set(self._parts)
        try:
            yield
        finally:
            self._way.clear()
            elsewhere.reset(before)

    def _parts(self, value: Any) -> tuple[Any, ...]:
        kind = type(value)
        if hasattr(kind, "__gpuscale_steady__"):
            return tagged("object", kind, value.__gpuscale_steady__(self._known))
        if hasattr(kind, "__gpuscale_tokenize__"):
            return tagged("object", kind, value.__gpuscale_tokenize__())
        names = field_names(kind)
        if names is not None:
            return tagged("dataclass", kind, *[getattr(value, name) for name in names])
        if isinstance(value, type):
            return self._once(value, self._class)
        if isinstance(value, types.FunctionType):
            return self._once(value, self._dispatching if _rows(value) else self._function)
        if isinstance(value, property):
            return tagged("property", value.fget, value.fset, value.fdel)
        if isinstance(value, staticmethod | classmethod):
            return tagged(kind.__name__, value.__func__)
        if isinstance(value, cached_property):  # else known by its lock
            return tagged("cached_property", kind, value.func, value.attrname)
        if isinstance(value, types.ModuleType):
            return (..., "module", value.__name__)
        name = importable_name(value)
        if name is not None and self._is_known_by_name(value):
            return (..., "name", name)
        return self._once(value, self._wrapper) if wraps(value) else self._reduced(value)

    def _is_known_by_name(self, value: Any) -> bool:
        """Whether the name of something importable says enough."""
        return not wraps(value) or is_ours(value.__module__)

    def _wrapper(self, value: Any) -> tuple[Any, ...]:
        """Look into what holds a function and is none, as that of `functools.lru_cache`."""
        compiled = self._compiled(value)
        if compiled is not None:
            return compiled
        if isinstance(_reduce(value, self._way), str):
            return tagged("wraps", type(value)) + self._members(type(value), vars(value))
        return self._reduced(value)

    def _compiled(self, value: Any) -> tuple[Any, ...] | None:
        """Look into a function of Numba, whose pickle has a random number in it."""
        if not hasattr(value, "py_func") or not hasattr(value, "targetoptions"):
            return None
        return tagged("compiled", type(value), value.py_func, value.targetoptions)

    def _members(self, owner: Any, members: Mapping[str, Any]) -> tuple[Any, ...]:
        """Look into named things, so that an error can say which of them it is about."""
        made = []
        for name, item in members.items():
            self._way.append(f"{name!r} of {getattr(owner, '__qualname__', owner)}")
            made.append((name, *tagged("member", item)))
            self._way.pop()
        return tuple(made)

    def _once(self, value: Any, describe: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
        """Look into a function or class once; into one that leads to itself, no further.

        What leads back to something that is being looked into has a token for there alone: the
        other is part of it, and is not in that token. (Strongly connected components, Tarjan 1972.)
        """
        name = id(value)
        if name in self._known_as:
            return self._known_as[name][1]
        depth = len(self._entered)
        if name in self._entered:
            self._reach = min(self._reach, self._entered[name])
            return (..., "again", depth - self._entered[name])
        if name in self._circular:
            self._reach = min(self._reach, self._circular[name][2])
            return self._circular[name][1]
        before, self._reach, self._entered[name] = self._reach, depth, depth
        try:
            token = (..., "known", tokenize(describe(value)))
            reach = self._reach
        finally:
            del self._entered[name]
            self._reach = before
            inner = [key for key, each in self._circular.items() if each[2] >= depth]
            left = {key: self._circular.pop(key) for key in inner}
        if reach == depth:
            self._known_as[name] = value, token
            return token
        self._circular |= {key: (item, made, reach) for key, (item, made, _) in left.items()}
        self._circular[name] = value, token, reach
        self._reach = min(before, reach)
        return token

    def _class(self, kind: type) -> tuple[Any, ...]:
        name = importable_name(kind)
        if name is not None and is_ours(name):
            return (..., "name", name)
        if name is not None and is_installed(kind.__module__):
            methods = {key: list(_codes(item)) for key, item in vars(kind).items()}
            methods = {key: codes for key, codes in methods.items() if codes}
            bases = [base for base in kind.__bases__ if base.__module__ == kind.__module__]
            return tagged("class", name, methods, bases)
        look = self._members if name is None else self._telling_members
        members = look(kind, class_members(kind)), self._annotations(kind)
        made_by = [] if type(kind) is type else [type(kind)]
        return (*tagged("class", name or kind.__qualname__, kind.__bases__, made_by), *members)

    def _telling_members(self, owner: Any, members: Mapping[str, Any]) -> tuple[Any, ...]:
        """Look into named things of a module, which may well have locks and the like."""
        made: list[Any] = []
        for name, item in members.items():
            depth = len(self._way)
            try:
                made += self._members(owner, {name: item})
            except CheckpointError:
                del self._way[depth:]
                made.append((name, *tagged("refused", type(item).__qualname__, *_codes(item))))
        return tuple(made)

    def _annotations(self, value: Any) -> tuple[Any, ...]:
        return self._telling_members(value, annotations_of(value))

    def _function(self, function: types.FunctionType) -> tuple[Any, ...]:
        name = importable_name(function)
        if name is not None and is_ours(name):
            return (..., "name", name)
        code, defaults = function.__code__, (function.__defaults__, function.__kwdefaults__)
        held = [cell.cell_contents for cell in function.__closure__ or ()]
        cells = with_modules(dict(zip(code.co_freevars, held, strict=True)), code, _is_read)
        look = self._members if _home(function) == "__main__" else self._telling_members
        read = self._members(function, cells), self._members(function, self._uses(function))
        own = look(function, own_attributes(function)), self._annotations(function)
        return (*tagged("function", name, code_of(code), defaults), *read, *own)

    def _dispatching(self, function: types.FunctionType) -> tuple[Any, ...]:
        """Look into a function of `functools.singledispatch`, which also has a cache of its own."""
        own = {k: v for k, v in own_attributes(function).items() if k not in _OF_DISPATCHES}
        return tagged("dispatching", importable_name(function), _rows(function), own)

    def _uses(self, function: types.FunctionType) -> dict[str, Any]:
        """Return the global values that a function uses, which are part of what it does.

        Of a module's function these are functions and constants of the same module, classes that
        are not installed, and plain data of others; not lists and the like of the same module,
        which it may well fill itself. So is what the same module has registered with a function by
        type of another one.
        """
        home = _home(function)
        used = {}
        for name in sorted(global_names(function.__code__)):
            if name not in function.__globals__:
                continue
            value = function.__globals__[name]
            is_own = getattr(value, "__module__", None) == home
            if isinstance(value, types.FunctionType | type) or wraps(value):
                used[name] = value if is_own else self._foreign(value, home)
            elif home == "__main__" or isinstance(value, types.ModuleType) or is_constant(value):
                used[name] = value
        return with_modules(used, function.__code__, _is_read)

    def _foreign(self, value: Any, module: str) -> Any:
        name = importable_name(value)
        if name is None or (isinstance(value, type) and not is_installed(value.__module__)):
            return value
        rows = {k: f for k, f in _rows(value).items() if getattr(f, "__module__", None) == module}
        return (name, rows) if rows else name

    def _reduced(self, value: Any) -> tuple[Any, ...]:
        if any(each is value for each in self._open) or len(self._open) > 100:
            raise _refused(value, "holds itself", self._way)
        reduced = _reduce(value, self._way)
        if isinstance(reduced, str):
            return (..., "global", _module_of(value, reduced, self._way), reduced)
        function, args, state, items, pairs = (*reduced, None, None, None)[:5]
        self._open.append(value)
        try:
            rest = [list(each) if each is not None else None for each in (items, pairs)]
            if type(state) is dict:
                state = self._members(type(value), state)
                return (*tagged("reduced", function, args, *rest), state)
            return tagged("reduced", function, args, *rest, state)
        finally:
            self._open.pop()


def wraps(value: Any) -> bool:
    """Whether something is more than its name says, as it holds a function.

    Examples
    --------
    >>> from functools import lru_cache
    >>> wraps(lru_cache(lambda x: x)), wraps(len)
    (True, False)
    """
    return "__wrapped__" in getattr(value, "__dict__", ())


def own_attributes(function: types.FunctionType) -> dict[str, Any]:
    """Return attributes of a function, without those that are copies of what it wraps.

    Examples
    --------
    >>> function = lambda: function.rate
    >>> function.rate = 3
    >>> own_attributes(function)
    {'rate': 3}
    """
    wrapped = getattr(getattr(function, "__wrapped__", None), "__dict__", {})
    return {key: item for key, item in vars(function).items() if wrapped.get(key) is not item}


def _home(function: types.FunctionType) -> str:
    """Name of the module that a function is written in, whatever it wraps."""
    return str(function.__globals__.get("__name__", function.__module__))


def _is_read(value: Any) -> bool:
    """Whether a value of a module that is not installed is part of what reads it."""
    return isinstance(value, type) or is_plain_data(value)


def _rows(function: Any) -> dict[type, Any]:
    """Functions by type of what `functools.singledispatch` made; none of other functions.

    What `functools.wraps` makes look like such a function has its attributes and other code.
    """
    if getattr(function, "__code__", None) is not _DISPATCHES:
        return {}
    return dict(function.registry)


def _codes(member: Any) -> Iterator[tuple[Any, ...]]:
    """Give the code of what is written in a class: methods, properties, cached ones of both."""
    if isinstance(member, types.FunctionType):
        yield code_of(member.__code__)
    elif isinstance(member, property):
        for each in (member.fget, member.fset, member.fdel):
            yield from _codes(each)
    elif isinstance(member, cached_property | partialmethod):
        yield from _codes(member.func)
    elif isinstance(member, singledispatchmethod):
        for each in _rows(member.dispatcher).values():
            yield from _codes(each)
    elif isinstance(member, staticmethod | classmethod):
        yield from _codes(member.__func__)
    elif wraps(member) and not isinstance(member, type):
        yield from _codes(member.__wrapped__)


def _reduce(value: Any, way: list[str]) -> Any:
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        return reduce(value) if reduce is not None else value.__reduce_ex__(4)
    except Exception as error:  # objects may raise anything when asked to pickle themselves
        raise _refused(value, str(error), way) from error


def _module_of(value: Any, name: str, way: list[str]) -> str:
    """Module in which something is found by its name; many things may say that they have one."""
    for module in (getattr(value, "__module__", None), type(value).__module__):
        found: Any = sys.modules.get(str(module)) if module != "__main__" else None
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is value:
            return str(module)
    raise _refused(value, f"{name!r} is not the name of it in a module", way)


def code_of(code: types.CodeType) -> tuple[Any, ...]:
    """Return what a function does, without where it is written."""
    constants = [
        code_of(each) if isinstance(each, types.CodeType) else each for each in code.co_consts
    ]
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    return (code.co_code, constants, code.co_names, code.co_varnames, counts)


def global_names(code: types.CodeType) -> set[str]:
    """Return the names of the globals that a function reads."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname == "LOAD_GLOBAL"}
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return names.union(*map(global_names, inner))


def _refused(value: Any, reason: str, way: list[str]) -> CheckpointError:
    where = f" ({way[-1]})" if way else ""
    return CheckpointError(
        f"a {type(value).__name__}{where} is part of this, which another process cannot tell from "
        f"others ({reason}), so a checkpoint cannot be found by its content; give it a name=, and "
        "another one when what is computed changes"
    )
