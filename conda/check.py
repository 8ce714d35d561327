"""Check the conda files with the parser of rattler-build, and against pyproject.toml.

Run as ``python conda/check.py``; it needs py-rattler-build and PyYAML.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml
from rattler_build import Stage0Recipe

FOLDER = Path(__file__).parent


def wheel_requirements(project: dict[str, Any]) -> set[str]:
    """Return the base requirements as conda spells them, Python included."""
    spelled = (re.sub(r"(?=[<>=!~])", " ", spec, count=1) for spec in project["dependencies"])
    return {f"python {project['requires-python']}", *spelled}


def check_recipe(path: Path, project: dict[str, Any]) -> list[str]:
    """Parse and render the recipe; compare what it says with what the wheel says."""
    (variant,) = Stage0Recipe.from_file(path).render()
    rendered = variant.recipe.to_dict()
    complaints = []
    if str(rendered["package"]["version"]) != project["version"]:
        complaints.append(f"{path.name}: version is not {project['version']}")
    run = set(rendered["requirements"]["run"])
    if run != wheel_requirements(project):
        difference = sorted(run ^ wheel_requirements(project))
        complaints.append(f"{path.name}: run requirements differ from pyproject.toml: {difference}")
    # pip's scripts are not taken into a package for all systems; conda writes them from this list.
    given = yaml.safe_load(path.read_text())["build"]["python"]["entry_points"]
    if set(given) != {f"{name} = {place}" for name, place in project["scripts"].items()}:
        complaints.append(f"{path.name}: entry points differ from pyproject.toml")
    return complaints


def check_environment(path: Path, project: dict[str, Any]) -> list[str]:
    """Parse every spec as a requirement of a recipe; ask that the base install is covered."""
    environment = yaml.safe_load(path.read_text())
    specs = environment["dependencies"]
    stub = {"package": {"name": "x", "version": "1"}, "requirements": {"run": specs}}
    Stage0Recipe.from_yaml(yaml.safe_dump(stub)).render()
    missing = [
        spec
        for spec in sorted(wheel_requirements(project))
        if not any(f"{given},".startswith(f"{spec},") for given in specs)
    ]
    return [f"{path.name}: does not ask for {spec}" for spec in missing]


def main() -> int:
    """Print what is wrong and return the exit status."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())["project"]
    complaints = check_recipe(FOLDER / "recipe.yaml", project)
    for path in sorted(FOLDER.glob("environment-*.yaml")):
        complaints += check_environment(path, project)
    print("\n".join(complaints) or "conda files are sound")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
