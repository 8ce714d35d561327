"""Where options come from, which source wins, and what a mistake is told."""

import threading

import pytest

from gpuscale.base import config
from gpuscale.base.errors import ConfigError


@pytest.fixture(autouse=True)
def only_the_defaults(monkeypatch, tmp_path):
    monkeypatch.setenv("GPUSCALE_CONFIG", str(tmp_path))
    config.refresh()
    yield
    monkeypatch.undo()
    config.refresh()


def test_defaults():
    assert config.get("memory-limit") == "auto"
    assert config.get("array.backend") == "numpy"
    assert config.get("array") == config.config["array"]


def test_hyphen_and_underscore_mean_the_same():
    with config.set({"array.chunk_size": "1 MiB"}):
        assert config.get("array.chunk-size") == config.get("array.chunk_size") == "1 MiB"


def test_set_for_good_nested_and_as_keywords():
    config.set({"array": {"chunk-size": 10, "split-every": 4}}, codegen__enabled=False)
    assert config.get("array.chunk-size") == 10
    assert config.get("array.split-every") == 4
    assert config.get("codegen.enabled") is False


def test_a_context_puts_old_values_back_even_after_an_error():
    with config.set(num_workers=2), pytest.raises(RuntimeError), config.set(num_workers=3):
        raise RuntimeError
    assert config.get("num-workers") == 0


def test_options_are_seen_by_other_threads():
    seen = []
    with config.set({"num-workers": 3}):
        thread = threading.Thread(target=lambda: seen.append(config.get("num-workers")))
        thread.start()
        thread.join()
    assert seen == [3]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
def test_contexts_left_in_any_order_leave_nothing_behind(order):
    contexts = []
    for number in (1, 2, 3):
        contexts.append(config.set({"num-workers": number}))
        contexts[-1].__enter__()
    left = {1, 2, 3}
    for k in order:
        contexts[k].__exit__(None, None, None)
        left.remove(k + 1)
        assert config.get("num-workers") == max(left, default=0)


def test_environment_wins_over_yaml(monkeypatch, tmp_path):
    (tmp_path / "mine.yaml").write_text("engine: sync\nnum_workers: 2\narray:\n  chunk-size: 1 GiB")
    monkeypatch.setenv("GPUSCALE_NUM_WORKERS", "5")
    monkeypatch.setenv("GPUSCALE_MEMORY_LIMIT", "0.5")
    monkeypatch.setenv("GPUSCALE_PROGRESS", "off")
    config.refresh()
    assert config.get("engine") == "sync"
    assert config.get("array.chunk-size") == "1 GiB"
    assert config.get("num-workers") == 5
    assert config.get("memory-limit") == 0.5
    assert config.get("progress") is False


def test_a_mistake_in_the_environment_is_told_and_told_again(monkeypatch):
    monkeypatch.setenv("GPUSCALE_ARRAY__CHUNKSIZE", "1 GiB")
    for _ in range(2):
        with pytest.raises(ConfigError, match="did you mean array.chunk-size") as caught:
            config.refresh()
        assert "variable GPUSCALE_ARRAY__CHUNKSIZE" in str(caught.value)
        assert "config.refresh()" in caught.value.__notes__[0]
    with pytest.raises(ConfigError):
        config.get("engine")


def test_all_mistakes_are_told_at_once_with_where_they_are(monkeypatch, tmp_path):
    (tmp_path / "mine.yaml").write_text("num-workers: many\nspill: maybe")
    monkeypatch.setenv("GPUSCALE_ENGINE", "treads")
    with pytest.raises(ConfigError) as caught:
        config.refresh()
    lines = sorted(str(caught.value).splitlines())
    assert [line.partition(" cannot be ")[0] for line in lines] == [
        "option engine",
        "option num-workers",
        "option spill",
    ]
    assert lines[0] == (
        "option engine cannot be 'treads' (str); it takes 'threads' or 'sync' or 'distributed'; "
        "found in the environment variable GPUSCALE_ENGINE"
    )
    assert str(tmp_path) in lines[1]


@pytest.mark.parametrize("text", ["array: [1,\n", "- 1\n- 2\n"])
def test_a_file_that_is_no_mapping_is_named(monkeypatch, tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match="mine.yaml' is malformed"):
        config.refresh()


def test_unknown_names_and_impossible_values_are_refused_before_anything_is_set():
    with pytest.raises(ConfigError, match="no option colour; there are: array.backend"):
        config.set(colour="red")
    with pytest.raises(KeyError, match="did you mean engine"):
        config.get("engin")
    with pytest.raises(ValueError, match="num-workers cannot be -1"):
        config.set({"engine": "sync", "num-workers": -1})
    assert config.get("engine") == "threads"


@pytest.mark.parametrize("key", ["memory-limit", "array.chunk-size"])
@pytest.mark.parametrize("value", ["abc", "1.5", "-1 GiB"])
def test_a_size_that_cannot_be_read_is_refused_where_it_is_set(key, value):
    with pytest.raises(ConfigError, match=f"option {key}: "):
        config.set({key: value})
    assert config.get("memory-limit") == "auto"


def test_a_limit_of_one_and_a_half_bytes_is_refused_where_it_is_set():
    with pytest.raises(ConfigError, match=r"option memory-limit: 1.5 is not a whole number"):
        config.set({"memory-limit": 1.5})


def test_an_option_may_be_a_dictionary(monkeypatch):
    assert config.get("resources") == {}
    with config.set(resources={"GPU": 1, "disk-a": 0.5}):
        assert config.get("resources") == {"GPU": 1, "disk-a": 0.5}
        with config.set({"resources": {"GPU": 2}}):
            assert config.get("resources") == {"GPU": 2}
    assert config.get("resources") == {}
    monkeypatch.setenv("GPUSCALE_RESOURCES", '{"GPU": 3}')
    config.refresh()
    assert config.get("resources") == {"GPU": 3}


def test_default_and_override():
    assert config.get("no-such-option", default=7) == 7
    assert config.get("engine", override_with="sync") == "sync"


def test_pop_puts_the_default_back():
    config.set(engine="sync")
    assert config.pop("engine") == "sync"
    assert config.get("engine") == "threads"


def test_describe_covers_all_options():
    text = config.describe()
    assert all(key in text for key in config.to_dict())
    assert "GPUSCALE_CODEGEN__MIN_ELEMENTS" in text


def test_no_other_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        config.nothing  # noqa: B018
