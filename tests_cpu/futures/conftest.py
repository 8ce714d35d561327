import gc

import pytest

import gpuscale as gs

from .held import files


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture
def lonely():
    """A client of one thread."""
    with gs.Client(threads_per_worker=1) as client:
        yield client


@pytest.fixture
def own_folder(tmp_path):
    """A folder for results that go to disk, in which none is left at the end."""
    with gs.config.set({"temporary-directory": str(tmp_path)}):
        yield
        gc.collect()
        assert files() == []
