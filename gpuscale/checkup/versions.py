"""What packages require of each other, as far as a table of "name, versions, extra" says it.

The base install has no parser of requirements, and what is asked here are plain lower and upper
bounds. A requirement that depends on anything beside an extra is left to the installer to judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Requirement", "canonical", "parse_requirement", "release"]

_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^]]*)\])?\s*\(?([^;()@]*)\)?\s*(?:;\s*(.*))?", re.DOTALL
)
_EXTRA = re.compile(r"""\(?\s*extra\s*==\s*['"]([^'"]+)['"]\s*\)?\s*""")
_BOUND = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a package.

    Parameters
    ----------
    name : str
        Of the package that is required, in its canonical spelling.
    extras : tuple of str
        Extras of that package.
    bounds : tuple of (str, str)
        Operator and version, all of which must hold.
    extra : str or None
        The extra of the requiring package that asks for it; None if all of it does.
    """

    name: str
    extras: tuple[str, ...]
    bounds: tuple[tuple[str, str], ...]
    extra: str | None

    def allows(self, version: str) -> bool:
        """Whether a version is within the bounds.

        Examples
        --------
        >>> pandas = parse_requirement("pandas>=3.0,<3.1")
        >>> pandas.allows("3.0.2"), pandas.allows("3.1.1")
        (True, False)
        """
        return all(_holds(version, operator, bound) for operator, bound in self.bounds)

    def __str__(self) -> str:
        return self.name + ",".join(f"{operator}{bound}" for operator, bound in self.bounds)


def parse_requirement(text: str) -> Requirement | None:
    """Read a requirement from the metadata of a package.

    Returns
    -------
    Requirement or None
        None where it depends on more than an extra, or names a file.

    Examples
    --------
    >>> print(parse_requirement('zarr>=3.0; extra == "zarr"').extra)
    zarr
    >>> parse_requirement('tomli>=2; python_version < "3.11"')
    """
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        return None
    name, extras, specifiers, marker = match.groups()
    extra = None
    if marker is not None:
        asked = _EXTRA.fullmatch(marker)
        if asked is None:
            return None
        extra = canonical(asked[1])
    bounds = []
    for each in filter(None, (part.strip() for part in specifiers.split(","))):
        bound = _BOUND.fullmatch(each)
        if bound is None:
            return None
        bounds.append((bound[1], bound[2]))
    of_that = tuple(canonical(each.strip()) for each in (extras or "").split(",") if each.strip())
    return Requirement(canonical(name), of_that, tuple(bounds), extra)


def canonical(name: str) -> str:
    """Spell the name of a package as registries do.

    Examples
    --------
    >>> canonical("NVIDIA_ml.py")
    'nvidia-ml-py'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without what marks early or local ones.

    Examples
    --------
    >>> release("26.10.0a12"), release("2.5"), release("1!2.0+cu13")
    ((26, 10, 0), (2, 5), (2, 0))
    """
    match = re.match(r"v?(?:\d+!)?(\d+(?:\.\d+)*)", version.strip())
    return tuple(map(int, match[1].split("."))) if match else ()


def _holds(version: str, operator: str, bound: str) -> bool:
    if operator == "===":
        return version == bound
    ours, theirs = release(version), release(bound)
    if bound.endswith(".*"):
        same = _padded(ours, len(theirs))[: len(theirs)] == theirs
        return same if operator == "==" else not same
    length = max(len(ours), len(theirs))
    left, right = _padded(ours, length), _padded(theirs, length)
    if operator == "~=":
        return left >= right and ours[: len(theirs) - 1] == theirs[:-1]
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    return numbers + (0,) * (length - len(numbers))
