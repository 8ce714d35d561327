"""Which blocks a block of a factorization is made of, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.array.linalg.kernels import lu_factor, solve_triangular_block
from gpuscale.backends.creation import namespace
from gpuscale.backends.seams import array_namespace
from gpuscale.expr.kernels import Block
from gpuscale.expr.plans import OWN

__all__ = ["Cholesky", "Elimination", "LowerColumn", "PermutationOf", "SolvedRows", "UpperBlock"]

BlockIndex = tuple[int, int]
Read = tuple[int, BlockIndex]


def _subtract_products(block: Any, left: Sequence[Any], right: Sequence[Any]) -> Any:
    """Subtract ``left[k] @ right[k]`` for all k from a copy of a block."""
    rest = block.copy()
    for a, b in zip(left, right, strict=True):
        rest -= a @ b
    return rest


@dataclass(frozen=True)
class Cholesky:
    """Lower factor of a positive definite matrix, a column of blocks after the other.

    Each block subtracts the products of all columns before it at once (Golub and Van Loan,
    Matrix Computations, 4.2.5: the left-looking, or gaxpy, form).
    """

    dtype: Any

    def reads(self, index: BlockIndex) -> Iterator[Read]:
        """Yield the input block, the rows of the factor left of it, and the diagonal block."""
        i, j = index
        if i < j:
            return
        yield 0, index
        yield from ((OWN, (i, k)) for k in range(j))
        if i > j:
            yield from ((OWN, (j, k)) for k in range(j))
            yield OWN, (j, j)

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Make one block of the factor."""
        i, j = block.index
        if i < j:
            return _zeros(block, self.dtype)
        a, *factors = chunks
        xp = array_namespace(a)
        row = factors[:j]
        column = row if i == j else factors[j : 2 * j]
        rest = _subtract_products(a, row, [each.conj().T for each in column])
        if i == j:
            return xp.linalg.cholesky(rest)
        return solve_triangular_block(factors[-1], rest.conj().T, lower=True).conj().T


def _zeros(block: Block, dtype: Any) -> Any:
    xp = namespace(block.backend)
    return xp.broadcast_to(xp.zeros((), dtype=dtype), block.shape)


@dataclass(frozen=True)
class SolvedRows:
    """Solution of a triangular system, a row of blocks after the other.

    The inputs are the triangular matrix and the right-hand sides.

    Parameters
    ----------
    n : int
        Rows of blocks.
    lower, unit : bool
        As for `gpuscale.array.linalg.kernels.solve_triangular_block`.
    """

    n: int
    lower: bool
    unit: bool = False

    def _before(self, i: int) -> range:
        return range(i) if self.lower else range(i + 1, self.n)

    def reads(self, index: BlockIndex) -> Iterator[Read]:
        """Yield the diagonal block, the right-hand side, then each row of both before it."""
        i, column = index
        yield 0, (i, i)
        yield 1, index
        yield from ((0, (i, k)) for k in self._before(i))
        yield from ((OWN, (k, column)) for k in self._before(i))

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Make one block of the solution."""
        diagonal, b, *others = chunks
        half = len(others) // 2
        rest = _subtract_products(b, others[:half], others[half:])
        return solve_triangular_block(diagonal, rest, self.lower, self.unit)


@dataclass(frozen=True)
class Elimination:
    """Gaussian elimination by panels of whole columns, with the largest pivot of each column.

    Block (k, j) is panel j after panel k has been eliminated from it: the rows of U that this
    finished, and the rows that are left. Block (k, k) factorizes panel k: the order in which it
    takes the rows that are left, and L and U of it in one array.

    Parameters
    ----------
    panels : tuple of (int, int)
        For each panel the input and the column of blocks that it is.
    rows : tuple of int
        Rows of blocks of each input.
    """

    panels: tuple[BlockIndex, ...]
    rows: tuple[int, ...]

    def reads(self, index: BlockIndex) -> Iterator[Read]:
        """Yield the panel as it was left, then the factorization to apply."""
        k, j = index
        source, column = self.panels[j]
        if k == 0:
            yield from ((source, (row, column)) for row in range(self.rows[source]))
        else:
            yield OWN, (k - 1, j)
        if k < j:
            yield OWN, (k, k)

    def __call__(self, block: Block, *chunks: Any) -> tuple[Any, Any]:
        """Factorize a panel, or eliminate one from another."""
        k, j = block.index
        before = chunks if k == j else chunks[:-1]
        if k:
            ((_, panel),) = before
        else:
            panel = array_namespace(before[0]).concatenate(before) if len(before) > 1 else before[0]
        if k == j:
            return lu_factor(panel)
        order, both = chunks[-1]
        n = min(both.shape)
        panel = panel[order]
        done = solve_triangular_block(both[:n, :n], panel[:n], lower=True, unit=True)
        return done, panel[n:] - both[n:, :n] @ done


@dataclass(frozen=True)
class UpperBlock:
    """Block (k, j) of U, or of the right-hand sides, from an `Elimination`.

    Parameters
    ----------
    dtype : numpy.dtype
    first : int
        Panel of the elimination that is the first column of blocks.
    """

    dtype: Any
    first: int = 0

    def reads(self, index: BlockIndex) -> Iterator[Read]:
        """Yield the step that finished these rows; below the diagonal there is none."""
        k, j = index[0], index[1] + self.first
        if k <= j:
            yield 0, (k, j)

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Cut the rows of U out."""
        k, j = block.index[0], block.index[1] + self.first
        if k > j:
            return _zeros(block, self.dtype)
        ((first, second),) = chunks
        if k < j:
            return first
        return array_namespace(second).triu(second[: block.shape[0]])


@dataclass(frozen=True)
class LowerColumn:
    """Column of blocks of L from an `Elimination`: later panels have moved its rows on."""

    n_steps: int

    def reads(self, index: BlockIndex) -> Iterator[Read]:
        """Yield the factorizations of this panel and of all later ones."""
        return ((0, (k, k)) for k in range(index[1], self.n_steps))

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Cut L out and put its rows in their last order."""
        (_, both), *later = chunks
        xp = array_namespace(both)
        n = block.shape[1]
        own = xp.tril(both[:, :n], -1)
        own[xp.arange(n), xp.arange(n)] = 1
        start = n
        for order, panel in later:
            own[start:] = own[start:][order]
            start += min(panel.shape)
        column = xp.zeros(block.shape, dtype=own.dtype)
        column[block.shape[0] - own.shape[0] :] = own
        return column


@dataclass(frozen=True)
class PermutationOf:
    """Order of all rows from an `Elimination`: ``(L @ U)[i] == a[order[i]]``."""

    n_steps: int

    def reads(self, index: tuple[int]) -> Iterator[Read]:
        """Yield the factorizations of all panels."""
        return ((0, (k, k)) for k in range(self.n_steps))

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Compose the orders."""
        total = array_namespace(chunks[0][0]).arange(block.shape[0])
        start = 0
        for order, panel in chunks:
            total[start:] = total[start:][order]
            start += min(panel.shape)
        return total
