import pytest

from gpuscale.base import config
from gpuscale.base.errors import ConfigError, EngineError
from gpuscale.base.options import OPTIONS
from gpuscale.engines import base
from gpuscale.engines.base import Engine, engine_names, get_engine
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine


class Refusing(Engine):
    """An engine that runs nothing, as a package might bring."""

    name = "refusing"

    def run(self, graph, keys, *, listeners=(), on_error="raise"):
        raise RuntimeError("nothing runs here")


def test_engines_by_name():
    assert isinstance(get_engine("sync"), SyncEngine)
    assert isinstance(get_engine("threads"), ThreadsEngine)
    assert get_engine("threads") is get_engine("threads")


def test_the_option_decides_without_a_name():
    assert get_engine() is get_engine("threads")
    with config.set(engine="sync"):
        assert get_engine() is get_engine("sync")


def test_options_give_an_engine_of_their_own():
    engine = get_engine("threads", num_workers=7)
    assert engine is not get_engine("threads")
    assert engine is get_engine("threads", num_workers=7)
    with pytest.raises(EngineError, match="'sync' does not take {'num_workers': 7}"):
        get_engine("sync", num_workers=7)


def test_an_engine_is_itself():
    engine = Refusing()
    assert get_engine(engine) is engine
    with pytest.raises(EngineError, match="exists already"):
        get_engine(engine, num_workers=2)


def test_the_option_takes_the_engines_that_there_are():
    with pytest.raises(
        ConfigError, match="option engine .* it takes 'threads' or 'sync' or 'distributed'$"
    ):
        config.set(engine="dsk")
    (option,) = [each for each in OPTIONS if each.key == "engine"]
    assert set(option.choices) | {"refusing"} >= set(engine_names()) == set(base._BUILT_IN)
    assert option.plugins == base.ENTRY_POINTS


def test_unknown_engines_are_named_with_the_known_ones():
    with pytest.raises(
        EngineError, match="no engine 'dsk'; there are 'distributed', 'sync', 'threads'$"
    ):
        get_engine("dsk")


def test_a_package_may_bring_an_engine(monkeypatch, tmp_path):
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{base.ENTRY_POINTS}]\nplugged = plugin:Refusing\n")
    (tmp_path / "plugin.py").write_text(
        "from gpuscale.engines.base import Engine\n"
        "class Refusing(Engine):\n"
        "    name = 'plugged'\n"
        "    def run(self, graph, keys, *, listeners=(), on_error='raise'):\n"
        "        raise RuntimeError('nothing runs here')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(base, "_engines", {})
    assert "plugged" in engine_names()
    with config.set(engine="plugged"):
        assert get_engine().name == "plugged"
    with pytest.raises(RuntimeError, match="nothing runs here"):
        get_engine("plugged").persist({}, [])


def test_an_engine_must_run():
    with pytest.raises(TypeError, match="abstract"):
        Engine()
