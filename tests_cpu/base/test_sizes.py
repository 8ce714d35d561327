from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base import sizes

GIB = 1 << 30

parse_bytes = partial(sizes.parse_bytes, total=1)


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        (0, 0),
        (123, 123),
        (1e9, 10**9),
        ("123", 123),
        ("1e9", 10**9),
        ("5 B", 5),
        ("1kB", 1000),
        ("1 KiB", 1024),
        ("500MB", 500 * 10**6),
        ("500 m", 500 * 10**6),
        ("1GiB", GIB),
        (" 1.5 gib ", 3 * GIB // 2),
        ("2Ti", 2048 * GIB),
        ("0.5 KB", 500),
        ("1", 1),
        (1, 1),
    ],
)
def test_sizes(text, nbytes):
    assert parse_bytes(text) == nbytes


@given(st.integers(0, 10**15))
def test_any_number_of_bytes_is_itself(n):
    assert parse_bytes(n) == parse_bytes(str(n)) == parse_bytes(f"{n} B") == n


@pytest.mark.parametrize("text", ["", "GiB", "1 XB", "1 2", "-1 GiB", "1.2.3", "1..2 MB", "x %"])
def test_texts_that_are_no_size(text):
    with pytest.raises(ValueError, match="cannot read .* as a size"):
        parse_bytes(text)


@pytest.mark.parametrize("number", [-1, -0.5, float("inf"), float("nan")])
def test_numbers_that_are_no_size(number):
    with pytest.raises(ValueError, match="cannot be"):
        parse_bytes(number)


@pytest.mark.parametrize("number", [1.5, "1.5", 1000.25, "2.5e0"])
def test_bytes_are_whole(number):
    with pytest.raises(ValueError, match=r"not a whole number of bytes.*at most 1"):
        parse_bytes(number)


def test_format_bytes_at_the_edges_of_its_units():
    assert sizes.format_bytes(0) == "0 B"
    assert sizes.format_bytes(1023) == "1023 B"
    assert sizes.format_bytes(1024) == "1.0 KiB"
    assert sizes.format_bytes(2**50) == "1024.0 TiB"
