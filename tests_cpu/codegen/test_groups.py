"""Compiled loops over groups give what NumPy and pandas give."""

import itertools
import math

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen import groups, loops, worth
from gpuscale.codegen.groups import aggregated, number_codes, number_texts, pays

pd = pytest.importorskip("pandas")


def test_numbers_come_in_the_order_of_rows():
    codes = np.random.default_rng(0).integers(-3, 40, 1000)
    ids, first = number_codes(codes, -3, 43)
    numbers, distinct = pd.factorize(codes)
    assert ids.tolist() == numbers.tolist()
    assert codes[first].tolist() == distinct.tolist()


def numbers_of_texts(texts, cuts=()):
    bounds = [0, *cuts, len(texts)]
    return number_texts([buffers_of(texts[a:b]) for a, b in itertools.pairwise(bounds)])


def buffers_of(texts):
    data = [b"" if text is None else text.encode() for text in texts]
    nulls = np.array([text is None for text in texts], np.int8)
    offsets = np.cumsum([0, *map(len, data)])
    return offsets, np.frombuffer(b"".join(data), np.int8), nulls if nulls.any() else None


@pytest.mark.parametrize("distinct", [1, 30, 5000])
@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 17, 24, 40])
@pytest.mark.parametrize("has_nulls", [False, True])
def test_texts_of_any_length_are_told_apart(distinct, length, has_nulls):
    rng = np.random.default_rng(2)
    chosen = rng.integers(0, distinct, 4000)
    sides = rng.integers(0, length, distinct)  # where the number is in a text that is all the same
    texts = [("é" * s + f"{n:x}" + "é" * (length - s))[:length] for n, s in enumerate(sides)]
    column = [None if has_nulls and n % 7 == 3 else texts[n] for n in chosen.tolist()]
    ids, first = numbers_of_texts(column, [7, 7, 2500])
    numbers, values = pd.factorize(np.array(column, object), use_na_sentinel=False)
    assert ids.tolist() == numbers.tolist()
    assert [column[i] for i in first] == [None if each != each else each for each in values]


def test_texts_that_differ_in_length_or_are_not_there():
    zeros = ["\0" * k for k in (3, 0, 8, 7, 0, 9, 16, 3, 17, 33)] + [None, "", None]
    for cuts in ([], [4, 9], [11]):
        ids, first = numbers_of_texts(zeros, cuts)
        assert ids.tolist() == [0, 1, 2, 3, 1, 4, 5, 0, 6, 7, 8, 1, 8]
        assert first.tolist() == [0, 1, 2, 3, 5, 6, 8, 9, 10]
    for nothing in ([], ["", ""], [None]):
        ids, first = numbers_of_texts(nothing)
        assert ids.tolist() == [0] * len(nothing) and first.tolist() == [0] * bool(nothing)


@pytest.mark.parametrize("kind", ["size", "count", "sum", "total", "min", "max"])
@pytest.mark.parametrize("values", ["integers", "numbers", "odd numbers"])
def test_aggregations_are_those_of_pandas(kind, values):
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 9, 500).astype(np.int32)
    column = {
        "integers": rng.integers(-(2**62), 2**62, 500),
        "numbers": rng.normal(size=500) * 10.0 ** rng.integers(-9, 9, 500),
        "odd numbers": rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308], 500),
    }[values]
    column[ids == 3] = -1 if values == "integers" else np.nan
    wide = column.astype(float) if kind == "total" else column
    grouped = pd.Series(wide).groupby(ids)
    expected = getattr(grouped, "sum" if kind == "total" else kind)().to_numpy()
    found = aggregated(kind, ids, None if kind == "size" else column, 9)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_what_rounding_loses_is_kept():
    values = np.full(100_000, 0.1)
    (found,) = aggregated("sum", np.zeros(100_000, np.int32), values, 1)
    assert found == math.fsum(values) != np.cumsum(values)[-1]


@pytest.fixture
def stored(monkeypatch):
    """Loops on the disk, none at first, with nothing grouped yet; compilation is for 3e6 rows."""
    found = set()
    monkeypatch.setattr(loops, "_paid_for", set())
    monkeypatch.setattr(worth, "_interpreted", {})
    monkeypatch.setattr(loops, "is_stored", found.__contains__)
    for name in ("COMPILER", "NUMBA", "LOADER", "LLVM"):
        monkeypatch.setattr(worth, name, 1e7 if name in ("LOADER", "LLVM") else 3e7)
    return found


SUM = [("codes", None), ("sum", np.dtype("i8"))]
MEAN = [("total", np.dtype("f8")), ("count", np.dtype("f8"))]


def test_loops_are_compiled_once_a_library_has_done_as_much(stored):
    assert [pays(1 << 20, SUM) for _ in range(4)] == [False, False, True, True]
    assert not pays(1000, SUM)
    assert not pays(1 << 20, SUM + MEAN)  # two loops more, that nobody has asked for
    with config.set({"codegen.enabled": False}):
        assert not pays(1 << 20, SUM)


def test_loops_on_the_disk_pay_sooner_if_all_that_it_takes_are_there(stored):
    stored.update(groups._helper(*each).source() for each in SUM[1:])
    assert not pays(1 << 20, SUM)
    stored.add(groups._NUMBERED["codes"].source())
    assert pays(1 << 20, SUM) and not pays(1 << 20, SUM + MEAN)


def test_loops_that_number_texts_pay_sooner(stored):
    assert [pays(1 << 20, [(kind, None)]) for kind in ("codes", "texts")] == [False, True]
    assert not pays(1000, [("texts", None)])


def test_loops_pay_for_any_rows_where_the_option_says_so(stored):
    with config.set({"codegen.min-elements": 0}):
        assert pays(1, SUM)
    with config.set({"codegen.min-elements": 1 << 40}):
        assert not pays(1 << 30, MEAN)
