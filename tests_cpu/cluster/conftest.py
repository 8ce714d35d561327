"""What tests of clusters leave is collected when nothing waits for it."""

import gc

import pytest


@pytest.fixture(scope="module", autouse=True)
def what_other_modules_left_is_no_garbage():
    """Nor is it looked through after each test below."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clients_without_a_scheduler_are_collected():
    """A client that found no scheduler closes when it is collected.

    In the midst of making another one that waits for a lock which that one holds, for ever.
    """
    yield
    gc.collect()
