"""Tasks of a sort across blocks: sorted runs are read in regions, which meet in new blocks.

Where the regions begin follows from a small sample of every run, so no task takes more than about
one block's worth of elements, and all runs together are held once, on disk where memory has no
room for them. Regions go through the levels that `gpuscale.chunks.levels` plans. The ends of new
blocks are exact ranks: a block first gathers all elements that may belong to it, sorts them, and
drops by number what belongs to its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from operator import itemgetter
from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import BlockIndex, Key
from gpuscale.chunks.blocks import known_sizes
from gpuscale.chunks.levels import Levels, plan_levels
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SortPlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.cuts import Cuts, find_cuts, order_by
from gpuscale.graph.piece_shuffle import Fields, PieceShuffle, Rows, passes_pieces
from gpuscale.graph.sort_sizes import SortSizes, advice, fitting
from gpuscale.memory.limits import budget_of
from gpuscale.memory.spaces import DEVICE, space_of

__all__: list[str] = []

Run = tuple[Any, ...]  # sorted keys and, where wanted, the positions that they come from


@lays_out(SortPlan)
def _lay_out_sort(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    sort = _Sort(builder, node)
    sort.add_runs()
    parts = sorted({index[0] // sort.width for index in wanted})
    if sort.passes_pieces(parts):
        sort.hand_over()
    else:
        sort.add_levels(parts)
    for part in parts:
        sort.add_blocks(part, [k for (k,) in wanted if k // sort.width == part])


class _Sort:
    """The tasks of one sort while they are made.

    A key of a piece is (name-level, branch of parts, group of runs); runs are those of level 0.
    """

    def __init__(self, builder: GraphBuilder, node: Exchange) -> None:
        self.builder, self.node = builder, node
        self.name = builder.key(node, ())[0]
        blocks = known_sizes(node.inputs[0].meta.chunks[0])
        self.sizes = _plan_sizes(node, blocks)
        self.width, self.step, self.margin = self.sizes.width, self.sizes.step, self.sizes.margin
        self.advice = "" if self.sizes.fits else advice(self.sizes)
        self.ends = [0, *accumulate(map(sum, _grouped(blocks, self.width)))]
        self.levels = plan_levels(self.sizes.runs, self.sizes.runs)
        self.table: Key = (f"{self.name}-cuts",)
        self.shuffle: PieceShuffle | None = None

    def _key(self, level: int, branch: int, group: int) -> Key:
        return (f"{self.name}-{level}", branch, group)

    def _add(
        self, key: Key, function: Any, deps: Sequence[Key], nbytes: int, workspace: int = 0
    ) -> None:
        self.builder.add(key, self.node, function, deps, (), nbytes, workspace)

    def _nbytes(self, keys: Iterable[Key]) -> int:
        return sum(self.builder.graph[key].nbytes for key in keys)

    def add_runs(self) -> None:
        """Sort blocks, and find from a sample of each where they are to be cut."""
        keys, of_keys = self.node.inputs, self.sizes.of_keys
        blocks = [(k,) for k in range(len(keys[0].meta.chunks[0]))]
        wanted = [_grouped(self.builder.want_all(key, blocks), self.width) for key in keys]
        samples: list[Key] = []
        for k, groups in enumerate(zip(*wanted, strict=True)):
            deps = list(chain.from_iterable(groups))
            size = self.ends[k + 1] - self.ends[k]
            run, sample = self._key(0, 0, k), (f"{self.name}-sample", k)
            start = self.ends[k] if self.node.plan.positions else None
            room = self.sizes.room_for_run(size, len(groups[0]) > 1)
            sort = _SortedRun(start, len(keys), self.advice)
            self._add(run, sort, deps, size * self.sizes.itemsize, room)
            taken = _Sample(self.step, len(keys))
            self._add(sample, taken, (run,), -(-size // self.step) * of_keys)
            samples.append(sample)
        find = _FindCuts(self.ends, self.step, self.advice)
        room = self.sizes.in_sample * (self._nbytes(samples) // max(1, of_keys))
        self._add(self.table, find, samples, self.sizes.table, room)

    def passes_pieces(self, parts: Sequence[int]) -> bool:
        """Whether workers pass on pieces: all of them, so not where few parts are wanted."""
        metas, levels = [key.meta for key in self.node.inputs], self.levels
        run = self._largest_run()
        return 2 * len(parts) >= levels.parts and passes_pieces(
            self.node.meta.backend,
            [meta.dtype for meta in metas],
            self.sizes.size * self.sizes.itemsize,
            (min(levels.fan_in, levels.runs) + 1) * run,
            levels.runs * levels.parts,
        )

    def _largest_run(self) -> int:
        return max(b - a for a, b in pairwise(self.ends)) * self.sizes.itemsize

    def hand_over(self) -> None:
        """Cut runs into what each part has of them, and have workers pass it on."""
        runs, cut = self.levels.runs, _CutRun(self.levels)
        parts, largest = self.levels.parts, self._largest_run()
        self.shuffle = PieceShuffle(self.builder, self.node, runs, 1, parts, largest)
        for k in range(runs):
            self.shuffle.hand_over(k, 0, cut, (self._key(0, 0, k), self.table))
        self.shuffle.wait()

    def add_levels(self, parts: Sequence[int]) -> None:
        """Have runs meet level by level, as far as some parts need it."""
        levels = self.levels
        for level in range(1, levels.depth):
            for branch in sorted({part // levels.width(level) for part in parts}):
                for group in range(levels.groups(level)):
                    self.add_merged(level, branch, group)

    def add_merged(self, level: int, branch: int, group: int) -> None:
        """Gather what a branch of parts has of a group of runs."""
        sources, levels = self._sources(level, branch, group), self.levels
        leaves, runs = levels.leaves(level, branch), levels.members(level, group)
        gathered = self.ends[leaves.stop] - self.ends[leaves.start] + self.margin
        # As much from each run: runs of a group lie apart, so that this is about so.
        nbytes = gathered * self.sizes.itemsize * len(runs) // levels.runs
        merge = _Merge(self.levels, level, branch, group, self.advice)
        self._add(self._key(level, branch, group), merge, (self.table, *sources), nbytes)

    def _sources(self, level: int, branch: int, group: int) -> list[Key]:
        """What a branch's share of a group of runs is read from."""
        above = branch // self.levels.fan_out if level > 1 else 0
        return [self._key(level - 1, above, each) for each in self.levels.merged(level, group)]

    def add_blocks(self, part: int, numbers: list[int]) -> None:
        """Sort what has met for a part, and hand it on in blocks."""
        meta, builder = self.node.meta, self.builder
        keys = builder.keys(self.node, [(k,) for k in numbers])
        starts = [meta.block_start((k,))[0] for k in numbers]
        spans = [(a, a + meta.block_shape((k,))[0]) for a, k in zip(starts, numbers, strict=True)]
        gathered = self.sizes.of_part(self.ends[part + 1] - self.ends[part])
        sizes = [(b - a) * meta.dtype.itemsize for a, b in spans]
        blocks = _Blocks(self.levels, part, spans, len(self.node.inputs), self.advice)
        together = keys[0] if self.width == 1 else (f"{self.name}-part", part)
        if self.shuffle is None:
            sources = (self.table, *self._sources(self.levels.depth, part, 0))
            function = _Only(blocks) if self.width == 1 else blocks
            self._add(together, function, sources, sum(sizes), gathered)
        else:
            make = _OfPieces(blocks, self.width == 1)
            needs = (self.table,), sum(sizes), gathered
            self.shuffle.take(together, 0, part, make, self._fields(), *needs)
        if self.width == 1:
            return
        for number, (key, nbytes) in enumerate(zip(keys, sizes, strict=True)):
            self._add(key, itemgetter(number), (together,), nbytes)

    def _fields(self) -> Fields:
        """What runs consist of."""
        dtypes = [key.meta.dtype for key in self.node.inputs]
        return [(dtype, ()) for dtype in (*dtypes, *[np.dtype(np.int64)] * self.sizes.positions)]


