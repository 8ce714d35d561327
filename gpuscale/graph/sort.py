"""Tasks of a sort across blocks: sorted runs are cut into pieces, which meet in new blocks.

Where to cut follows from a small sample of every run, so no task takes more than about one block's
worth of elements, and all of them together are held once. Pieces go through the levels that
`gpuscale.chunks.levels` plans. The ends of new blocks are exact ranks: a block first gathers all
elements that may belong to it, sorts them, and drops by number what belongs to its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any

from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import Key
from gpuscale.chunks.blocks import known_sizes
from gpuscale.chunks.levels import Levels, plan_levels
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import SortPlan
from gpuscale.graph.build import GraphBuilder, lays_out
from gpuscale.graph.cuts import Cuts, find_cuts, step_of_samples

__all__: list[str] = []

BlockIndex = tuple[int, ...]
Run = tuple[Any, ...]  # sorted elements and, where wanted, the positions that they come from

# Of more blocks than this several are sorted together: the sample grows with the square of it.
_MOST_RUNS = 256


@lays_out(SortPlan)
def _lay_out_sort(builder: GraphBuilder, node: Exchange, wanted: list[BlockIndex]) -> None:
    sort = _Sort(builder, node)
    sort.add_runs()
    parts = {index[0] // sort.width for index in wanted}
    levels = sort.levels
    branches = [sorted({p // levels.width(k) for p in parts}) for k in range(levels.depth + 1)]
    for level in range(levels.depth):
        for branch in branches[level]:
            children = [k for k in branches[level + 1] if k // levels.fan_out == branch]
            for group in range(levels.groups(level)):
                sort.add_pieces(level, branch, group, children)
    for part in sorted(parts):
        sort.add_blocks(part, [k for (k,) in wanted if k // sort.width == part])


class _Sort:
    """The tasks of one sort while they are made.

    A key of a piece is (name-level, branch of parts, group of runs); runs are those of level 0.
    """

    def __init__(self, builder: GraphBuilder, node: Exchange) -> None:
        (self.x,) = node.inputs
        self.builder, self.node = builder, node
        self.name = builder.key(node, ())[0]
        sizes = known_sizes(self.x.meta.chunks[0])
        self.width = -(-len(sizes) // _MOST_RUNS)
        self.ends = [0, *accumulate(map(sum, _grouped(sizes, self.width)))]
        runs = parts = len(self.ends) - 1
        self.levels = plan_levels(runs, parts)
        self.step = step_of_samples(sum(sizes), runs, parts)
        self.itemsize = self.x.meta.dtype.itemsize + 8 * node.plan.positions
        # Elements about which it is uncertain in which of two parts they are go to both.
        self.margin = 2 * (runs + 1) * self.step if self.step > 1 else 0
        self.table: Key = (f"{self.name}-cuts",)

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
        blocks = [(k,) for k in range(len(self.x.meta.chunks[0]))]
        itemsize = self.x.meta.dtype.itemsize
        samples: list[Key] = []
        for k, deps in enumerate(_grouped(self.builder.want_all(self.x, blocks), self.width)):
            size = self.ends[k + 1] - self.ends[k]
            run, sample = self._key(0, 0, k), (f"{self.name}-sample", k)
            start = self.ends[k] if self.node.plan.positions else None
            joined = size * itemsize if len(deps) > 1 else 0
            nbytes = (size + self.margin) * self.itemsize
            room = joined + size * itemsize * self.node.plan.positions
            self._add(run, _SortedRun(start), deps, nbytes, room)
            self._add(sample, _Sample(self.step), (run,), -(-size // self.step) * itemsize)
            samples.append(sample)
        held = self._nbytes(self._key(0, 0, k) for k in range(len(samples)))
        n_sampled = self._nbytes(samples) // max(1, itemsize)
        table = 16 * len(self.ends) * len(samples)
        find = _FindCuts(self.ends, self.step, held)
        self._add(self.table, find, samples, table, 2 * table + 64 * n_sampled)

    def add_pieces(self, level: int, branch: int, group: int, children: list[int]) -> None:
        """Cut what a branch of parts has of a group of runs for the branches it consists of."""
        levels = self.levels
        sources = self._sources(level, branch, group)
        all_bytes, leaves = self._nbytes(sources), levels.leaves(level, branch)
        sizes = [
            all_bytes * len(levels.leaves(level + 1, child)) // len(leaves) for child in children
        ]
        cut = (f"{self.name}-cut-{level}", branch, group)
        self._add(
            cut, _Cut(levels, level, branch, group, children), (self.table, *sources), sum(sizes)
        )
        for number, (child, nbytes) in enumerate(zip(children, sizes, strict=True)):
            self._add(self._key(level + 1, child, group), itemgetter(number), (cut,), nbytes)

    def _sources(self, level: int, branch: int, group: int) -> list[Key]:
        if level == 0:
            return [self._key(0, 0, group)]
        return [self._key(level, branch, each) for each in self.levels.merged(level, group)]

    def add_blocks(self, part: int, numbers: list[int]) -> None:
        """Sort what has met for a part, and hand it on in blocks."""
        meta, builder = self.node.meta, self.builder
        keys = builder.keys(self.node, [(k,) for k in numbers])
        starts = [meta.block_start((k,))[0] for k in numbers]
        spans = [(a, a + meta.block_shape((k,))[0]) for a, k in zip(starts, numbers, strict=True)]
        sources = (self.table, *self._sources(self.levels.depth, part, 0))
        room = self.itemsize + 12 * self.node.plan.positions  # an order, and to find it
        gathered = (self.ends[part + 1] - self.ends[part] + self.margin) * room
        sizes = [(b - a) * meta.dtype.itemsize for a, b in spans]
        blocks = _Blocks(self.levels, part, spans)
        if self.width == 1:
            ((key, nbytes),) = zip(keys, sizes, strict=True)
            self._add(key, _Only(blocks), sources, nbytes, gathered)
            return
        together = (f"{self.name}-part", part)
        self._add(together, blocks, sources, sum(sizes), gathered)
        for number, (key, nbytes) in enumerate(zip(keys, sizes, strict=True)):
            self._add(key, itemgetter(number), (together,), nbytes)


def _grouped(items: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    return (items[k : k + width] for k in range(0, len(items), width))


class _SortedRun:
    """Sort some blocks together; with a start, keep where the elements were."""

    __slots__ = ("start",)

    def __init__(self, start: int | None) -> None:
        self.start = start

    def __call__(self, *chunks: Any) -> Run:
        xp = array_namespace(chunks[0])
        chunk = chunks[0] if len(chunks) == 1 else xp.concatenate(chunks)
        if self.start is None:
            return (xp.sort(chunk),)
        order = xp.argsort(chunk, kind="stable")
        values = chunk[order]
        order += self.start
        return values, order


class _Sample:
    """Every so many elements of a sorted run."""

    __slots__ = ("step",)

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, run: Run) -> tuple[Any, int]:
        return run[0][:: self.step].copy(), len(run[0])


class _FindCuts:
    """Where each run is to be cut; by then all of them are held."""

    __slots__ = ("ends", "held", "step")
    advice = "sorting holds all blocks at once, whatever the chunks: sort less"

    def __init__(self, ends: list[int], step: int, held: int) -> None:
        self.ends, self.step, self.held = ends, step, held

    def __call__(self, *samples: tuple[Any, int]) -> Cuts:
        values, sizes = zip(*samples, strict=True)
        return find_cuts(values, sizes, self.step, self.ends)


def _segments(
    cuts: Cuts, levels: Levels, level: int, branch: int, group: int, pieces: Sequence[Run]
) -> dict[int, tuple[int, Run]]:
    """Take pieces apart by the runs that they come from, and say where in the run each starts."""
    if level == 0:
        return {group: (0, pieces[0])}
    found = {}
    leaves = levels.leaves(level, branch)
    for source, piece in zip(levels.merged(level, group), pieces, strict=True):
        runs, at = levels.members(level - 1, source), 0
        for run, (start, stop) in zip(runs, cuts.spans(leaves, runs), strict=True):
            end = at + stop - start
            found[run] = start, tuple(array[at:end] for array in piece)
            at = end
    return found


def _joined(pieces: list[Run]) -> Run:
    """Copy pieces one after the other."""
    xp = array_namespace(pieces[0][0])
    return tuple(xp.concatenate(arrays) for arrays in zip(*pieces, strict=True))


class _Cut:
    """What some branches of parts have of a group of runs, in the order of the runs."""

    __slots__ = ("branch", "children", "group", "level", "levels")

    def __init__(
        self, levels: Levels, level: int, branch: int, group: int, children: list[int]
    ) -> None:
        self.levels, self.level, self.branch, self.group = levels, level, branch, group
        self.children = children

    def __call__(self, cuts: Cuts, *pieces: Run) -> tuple[Run, ...]:
        level, group = self.level, self.group
        found = _segments(cuts, self.levels, level, self.branch, group, pieces)
        members = self.levels.members(level, group)
        result = []
        for child in self.children:
            spans = cuts.spans(self.levels.leaves(level + 1, child), members)
            chosen = []
            for run, (start, stop) in zip(members, spans, strict=True):
                first, arrays = found[run]
                chosen.append(tuple(array[start - first : stop - first] for array in arrays))
            result.append(_joined(chosen))
        return tuple(result)


class _Blocks:
    """Sort what has met for a part, and cut it into blocks of exact ranks."""

    __slots__ = ("levels", "part", "spans")

    def __init__(self, levels: Levels, part: int, spans: list[tuple[int, int]]) -> None:
        self.levels, self.part, self.spans = levels, part, spans

    def __call__(self, cuts: Cuts, *pieces: Run) -> tuple[Any, ...]:
        depth = self.levels.depth
        found = _segments(cuts, self.levels, depth, self.part, 0, pieces)
        first = sum(start for start, _ in found.values())  # so many elements come before all these
        values, *where = _joined([found[run][1] for run in sorted(found)])
        spans = [slice(a - first, b - first) for a, b in self.spans]
        if not where:
            values.sort()
            return tuple(values[span].copy() for span in spans)
        order = array_namespace(values).argsort(values, kind="stable")
        return tuple(where[0][order[span]] for span in spans)


class _Only:
    """The one block of a part."""

    __slots__ = ("blocks",)

    def __init__(self, blocks: _Blocks) -> None:
        self.blocks = blocks

    def __call__(self, *cuts_and_pieces: Any) -> Any:
        (block,) = self.blocks(*cuts_and_pieces)
        return block
