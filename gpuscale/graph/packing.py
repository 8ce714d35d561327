"""Calls whose arguments lie inside containers, or follow constants."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import fields, is_dataclass
from operator import is_
from types import GeneratorType
from typing import Any

import numpy as np

from gpuscale.base.atoms import holds_atoms_alone
from gpuscale.base.errors import GraphError
from gpuscale.base.tokens import ATOMS

__all__ = ["ONCE", "PackedCall", "Slot", "fill", "pack", "rebuilt", "refuse_foreign"]


_VIEWS: Any = deque, type({}.items()), type({}.keys()), type({}.values())
_CONTAINERS: tuple[Any, ...] = ([], (), {}, set(), {}.values(), {}.items(), range(0))

#: Iterators that people make of lists on the way.
ONCE: tuple[type, ...] = (
    GeneratorType, map, zip, filter, enumerate, reversed,
    *(type(iter(each)) for each in _CONTAINERS),
)  # fmt: skip


class Slot:
    """The place of one result in a template."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class PackedCall:
    """``function(*args, **kwargs)``, in whose arguments slots stand for results.

    Parameters
    ----------
    function : callable
    args : tuple
    kwargs : dict
    """

    __slots__ = ("args", "function", "kwargs")

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def __call__(self, *results: Any) -> Any:
        """Call the function with results in the place of slots."""
        return self.function(*fill(self.args, results), **fill(self.kwargs, results))


def pack(value: Any, find: Callable[[Any], Slot | None], traverse: bool = True) -> Any:
    """Put slots in the place of everything that `find` has a slot for.

    Lists, tuples, dictionaries, sets, arrays of objects, slices and dataclasses are looked into;
    what holds no slot stays the object that it is.

    Raises
    ------
    TypeError
        A lazy object of dask, which no task would compute.

    Examples
    --------
    >>> template = pack([1, {"x": ...}], lambda each: Slot(0) if each is ... else None)
    >>> fill(template, ["value"])
    [1, {'x': 'value'}]
    """
    if type(value) in ATOMS:
        return value
    slot = find(value)
    if slot is not None:
        return slot
    refuse_foreign(value)
    return rebuilt(value, lambda each: pack(each, find)) if traverse else value


def refuse_foreign(value: Any) -> None:
    """Refuse what is lazy in another library, which no task would compute."""
    # xarray's have the method in any case, and no graph where they hold NumPy's arrays.
    if hasattr(type(value), "__dask_graph__") and value.__dask_graph__() is not None:
        name, library = type(value).__name__, type(value).__module__.partition(".")[0]
        raise TypeError(
            f"a {name} of {library} would stay lazy in this call: give what its compute() returns, "
            "or make it with gpuscale"
        )


def fill(template: Any, results: Any) -> Any:
    """Put results in the place of slots."""
    if type(template) is Slot:
        return results[template.number]
    if type(template) in ATOMS:
        return template
    return rebuilt(template, lambda each: fill(each, results))


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function to the items of a container; the same object if none of them changed.

    The function changes no numbers, strings and bytes: what holds these alone is not looked into.
    Views of dictionaries become lists where something changed.

    Raises
    ------
    GraphError
        Containers are nested deeper than Python's stack, or hold themselves.
    TypeError
        An iterator, which could be read only once.
    """
    if type(value) in ATOMS or holds_atoms_alone(value):
        return value
    try:
        return _rebuilt(value, change)
    except RecursionError:
        raise GraphError(
            f"a {type(value).__name__} among the arguments holds itself, or containers nested "
            "some hundreds deep; flatten it, or hand it over unseen: delayed(value, "
            "traverse=False) for delayed calls, client.scatter([value], hash=False)[0] for "
            "submitted ones"
        ) from None


def _rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, list | set | frozenset | tuple):
        items = [change(each) for each in value]
        if all(map(is_, items, value)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, _VIEWS):
        items = [change(each) for each in value]
        if all(map(is_, items, value)) or _are_pairs(value, items):
            return value
        return deque(items, value.maxlen) if isinstance(value, deque) else items
    if isinstance(value, ONCE):
        raise TypeError(
            f"a {type(value).__name__} can be read only once, and nobody can see what is lazy in "
            "it; make a list of it: list(...)"
        )
    if isinstance(value, dict):
        pairs = [(change(key), change(each)) for key, each in value.items()]
        if all(a is b and c is d for (a, c), (b, d) in zip(pairs, value.items(), strict=True)):
            return value
        made = copy(value)  # a dictionary with a default or an order keeps it
        made.clear()
        made.update(pairs)
        return made
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = [change(each) for each in value.flat]
        if all(map(is_, items, value.flat)):
            return value
        flat = np.empty(value.size, object)
        for place, item in enumerate(items):  # as a whole, items that are arrays would be spread
            flat[place] = item
        return flat.reshape(value.shape)
    if type(value) is slice:
        parts = value.start, value.stop, value.step
        items = [change(each) for each in parts]
        return value if all(map(is_, items, parts)) else slice(*items)
    if is_dataclass(value) and not isinstance(value, type):
        return _rebuilt_dataclass(value, change)
    return value


def _are_pairs(value: Any, items: list[Any]) -> bool:
    """Whether nothing changed in the items of a dictionary, which are new tuples each time."""
    return isinstance(value, _VIEWS[1]) and all(
        all(map(is_, pair, old)) for pair, old in zip(items, value, strict=True)
    )


def _rebuilt_dataclass(value: Any, change: Callable[[Any], Any]) -> Any:
    names = [f.name for f in fields(value) if hasattr(value, f.name)]
    new = {name: change(getattr(value, name)) for name in names}
    if all(new[name] is getattr(value, name) for name in names):
        return value
    made = object.__new__(type(value))  # without its checks: slots are no values yet
    for name, each in new.items():
        object.__setattr__(made, name, each)
    return made
