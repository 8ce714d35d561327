import json

import pytest

from gpuscale.base import config
from gpuscale.base.options import OPTIONS
from gpuscale.cli.main import main

DEFAULTS = {option.key: option.default for option in OPTIONS}


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A file sets one option, the environment another."""
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "a.yaml").write_text("array:\n  split_every: 8\n")
    (folder / "b.yaml").write_text("array:\n  split-every: 9\nnum-workers: 3\n")
    monkeypatch.setenv("GPUSCALE_CONFIG", str(folder))
    monkeypatch.setenv("GPUSCALE_NUM_WORKERS", "2")
    config.refresh()
    yield folder
    monkeypatch.undo()
    config.refresh()


def test_all_options_are_listed(settings, capsys):
    assert main(["config", "list"]) == 0
    listed = capsys.readouterr().out
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in listed.splitlines()}
    assert {*rows} == {*config.to_dict()}
    assert rows["num-workers"] == [
        "2",
        f"the environment variable GPUSCALE_NUM_WORKERS (by default {DEFAULTS['num-workers']})",
    ]
    assert rows["array.split-every"] == [
        "9",
        f"{settings / 'b.yaml'} (by default {DEFAULTS['array.split-every']})",
    ]
    assert rows["engine"] == ["threads", "default"]
    assert main(["config"]) == 0
    assert capsys.readouterr().out == listed


def test_options_for_programs(settings, capsys):
    assert main(["config", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["array.split-every"] == {
        "value": 9,
        "source": str(settings / "b.yaml"),
        "default": DEFAULTS["array.split-every"],
    }
    assert main(["config", "get", "engine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"value": "threads", "source": "default"}


def test_one_option_is_explained(capsys):
    with config.set(engine="sync"):
        assert main(["config", "get", "engine"]) == 0
    said = capsys.readouterr().out
    assert "GPUSCALE_ENGINE" in said
    assert "this program" in said


def test_mistakes_are_told(settings, capsys):
    assert main(["config", "get", "engin"]) == 2
    assert "did you mean engine?" in capsys.readouterr().err
    (settings / "b.yaml").write_text("engine: 5\n")
    config._loaded.clear()
    assert main(["config", "list"]) == 2
    assert "engine" in capsys.readouterr().err
    (settings / "b.yaml").unlink()


def test_options_of_clusters_are_listed(capsys):
    assert main(["config", "clusters"]) == 0
    rows = {row.split()[0]: row.split()[1:] for row in capsys.readouterr().out.splitlines()}
    assert rows["memory_limit"][:2] == ["auto", "LocalCluster,"]
    assert rows["scheduler_port"] == ["0", "LocalCluster,", "LocalCUDACluster"]
    assert main(["config", "clusters", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {*found} == {*rows} and found["port"]["flags"] == ["--port"]
