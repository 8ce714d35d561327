"""A graph on its way to a cluster: batches of tasks, what each needs, and data of this process."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gpuscale.base import config
from gpuscale.base.errors import EngineError
from gpuscale.base.options import OPTIONS
from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.engines.failure import annotate, task_name
from gpuscale.engines.remote import RemoteBatch, Step
from gpuscale.engines.reserving import HELD
from gpuscale.expr.detached import dumps
from gpuscale.expr.physical import Source
from gpuscale.graph.batches import ALONE, Batch, Cuts, batches
from gpuscale.graph.handle import kept, same
from gpuscale.graph.numbering import number
from gpuscale.graph.order import by_level, depth_first
from gpuscale.graph.packing import PackedCall
from gpuscale.graph.shuffle import HandOver, ShuffleStep, Take, WaitForAll
from gpuscale.graph.task import Task
from gpuscale.io.memory import KeptChunks
from gpuscale.memory.byte_order import keep_byte_order
from gpuscale.memory.limits import memory_limit, thread_share
from gpuscale.memory.remote import RemoteValue

__all__ = ["Parcel", "Result", "pack", "unsendable"]

#: Bytes of results that travel with others of their batch: moving them takes about as long as the
#: scheduler takes for a task. Fewer where a task reads many results that it has no room for.
ROOM = 4 << 20
#: Batches for each thread of the cluster: enough for the last ones to end at about the same time.
BATCHES_EACH = 16
#: ... of a level of tasks that do not need each other, and take about as long.
BATCHES_OF_A_LEVEL = 2


class Result(NamedTuple):
    """Where a result is: in which batch, and which of its results, None if it has only one."""

    batch: Key
    place: int | None


class Parcel:
    """One batch as it goes to the cluster.

    Attributes
    ----------
    name : Key
        Which no other batch has, of this run or of any other.
    tasks : list of Task
    needs : list of Key or RemoteValue
        What ``work`` reads: results of other batches, and what workers hold already.
    data : tuple
        Of this process, which ``work`` reads as one more input if there is any.
    work : RemoteBatch
    memory : int
        Bytes of its worker that it reserves; 0 for none.
    waits : WaitForAll or None
        What the batch does if it is the one of a shuffle that waits for all pieces.
    """

    __slots__ = ("data", "memory", "name", "needs", "tasks", "waits", "work")

    name: Key
    tasks: list[Task]
    needs: list[Any]
    data: tuple[Any, ...]
    work: RemoteBatch
    memory: int
    waits: WaitForAll | None


def pack(
    graph: Mapping[Key, Task],
    keys: Sequence[Key],
    n_threads: int,
    goes_on: bool = False,
    is_watched: bool = False,
) -> tuple[list[Parcel], list[Result]]:
    """Put the tasks that `keys` need into parcels.

    Parameters
    ----------
    graph : mapping of Key to Task
    keys : sequence of Key
    n_threads : int
        Of the cluster.
    goes_on : bool
        Whether a `Failure` stands in the place of results that need a task that has failed.
    is_watched : bool
        Whether workers are to tell of the tasks.

    Returns
    -------
    list of Parcel
        Each needs earlier ones only.
    list of Result
        Where the results of `keys` will be.

    Raises
    ------
    EngineError
        A task calls what cannot be pickled.
    """
    packer = _Packer(graph, keys, n_threads, goes_on, is_watched)
    return packer.parcels, [packer.where[i] for i in packer.graph.kept]


_NO_CUTS = Cuts()


class _Packer:
    def __init__(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        n_threads: int,
        goes_on: bool,
        is_watched: bool,
    ) -> None:
        self.graph, self.goes_on, self.options = number(graph, keys), goes_on, _in_force()
        self._is_watched = is_watched
        self.where: dict[int, Result] = {}
        self.parcels: list[Parcel] = []
        self._pickles: dict[int, bytes] = {}
        self._mark = uuid.uuid4().hex[:12]
        self._uses = self.graph.uses()
        order, self._firsts, most = self._order(n_threads)
        self._follow = self._after_their_data(order)
        holds = min(memory_limit() // HELD, thread_share() // 2)
        room = min(ROOM, holds // self._widest())
        for batch in batches(self.graph, order, most, room, self._cuts, holds):
            self.parcels.append(self._parcel(batch))

    def _widest(self) -> int:
        """Count the results that a task reads; what travels with each of them is fetched, too."""
        tasks = self.graph.tasks
        reads = (sum(1 for dep in deps if tasks[dep].nbytes) for deps in self.graph.deps)
        return max(1, max(reads, default=1))

    def _order(self, n_threads: int) -> tuple[list[int], set[int], int]:
        """Tasks as they are put into batches, the first ones of some, and the most of one.

        Depth first, few results are alive, and batches wait for each other where they read each
        other's results. Where results are small and levels are few, batches of a level need not.
        """
        graph, n_batches = self.graph, BATCHES_EACH * n_threads
        levels, each = by_level(graph), BATCHES_OF_A_LEVEL * n_threads
        if len(levels) * each > n_batches or not self._are_small(n_batches * ROOM):
            return depth_first(graph), set(), -(-len(graph) // n_batches)
        least, firsts = -(-2 * len(graph) // n_batches), set[int]()
        for level in levels:
            heads = [i for i in level if all(graph.tasks[dep].nbytes for dep in graph.deps[i])]
            firsts.update(heads[:: max(-(-len(heads) // each), least)])
        order, saves = self._saved_at_once([i for level in levels for i in level])
        return order, firsts - saves, len(graph)

    def _saved_at_once(self, order: list[int]) -> tuple[list[int], set[int]]:
        """Have what saves a result follow it: the cluster may end meanwhile."""
        graph, saves, after = self.graph, set[int](), defaultdict[int, list[int]](list)
        for i in order:
            if getattr(graph.tasks[i].fn, "saves", False) and graph.deps[i][0] not in saves:
                saves.add(i)
                after[graph.deps[i][0]].append(i)
        return [j for i in order if i not in saves for j in (i, *after[i])], saves

    def _are_small(self, room: int) -> bool:
        """Whether all results that tasks read are known to have room at the same time."""
        graph, tasks = self.graph, self.graph.tasks
        if any(task.priority != tasks[0].priority for task in tasks):
            return False
        for task, users in zip(tasks, graph.users, strict=True):
            # Of no bytes are results that are unknown, and those whose parts others hand on.
            if not task.nbytes and any(
                not tasks[i].nbytes or len(graph.deps[i]) > 1 for i in users
            ):
                return False
        return sum(task.nbytes for task in tasks) <= min(room, memory_limit() // 8)

    def _cuts(self, i: int) -> Cuts:
        """Where batches end around a task."""
        kind = self._kind(i)
        return kind._replace(before=True) if i in self._firsts else kind

    def _kind(self, i: int) -> Cuts:
        """Where batches end around a task because of what it is."""
        task = self.graph.tasks[i]
        if task.fn is same and (steps := self._steps_of(i)):
            return Cuts(before=True) if self._follow.issuperset(steps) else ALONE
        if isinstance(task.fn, Take):  # which says on which worker its batch runs
            return Cuts(before=i not in self._follow)
        if isinstance(task.fn, HandOver):
            # The one that waits reads results of whole batches: blocks are not to be among them.
            if i in self._follow:
                return Cuts(after=True)
            return _NO_CUTS if self._uses[self.graph.deps[i][0]] == 1 else ALONE
        # More than pieces of what the user asked for stand alone.
        is_whole = isinstance(task.fn, PackedCall | WaitForAll) or task.options is not None
        # A batch fails if one future that it reads has failed, the results of others with it.
        is_alone = is_whole or (self.goes_on and task.fn is kept)
        return ALONE if is_alone else _NO_CUTS

    def _steps_of(self, i: int) -> list[int]:
        """Steps of a shuffle that read a result."""
        graph = self.graph
        return [user for user in graph.users[i] if isinstance(graph.tasks[user].fn, ShuffleStep)]

    def _after_their_data(self, order: Sequence[int]) -> set[int]:
        """Steps of a shuffle that follow what they alone read of this process, and go with it."""
        graph = self.graph
        return {
            i
            for before, i in pairwise(order)
            if graph.tasks[before].fn is same
            and graph.users[before] == [i] == self._steps_of(before)
        }

    def _parcel(self, batch: Batch) -> Parcel:
        parcel = Parcel()
        parcel.memory = 0
        parcel.tasks = [self.graph.tasks[i] for i in batch.tasks]
        inputs = _Inputs(self, batch)
        first = parcel.tasks[0].fn
        parcel.waits = first.of_run(self._mark) if isinstance(first, WaitForAll) else None
        parcel.name = self._name(parcel, bool(inputs.needs))
        parcel.needs, parcel.data = inputs.needs, tuple(inputs.data)
        parcel.work = inputs.work(batch, parcel.name if self._is_watched else None)
        single = len(batch.results) == 1
        for place, i in enumerate(batch.results):
            self.where[i] = Result(parcel.name, None if single else place)
        return parcel

    def _name(self, parcel: Parcel, has_needs: bool) -> Key:
        if parcel.waits is not None:
            return parcel.waits.key
        # Those without needs are a group of their own, which the scheduler holds back while
        # workers have enough to do.
        labels = dict.fromkeys(task.label or "task" for task in parcel.tasks)
        label = "+".join(labels) if len(labels) < 4 else f"{next(iter(labels))}..."
        return (f"{label}-{self._mark}-{int(has_needs)}", len(self.parcels))

    def pickled(self, task: Task) -> bytes:
        """Pickle the function of a task, once for all tasks that call the same."""
        found = self._pickles.get(id(task.fn))
        if found is None:
            fn = task.fn
            try:
                found = dumps(fn.of_run(self._mark) if isinstance(fn, ShuffleStep) else fn)
            except Exception as error:
                refused = EngineError(
                    f"task {task_name(task)} cannot be sent to a worker, since what it calls "
                    f"cannot be pickled: {error}; have the function make it, or take what tasks of "
                    "all workers share, such as gpuscale.cluster.Lock(name)"
                )
                annotate(refused, task, ())
                raise refused from error
            self._pickles[id(task.fn)] = found
        return found


class _Inputs:
    """The values that the steps of a batch read, in the order in which `perform` has them."""

    def __init__(self, packer: _Packer, batch: Batch) -> None:
        self._packer, self._numbers = packer, dict[int, int]()
        self.needs: list[Any] = []
        self.data: list[Any] = []
        places: list[int | None] = []
        graph, own = packer.graph, set(batch.tasks)
        outer = {dep: None for i in batch.tasks for dep in graph.deps[i] if dep not in own}
        for dep in outer:
            name, place = packer.where[dep]
            self._take(dep, name, place, places)
        here = []
        for i in batch.tasks:
            is_here, value = _value_here(graph.tasks[i])
            if is_here and isinstance(value, RemoteValue):
                self._take(i, value, value.place, places)
            elif is_here:
                here.append((i, value))
        for place, (i, value) in enumerate(here):
            self._numbers[i] = len(places)
            places.append(place)
            self.data.append(keep_byte_order(value))
        self._places = tuple(places)

    def _take(self, i: int, need: Any, place: int | None, places: list[int | None]) -> None:
        self._numbers[i] = len(places)
        places.append(place)
        self.needs.append(need)

    def work(self, batch: Batch, told_as: Key | None) -> RemoteBatch:
        """Make the steps."""
        graph, numbers, packer = self._packer.graph, self._numbers, self._packer
        functions: dict[bytes, int] = {}
        run = [i for i in batch.tasks if i not in numbers]
        for number_, i in enumerate(run, len(self._places)):
            numbers[i] = number_
        results = tuple([numbers[i] for i in batch.results])
        last: dict[int, int] = {}
        for place, i in enumerate(run):
            last.update(dict.fromkeys([numbers[dep] for dep in graph.deps[i]], place))
        ends: list[list[int]] = [[] for _ in run]
        for value, place in last.items():
            if value not in results:
                ends[place].append(value)
        steps = []
        for place, i in enumerate(run):
            task = graph.tasks[i]
            check_arguments(task)
            function = functions.setdefault(packer.pickled(task), len(functions))
            reads = tuple([numbers[dep] for dep in graph.deps[i]])
            steps.append(
                Step(
                    function, reads, task.args, tuple(ends[place]), task.key, task.label,
                    task.origin, task.options,
                )
            )  # fmt: skip
        return RemoteBatch(
            tuple(functions), self._places, tuple(steps), results, packer.options,
            memory_limit(), packer.goes_on, told_as,
        )  # fmt: skip


def check_arguments(task: Task) -> None:
    """Refuse arrays among the arguments of a task that take more than a worker has for its tasks.

    Raises
    ------
    EngineError
    """
    nbytes = sum(each.nbytes for each in task.args if isinstance(each, np.ndarray))
    if nbytes > memory_limit():
        refused = EngineError(
            f"the arguments of {task_name(task)} take {format_bytes(nbytes)}, and a worker has "
            f"{format_bytes(memory_limit())} for its tasks: cut them, as gpuscale.array.from_array "
            "does, read them in the task, or give workers more memory (memory_limit=)"
        )
        annotate(refused, task, ())
        raise refused


def unsendable(parcels: Sequence[Parcel]) -> EngineError | None:
    """Say which task reads data of this process that cannot be pickled; None if all can be."""
    for parcel in parcels:
        for task in parcel.tasks:
            is_here, value = _value_here(task)
            try:
                dumps(value if is_here else task.args)
            except Exception as error:
                reader = next((each for each in parcel.tasks if task.key in each.deps), task)
                refused = EngineError(
                    f"task {task_name(reader)} cannot be sent to a worker, since what it is given "
                    f"cannot be pickled: {error}; make it in the task"
                )
                annotate(refused, reader, ())
                return refused
    return None


def _in_force() -> dict[str, Any]:
    """Options that have a meaning in tasks, as far as this process has set them."""
    return {
        option.key: config.get(option.key)
        for option in OPTIONS
        if option.key.startswith(("array.", "codegen."))
        and config.get(option.key) != option.default
    }


def _value_here(task: Task) -> tuple[bool, Any]:
    """Say whether this process has what a task gives, and what that is."""
    if task.deps:
        return False, None
    if task.fn in (same, kept):
        return True, task.args[0]
    source = getattr(task.fn, "__self__", None)
    if not isinstance(source, Source) or not source.reader.is_memory:
        return False, None
    if isinstance(source.reader, KeptChunks) and source.meta.chunks == source.reader.chunks:
        return True, source.reader.whole(*task.args)
    return True, task.fn(*task.args)
