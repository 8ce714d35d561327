"""An unknown size is equal to itself alone and refuses to be counted with."""

import operator
import pickle

import numpy as np
import pytest

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown, is_known, same_dtype


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


def test_equal_dtypes_become_one():
    twins = [np.dtype(np.longlong), np.dtype(np.int64), np.dtype(np.long)]
    assert len({same_dtype(dtype).char for dtype in twins if dtype.itemsize == 8}) == 1
    for other in (np.dtype("f4"), np.dtype(">i8"), np.dtype([("a", "i4")])):
        assert same_dtype(other) is other
