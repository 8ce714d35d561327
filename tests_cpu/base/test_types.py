"""An unknown size is equal to itself alone and refuses to be counted with."""

import operator
import pickle

import pytest

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown, is_known


def test_equality_is_by_expression_and_block():
    size = Unknown("nonzero", 0)
    assert size == Unknown("nonzero", 0) == pickle.loads(pickle.dumps(size))
    assert size not in (Unknown("nonzero", 1), Unknown("other", 0), 3)
    assert len({size, Unknown("nonzero", 0)}) == 1
    assert repr(size) == "?"


@pytest.mark.parametrize("name", ["add", "sub", "mul", "floordiv", "truediv", "lt", "le", "gt"])
def test_arithmetic_and_order_are_refused(name):
    calculate = getattr(operator, name)
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        calculate(Unknown("t", 0), 1)
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        calculate(1, Unknown("t", 0))


@pytest.mark.parametrize("convert", [int, bool, operator.index, operator.neg])
def test_conversions_are_refused(convert):
    with pytest.raises(UnknownSizeError, match="depends on data"):
        convert(Unknown("t", 0))


def test_is_known_looks_into_chunks():
    assert is_known(()) and is_known((1, 2)) and is_known(((1, 2), (3,)))
    assert not is_known((1, Unknown("t", 0)))
    assert not is_known(((1,), (Unknown("t", 0), 2)))
