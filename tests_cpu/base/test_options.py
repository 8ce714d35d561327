"""The table of options is sound, and each option checks its values."""

import pytest

from gpuscale.base.errors import ConfigError
from gpuscale.base.options import OPTIONS, Option


def test_names_are_unique_and_sorted_words_with_hyphens():
    keys = [option.key for option in OPTIONS]
    assert len({*keys}) == len(keys)
    assert all(key == key.lower() and "_" not in key for key in keys)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_default_is_a_value_that_the_option_takes(option):
    assert option.check(option.default) == option.default
    assert option.help.endswith(".")


def test_a_bool_is_not_an_int():
    with pytest.raises(ConfigError, match="it takes int, at least 0"):
        Option("num-workers", (int,), "threads", 0, "Threads.", minimum=0).check(True)


def test_numbers_below_the_minimum_and_strings_beyond_the_choices_are_refused():
    with pytest.raises(ConfigError, match="at least 2"):
        Option("split", (int,), "", 4, "Split.", minimum=2).check(1)
    with pytest.raises(ConfigError, match="'numpy' or 'cupy'"):
        Option("backend", (str,), "", "numpy", "B.", choices=("numpy", "cupy")).check("torch")


@pytest.mark.parametrize("text", ["true", "On", "YES"])
def test_words_of_truth_from_a_shell_become_bools(text):
    assert Option("enabled", (bool,), "", False, "Enabled.").check(text) is True
