"""Rows of tables of Arrow are those that a mask says, however the table lies in memory."""

import numpy as np
import pyarrow as pa
import pytest

from gpuscale.io.arrow_frames import rows_of


@pytest.mark.parametrize("share", [0.0, 0.3, 0.97, 1.0])
def test_rows_are_those_of_a_mask(share):
    rng = np.random.default_rng(0)
    texts = pa.array(rng.choice(["a", "bc", None], 400))
    table = pa.table(
        {
            "number": pa.chunked_array([rng.random(150), rng.random(250)]),
            "text": texts,
            "encoded": pa.chunked_array(
                [texts[:200].dictionary_encode(), texts[200:].dictionary_encode()]
            ),
            "flag": pa.array(rng.choice([True, False, None], 400)),
        },
        metadata={"of": "the table"},
    )
    met = rng.random(400) < share
    found = rows_of(table, met)
    assert found.equals(table.filter(met), check_metadata=True)
    assert rows_of(table.slice(0, 0), met[:0]).num_rows == 0
