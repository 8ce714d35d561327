"""The targets of hand-written kernels: every test of an operation runs on both."""

import pytest

from .cuda_harness import Server, Target


@pytest.fixture(scope="session")
def simulator():
    server = Server("simulate")
    yield server
    server.close()


@pytest.fixture(scope="session")
def compiler():
    server = Server("compile")
    yield server
    server.close()


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def target(request):
    server = request.getfixturevalue("simulator") if request.param == "cuda" else None
    return Target(request.param, server)
