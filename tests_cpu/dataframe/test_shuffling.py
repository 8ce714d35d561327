"""Rows in new partitions, in the order of keys or by their hashes, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms.partitioning import codes_of_hashes, cut_by
from gpuscale.testing.frames import assert_eq, frames

SORTABLE = (
    *("int64", "float64", "str", "Int64", "boolean", "datetime64[ns]", "datetime64[us, UTC]"),
    *("category", "timedelta64[ns]", "int64[pyarrow]"),
)


@pytest.fixture
def pdf():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"k": rng.integers(0, 30, 90), "f": rng.random(90), "s": rng.choice(list("abc"), 90)}
    )


@pytest.fixture
def df(pdf):
    return gd.from_pandas(pdf, npartitions=5)


@settings(max_examples=40)
@given(data=st.data())
def test_sorted_as_pandas_does(data):
    frame = data.draw(frames(SORTABLE))
    by = data.draw(st.lists(st.sampled_from(list(frame.columns)), min_size=1, unique=True))
    ascending = data.draw(st.lists(st.booleans(), min_size=len(by), max_size=len(by)))
    position = data.draw(st.sampled_from(["first", "last"]))
    lazy = gd.from_pandas(frame, npartitions=data.draw(st.integers(1, 4)))
    options = {"ascending": ascending, "na_position": position}
    expected = frame.sort_values(by, kind="stable", **options)
    assert_eq(lazy.sort_values(by, **options), expected, check_freq=False)


@pytest.mark.parametrize("npartitions", [1, 2, 127, 128, 129, 257])
def test_all_rows_arrive(npartitions):
    frame = pd.DataFrame({"k": np.random.default_rng(0).permutation(999)})
    lazy = gd.from_pandas(frame, npartitions=3)
    assert_eq(lazy.sort_values("k", npartitions=npartitions), frame.sort_values("k"))
    together = lazy.shuffle("k", npartitions=npartitions)
    assert together.npartitions == npartitions
    assert_eq(together.compute(engine="sync").sort_index(), frame)


def test_series_and_keys(df, pdf):
    assert_eq(df.f.sort_values(), pdf.f.sort_values())
    expected = pdf.f.sort_values(ascending=False, ignore_index=True)
    assert_eq(df.f.sort_values(ascending=False, ignore_index=True), expected)
    backwards = pdf.sort_values("k", key=lambda k: -k, kind="stable")
    assert_eq(df.sort_values("k", key=lambda k: -k), backwards)


def test_equal_keys_are_in_one_partition(df, pdf):
    parts = gpuscale.compute(*df.shuffle(["k", "s"]).to_delayed())
    seen = [set(part[["k", "s"]].itertuples(index=False, name=None)) for part in parts]
    assert sum(map(len, seen)) == len(set.union(*seen))
    assert sum(map(len, parts)) == len(pdf)


def test_an_index_in_order_has_bounds(df, pdf):
    indexed = df.set_index("k")
    assert indexed.known_divisions
    assert indexed.divisions[0] == pdf.k.min()
    assert indexed.divisions[-1] == pdf.k.max()
    assert_eq(indexed, pdf.set_index("k").sort_index(kind="stable"))
    assert_eq(indexed.loc[3:8], pdf.set_index("k").sort_index(kind="stable").loc[3:8])
    kept = df.set_index("k", drop=False, divisions=[0, 10, 29])
    assert kept.npartitions == 2
    assert_eq(kept, pdf.set_index("k", drop=False).sort_index(kind="stable"))
    assert_eq(df.set_index("k", sort=False), pdf.set_index("k"))
    assert_eq(df.set_index(["k", "s"]), pdf.set_index(["k", "s"]))


def test_an_index_that_is_in_order_already(pdf):
    ordered = pdf.assign(t=pd.date_range("2020", periods=len(pdf), freq="h"))
    indexed = gd.from_pandas(ordered, npartitions=4).set_index("t", sorted=True)
    assert indexed.known_divisions
    assert_eq(indexed, ordered.set_index("t"), check_freq=False)
    with pytest.raises(ValueError, match=r"sorted=True"):
        gd.from_pandas(pdf, npartitions=4).set_index("f", sorted=True)


def test_labels_in_order(df, pdf):
    by_k = pdf.set_index("k")
    lazy = df.set_index("k", sort=False)
    assert_eq(lazy.sort_index(), by_k.sort_index(kind="stable"))
    expected = by_k.sort_index(ascending=False, kind="stable")
    assert_eq(lazy.sort_index(ascending=False), expected)


def test_a_sort_larger_than_the_memory_that_it_may_use(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"k": rng.random(200_000), "v": np.arange(200_000)})
    lazy = gd.from_pandas(frame, npartitions=40).map_partitions(lambda part: part.copy())
    options = {
        "memory-limit": int(frame.memory_usage().sum()) // 2,
        "temporary-directory": str(tmp_path),
    }
    with gpuscale.config.set(options):
        total = (lazy.sort_values("k").v * 2).sum().compute()
    assert total == 2 * frame.v.sum()


def test_hashes_are_the_same_for_the_same_keys():
    numbers = [pd.Series([1, 2, None], dtype=dtype) for dtype in ("float64", "Int64", "object")]
    texts = [pd.Series(["a", "b", None], dtype=dtype) for dtype in ("str", "object", "category")]
    times = pd.Series(pd.to_datetime(["2020", "2021", None]))
    for group in (numbers, texts, [times.astype("M8[s]"), times.astype("M8[ns]")]):
        codes = {tuple(codes_of_hashes([key], 1000)) for key in group}
        assert len(codes) == 1


def test_a_lost_row_is_an_error():
    frame = pd.DataFrame({"x": [1, 2, 3]})
    with pytest.raises(AssertionError, match="lost"):
        cut_by(frame, np.array([0, 1]), 2)


def test_bad_input(df):
    with pytest.raises(KeyError, match="did you mean 'k'"):
        df.sort_values("K")
    with pytest.raises(ValueError, match="Length of ascending"):
        df.sort_values(["k", "f"], ascending=[True])
    with pytest.raises(ValueError, match="na_position"):
        df.sort_values("k", na_position="middle")
    with pytest.raises(TypeError, match="on="):
        df.shuffle()
    with pytest.raises(KeyError):
        df.set_index("nothing")


def test_set_index_of_categories_in_no_order_has_no_divisions():
    frame = pd.DataFrame({"k": pd.Categorical(list("bacab"), list("cab")), "v": range(5)})
    lazy = gd.from_pandas(frame, npartitions=3).set_index("k")
    assert not lazy.known_divisions
    assert_eq(lazy, frame.set_index("k").sort_index(kind="stable"))


@pytest.mark.parametrize("name", ["k", "other", None, 0])
def test_the_elements_of_a_series_become_the_index(df, pdf, name):
    lazy, whole = (df.k % 7).rename(name), (pdf.k % 7).rename(name)
    expected = pdf.set_index(whole)
    assert_eq(df.set_index(lazy, sort=False), expected)
    assert_eq(df.set_index(lazy), expected.sort_index(kind="stable"))


def test_hashes_of_objects_are_the_same_in_all_processes():
    one, other = frozenset(["a", "b", "i"]), frozenset(["i", "b", "a", "a"])
    keys = pd.Series([one, other, frozenset([0, 8]), frozenset([8, 0])], dtype=object)
    codes = codes_of_hashes([keys], 1009).tolist()
    assert codes[0] == codes[1] and codes[2] == codes[3]
    with pytest.raises(TypeError, match="same in all processes"):
        codes_of_hashes([pd.Series([object()])], 7)


def test_options_that_mean_nothing_are_named_and_others_refused(df, pdf):
    assert_eq(df.sort_values("k", kind="quicksort"), pdf.sort_values("k", kind="stable"))
    with pytest.raises(TypeError, match="verify_integrity"):
        df.set_index("k", verify_integrity=True)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float32", "int64", "str", "datetime64[s]"])
def test_an_index_has_the_dtype_of_its_column(dtype):
    frame = pd.DataFrame({"k": pd.Series([3, 1, 2, 2]).astype(dtype), "y": range(4)})
    df = gd.from_pandas(frame, npartitions=2)
    assert_eq(df.set_index("k", sort=False), frame.set_index("k"))
    assert_eq(df.set_index("k"), frame.set_index("k").sort_index(kind="stable"))
    kept = df[df.y < 2].set_index(["k"], sort=False)  # none are left in the second
    assert kept.index.dtype == kept.compute(engine="sync").index.dtype == frame.k.dtype


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ascending": False},
        {"ascending": [False, True]},
        {"level": "b"},
        {"level": ["b", "a"], "ascending": [True, False]},
        {"level": 1, "sort_remaining": False, "ascending": False},
        {"level": "a", "na_position": "first", "ignore_index": True},
        {"axis": 1, "ascending": False},
    ],
)
def test_sorting_by_levels_of_an_index(options):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": range(30), "x": 1.5})
    frame.index = pd.MultiIndex.from_arrays(
        [rng.integers(0, 4, 30), rng.choice(list("abc"), 30)], names=["a", "b"]
    )
    df = gd.from_pandas(frame, npartitions=4)
    assert_eq(df.sort_index(**options), frame.sort_index(**{"kind": "stable", **options}))
    if options.get("axis") is None:
        assert_eq(df.y.sort_index(**options), frame.y.sort_index(**{"kind": "stable", **options}))


def test_rows_sorted_by_nothing_stay():
    pdf = pd.DataFrame({"x": [3, 1, 2]}, index=[5, 6, 7])
    df = gd.from_pandas(pdf, npartitions=2)
    assert_eq(df.sort_values([]), pdf)
    assert_eq(df.sort_values([], ignore_index=True), pdf.reset_index(drop=True))
