"""How everything moves from some runs to some parts in few steps that each read few results.

A task for each pair of a run and a part would be one for each pair of blocks. Instead the parts
are the leaves of a tree, and so are the runs: after each level, what belongs to one branch of
parts has met for one group of runs more.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Levels", "plan_levels"]


@dataclass(frozen=True)
class Levels:
    """Branches and groups at each level: 0 are the runs, `depth` are the parts.

    Parameters
    ----------
    runs, parts : int
    depth : int
    fan_in, fan_out : int
        How many groups become one, and into how many branches each is cut, from level to level.

    Examples
    --------
    >>> levels = Levels(6, 6, 2, 3, 3)
    >>> [(levels.width(k), levels.groups(k)) for k in range(3)]
    [(9, 6), (3, 3), (1, 1)]
    """

    runs: int
    parts: int
    depth: int
    fan_in: int
    fan_out: int

    def width(self, level: int) -> int:
        """Return how many parts belong to a branch."""
        return int(self.fan_out ** (self.depth - level))

    def leaves(self, level: int, branch: int) -> range:
        """Return the parts of a branch."""
        width = self.width(level)
        return range(branch * width, min((branch + 1) * width, self.parts))

    def groups(self, level: int) -> int:
        """Return how many groups of runs there are."""
        return min(self.runs, self._apart(level))

    def members(self, level: int, group: int) -> range:
        """Return the runs of a group.

        They lie apart, since neighbours often hold much the same: in data that are sorted
        already, each part would otherwise come from one group alone.

        Examples
        --------
        >>> [list(Levels(6, 6, 2, 3, 3).members(1, group)) for group in range(3)]
        [[0, 3], [1, 4], [2, 5]]
        """
        return range(group, self.runs, self._apart(level))

    def merged(self, level: int, group: int) -> range:
        """Return the groups of the level before that make a group.

        Examples
        --------
        >>> [list(Levels(6, 6, 2, 3, 3).merged(1, group)) for group in range(3)]
        [[0, 3], [1, 4], [2, 5]]
        """
        return range(group, self.groups(level - 1), self._apart(level))

    def _apart(self, level: int) -> int:
        """Return how far the runs of a group lie apart."""
        return int(self.fan_in ** (self.depth - level))


def plan_levels(runs: int, parts: int, most: int = 16) -> Levels:
    """Return as few levels as let each step read and make at most about `most` results.

    Parameters
    ----------
    runs, parts : int
        At least one each.
    most : int

    Examples
    --------
    >>> plan_levels(100, 100), plan_levels(3, 5)
    (Levels(runs=100, parts=100, depth=2, fan_in=10, fan_out=10), \
Levels(runs=3, parts=5, depth=1, fan_in=3, fan_out=5))
    """
    depth = 1
    while most**depth < max(runs, parts):
        depth += 1
    return Levels(runs, parts, depth, _root(runs, depth), _root(parts, depth))


def _root(number: int, depth: int) -> int:
    """Return the least number whose power is not less."""
    root = 1
    while root**depth < number:
        root += 1
    return root
