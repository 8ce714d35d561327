"""Grids of contractions: matching chunks of labelled axes, and which blocks meet in a task."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown
from gpuscale.chunks.blocks import known_sizes, merge_sizes, uniform_sizes
from gpuscale.chunks.broadcast import unify_sizes
from gpuscale.chunks.einsum import Labels

__all__ = ["Contraction", "fit_contraction", "plan_contraction"]

Label = str | int


@dataclass(frozen=True)
class Contraction:
    """A product of arrays, summed over the labels that the result lacks.

    Parameters
    ----------
    inputs : tuple of Labels
        Labels of the axes of every operand.
    output : Labels
        Labels of the axes of the result.
    lengths, sizes : mapping from label
        Length of every label, and sizes of the blocks along it.
    stretched : tuple of frozenset
        Per operand the labels on which its length is 1 and others are longer.
    """

    inputs: tuple[Labels, ...]
    output: Labels
    lengths: Mapping[Label, Size]
    sizes: Mapping[Label, tuple[Size, ...]]
    stretched: tuple[frozenset[Label], ...]

    @property
    def contracted(self) -> Labels:
        """The labels that are summed over, in order of appearance."""
        return tuple(label for label in self.sizes if label not in self.output)

    @property
    def shape(self) -> Shape:
        """Shape of the result."""
        return tuple(self.lengths[label] for label in self.output)

    @property
    def chunks(self) -> Chunks:
        """Chunks of the result."""
        return tuple(self.sizes[label] for label in self.output)

    @property
    def chunks_in(self) -> tuple[Chunks, ...]:
        """Chunks that every operand needs."""
        return tuple(
            tuple((1,) if label in stretched else self.sizes[label] for label in labels)
            for labels, stretched in zip(self.inputs, self.stretched, strict=True)
        )

    def blocks(self, out_index: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
        """Walk over the products that sum up to one block of the result.

        Yields
        ------
        tuple
            Block of every operand.
        """
        at = dict(zip(self.output, out_index, strict=True))
        contracted = self.contracted
        for inner in product(*(range(len(self.sizes[label])) for label in contracted)):
            at.update(zip(contracted, inner, strict=True))
            yield tuple(
                tuple([0 if label in stretched else at[label] for label in labels])
                for labels, stretched in zip(self.inputs, self.stretched, strict=True)
            )


def plan_contraction(
    inputs: Sequence[Labels], output: Labels, operands: Sequence[tuple[Chunks, Shape]]
) -> Contraction:
    """Match the chunks of all axes that share a label.

    Parameters
    ----------
    inputs : sequence of Labels
        Labels of the axes of every operand; axes of length 1 are stretched.
    output : Labels
        Labels of the result.
    operands : sequence of (chunks, shape)
        The operands.

    Raises
    ------
    ValueError
        If axes of one label have different lengths.
    UnknownSizeError
        If that depends on sizes which are not computed yet.

    Examples
    --------
    >>> a, b = (((2, 2), (3, 3)), (4, 6)), (((6,), (5,)), (6, 5))
    >>> plan = plan_contraction((("i", "k"), ("k", "j")), ("i", "j"), (a, b))
    >>> plan.chunks, plan.chunks_in[1]
    (((2, 2), (5,)), ((3, 3), (5,)))
    >>> list(plan.blocks((1, 0)))
    [((1, 0), (0, 0)), ((1, 1), (1, 0))]
    """
    axes: dict[Label, list[tuple[Size, tuple[Size, ...]]]] = {}
    for labels, (chunks, shape) in zip(inputs, operands, strict=True):
        for label, length, sizes in zip(labels, shape, chunks, strict=True):
            axes.setdefault(label, []).append((length, sizes))
    shapes = [shape for _, shape in operands]
    lengths = {label: _common_length(label, found, shapes) for label, found in axes.items()}
    candidates = [
        list(dict.fromkeys(sizes for length, sizes in found if length == lengths[label]))
        for label, found in axes.items()
    ]
    return Contraction(
        tuple(inputs),
        output,
        lengths,
        dict(zip(axes, unify_sizes(candidates), strict=True)),
        tuple(
            frozenset(
                label
                for label, length in zip(labels, shape, strict=True)
                if length == 1 and lengths[label] != 1
            )
            for labels, shape in zip(inputs, shapes, strict=True)
        ),
    )


def _common_length(
    label: Label, found: Sequence[tuple[Size, tuple[Size, ...]]], shapes: Sequence[Shape]
) -> Size:
    longer = {length for length, _ in found if length != 1}
    if len(longer) < 2:
        return longer.pop() if longer else 1
    if any(isinstance(length, Unknown) for length in longer):
        raise UnknownSizeError(
            f"cannot match the axes {label!r} of operands with shapes {shapes}: a length depends "
            "on data and is not computed yet; call x.compute_chunk_sizes() first"
        )
    raise ValueError(
        f"operands could not be broadcast together: axes {label!r} of shapes {shapes} have "
        f"lengths {sorted(length for length in longer if not isinstance(length, Unknown))}"
    )


def fit_contraction(contraction: Contraction, itemsize: int, max_bytes: int) -> Contraction:
    """Choose blocks with equal sides, as large as a task may hold.

    The arithmetic per byte moved grows with the shortest side of a block, so cubes are best.
    Existing cuts are kept where they are near that size, merged where they are finer.

    Parameters
    ----------
    contraction : Contraction
        The product; all its sizes must be known.
    itemsize : int
        Bytes per element.
    max_bytes : int
        What one task may hold: a block of every operand and one of the result.

    Examples
    --------
    >>> a = (((100,) * 10, (1000,)), (1000, 1000))
    >>> plan = plan_contraction((("i", "k"), ("k", "j")), ("i", "j"), (a, a))
    >>> fit_contraction(plan, 8, 6 * 10**6).chunks
    ((500, 500), (500, 500))
    """
    sizes = {label: known_sizes(each) for label, each in contraction.sizes.items()}
    lengths = {label: sum(each) for label, each in sizes.items()}
    terms = [*contraction.inputs, contraction.output]

    def held(side: int) -> int:
        return itemsize * sum(prod(min(lengths[x], side) for x in set(term)) for term in terms)

    longest = max([1, *lengths.values()])
    side = max(1, bisect_right(range(1, longest + 1), max_bytes, key=held))
    fitted = {label: _fit_axis(each, side) for label, each in sizes.items()}
    return replace(contraction, sizes=fitted)


def _fit_axis(sizes: tuple[int, ...], side: int) -> tuple[int, ...]:
    length, largest = sum(sizes), max(sizes)
    if largest <= side:
        return merge_sizes(sizes, side)
    n_parts = -(-length // side)
    return uniform_sizes(length, -(-length // n_parts))
