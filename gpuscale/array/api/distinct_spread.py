"""Distinct elements in several blocks, where the workers of a cluster have no room for one.

Those of each block are cut by values that divide all of them, and meet those of the other blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.distinct_slices import whole
from gpuscale.array.construct import split_every_of
from gpuscale.backends.creation import is_on_device, parcel
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import max_block
from gpuscale.engines.automatic import thread_share_elsewhere
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange, TreeReduce
from gpuscale.expr.plans import ShufflePlan
from gpuscale.memory.parts import Parts

__all__ = ["parts_for", "spread"]

_SHARE = 4  # part of what a thread of a worker may hold that one result may take, with its room
_SAMPLE = 1024  # elements of the largest block


def parts_for(nbytes: int, room: int, backend: str) -> int:
    """In how many blocks distinct elements are that take so much, and so much while they are made.

    Workers have to be there that say how much they hold; here tasks are told when they have to go
    to disk.
    """
    if is_on_device(backend):
        return 1
    share = thread_share_elsewhere(nbytes)
    return 1 if share is None else max(1, -(-(nbytes + room) * _SHARE // share))


def spread(blocks: Node, domain: Any, merge: Any, count: int, token: str) -> Node:
    """Return the distinct elements of blocks of these, in so many new ones.

    Parameters
    ----------
    blocks : Node
        Each block is a tuple of sorted distinct elements and what is known of them.
    domain : Chunks
        What its blocks were made of.
    merge : callable
        ``merge(parts, grid)`` puts such tuples together.
    count : int
    token : str
        Names the elements.
    """
    axes = tuple(range(blocks.meta.ndim))
    step = max(1, prod(max_block(domain)) // _SAMPLE)
    bytes_of_sample = _SAMPLE * merge.dtype.itemsize
    grid = tuple((1,) * len(sizes) for sizes in domain)
    sample = blocks.meta.with_(dtype=parcel(bytes_of_sample), chunks=grid)
    kernel = FunctionKernel(_sampled, (step,), label="sample")
    samples = Blockwise(kernel, (BlockInput(blocks, axes=axes),), domain, sample)
    one = sample.with_(chunks=tuple((1,) for _ in axes))
    spans = split_every_of(None, axes)
    found = TreeReduce(samples, _SampleOfAll(), whole, axes, True, spans, "sample", one)
    sizes = tuple(Unknown(token, k) for k in range(count))
    plan = ShufflePlan(_CutSorted(count), _Made(merge), "unique")
    return Exchange((blocks, found), plan, blocks.meta.with_(chunks=(sizes,)))


def _sampled(chunk: Any, step: int) -> Any:
    return chunk[0][::step].copy()


@dataclass(frozen=True)
class _SampleOfAll:
    """Elements of all blocks, each for as many."""

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        return np.concatenate(list(parts))

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of all of them, which there is nothing else for."""
        return sum(sizes), 0


@dataclass(frozen=True)
class _CutSorted:
    """Cut the distinct elements of a block where those of new ones begin."""

    count: int

    def __call__(self, block: tuple[Any, ...], sample: Any) -> _Cut:
        sample = np.sort(sample[sample == sample])  # all NaN come after them
        wanted = np.arange(1, self.count) * len(sample) // self.count
        dividing = sample[wanted] if len(sample) else sample
        places = np.searchsorted(block[0], dividing).tolist()
        end = len(block[0])
        places += [end] * (self.count - 1 - len(places))
        return _Cut(block, [0, *places, end])


class _Cut(Parts):
    """What new blocks have of one: views of its arrays."""

    def __init__(self, block: tuple[Any, ...], bounds: list[int]) -> None:
        self.block, self.bounds = block, bounds

    @property
    def nbytes(self) -> int:
        """Bytes of the block."""
        return sum(each.nbytes for each in self.block)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        return self.between(number, 0, self.lengths[number])

    @property
    def lengths(self) -> list[int]:
        """Of each part the elements."""
        return [b - a for a, b in pairwise(self.bounds)]

    def between(self, number: int, start: int, stop: int) -> tuple[Any, ...]:
        """Return elements of a part."""
        first = self.bounds[number]
        return tuple(each[first + start : first + stop] for each in self.block)

    @classmethod
    def of(cls, parts: Sequence[Any]) -> _Cut:
        """Put parts together again."""
        block = tuple(map(np.concatenate, zip(*parts, strict=True)))
        return cls(block, [0, *np.cumsum([len(part[0]) for part in parts]).tolist()])


@dataclass(frozen=True)
class _Made:
    """A new block of what comes to it."""

    merge: Any

    def __call__(self, pieces: Sequence[Any]) -> Any:
        return self.merge(pieces, (len(pieces),))
