"""Memory of the fake device is counted while arrays are alive, and limited."""

import gc

import pytest

from gpuscale.testing.fake_device import POOL


@pytest.fixture(autouse=True)
def nothing_else_is_freed():
    gc.collect()


def test_memory_is_counted_while_arrays_live(xp):
    before = POOL.used
    x = xp.zeros(1000)
    assert POOL.used - before == 8000
    view = x[::2].reshape(2, -1)
    assert POOL.used - before == 8000
    del x
    assert POOL.used - before == 8000
    del view
    assert POOL.used == before


def test_the_peak_and_the_limit(xp):
    x = xp.zeros(1000)
    with POOL.limited_to(10_000):
        y = x + 1
        assert POOL.peak - POOL.used == 0
        with pytest.raises(MemoryError, match=r"Out of memory allocating 8,000 bytes \(allocated"):
            y + 1
        del y
        y = x + 1
    assert (y + x)[0].item() == 1
    assert POOL.limit is None


@pytest.mark.parametrize(
    ("size", "said"),
    [(-5, "cannot be -5"), ("much", "cannot read 'much'"), (0.5, "no size"), ("50 %", "no size")],
)
def test_limits_that_are_none_are_refused(size, said):
    with pytest.raises(ValueError, match=said), POOL.limited_to(size):
        pass
    assert POOL.limit is None


def test_a_limit_in_words(xp):
    with POOL.limited_to("8 kB"):
        x = xp.zeros(1000)
        with pytest.raises(MemoryError):
            x + 1


def test_the_allocation_that_fails_is_counted_from_one():
    with pytest.raises(ValueError, match="the first for 1, not 0"), POOL.failing(0):
        pass


def test_the_error_is_that_of_cupy_or_named_like_it(xp):
    with POOL.limited_to(10), pytest.raises(MemoryError) as caught:
        xp.zeros(100)
    assert type(caught.value).__name__ == "OutOfMemoryError"
