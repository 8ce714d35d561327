"""Our exceptions are caught by code written for NumPy, and their notes say where to look."""

import pytest

from gpuscale.base import errors


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (errors.UnknownSizeError, ValueError),
        (errors.ChunkError, ValueError),
        (errors.MemoryBudgetError, MemoryError),
        (errors.BackendError, RuntimeError),
        (errors.NotSupportedError, NotImplementedError),
        (errors.EngineError, RuntimeError),
        (errors.GraphError, ValueError),
        (errors.ConfigError, KeyError),
        (errors.ConfigError, ValueError),
    ],
)
def test_each_is_both_ours_and_the_type_that_numpy_or_python_would_raise(ours, theirs):
    assert issubclass(ours, errors.GpuscaleError)
    with pytest.raises(theirs):
        raise ours("why")


def test_config_errors_print_without_the_quotes_of_key_error():
    assert str(errors.ConfigError("no option x")) == "no option x"


def test_add_note_keeps_type_and_message_and_says_only_what_is_known():
    error = errors.add_note(ValueError("bad"), operation="sum", shapes=[(3, 4), (4,)])
    assert str(error) == "bad"
    assert error.__notes__ == ["in operation sum\n  shapes: (3, 4), (4,)"]


def test_the_same_is_noted_once():
    error = ValueError("again and again")
    for _ in range(3):
        errors.add_note(error, operation="abs", call="abs(1)")
    errors.add_note(error, operation="abs", call="abs(2)")
    assert len(error.__notes__) == 2


@pytest.mark.parametrize("known", [[{}, {"nbytes": 8}], [{"nbytes": 8}, {}]])
def test_what_says_more_of_the_same_stands_for_it(known):
    error = ValueError("told twice")
    for more in known:
        errors.add_note(error, operation="abs", chunk=(1,), **more)
        errors.add_note(error, operation="sum", chunk=(1,))
    errors.add_note(error, operation="abs", chunk=(10,))
    assert error.__notes__ == [
        "in operation abs\n  chunk: (1,)\n  bytes: 8 B",
        "in operation sum\n  chunk: (1,)",
        "in operation abs\n  chunk: (10,)",
    ]
