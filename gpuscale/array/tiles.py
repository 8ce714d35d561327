"""How large the blocks of a product are that a device makes at once, where it lacks room for all.

A task that makes one block of a product reads a row of blocks of one operand and a column of the
other. Where these do not stay on the device each of them comes there once for each block beside it,
or, where a task makes a tile of several blocks, once for each tile (Hong and Kung, 1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from gpuscale.array.api.blockwise import Letters, Sizes
from gpuscale.expr.meta import ArrayMeta
from gpuscale.memory.limits import budget_of
from gpuscale.memory.spaces import HOST, space_of

__all__ = ["tile_room", "tiles_of"]

# Part of the budget that one task may take. Two at a time would hide copies behind work, but bring
# the operands to the device half as often again.
_SHARE = 7 / 8


def tiles_of(
    metas: Sequence[ArrayMeta],
    letters: tuple[Letters, Letters],
    out: Letters,
    sizes: Sizes,
    itemsize: int,
) -> Sizes | None:
    """Merge blocks along the letter that each operand has alone, as far as a device has room.

    Parameters
    ----------
    metas : sequence of ArrayMeta
        Of both operands.
    letters : pair of sequences
        Of their axes.
    out : sequence
        Letters of the result.
    sizes : dict
        Sizes of the blocks along each letter.
    itemsize : int

    Returns
    -------
    dict or None
        Sizes of blocks along each letter; None where both operands fit, or no two blocks do.

    Examples
    --------
    >>> import numpy as np
    >>> from gpuscale.base import config
    >>> meta = ArrayMeta(np.dtype("f8"), ((10,) * 6,) * 2, "cupy")
    >>> sizes = {k: (10,) * 6 for k in "ijk"}
    >>> with config.set({"device-memory-limit": "16 kB"}):
    ...     tiles_of([meta, meta], ("ik", "kj"), "ij", sizes, 8)["i"]
    (20, 20, 20)
    """
    backend = metas[0].backend
    budget = budget_of(backend)
    alone = [x for x in out if (x in letters[0]) != (x in letters[1])]
    fits = sum(meta.nbytes for meta in metas) <= budget
    if space_of(backend) == HOST or fits or len(alone) != 2:
        return None
    found, most = None, max(len(sizes[x]) for x in alone)
    for times in range(2, most + 1):
        tiles = {x: _merged(own, times) if x in alone else own for x, own in sizes.items()}
        reads = sum(_largest(tiles, own) for own in letters)
        needed = itemsize * (2 * _largest(tiles, out) + reads)
        if needed > _SHARE * budget:
            break
        found = tiles
    return found


def tile_room(letters: tuple[Letters, Letters], out: Letters, tiles: Sizes, itemsize: int) -> int:
    """Bytes of a product that is added to a tile, and of what is read for it.

    Examples
    --------
    >>> tile_room(("ik", "kj"), "ij", {"i": (2, 2), "j": (3,), "k": (5, 5)}, 8)
    248
    """
    return itemsize * (_largest(tiles, out) + sum(_largest(tiles, own) for own in letters))


def _largest(sizes: Sizes, letters: Letters) -> int:
    return prod(max(sizes[x], default=0) for x in letters)


def _merged(sizes: tuple[int, ...], times: int) -> tuple[int, ...]:
    return tuple(sum(sizes[k : k + times]) for k in range(0, len(sizes), times))
