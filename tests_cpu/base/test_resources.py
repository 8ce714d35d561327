import pytest

from gpuscale.base.resources import check_number, check_resources


def test_amounts_are_copied():
    given = {"GPU": 1, "disk": 0.5}
    assert check_resources(given) == given
    assert check_resources(given) is not given


@pytest.mark.parametrize(
    ("resources", "error", "said"),
    [
        ("GPU", TypeError, "such as {\"GPU\": 1}, not 'GPU'"),
        ({1: 1}, TypeError, "have names"),
        ({"GPU": True}, TypeError, "resource 'GPU' is a number, at least 0, not True"),
        ({"GPU": -1}, ValueError, "not -1"),
        ({"GPU": float("nan")}, ValueError, "not nan"),
    ],
)
def test_what_is_no_amount_is_refused(resources, error, said):
    with pytest.raises(error) as caught:
        check_resources(resources)
    assert said in str(caught.value)


def test_a_number_may_be_as_small_as_the_least():
    check_number(2, 2, "it is at least 2")
    with pytest.raises(ValueError, match="it is at least 2, not 1"):
        check_number(1, 2, "it is at least 2")
