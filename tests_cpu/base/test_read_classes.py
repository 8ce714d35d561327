"""What a class holds: what is written in it, and nothing that Python or a cache puts there."""

import abc
import dataclasses
import enum
import functools
import typing
from dataclasses import dataclass, field

import pytest

from gpuscale.base.read_classes import annotations_of, class_members


class Plain:
    """It has a docstring."""

    rate = 3
    _private = "counts as well"

    def area(self): ...

    @property
    def side(self): ...

    @staticmethod
    def unit(): ...

    @functools.cached_property
    def cached(self): ...


def test_all_that_is_written_counts_in_its_order():
    found = class_members(Plain)
    assert list(found) == ["rate", "_private", "area", "side", "unit", "cached"]
    assert found["area"] is Plain.area and isinstance(found["unit"], staticmethod)


class Slotted:
    __slots__ = ("x", "y")


class Generic(typing.Generic[typing.TypeVar("T")]):
    x: int
    rate = 1


class Base(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Square(Base):
    def area(self):
        return 1


def test_what_python_keeps_there_does_not():
    assert class_members(Slotted) == {"__slots__": ("x", "y")}
    assert class_members(Generic) == {"rate": 1}
    before = class_members(Base)
    isinstance(Square(), Base), isinstance(3, Base)  # fills caches
    assert class_members(Base) == before and "area" in before
    assert not [name for name in before if name.startswith("_abc")]


@dataclass
class Point:
    x: int = 0
    names: list = field(default_factory=list, repr=False, metadata={"unit": "m"})


@dataclass
class OtherType:
    x: float = 0
    names: list = field(default_factory=list, repr=False, metadata={"unit": "m"})


def test_fields_are_known_by_all_but_their_types():
    (x, names) = class_members(Point)["__dataclass_fields__"]
    assert x[:2] == ("x", 0) and x[2] is dataclasses.MISSING
    assert names[0] == "names" and names[2] is list and names[-1] == {"unit": "m"}
    assert class_members(OtherType)["__dataclass_fields__"] == [x, names]


def test_members_of_an_enumeration_are_its_values():
    class Colour(enum.Enum):
        RED = 1
        CRIMSON = 1
        BLUE = "b"

        def shade(self): ...

        @classmethod
        def darkest(cls): ...

    found = class_members(Colour)
    assert found["__members__"] == {"RED": 1, "CRIMSON": 1, "BLUE": "b"}
    assert {"shade", "darkest"} < found.keys() and "RED" not in found
    assert "_member_map_" not in found and "_value2member_map_" not in found


class Child(Plain):
    y: float


@pytest.mark.parametrize("value", [Plain, Square, len.__class__, lambda x: x])
def test_there_may_be_no_annotations(value):
    assert annotations_of(value) == {}


def test_annotations_are_those_of_the_thing_itself():
    def function(x: "int", *rest: "str") -> "None": ...

    class Grandchild(Child): ...

    assert annotations_of(function) == {"x": "int", "rest": "str", "return": "None"}
    assert list(annotations_of(Child)) == ["y"] and annotations_of(Grandchild) == {}
