"""Which packages are installed, from their metadata: nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gpuscale.checkup.versions import Requirement, canonical, parse_requirement, release

__all__ = ["FAMILIES", "Installed", "cuda_major", "read_installed"]

#: What a package is called here -> the names that it goes by: wheels for one version of CUDA each,
#: and what conda or a build from source calls it.
FAMILIES: dict[str, tuple[str, ...]] = {
    name: (*(f"{name}-{suffix}" for suffix in suffixes), *others)
    for name, suffixes, others in (
        ("cupy", ("cuda13x", "cuda12x", "cuda11x"), ("cupy",)),
        ("numba-cuda", (), ("numba-cuda",)),
        ("cuda-bindings", (), ("cuda-bindings",)),
        ("rmm", ("cu13", "cu12"), ("rmm",)),
        ("cudf", ("cu13", "cu12"), ("cudf",)),
        ("ucxx", ("cu13", "cu12"), ("ucxx",)),
        ("distributed-ucxx", ("cu13", "cu12"), ("distributed-ucxx",)),
        ("ucx-py", ("cu13", "cu12", "cu11"), ("ucx-py",)),
        ("nvidia-ml-py", (), ("nvidia-ml-py",)),
    )
}

#: What is shown of the packages for the CPU.
ON_CPU = (
    *("numpy", "numba", "llvmlite", "pandas", "pyarrow"),
    *("distributed", "dask-jobqueue", "zarr", "h5py", "bokeh"),
)


@dataclass(frozen=True)
class Installed:
    """The packages of this environment.

    Parameters
    ----------
    versions : mapping of str to str
        Version by canonical name.
    requires : mapping of str to tuple of str
        What packages say that they require, by canonical name.
    """

    versions: Mapping[str, str]
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, family: str) -> list[str]:
        """Names of the installed packages of a family, or of the one package of that name.

        Examples
        --------
        >>> Installed({"cupy-cuda12x": "13.6.0"}).of("cupy")
        ['cupy-cuda12x']
        """
        return [name for name in FAMILIES.get(family, (family,)) if name in self.versions]

    def requirements(self, name: str, extra: str | None = None) -> Iterator[Requirement]:
        """Yield what a package requires, always or for an extra, its other extras resolved."""
        for text in self.requires.get(name, ()):
            found = parse_requirement(text)
            if found is None or found.extra != extra:
                continue
            if found.name != name:
                yield found
            for other in found.extras if found.name == name else ():
                yield from self.requirements(name, other)

    def shown(self) -> dict[str, str | None]:
        """Return versions by name, None for what is missing; a family is shown by what is there."""
        found: dict[str, str | None] = {name: self.versions.get(name) for name in ON_CPU}
        for family in FAMILIES:
            nothing = (family,) if family != "ucx-py" else ()  # archived, so that nobody misses it
            for name in self.of(family) or nothing:
                found[name] = self.versions.get(name)
        return found


def cuda_major(name: str, version: str = "") -> int | None:
    """Return the version of CUDA that a package was built for, None where its name does not say.

    Examples
    --------
    >>> cuda_major("cupy-cuda13x"), cuda_major("rmm-cu12"), cuda_major("cupy")
    (13, 12, None)
    >>> cuda_major("cuda-bindings", "13.0.1")
    13
    """
    if name == "cuda-bindings":
        return next(iter(release(version)), None)
    match = re.search(r"-cu(?:da)?(\d\d)x?$", name)
    return int(match[1]) if match else None


def read_installed() -> Installed:
    """Read the packages of this environment."""
    from importlib.metadata import distributions

    watched = {"gpuscale", *ON_CPU, *(name for names in FAMILIES.values() for name in names)}
    versions: dict[str, str] = {}
    requires: dict[str, tuple[str, ...]] = {}
    for each in distributions():
        said = each.metadata["Name"] if each.metadata else None
        if not said or canonical(said) in versions:  # the first on the path is what Python imports
            continue
        name = canonical(said)
        versions[name] = each.metadata["Version"] or ""
        if name in watched:
            requires[name] = tuple(each.requires or ())
    return Installed(versions, requires)
