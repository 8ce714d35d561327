import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.driver.cores import cores_in, cores_of


def test_cores_over_several_words():
    assert cores_of([1 << 63, 1]) == "63-64"


@given(st.frozensets(st.integers(0, 200)))
def test_what_is_written_is_read(cores):
    words = [sum(1 << core - start for core in cores if 0 <= core - start < 64)
             for start in range(0, 256, 64)]  # fmt: skip
    assert cores_in(cores_of(words)) == cores


def test_what_is_no_range_is_refused():
    with pytest.raises(ValueError, match="x"):
        cores_in("0-x")
