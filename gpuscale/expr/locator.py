"""Which blocks of an input the blocks of an iteration space read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from gpuscale.base.types import BlockIndex
from gpuscale.chunks.views import View, axis_tables
from gpuscale.expr.arrange import LocalAxis
from gpuscale.expr.meta import ArrayMeta

__all__ = ["Locator"]


class Locator:
    """Which block of an input a block of the iteration space reads, one table per axis.

    Parameters
    ----------
    meta : ArrayMeta
        Of the input.
    view, axes
        Of a `gpuscale.expr.physical.BlockInput`.
    domain : ArrayMeta
        The iteration space.
    """

    def __init__(
        self,
        meta: ArrayMeta,
        view: View | None,
        axes: tuple[int | None, ...] | None,
        domain: ArrayMeta,
    ) -> None:
        if view is None:
            assert axes is not None
            pairs: list[tuple[int | None, Sequence[tuple[int, int]]]] = [
                (axis, [(k, 0) for k in range(1 if axis is None else domain.numblocks[axis])])
                for axis in axes
            ]
            self.steps = (1,) * len(pairs)
        else:
            tables = axis_tables(view, meta.chunks, domain.chunks)
            pairs = [(spec[0], t) for spec, t in zip(view.axes, tables, strict=True)]
            self.steps = tuple(step for _, _, step in view.axes)
        self.axes = tuple(axis for axis, _ in pairs)
        self.tables = tuple(table for _, table in pairs)
        self.numbers = tuple([number for number, _ in table] for table in self.tables)
        in_place = self.axes == tuple(range(len(domain.chunks))) and set(self.steps) <= {1}
        self.is_identity = in_place and all(
            all(row == (number, 0) for number, row in enumerate(table)) for table in self.tables
        )

    def block(self, index: BlockIndex) -> BlockIndex:
        """Return the block of the input."""
        return tuple(
            table[0 if axis is None else index[axis]][0]
            for axis, table in zip(self.axes, self.tables, strict=True)
        )

    def blocks(self, indices: Sequence[BlockIndex]) -> Sequence[BlockIndex]:
        """`block` of many: a hundred thousand tasks are laid out in a fraction of a second."""
        if self.is_identity or not self.axes:
            return indices if self.is_identity else [()] * len(indices)
        columns = list(zip(*indices, strict=True))
        rows = (
            repeat(numbers[0], len(indices))
            if axis is None
            else map(numbers.__getitem__, columns[axis])
            for axis, numbers in zip(self.axes, self.numbers, strict=True)
        )
        return list(zip(*rows, strict=True))

    def local(self, index: BlockIndex) -> tuple[LocalAxis, ...]:
        """Return where in that block it reads."""
        return tuple(
            (axis, table[0 if axis is None else index[axis]][1], step)
            for axis, table, step in zip(self.axes, self.tables, self.steps, strict=True)
        )
