"""What runs in a worker of a cluster: a few tasks, one after the other."""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import cloudpickle
import numpy as np

from gpuscale.backends.devices import IN_USE, running
from gpuscale.base import config
from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.failure import Failure, annotate, task_name, too_late
from gpuscale.engines.telling import Telling
from gpuscale.engines.timeouts import call_within
from gpuscale.engines.wanted import leaving
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Origin, Task
from gpuscale.io.bands import few_pages
from gpuscale.io.mapped import leave_pages
from gpuscale.memory.byte_order import keep_byte_order
from gpuscale.memory.limits import within_workers
from gpuscale.memory.measure import held_bytes
from gpuscale.memory.projection import check_measured
from gpuscale.memory.spaces import HOST

__all__ = ["BLAMED", "RemoteBatch", "Step", "perform", "that_travels"]

#: Bytes of pickles of functions that are kept for other batches, at most.
SMALL = 64 << 10

#: Attribute of an exception that says which task raised it: its key, and its name for people.
BLAMED = "_gpuscale_task"


class Step(NamedTuple):
    """One task of a batch.

    Parameters
    ----------
    function : int
        Which of the batch's functions.
    reads : tuple of int
        Numbers of earlier values: first the inputs of the batch, then the results of its steps.
    args : tuple
    ends : tuple of int
        Values that no later step reads.
    key : Key
    label : str
    origin : (str, int) or None
    options : TaskOptions or None
    """

    function: int
    reads: tuple[int, ...]
    args: tuple[Any, ...]
    ends: tuple[int, ...]
    key: Key
    label: str
    origin: Origin | None
    options: TaskOptions | None

    def as_task(self, function: Any) -> Task:
        """Return what messages about a task are made of."""
        task = Task(self.key, function, label=self.label, origin=self.origin)
        task.args, task.options = self.args, self.options
        return task


class RemoteBatch(NamedTuple):
    """Tasks as they are sent to the worker that runs them.

    Parameters
    ----------
    functions : tuple of bytes
        Pickles.
    places : tuple of (int or None)
        For each input, which result of another batch it is; None where that has only one.
    steps : tuple of Step
    results : tuple of int
        Numbers of the values that others need; the only one is handed on as it is.
    options : dict
        Of the configuration, in force while the tasks run.
    limit : int
        Bytes that tasks of the worker may hold.
    goes_on : bool
        Whether tasks that need none that has failed run all the same.
    told_as : Key or None
        Name under which clients are told of it, None where nobody watches.
    """

    functions: tuple[bytes, ...]
    places: tuple[int | None, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]
    options: dict[str, Any]
    limit: int
    goes_on: bool
    told_as: Key | None = None

    def __repr__(self) -> str:
        names = dict.fromkeys(step.label or "task" for step in self.steps)
        return f"<{len(self.steps)} tasks: {', '.join(names)}>"


# As many as there are different operations in a few plans.
@lru_cache(maxsize=512)
def _kept(pickled: bytes) -> Any:
    return pickle.loads(pickled)


def _function(batch: RemoteBatch, step: Step, loaded: dict[int, Any]) -> Any:
    """The function of a step; one that has data with it stays no longer than its batch."""
    function = loaded.get(step.function)
    if function is None:
        pickled = batch.functions[step.function]
        load = _kept if len(pickled) <= SMALL else pickle.loads
        function = loaded[step.function] = load(pickled)
    return function


def perform(batch: RemoteBatch, *inputs: Any) -> Any:
    """Run the tasks of a batch here.

    Parameters
    ----------
    batch : RemoteBatch
    *inputs
        One for each of its ``places``.

    Returns
    -------
    object
        The only result, or a tuple of results.

    Raises
    ------
    Exception
        What a task raised in its last attempt, with a note that names the task and the user's
        line.
    """
    values = [
        _aligned(_part(each, place)) for each, place in zip(inputs, batch.places, strict=True)
    ]
    del inputs
    telling, loaded, leave = Telling(batch.told_as), dict[int, Any](), leaving()
    try:
        with config.set(batch.options), within_workers(batch.limit), few_pages():
            for number, step in enumerate(batch.steps):
                leave()
                telling.begin(number)
                values.append(_result(batch, step, values, loaded, telling))
                for i in step.ends:
                    values[i] = None
    finally:
        telling.tell()
        leave_pages()
    found = tuple([keep_byte_order(values[i]) for i in batch.results])
    return found[0] if len(found) == 1 else found


