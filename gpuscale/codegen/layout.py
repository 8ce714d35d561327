"""In which order a kernel walks over a domain, and how each operand moves with it.

Pure arithmetic on shapes and strides. A domain is brought to its fewest axes, two of which become
the rows (i) and columns (j) of the kernel's tiles; the others are walked outside. Each operand is
then "row" (consecutive along j), "scalar" (constant along j) or "tile" (anything else: copied
tile by tile into a small buffer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Domain", "Layout", "Strides", "choose_layout", "merge_axes"]

Strides = tuple[int, ...]


@dataclass(frozen=True)
class Domain:
    """A shape, which axes are reduced, and how each operand moves, in elements.

    Attributes
    ----------
    shape : tuple of int
    reduced : tuple of bool
        One per axis.
    strides : tuple of tuple of int
        One tuple per operand; 0 where an operand does not move.
    """

    shape: tuple[int, ...]
    reduced: tuple[bool, ...]
    strides: tuple[Strides, ...]

    def take(self, axes: Sequence[int]) -> Domain:
        """Reorder or drop axes."""
        return Domain(
            tuple(self.shape[a] for a in axes),
            tuple(self.reduced[a] for a in axes),
            tuple(tuple(s[a] for a in axes) for s in self.strides),
        )


@dataclass(frozen=True)
class Layout:
    """How a kernel walks: outer axes, rows i, columns j.

    Attributes
    ----------
    outer : tuple of int
        Lengths of the outer axes.
    rows, columns : int
        Lengths of i and j; 1 where there is no such axis.
    form : str
        "map" where nothing is reduced, "columns" where rows are, "fold" where columns are too.
    strides : tuple of tuple of int
        One tuple per operand: along the outer axes, then i, then j.
    """

    outer: tuple[int, ...]
    rows: int
    columns: int
    form: str
    strides: tuple[Strides, ...]

    def moves(self, operand: int) -> str:
        """Whether an operand is "row", "scalar" or "tile", or "column" for unit steps along i."""
        i, j = self.strides[operand][-2:]
        if j == 0 or self.columns == 1:
            return "scalar"
        if j == 1:
            return "row"
        return "column" if i == 1 else "tile"


def merge_axes(domain: Domain, order: Sequence[int]) -> Domain:
    """Drop axes of length 1, walk in the given order, and merge axes that all operands can.

    Examples
    --------
    >>> merge_axes(Domain((2, 1, 3, 4), (False,) * 4, ((12, 0, 4, 1), (0, 0, 4, 1))), range(4))
    Domain(shape=(2, 12), reduced=(False, False), strides=((12, 1), (0, 1)))
    """
    domain = domain.take([a for a in order if domain.shape[a] != 1])
    keep = list(range(len(domain.shape)))
    shape = list(domain.shape)
    for a in range(len(shape) - 2, -1, -1):
        b = a + 1
        mergeable = domain.reduced[a] == domain.reduced[b] and all(
            s[a] == s[b] * domain.shape[b] for s in domain.strides
        )
        # Merged pairs hand their length on to the left: strides of the right axis stay valid.
        if mergeable:
            keep.remove(a)
            end = next(k for k in keep if k > a)
            shape[end] *= shape[a]
    merged = domain.take(keep)
    return Domain(tuple(shape[k] for k in keep), merged.reduced, merged.strides)


#: Time for one element by role and movement, in quarters of a nanosecond. "column" reads whole
#: cache lines with the help of a tile, "tile" does not. A random element costs a Philox block
#: of its own unless a neighbour shares it.
COSTS = {
    "load": {"row": 1.0, "scalar": 0.1, "column": 2.5, "tile": 6.0},
    "out": {"row": 1.0, "scalar": 6.0, "column": 6.0, "tile": 6.0},
    "random": {"row": 4.0, "scalar": 8.0, "column": 5.5, "tile": 8.0},
    "index": dict.fromkeys(("row", "scalar", "column", "tile"), 0.5),
    "accumulator": dict.fromkeys(("row", "scalar", "column", "tile"), 0.0),
}
PER_ROW, PER_TILE, PER_MERGE = 20.0, 400.0, 12.0
FOLDED = 4096  # elements that one fold covers at most


def walking_order(shape: Sequence[int], operands: Sequence[Strides]) -> list[int]:
    """Order of axes in which the first operand that moves along all of them is consecutive.

    Examples
    --------
    >>> walking_order((3, 4), [(0, 1), (1, 3), (4, 1)])
    [1, 0]
    """
    moving = [a for a, n in enumerate(shape) if n != 1]
    full = next((s for s in operands if all(s[a] for a in moving)), None)
    if full is None:
        return list(range(len(shape)))
    return sorted(range(len(shape)), key=lambda a: -abs(full[a]))


def choose_layout(
    domain: Domain, roles: Sequence[str], reducing: bool = False, fold: float = 0.0
) -> Layout:
    """Pick rows and columns so that the kernel reads, draws and writes consecutive elements.

    Parameters
    ----------
    domain : Domain
        Already merged.
    roles : sequence of str
        A key of `COSTS` for each operand.
    reducing : bool
        Whether this is a reduction, be it over axes of length 1 only.
    fold : float
        Time to fold the lanes of a tile into one result.

    Examples
    --------
    A matrix and its transpose: rows of one, tiles of the other.

    >>> domain = Domain((9, 8), (False, False), ((8, 1), (1, 9), (8, 1)))
    >>> layout = choose_layout(domain, ["load", "load", "out"])
    >>> [layout.moves(k) for k in range(3)]
    ['row', 'column', 'row']
    """
    candidates = [_layout(domain, i, j, reducing) for i, j in _pairs(domain, reducing)]
    return min(candidates, key=lambda layout: _cost(layout, roles, fold))


def _pairs(domain: Domain, reducing: bool) -> Iterator[tuple[int | None, int | None]]:
    """Axes for (rows, columns); where something is reduced, rows are."""
    axes = range(len(domain.shape))
    if not axes:
        yield None, None
    for j in reversed(axes):
        rows = [i for i in reversed(axes) if i != j and (domain.reduced[i] or not reducing)]
        yield from ((i, j) for i in rows)
        if not rows or reducing:
            yield None, j


def _layout(domain: Domain, i: int | None, j: int | None, reducing: bool) -> Layout:
    outer = [a for a in range(len(domain.shape)) if a not in (i, j)]

    fold = j is not None and domain.reduced[j]
    form = "map" if not reducing else "fold" if fold else "columns"

    def along(strides: Strides) -> Strides:
        ends = (0 if a is None else strides[a] for a in (i, j))
        return (*(strides[a] for a in outer), *ends)

    return Layout(
        tuple(domain.shape[a] for a in outer),
        1 if i is None else domain.shape[i],
        1 if j is None else domain.shape[j],
        form,
        tuple(along(s) for s in domain.strides),
    )


def _cost(layout: Layout, roles: Sequence[str], fold: float) -> float:
    tile = layout.rows * layout.columns
    total = PER_ROW / layout.columns + PER_TILE / tile
    if layout.form == "fold":
        total += fold / min(tile, FOLDED)
    elif layout.form == "columns":
        total += PER_MERGE / layout.rows
    return total + sum(COSTS[role][layout.moves(k)] for k, role in enumerate(roles))
