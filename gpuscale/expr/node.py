"""The immutable, interned expression node on which everything is built."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Container, Generator, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from gpuscale.base.blocks import block
from gpuscale.base.tokens import tokenize

__all__ = ["Node", "on_behalf_of", "user_call", "user_frame", "user_line"]

# As Python found it, perhaps by a link, since that is how frames name their files; and with its
# end, since a folder beside it may be called gpuscale_plugins.
_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"
_interned: weakref.WeakValueDictionary[str, Node] = weakref.WeakValueDictionary()
_lock = threading.Lock()


class _Behalf(threading.local):
    # Here, since asking for an attribute that is not there takes ten times as long.
    origin: tuple[str, int] | None = None


_behalf = _Behalf()


@block
def on_behalf_of(node: Node) -> Generator[None, None, None]:
    """Nodes made inside get the user's line of this one: rewriting is nobody's line."""
    previous = _behalf.origin
    _behalf.origin = node.origin
    try:
        yield
    finally:
        _behalf.origin = previous


def user_line() -> tuple[str, int] | None:
    """File and line of the innermost caller outside gpuscale, for error messages."""
    origin = _behalf.origin
    if origin is not None:
        return origin
    frame = user_frame()
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def user_frame() -> FrameType | None:
    """Return the innermost frame of Python outside gpuscale."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def user_call(names: Container[str]) -> str | None:
    """Name of the function that the user called, if it is one of ``names``: for error messages.

    Where functions of those names call each other, the outermost one is the user's.
    """
    frame, found = sys._getframe(1), None
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        name = frame.f_code.co_name
        found = name if name in names else found
        frame = frame.f_back  # type: ignore[assignment]
    return found


class Node:
    """One operation on other nodes; identity is its content.

    A subclass declares its operands as annotations, in order, and `_infer`, which derives
    the metadata and raises on bad input. Nodes with equal operands are one object, so common
    subexpressions exist once and comparing is ``is``. There is no ``__init__`` to write.

    Attributes
    ----------
    meta : ArrayMeta
        What the result will look like.
    token : str
        Deterministic identity, equal in every process.
    origin : tuple of (str, int) or None
        File and line of the user's code that made the node first; not part of the identity.
    """

    fields: ClassVar[tuple[str, ...]] = ()
    operands: tuple[Any, ...]
    meta: Any
    token: str
    origin: tuple[str, int] | None

    def __init_subclass__(cls) -> None:
        own = [name for name in cls.__dict__.get("__annotations__", ()) if name not in _RESERVED]
        cls.fields = cls.fields + tuple(own)

    def __new__(cls, *operands: Any) -> Node:
        """Return the node with these operands: the one that lives, if one does."""
        if len(operands) != len(cls.fields):
            raise TypeError(f"{cls.__name__} takes {cls.fields}, got {len(operands)} operands")
        token = tokenize(cls.__qualname__, *operands)
        node = _interned.get(token)
        if node is not None:
            return node
        node = object.__new__(cls)
        state = node.__dict__
        state.update(zip(cls.fields, operands, strict=True))
        state["operands"] = operands
        state["token"] = token
        state["origin"] = user_line()
        state["meta"] = node._infer()
        with _lock:
            return _interned.setdefault(token, node)

    def _infer(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must derive its metadata")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.operands, self.origin)

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return known[self.token]

    def __hash__(self) -> int:
        return hash(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.token == other.token

    @property
    def name(self) -> str:
        """Short human name of the operation, used in keys, plans and diagnostics."""
        return type(self).__name__.lower()

    @property
    def note(self) -> str:
        """What `explain` says beside all that, such as how much of a file is read."""
        return ""

    @cached_property
    def task_prefix(self) -> str:
        """First part of the keys of the tasks that it becomes: readable and unique."""
        return f"{self.name}-{self.token[:16]}"

    @cached_property
    def children(self) -> tuple[Node, ...]:
        """Nodes that this one reads, each once, in the order of its operands."""
        found: dict[str, Node] = {}
        for place in self._places:
            for node in _nodes_in(self.operands[place]):
                found.setdefault(node.token, node)
        return tuple(found.values())

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Which operands hold nodes; chunks of a million blocks are looked through once."""
        return tuple(
            place
            for place, operand in enumerate(self.operands)
            if next(_nodes_in(operand), None) is not None
        )

    def map_children(self, function: Callable[[Node], Node]) -> Node:
        """Return this node over other children; itself where nothing changed."""
        operands = self._over(function)
        if all(operands[place] is self.operands[place] for place in self._places):
            return self
        return self.rebuilt(*operands)

    def _over(self, function: Callable[[Node], Node]) -> list[Any]:
        operands = list(self.operands)
        for place in self._places:
            operands[place] = _map_nodes(operands[place], function)
        return operands

    def glimpse(self, function: Callable[[Node], Node]) -> Node:
        """Return a copy over other children that look alike, for who replaces it at once.

        It is not interned and has no token, since finding one takes longer than all the rest.
        """
        operands = tuple(self._over(function))
        copy = object.__new__(type(self))
        copy.__dict__.update(zip(self.fields, operands, strict=True))
        copy.__dict__.update(operands=operands, meta=self.meta, origin=self.origin)
        return copy

    def rebuilt(self, *operands: Any) -> Node:
        """Return a node of this class that keeps the user's line."""
        with on_behalf_of(self):
            return type(self)(*operands)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(_short, self.operands))})"


_PLAIN = {int, str, float, bool, type(None)}
_RESERVED = {"fields", "operands", "meta", "token", "origin"}


def _rebuild(cls: type[Node], operands: tuple[Any, ...], origin: tuple[str, int] | None) -> Node:
    node = cls(*operands)
    if origin is not None:
        node.__dict__["origin"] = origin
    return node


def _nodes_in(operand: Any) -> Iterator[Node]:
    if isinstance(operand, Node):
        yield operand
    elif isinstance(operand, tuple):
        if set(map(type, operand)) <= _PLAIN:
            return  # quick for axes of a million blocks
        for item in operand:
            yield from _nodes_in(item)
    elif hasattr(operand, "map_nodes"):
        yield operand.node


def _map_nodes(operand: Any, function: Callable[[Node], Node]) -> Any:
    if isinstance(operand, Node):
        return function(operand)
    if isinstance(operand, tuple):
        items = tuple(_map_nodes(item, function) for item in operand)
        if all(new is old for new, old in zip(items, operand, strict=True)):
            return operand  # the same tuple, so that an unchanged parent is seen as unchanged
        return items
    if hasattr(operand, "map_nodes"):
        return operand.map_nodes(function)
    return operand


def _short(operand: Any) -> str:
    text = f"<{operand.name}>" if isinstance(operand, Node) else repr(operand)
    return text if len(text) <= 60 else text[:57] + "..."
