"""What a class holds, which is part of what it and its objects do."""

from __future__ import annotations

import enum
import sys
import types
from typing import Any

__all__ = ["annotations_of", "class_members"]

_WRITTEN_BY_PYTHON = {
    *("__dict__", "__weakref__", "__module__", "__doc__", "__qualname__"),
    *("__firstlineno__", "__static_attributes__"),  # where it is written; in no sure order
    *("__annotations__", "__annotate_func__", "__annotations_cache__"),  # see `annotations_of`
    *("__orig_bases__", "__parameters__", "__type_params__"),  # for type checkers
    "__dataclass_fields__",  # rewritten below
}
_DESCRIPTORS = types.MemberDescriptorType | types.GetSetDescriptorType


def class_members(kind: type) -> dict[str, Any]:
    """Return by name what is written in a class, or made of it; not what Python keeps there.

    Fields of a dataclass are there without their types; of an enumeration, the values are there.

    Examples
    --------
    >>> class Model:
    ...     rate = 3
    >>> class_members(Model)
    {'rate': 3}
    """
    own = vars(kind)
    members = {
        key: item
        for key, item in own.items()
        if key not in _WRITTEN_BY_PYTHON
        and not key.startswith("_abc_")  # caches
        and not isinstance(item, _DESCRIPTORS)
    }
    if "__dataclass_fields__" in own:
        members["__dataclass_fields__"] = list(map(_of_field, own["__dataclass_fields__"].values()))
    if isinstance(kind, enum.EnumMeta):
        names: dict[str, Any] = dict(kind.__members__)
        members = {key: m for key, m in members.items() if key not in names and _is_written(key, m)}
        members["__members__"] = {key: member.value for key, member in names.items()}
    return members


def _of_field(field: Any) -> tuple[Any, ...]:
    flags = field.init, field.repr, field.hash, field.compare, field.kw_only
    return field.name, field.default, field.default_factory, flags, dict(field.metadata)


def _is_written(name: str, member: Any) -> bool:
    """Whether a member of an enumeration is no list that Python makes of its values."""
    return not (name[0] == name[-1] == "_") or isinstance(
        member, types.FunctionType | classmethod | staticmethod
    )


def annotations_of(value: Any) -> dict[str, Any]:
    """Return annotations of a function or class: what they are, or what is written.

    From Python 3.14 on they are expressions that nobody may have evaluated, and that need not have
    a value yet. There it is their text that is returned.

    Examples
    --------
    >>> annotations_of(lambda: 1)
    {}
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        try:
            return get_annotations(value, format=Format.STRING)
        except Exception:  # whatever an `__annotate__` of the program's own raises
            return {}
    found = vars(value).get("__annotations__") if isinstance(value, type) else value.__annotations__
    return found if type(found) is dict else {}
