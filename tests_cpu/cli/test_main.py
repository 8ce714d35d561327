import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from pkgutil import resolve_name

import pytest

import gpuscale
from gpuscale.base import version as base_version
from gpuscale.cli.main import main


def test_the_script_is_this_function():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert resolve_name(project["scripts"]["gpuscale"]) is main
    for name, place in project["scripts"].items():
        assert callable(resolve_name(place)), name


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--version"], 0, f"gpuscale {gpuscale.__version__}"),
        (["--help"], 0, "doctor"),
        (["doctor", "--help"], 0, "--self-test"),
        ([], 2, "the following arguments are required: command"),
        (["docter"], 2, "invalid choice"),
        (["doctor", "--quick"], 2, "unrecognized arguments: --quick"),
    ],
)
def test_what_argparse_answers(arguments, status, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == status
    assert words in "".join(capsys.readouterr())


def test_a_version_of_a_package_that_is_not_installed(monkeypatch, capsys):
    def refuse(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(base_version, "version", refuse)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert "run from its source" in capsys.readouterr().out
    monkeypatch.delitem(vars(gpuscale), "__version__", raising=False)
    assert gpuscale.__version__ == "0+unknown"


def test_as_a_module():
    command = [sys.executable, "-m", "gpuscale.cli", "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split()[1] == gpuscale.__version__


def test_help_is_quick():
    """Reading the arguments loads no numbers: what a command needs, it imports when it runs."""
    script = (
        "import sys\nfrom gpuscale.cli.main import main\n"
        "try:\n    main(['doctor', '--help'])\n"
        "except SystemExit:\n    assert not {'numpy', 'numba', 'cupy'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_reader_that_leaves():
    command = f"'{sys.executable}' -m gpuscale.cli doctor | head -c 1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("g", "")
