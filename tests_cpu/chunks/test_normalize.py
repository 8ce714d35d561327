"""What users write for chunks: all spellings, and what is refused."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.base.errors import ChunkError, UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.normalize import normalize_chunks

LIMIT = 2**27
shapes = st.lists(st.integers(0, 5000), max_size=3).map(tuple)


def chunks_of(chunks, shape, itemsize=8, limit=LIMIT, **options):
    return normalize_chunks(chunks, shape, itemsize, limit, **options)


@pytest.mark.parametrize(
    ("chunks", "shape", "expected"),
    [
        (4, (10, 6), ((4, 4, 2), (4, 2))),
        ((4, -1), (10, 6), ((4, 4, 2), (6,))),
        ((4, None), (10, 6), ((4, 4, 2), (6,))),
        (-1, (10, 6), ((10,), (6,))),
        (None, (10, 6), ((10,), (6,))),
        ({0: 4}, (10, 6), ((4, 4, 2), (6,))),
        ({-1: 4}, (10, 6), ((10,), (4, 2))),
        ({}, (10,), ((10,),)),
        (((3, 7), 6), (10, 6), ((3, 7), (6,))),
        (((3, 0, 7),), (10,), ((3, 0, 7),)),
        ([[3, 7], [6]], (10, 6), ((3, 7), (6,))),
        ((3, 3, 4), (10,), ((3, 3, 4),)),
        ((4,), (10,), ((4, 4, 2),)),
        (100, (10,), ((10,),)),
        (np.int32(4), (10,), ((4, 4, 2),)),
        (np.array([3, 7]), (10,), ((3, 7),)),
        (4, (0, 3), ((0,), (3,))),
        (0, (0,), ((0,),)),
        ((), (0,), ((0,),)),
        (-1, (0,), ((0,),)),
        ("auto", (0, 10), ((0,), (10,))),
        ("auto", (0, 0), ((0,), (0,))),
        ("auto", (), ()),
        ((), (), ()),
        (5, (), ()),
        (None, (), ()),
        ("1 MiB", (2**18,), ((2**17,) * 2,)),
        ("1MB", (250_000,), ((125_000,) * 2,)),
        (".5 kB", (125,), ((42, 42, 41),)),
        ("1KB", (250,), ((125, 125),)),
        (("auto", 10), (100, 20), ((100,), (10, 10))),
        (("800 B", -1), (100, 10), ((10,) * 10, (10,))),
        (("80 B", "80 B"), (10, 10), ((3, 3, 3, 1),) * 2),
    ],
)
def test_spellings(chunks, shape, expected):
    assert chunks_of(chunks, shape) == expected


@pytest.mark.parametrize(
    ("chunks", "shape", "reason"),
    [
        ((3, 4), (10,), "sum to 7, not 10"),
        (((3, 4),), (10,), "sum to 7, not 10"),
        (((11, -1),), (10,), "negative size"),
        (-2, (10,), "block size of -2"),
        (0, (10,), "block size of 0"),
        ((5, 5), (10, 10, 10), "2 of them for 3 axes"),
        ((5,), (), "1 of them for 0 axes"),
        ((), (10,), "sum to 0, not 10"),
        (2.5, (10,), "2.5 for axis 0 is not an integer"),
        (5.0, (10,), "5.0 for axis 0 is not an integer"),
        (((5.0, 5.0),), (10,), "not an integer"),
        (float("nan"), (10,), "not an integer"),
        (True, (10,), "not an integer"),
        ({2: 5}, (10, 10), "no axis 2"),
        ({0: 5, -2: 5}, (10, 10), "named twice"),
        ({"x": 5}, (10, 10), "'x' for an axis is not an integer"),
        ("large", (10,), "neither"),
        ("-1 MiB", (10,), "neither"),
        ("1 XiB", (10,), "neither"),
        (("1 MiB", "2 MiB"), (10, 10), "two different sizes"),
        ((object(), 1), (10, 10), "not an integer"),
    ],
)
def test_refusals_name_shape_and_chunks(chunks, shape, reason):
    with pytest.raises(ChunkError, match=reason) as caught:
        chunks_of(chunks, shape)
    assert str(shape) in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.fixture(scope="module")
def any_number_of_blocks():
    with config.set({"array.max-blocks": 10**12}):
        yield


@pytest.mark.usefixtures("any_number_of_blocks")
@given(shapes, st.integers(1, 10**7), st.integers(0, 16))
def test_automatic_blocks_cover_the_shape_uniformly_within_the_limit(shape, limit, itemsize):
    chunks = chunks_of("auto", shape, itemsize, limit)
    assert tuple(map(sum, chunks)) == shape
    for sizes in chunks:
        assert len(set(sizes[:-1])) <= 1
        assert sizes[-1] <= sizes[0]
    assert prod(sizes[0] for sizes in chunks) * itemsize <= max(limit, itemsize)
    assert chunks_of(f"{limit} B", shape, itemsize) == chunks


@pytest.mark.usefixtures("any_number_of_blocks")
@given(shapes, st.data())
def test_every_mixture_covers_the_shape(shape, data):
    spec = st.one_of(st.just("auto"), st.just(-1), st.none(), st.integers(1, 6000))
    specs = tuple(data.draw(spec) for _ in shape)
    chunks = chunks_of(specs, shape, limit=10**6)
    assert tuple(map(sum, chunks)) == shape
    for spec, length, sizes in zip(specs, shape, chunks, strict=True):
        if spec in (-1, None):
            assert sizes == (length,)
        elif spec != "auto" and length:
            assert max(sizes) == min(spec, length)


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.integers(1, 10**7),
)
def test_automatic_blocks_are_multiples_of_stored_chunks_that_fit(shape, stored, limit):
    previous = chunks_of(stored, shape)
    unit = tuple(sizes[0] for sizes in previous)
    chunks = chunks_of("auto", shape, 1, limit, previous=previous)
    assert prod(sizes[0] for sizes in chunks) <= limit
    if prod(unit) <= limit:
        for sizes, whole in zip(chunks, unit, strict=True):
            assert all(size % whole == 0 for size in sizes[:-1])


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
    st.integers(1, 10**6),
)
def test_the_unit_multiple_is_kept_whatever_the_limit(shape, stored, multiple, limit):
    previous = chunks_of(stored, shape)
    for before in (None, previous):
        chunks = chunks_of("auto", shape, 1, limit, previous=before, unit_multiple=multiple)
        for sizes, unit in zip(chunks, multiple, strict=True):
            assert all(size % unit == 0 for size in sizes[:-1])
    chunks = chunks_of("auto", shape, 1, limit, unit_multiple=7)
    assert all(size % 7 == 0 for sizes in chunks for size in sizes[:-1])


def test_none_keeps_previous_sizes():
    previous = ((3, 7), (2, 4))
    assert chunks_of(None, (10, 6), previous=previous) == previous
    assert chunks_of({1: -1}, (10, 6), previous=previous) == ((3, 7), (6,))
    assert chunks_of((None, 3), (10, 6), previous=previous) == ((3, 7), (3, 3))


UNKNOWN = (Unknown("t", 0), Unknown("t", 1))
LENGTH = Unknown("t", -1)


def test_unknown_axes_pass_through():
    previous = (UNKNOWN, (6,))
    shape = (LENGTH, 6)
    assert chunks_of({1: 3}, shape, previous=previous) == (UNKNOWN, (3, 3))
    assert chunks_of("auto", shape, previous=previous) == previous
    assert chunks_of((UNKNOWN, 3), shape) == (UNKNOWN, (3, 3))
    assert chunks_of(-1, (LENGTH,), previous=(UNKNOWN[:1],)) == (UNKNOWN[:1],)


@pytest.mark.parametrize("chunks", [5, -1, (5, 6), ((3, 3), -1), "auto"])
def test_unknown_axes_cannot_be_cut(chunks):
    previous = None if chunks == "auto" else (UNKNOWN, (6,))
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        chunks_of(chunks, (LENGTH, 6), previous=previous)


def test_long_chunks_are_abbreviated_in_errors():
    with pytest.raises(ChunkError) as caught:
        chunks_of(((1,) * 100_000,), (10,))
    assert len(str(caught.value)) < 200


def test_gigantic_axes_cost_nothing():
    sizes = chunks_of("1 GiB", (100_000, 100_000))
    assert sizes == ((11112,) * 8 + (11104,),) * 2
