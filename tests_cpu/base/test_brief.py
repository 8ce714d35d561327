import threading
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.brief import MOST_IN_ALL, brief, brief_call

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.sets(st.integers())
    ),
    max_leaves=50,
)


@given(PLAIN)
def test_whatever_it_is_the_text_is_short(value):
    assert len(brief(value)) < 5_000
    assert len(brief_call("f", (value,) * 20, {"x": value})) <= MOST_IN_ALL


@given(st.none() | st.booleans() | st.integers(-99, 99) | st.floats() | st.text(max_size=30))
def test_small_values_are_shown_as_python_shows_them(value):
    for each in (value, [value], (value,), {"x": value}):
        assert brief(each) == repr(each)


def test_no_method_of_users_is_called():
    class Trap:
        def __getattribute__(self, name):
            raise AssertionError(name)

        __repr__ = __str__ = __len__ = __iter__ = __hash__ = None

    class Word(str):
        def __repr__(self):
            raise AssertionError

    class Row(list):
        def __iter__(self):
            raise AssertionError

    assert brief([Trap(), Word("x"), Row([1])]) == "[<Trap>, <Word>, <Row>]"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        ([], "[]"),
        ((1,), "(1,)"),
        ([[[1]]], "[[[...]]]"),
        (list(range(1_000_000)), "[0, 1, 2, 3, 999,996 more]"),
        (1 << 200, "<int of 201 bits>"),
        (slice(1, None), "slice(1, None, None)"),
        (np.float64(2.5), "np.float64(2.5)"),
        (np.datetime64("2020"), "<datetime64 datetime64[Y] ()>"),
        (np.dtype("i4"), "<Int32DType ()>"),
        (threading.Lock, "allocate_lock"),
        (namedtuple("Pair", "a b")(1, 2), "<Pair>"),
        (type("C" * 200, (), {})(), "<" + "C" * 76 + "..."),
    ],
)
def test_each_kind(value, said):
    assert brief(value) == said


def test_what_stands_for_something_is_resolved():
    assert brief(["x", {"k": "x"}], lambda v: 7 if v == "x" else v) == "[7, {'k': 7}]"
