"""Texts that a kernel numbers have the numbers that pandas gives them; or nobody tries."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gpuscale.base import config
from gpuscale.dataframe.algorithms.texts import (
    different_texts,
    in_one_piece,
    numbered_texts,
    texts_at,
)


@pytest.mark.parametrize("dtype", ["str", "string[pyarrow]"])
def test_texts_of_slices_and_of_several_chunks_are_numbered(dtype):
    texts = pd.Series(["x", "long enough for words", None, "", "x", None, "y"] * 3, dtype=dtype)
    for part in (texts, texts[3:9], texts[::2], texts[:0], pd.concat([texts[5:], texts[2:8]])):
        numbers, distinct = pd.factorize(part, use_na_sentinel=False)
        ids, first = numbered_texts(part.array)
        assert ids.tolist() == numbers.tolist()
        pd.testing.assert_index_equal(pd.Index(texts_at(part.array, first)), distinct)


def test_offsets_may_be_followed_by_some_bytes():
    offsets = np.array([0, 1, 2, 3]).tobytes() + b"abc"
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"bab")]
    texts = pa.Array.from_buffers(pa.large_string(), 3, buffers)
    column = pd.StringDtype(na_value=np.nan).__from_arrow__(texts)
    assert numbered_texts(column)[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("dtype", ["str", "string[pyarrow]", "int64", "category"])
def test_columns_in_one_piece_are_the_same(dtype):
    parts = [pd.Series(["1", "2"], [5, 6], dtype, name="t"), pd.Series(["3"], [5], dtype, name="t")]
    for column in (pd.concat(parts), parts[0], parts[0].iloc[:0]):
        pd.testing.assert_series_equal(in_one_piece(column), column)


def test_few_texts_and_others_are_left_to_pandas():
    texts = pd.Series(["b", "a", "b"], dtype="str")
    assert different_texts(texts) is None
    with config.set({"codegen.min-elements": 0}):
        ids, first = different_texts(texts)
        assert ids.tolist() == [0, 1, 0] and first.tolist() == [0, 1]
        for other in ("category", "object", "string[python]"):
            assert different_texts(texts.astype(other)) is None
        assert different_texts(pd.Index(texts)) is None
