"""Blocks end whatever happens in them, and leave what was raised alone."""

from dataclasses import dataclass

import pytest

from gpuscale.base.blocks import block


@dataclass(frozen=True)
class Frozen(Exception):
    """An exception that takes no attributes."""

    code: int


@pytest.fixture
def told():
    return []


@pytest.fixture
def watched(told):
    @block
    def watched(name):
        """Say when it begins and ends."""
        told.append(("begin", name))
        yield len(name)
        told.append(("end", name))

    return watched


def test_a_block_begins_gives_its_value_and_ends(watched, told):
    with watched("abc") as length:
        told.append(length)
    assert told == [("begin", "abc"), 3, ("end", "abc")]
    assert watched.__name__ == "watched" and watched.__doc__ == "Say when it begins and ends."


@pytest.mark.parametrize("error", [Frozen(404), KeyboardInterrupt(), StopIteration(1)], ids=repr)
def test_what_is_raised_in_a_block_arrives_as_it_is(watched, told, error):
    with pytest.raises(type(error)) as info, watched("a"), watched("b"):
        raise error
    assert info.value is error and error.__context__ is None
    assert told == [("begin", "a"), ("begin", "b"), ("end", "b"), ("end", "a")]


def test_what_the_beginning_or_the_end_raises_arrives_too():
    @block
    def closed(where):
        if where == "begin":
            raise ValueError(where)
        yield
        raise ValueError(where)

    for where in ("begin", "end"):
        with pytest.raises(ValueError, match=where), closed(where):
            assert where == "end"
    error = Frozen(1)
    with pytest.raises(ValueError, match="end") as info, closed("end"):
        raise error
    assert info.value.__context__ is error