def _part(result: Any, place: int | None) -> Any:
    """One of the results of a batch, which may have failed as a whole."""
    return result if place is None or isinstance(result, Failure) else result[place]


def _result(
    batch: RemoteBatch,
    step: Step,
    values: list[Any],
    loaded: dict[int, Any],
    telling: Telling,
) -> Any:
    """Run one task; a `Failure` if it, or one that it needs, fails and others go on."""
    arguments = [values[i] for i in step.reads]
    function = None
    try:
        function = _function(batch, step, loaded)
        if batch.goes_on and not getattr(function, "takes_failures", False):
            for each in arguments:
                if isinstance(each, Failure):
                    return each
        if hasattr(type(function), "needs"):
            inputs = [(held_bytes(each, 0), HOST) for each in arguments]
            limits = (batch.limit, float("inf"))
            check_measured(step.as_task(function), inputs, limits)
        found = _attempts(step, function, arguments, telling)
        telling.finished(found)
        return found
    except BaseException as raised:  # sys.exit() in a task is no reason for the worker to end
        if type(raised).__name__ == "Reschedule":  # no error: the batch belongs to another worker
            raise
        task = step.as_task(function)
        annotate(raised, task, arguments)
        error = that_travels(raised)
        telling.failed(error)
    if batch.goes_on:
        return Failure(task.key, error, task_name(task))
    with suppress(Exception):  # its class takes no attributes: better no name
        if not hasattr(error, BLAMED):
            setattr(error, BLAMED, (task.key, task_name(task)))
    raise error


def that_travels(error: BaseException) -> Exception:
    """Return an exception that arrives with its notes: itself, or one that says the same."""
    import tblib.pickling_support  # which comes with dask.distributed, and is for workers alone

    notes = getattr(error, "__notes__", [])
    with suppress(Exception):
        # Classes whose `__init__` takes other arguments than it hands on cannot be unpickled else.
        tblib.pickling_support.install(error)
        copy = pickle.loads(cloudpickle.dumps(error))
        has = getattr(copy, "__notes__", [])
        is_same = type(copy).__name__ == type(error).__name__ and has == notes
        if is_same and isinstance(error, Exception):
            return error
    replaced = EngineError(f"{type(error).__name__}: {error}")
    for note in notes:
        replaced.add_note(note)
    return replaced.with_traceback(error.__traceback__)


def _aligned(value: Any) -> Any:
    """Copy arrays that came over the network to an odd address, which kernels refuse."""
    if isinstance(value, np.ndarray):
        return value if value.flags.aligned else value.copy()
    if type(value) in (tuple, list):
        return type(value)(map(_aligned, value))
    return value


def _attempts(step: Step, function: Any, arguments: Sequence[Any], telling: Telling) -> Any:
    """Call the function, again if it may be tried again."""
    options, attempt = step.options, 0
    while True:
        try:
            return _once(step, function, arguments)
        except Exception as error:
            attempt += 1
            if options is None or attempt > options.retries:
                raise
            if telling.is_on:
                telling.failed(that_travels(error), attempt)
            time.sleep(options.delay(attempt))
            telling.begin()


def _once(step: Step, function: Any, arguments: Sequence[Any]) -> Any:
    seconds = None if step.options is None else step.options.timeout

    def apply() -> Any:
        if not IN_USE:
            return function(*arguments, *step.args)
        with running(step.label):
            return function(*arguments, *step.args)

    if seconds is None:
        return apply()
    return call_within(seconds, apply, too_late(step.as_task(function), seconds))
