"""A module imports lower floors or its own folder: never sideways, never up, never the root.

Modules that lie directly in gpuscale/ on one floor, as collection.py and run.py, share a folder.

The floors are read from the map in README.md, so the map that people read is the one in force.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The kernels stand below all floors; what is tested with stands beside them, and nobody imports it.
GROUND = "kernels"
BESIDE = "testing"

# The only places that may import the libraries of a device.
DEVICE_LIBRARIES = {"cupy", "cudf"}
DEVICE_PLACES = ("gpuscale/backends/", "gpuscale/memory/pool.py", "gpuscale/codegen/target_cuda.py")


def read_floors(text: str) -> dict[str, int]:
    """Return ``{folder: floor}`` from the fenced map, one or two entries a line.

    An entry is a number and names, two spaces before each; three or more start the explanation.
    """
    (block,) = re.findall(r"^```floors\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    entries = re.findall(r"(?<!\S)(\d+)((?:  [\w.]+)+)(?=   |\s*$)", block, flags=re.MULTILINE)
    return {name.removesuffix(".py"): int(n) for n, names in entries for name in names.split()}


FLOORS = read_floors((ROOT / "README.md").read_text())

FILES = {path.stem for path in (ROOT / "gpuscale").glob("*.py")}


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of all that a module imports when it runs, local imports too.

    ``from a import b`` yields ``a.b``, which is right for modules and harmless for other names.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".") if is_package else module.split(".")[:-1]
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imports(ast.Module(node.orelse, []), module, is_package)
        else:
            if isinstance(node, ast.Call):
                values = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                texts = [value for value in values if isinstance(value, str)]
                if texts and "import" in ast.unparse(node.func):
                    yield from ((node.lineno, text) for text in texts)
            yield from imports(node, module, is_package)


def complaint(importer: str, imported: str) -> str | None:
    """Say what is wrong with an import inside the package, None if nothing is."""
    parts = imported.split(".")
    if parts[0] == GROUND:
        return "the kernels are called gpuscale.kernels"
    if parts[0] != "gpuscale":
        return None
    home = importer.split(".")[1] if "." in importer else ""
    folder = parts[1] if len(parts) > 1 else ""
    if not home or home == BESIDE or folder == home:
        return None
    if folder == BESIDE:
        return "only tests import gpuscale.testing"
    if folder == GROUND:
        return None
    if home == GROUND:
        return "kernels import nothing of gpuscale"
    if folder not in FLOORS:
        return "the package root stands above all floors"
    if {folder, home} <= FILES and FLOORS[folder] == FLOORS[home]:
        return None
    if FLOORS[folder] >= FLOORS[home]:
        return f"floor {FLOORS[home]} ({home}) imports floor {FLOORS[folder]} ({folder})"
    return None


def modules() -> Iterator[tuple[Path, str, bool]]:
    for folder, prefix in ((ROOT / "gpuscale", ""), (ROOT / GROUND, "gpuscale.")):
        for path in sorted(folder.rglob("*.py")):
            parts = list(path.relative_to(folder.parent).with_suffix("").parts)
            is_package = parts[-1] == "__init__"
            yield path, prefix + ".".join(parts[: len(parts) - is_package]), is_package


@functools.cache
def all_imports() -> list[tuple[str, str, str, int]]:
    return [
        (str(path.relative_to(ROOT)), module, imported, line)
        for path, module, is_package in modules()
        for line, imported in imports(ast.parse(path.read_text()), module, is_package)
    ]


def test_the_map_places_every_folder():
    assert FLOORS["base"] == 0
    assert FLOORS["collection"] == 8
    assert len(FLOORS) == 23
    placed = {*FLOORS, GROUND, BESIDE, "__init__"}
    found = {p.stem for p in (ROOT / "gpuscale").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert found - {"__pycache__"} - placed == set(), "give these a floor in README.md"


def test_imports_go_down():
    wrong = [
        f"{path}:{line} imports {imported}: {why}"
        for path, module, imported, line in all_imports()
        if (why := complaint(module, imported))
    ]
    assert not wrong, "\n".join(wrong)


def test_device_libraries_are_imported_only_behind_the_seams():
    wrong = [
        f"{path}:{line} imports {imported}"
        for path, _, imported, line in all_imports()
        if imported.split(".")[0] in DEVICE_LIBRARIES and not path.startswith(DEVICE_PLACES)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "source", "caught"),
    [
        ("gpuscale.chunks.a", "from gpuscale.base import config", False),
        ("gpuscale.chunks.a", "from gpuscale.chunks.b import f", False),
        ("gpuscale.chunks.a", "from . import b", False),
        ("gpuscale.chunks.a", "from gpuscale.kernels.philox import rounds", False),
        (
            "gpuscale.chunks.a",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import gpuscale.array",
            False,
        ),
        ("gpuscale.chunks.a", "import gpuscale", True),
        ("gpuscale.chunks.a", "from gpuscale import compute", True),
        ("gpuscale.chunks.a", "from ..array import ones", True),
        ("gpuscale.chunks.a", "def f():\n    import gpuscale.expr.node", True),
        ("gpuscale.chunks.a", "import importlib\nimportlib.import_module('gpuscale.run')", True),
        ("gpuscale.chunks.a", "from gpuscale.testing import assert_eq", True),
        ("gpuscale.chunks.a", "from kernels import philox", True),
        ("gpuscale.codegen.a", "from gpuscale.memory import limits", True),
        ("gpuscale.run", "from gpuscale.collection import Collection", False),
        ("gpuscale.run", "from gpuscale.diagnostics import progress", False),
        ("gpuscale.kernels.philox.a", "from gpuscale.base import errors", True),
        ("gpuscale.kernels.philox.a", "from .rounds import f", False),
    ],
)
def test_the_checker_itself(module, source, caught):
    found = [complaint(module, name) for _, name in imports(ast.parse(source), module, False)]
    assert any(found) == caught