def _plan_sizes(node: Exchange, blocks: Sequence[int]) -> SortSizes:
    on_device = space_of(node.meta.backend) == DEVICE
    # A device has beside the order so far the next key by it, the order of that, and both.
    by_turns = len(node.inputs) > 1 and on_device
    return fitting(
        SortSizes(
            size=sum(blocks),
            block=max(blocks),
            n_blocks=len(blocks),
            width=1,
            of_keys=sum(key.meta.dtype.itemsize for key in node.inputs),
            to_order=24 if by_turns else 12,
            positions=node.plan.positions,
            sorts_beside=on_device,
            budget=budget_of(node.meta.backend),
        )
    )


def _grouped(items: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    return (items[k : k + width] for k in range(0, len(items), width))


class _SortedRun:
    """Sort some blocks of each key together; with a start, keep where the elements were."""

    __slots__ = ("advice", "n_keys", "start")

    def __init__(self, start: int | None, n_keys: int, advice: str) -> None:
        self.start, self.n_keys, self.advice = start, n_keys, advice

    def __call__(self, *chunks: Any) -> Run:
        xp = array_namespace(chunks[0])
        groups = _grouped(chunks, len(chunks) // self.n_keys)
        keys = [each[0] if len(each) == 1 else xp.concatenate(each) for each in groups]
        if self.start is None:
            return (xp.sort(keys[0]),)
        order = order_by(keys)
        values = [key[order] for key in keys]
        order += self.start
        return (*values, order)


class _Sample:
    """Every so many elements of the keys of a sorted run."""

    __slots__ = ("n_keys", "step")

    def __init__(self, step: int, n_keys: int) -> None:
        self.step, self.n_keys = step, n_keys

    def __call__(self, run: Run) -> tuple[Run, int]:
        return tuple(key[:: self.step].copy() for key in run[: self.n_keys]), len(run[0])


class _FindCuts:
    """Where each run is to be cut."""

    __slots__ = ("advice", "ends", "step")

    def __init__(self, ends: list[int], step: int, advice: str) -> None:
        self.ends, self.step, self.advice = ends, step, advice

    def __call__(self, *samples: tuple[Run, int]) -> Cuts:
        values, sizes = zip(*samples, strict=True)
        return find_cuts(values, sizes, self.step, self.ends)


class _Merge:
    """What a branch of parts has of a group of runs, one run after the other.

    Its sources are results of the level before, or the runs: each of them holds several runs of
    which it has what the branch above has.
    """

    __slots__ = ("advice", "branch", "group", "level", "levels")
    reads_regions = True

    def __init__(
        self, levels: Levels, level: int, branch: int, group: int, advice: str = ""
    ) -> None:
        self.levels, self.level, self.branch, self.group = levels, level, branch, group
        self.advice = advice

    def __call__(self, cuts: Cuts, *sources: Run) -> Run:
        spans = self.spans(cuts)
        total = sum(stop - start for start, stop in spans.values())
        xp = array_namespace(sources[0][0])
        joined = tuple(xp.empty(total, dtype=array.dtype) for array in sources[0])
        sizes = [stop - start for start, stop in spans.values()]
        places = dict(zip(spans, accumulate(sizes[:-1], initial=0), strict=True))
        for run, source, start, stop in self._regions(cuts, sources, spans):
            place = slice(places[run], places[run] + stop - start)
            for out, array in zip(joined, source, strict=True):
                out[place] = array[start:stop]
        return joined

    def spans(self, cuts: Cuts) -> dict[int, tuple[int, int]]:
        """From each run of the group to where in the run the branch's elements start and stop."""
        runs = self.levels.members(self.level, self.group)
        leaves = self.levels.leaves(self.level, self.branch)
        return dict(zip(runs, cuts.spans(leaves, runs), strict=True))

    def _regions(
        self, cuts: Cuts, sources: Sequence[Run], spans: dict[int, tuple[int, int]]
    ) -> Iterator[tuple[int, Run, int, int]]:
        """Yield each run, and where its elements are: a source, a start and a stop."""
        level, levels = self.level, self.levels
        for group, source in zip(levels.merged(level, self.group), sources, strict=True):
            if level == 1:
                yield group, source, *spans[group]
                continue
            above = _Merge(levels, level - 1, self.branch // levels.fan_out, group)
            at = 0
            for run, (start, stop) in above.spans(cuts).items():
                first, last = spans[run]
                yield run, source, at + first - start, at + last - start
                at += stop - start


class _Blocks:
    """Sort what has met for a part, and cut it into blocks of exact ranks."""

    __slots__ = ("advice", "merge", "n_keys", "spans")
    reads_regions = True

    def __init__(
        self, levels: Levels, part: int, spans: list[tuple[int, int]], n_keys: int, advice: str
    ) -> None:
        self.merge, self.spans = _Merge(levels, levels.depth, part, 0), spans
        self.n_keys, self.advice = n_keys, advice

    def __call__(self, cuts: Cuts, *sources: Run) -> tuple[Any, ...]:
        return self.cut_out(cuts, self.merge(cuts, *sources))

    def cut_out(self, cuts: Cuts, met: Run) -> tuple[Any, ...]:
        """Return the blocks of a part from what has met for it."""
        first = sum(start for start, _ in self.merge.spans(cuts).values())  # so many come before
        keys, where = met[: self.n_keys], met[self.n_keys :]
        spans = [slice(a - first, b - first) for a, b in self.spans]
        if not where:
            keys[0].sort()
            return tuple(keys[0][span].copy() for span in spans)
        order = order_by(keys)
        return tuple(where[0][order[span]] for span in spans)


class _CutRun:
    """What all parts have of a run."""

    __slots__ = ("levels",)

    def __init__(self, levels: Levels) -> None:
        self.levels = levels

    def __call__(
        self, run: Run, cuts: Cuts, index: BlockIndex
    ) -> tuple[Rows, list[tuple[int, int]]]:
        alone = range(index[0], index[0] + 1)
        parts = (range(part, part + 1) for part in range(self.levels.parts))
        spans = [cuts.spans(part, alone)[0] for part in parts]
        return (lambda _, start, stop: [array[start:stop] for array in run]), spans


class _OfPieces:
    """The blocks of a part, or its only one, from pieces of all runs one after the other."""

    __slots__ = ("blocks", "is_only")

    def __init__(self, blocks: _Blocks, is_only: bool) -> None:
        self.blocks, self.is_only = blocks, is_only

    def __call__(self, rows: Any, cuts: Cuts, index: BlockIndex) -> Any:
        found = self.blocks.cut_out(cuts, tuple(rows[name] for name in rows.dtype.names))
        return found[0] if self.is_only else found


class _Only:
    """The one block of a part."""

    __slots__ = ("blocks",)
    reads_regions = True

    def __init__(self, blocks: _Blocks) -> None:
        self.blocks = blocks

    @property
    def advice(self) -> str:
        return self.blocks.advice

    def __call__(self, *cuts_and_pieces: Any) -> Any:
        (block,) = self.blocks(*cuts_and_pieces)
        return block
