import numpy as np
import pytest

from gpuscale.base.errors import GpuscaleError
from gpuscale.io.functions import FunctionReader

X = np.arange(30).reshape(5, 6)


def read(region):
    return X[region].tolist()


def test_pieces_are_arrays_of_the_dtype():
    reader = FunctionReader(read, X.shape, np.dtype("f4"))
    piece = reader.read((slice(1, 9, 2), slice(0, 3)))
    assert piece.dtype == np.float32
    np.testing.assert_array_equal(piece, X[1::2, :3])


def test_the_function_is_the_identity():
    tokens = {FunctionReader(f, X.shape, X.dtype).token for f in (read, read, len)}
    assert len(tokens) == 2


def test_a_piece_of_another_shape_is_refused():
    reader = FunctionReader(lambda region: X, X.shape, X.dtype)
    with pytest.raises(GpuscaleError, match=r"of shape \(2, 6\), and returned shape \(5, 6\)"):
        reader.read((slice(0, 2), slice(None)))
