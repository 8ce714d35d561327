import numpy as np
import pandas as pd
import pytest

import gpuscale.array  # noqa: F401 - some rows of seams stand higher up than the seams
from gpuscale.backends import frame_seams, seams
from gpuscale.backends.frame_ops import ROWS
from gpuscale.base.dispatch import Dispatch
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing import fake_device


def test_every_seam_is_listed_and_documented():
    found = {name for name, value in vars(seams).items() if isinstance(value, Dispatch)}
    assert found == set(seams.__all__)
    for name in found:
        seam = getattr(seams, name)
        assert seam.name == name
        assert ">>>" in seam.__doc__


@pytest.mark.parametrize("name", seams.__all__)
def test_every_seam_has_a_row_for_numpy(name):

    assert gpuscale.array
    seam = getattr(seams, name)
    for data in (np.ones(3), np.float32(1), np.ma.masked_array([1.0])):
        assert callable(seam.dispatch(type(data)))


# What is said of objects in general is true of those of the host alone.
OF_THE_HOST = {"nbytes", "on_device", "owns_memory", "to_host"}


@pytest.mark.parametrize("name", seams.__all__)
def test_every_seam_has_a_row_for_devices(name):
    """By a row of their own, loaded with CuPy's first array, or by one for all libraries."""
    seam = getattr(seams, name)
    for_all = {object, BaseException} & set(seam._rows) and name not in OF_THE_HOST
    assert for_all or "cupy" in seam._lazy
    with fake_device.active() as xp:
        assert for_all or type(xp.ones(1)) in seam._rows


@pytest.mark.parametrize("seam", [seams.array_namespace, seams.backend_name])
def test_what_is_no_array_is_refused(seam):
    with pytest.raises(
        NotSupportedError, match=rf"{seam.name} is not supported on Python \(list\)"
    ):
        seam([1, 2])


SEAMS_OF_FRAMES = [k for k, v in vars(frame_seams).items() if isinstance(v, Dispatch)]


@pytest.mark.parametrize("name", sorted(set(SEAMS_OF_FRAMES) & set(frame_seams.__all__)))
def test_every_seam_of_frames_has_a_row_for_pandas_and_cudf(name):
    import gpuscale.dataframe  # what pandas has no method for stands higher up

    assert gpuscale.dataframe
    seam = getattr(frame_seams, name)
    assert seam.name == name and ">>>" in seam.__doc__
    assert seam in ROWS and "cudf" in seam._lazy
    assert callable(seam.dispatch(pd.Series))
