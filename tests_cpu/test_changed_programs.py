"""Kept results of a program whose text changed since, each run a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gpuscale as gs

PROGRAMS = {
    "attribute of a function": "def f(x): return x + f.k\nf.k = {0}",
    "annotation": "def f(x: 'k{0}'): return x + int(f.__annotations__['x'][1:])",
    "annotation of a class": (
        "class A:\n  x: 'k{0}'\ndef f(x): return x + int(A.__annotations__['x'][1:])"
    ),
    "attribute of an object": "class A: k = {0}\ndef f(x): return x + A().k",
    "attribute of a class": "class A: k = {0}\ndef f(x): return x + A.k",
    "enumeration": "import enum\nclass E(enum.Enum): A = {0}\ndef f(x): return x + E.A.value",
    "dataclass": (
        "import dataclasses, typing\n@dataclasses.dataclass\nclass E:\n"
        "  up: typing.Optional['E'] = None\n  k: int = {0}\ndef f(x): return x + E().k"
    ),
    "factory": (
        "import dataclasses\n@dataclasses.dataclass\nclass E:\n"
        "  k: list = dataclasses.field(default_factory=lambda: [{0}])\n"
        "def f(x): return x + E().k[0]"
    ),
    "metaclass": (
        "class M(type):\n  def k(cls): return {0}\nclass A(metaclass=M): ...\n"
        "def f(x): return x + A.k()"
    ),
    "pattern": "import re\nR = re.compile('(a|b){{{0}}}')\ndef f(x): return len(R.match('ab')[0])",
    "proxy": "import types\nV = types.MappingProxyType(dict(a={0}))\ndef f(x): return x + V['a']",
    "settings": (
        "import types\nsettings = types.ModuleType('settings')\n"
        "exec('class A: k = {0}', vars(settings))\ndef f(x): return x + settings.A.k"
    ),
    "errors": (
        "import numpy as np\n@np.errstate(all=('raise', 'ignore')[{0} - 1])\ndef f(x):\n"
        "  try: np.float64(x) / 0\n  except FloatingPointError: return 1\n  return 2"
    ),
}
SCRIPT_ONLY = "proxy", True
CALL = "\nprint(gs.persist(gs.delayed(f)(3), path='kept')[0].compute(), f(3))"


def run(folder, text, seed):
    (folder / "program.py").write_text(text)
    path = os.pathsep.join([str(folder), str(Path(gs.__file__).parents[1])])
    environment = {"PYTHONPATH": path, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), len(list((folder / "kept").iterdir()))


# Dictionaries among the globals of a module's file may be filled by it, as the page says.
@pytest.mark.parametrize(
    "name, in_module",
    [(name, place) for name in PROGRAMS for place in (False, True) if (name, place) != SCRIPT_ONLY],
)
def test_a_changed_program_computes_again_and_the_same_does_not(tmp_path, name, in_module):
    kept = []
    for value, seed in [(1, "1"), (1, "2"), (2, "1")]:
        source = "import gpuscale as gs\n" + PROGRAMS[name].format(value)
        if in_module:
            (tmp_path / "library.py").write_text(source)
            source = "import gpuscale as gs\nfrom library import f"
        (got, wanted), count = run(tmp_path, source + CALL, seed)
        assert got == wanted
        kept.append(count)
    assert kept == [1, 1, 2]


def test_classes_of_other_modules_count(tmp_path):
    (tmp_path / "library.py").write_text(
        "import settings\nfrom settings import B\ndef f(x): return x + settings.A.k + B().k()"
    )
    kept = []
    for a, b, seed in [(1, 1, "1"), (1, 1, "2"), (2, 1, "1"), (2, 2, "1")]:
        (tmp_path / "settings.py").write_text(
            "import threading\n"
            f"class A:\n  lock = threading.Lock()\n  k = {a}\nclass B:\n  def k(self): return {b}"
        )
        source = "import gpuscale as gs\nfrom library import f"
        (got, wanted), count = run(tmp_path, source + CALL, seed)
        assert got == wanted
        kept.append(count)
    assert kept == [1, 1, 2, 3]


def test_functions_that_call_each_other_both_count(tmp_path):
    source = (
        (
            "import gpuscale as gs\n"
            "def f(n): return {0} if n == 0 else g(n - 1)\n"
            "def g(n): return 5 if n == 0 else f(n - 1)\n"
            "print(*gs.persist([gs.delayed(f)(1), gs.delayed(g)(1)], path='kept')[0][1:])\n"
        )
        .replace("print(*gs", "for each in gs")
        .replace("[0][1:])", "[0]: print(each.compute())")
    )
    for value in (1, 2):
        found, _ = run(tmp_path, source.format(value), "1")
        assert found == ["5", str(value)]
