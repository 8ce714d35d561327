"""How large the runs and the sample of a sort are, so that each of its tasks fits into memory.

Long runs are long parts; short ones are many, and of many each cut is uncertain in more places: it
takes a larger sample, and a larger table of cuts, to tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter

from gpuscale.base.sizes import format_bytes, parse_bytes
from gpuscale.graph.cuts import AFTER_ORDER, bytes_of_cuts, step_of_samples

__all__ = ["SortSizes", "advice", "fitting"]

# Of more blocks than this several are sorted together, so that a sample shows where each begins.
MOST_RUNS = 256
# What finding the cuts may take of the memory, and how many elements it has of each run at least.
_OF_MEMORY, _LEAST_OF_RUN = 0.9, 4


@dataclass(frozen=True)
class SortSizes:
    """Bytes that the tasks of a sort take.

    Parameters
    ----------
    size : int
        Elements in all.
    block : int
        Elements of the largest block.
    n_blocks, width : int
        How many blocks there are, and how many are sorted together.
    of_keys : int
        Bytes of the keys of an element.
    to_order : int
        Bytes that an order takes for an element, and to find it.
    positions : bool
        Whether positions are sorted with the keys, and are the result.
    sorts_beside : bool
        Whether the library takes as much memory again to sort in.
    budget : int
        Bytes that there are.
    """

    size: int
    block: int
    n_blocks: int
    width: int
    of_keys: int
    to_order: int
    positions: bool
    sorts_beside: bool
    budget: int

    @property
    def runs(self) -> int:
        """How many runs there are, and as many parts."""
        return -(-self.n_blocks // self.width)

    @property
    def itemsize(self) -> int:
        """Bytes of an element of a run."""
        return self.of_keys + 8 * self.positions

    @property
    def step(self) -> int:
        """How many elements of a run there are for one of the sample."""
        most = (_OF_MEMORY * self.budget - self.table) // (self.of_keys + self.in_sample)
        least = _LEAST_OF_RUN * self.runs
        return step_of_samples(self.size, self.runs, self.runs, max(int(most), least))

    @property
    def margin(self) -> int:
        """Elements about which it is uncertain in which of two parts they are: they go to both."""
        step = self.step
        return 2 * (self.runs + 1) * step if step > 1 else 0

    @property
    def table(self) -> int:
        """Bytes of the table of cuts."""
        return bytes_of_cuts(self.runs + 1, self.runs, self.width * self.block)

    @property
    def in_sample(self) -> int:
        """Bytes that finding the cuts takes for an element of the sample."""
        return max(self.of_keys + self.to_order, AFTER_ORDER)

    def of_part(self, own: int) -> int:
        """Bytes that sorting a part takes, of so many elements that are its own."""
        beside = self.to_order if self.positions else self.itemsize * self.sorts_beside
        return (own + self.margin) * (self.itemsize + beside)

    def room_for_run(self, size: int, joined: bool) -> int:
        """Bytes to sort a run in, of so many elements."""
        copied = joined + self.positions
        return size * (self.of_keys * copied + self.itemsize * self.sorts_beside)

    @property
    def largest_task(self) -> int:
        """Bytes that the largest task takes."""
        run, sample = self.width * self.block, self.size // self.step + self.runs
        of_result = 8 if self.positions else self.of_keys
        return max(
            run * (self.of_keys + self.itemsize) + self.room_for_run(run, self.width > 1),
            self.table + sample * (self.of_keys + self.in_sample),
            self.table + run * of_result + self.of_part(run),
        )

    @property
    def fits(self) -> bool:
        """Whether the largest task fits into memory."""
        return self.largest_task <= self.budget

    def in_blocks(self, block: int) -> SortSizes:
        """Return what another size of all blocks would come to."""
        n_blocks = max(1, -(-self.size // block))
        return replace(self, block=block, n_blocks=n_blocks, width=-(-n_blocks // MOST_RUNS))


def fitting(sizes: SortSizes) -> SortSizes:
    """Sort as many blocks together as it takes to fit into memory, or to come closest to that.

    Examples
    --------
    >>> sizes = SortSizes(10**6, 2_000, 500, 1, 8, 12, True, False, budget=10**6)
    >>> sizes.largest_task, fitting(sizes).width, fitting(sizes).largest_task
    (16104000, 3, 896448)
    """
    widths = dict.fromkeys(-(-sizes.n_blocks // runs) for runs in range(MOST_RUNS, 0, -1))
    found = []
    for width in widths:
        found.append(replace(sizes, width=width))
        if found[-1].fits:
            return found[-1]
    return min(found, key=attrgetter("largest_task"))


def advice(sizes: SortSizes) -> str:
    """Say what to do where not all tasks fit: chunks that do, and a larger limit if none do.

    Examples
    --------
    >>> sizes = SortSizes(10**6, 100_000, 10, 1, 8, 12, True, False, budget=10**6)
    >>> advice(sizes)
    'use chunks of 15,000 elements'
    >>> advice(replace(sizes, budget=10**5))
    'use chunks of 11,000 elements and a limit of 725.5 KiB'
    """
    blocks = {_easily_written(-(-sizes.size // runs)) for runs in range(1, MOST_RUNS + 1)}
    given = sizes.budget
    while True:
        best = min(map(sizes.in_blocks, sorted(blocks)), key=attrgetter("largest_task"))
        if best.fits:
            break
        sizes = replace(sizes, budget=parse_bytes(format_bytes(1.2 * sizes.budget + 1), 0))
    and_limit = f" and a limit of {format_bytes(best.budget)}" * (best.budget > given)
    return f"use chunks of {best.block:,} elements{and_limit}"


def _easily_written(number: int) -> int:
    """Round up to two digits and noughts."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return max(1, -(-number // unit) * unit)
