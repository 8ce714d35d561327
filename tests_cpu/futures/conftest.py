import pytest

import gpuscale as gs


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture
def lonely():
    """A client of one thread."""
    with gs.Client(threads_per_worker=1) as client:
        yield client
