"""What a task is in a process of a cluster: a pickled function, its inputs, and who is to blame."""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.backends.devices import IN_USE, running
from gpuscale.base.types import Key
from gpuscale.engines.failure import annotate, task_name, too_late
from gpuscale.engines.timeouts import call_within
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Origin, Task

__all__ = ["BLAMED", "RemoteCall", "perform"]

#: Attribute of an exception that says which task raised it: its key, and its name for people.
BLAMED = "_gpuscale_task"


class RemoteCall:
    """The call of one task, as it is sent to the worker that runs it.

    Parameters
    ----------
    program : bytes
        Of the function; tasks of one node share it.
    key : Key
        As the user's graph has it.
    label : str
    origin : (str, int) or None
    options : TaskOptions or None
    """

    __slots__ = ("key", "label", "options", "origin", "program")

    def __init__(
        self,
        program: bytes,
        key: Key,
        label: str,
        origin: Origin | None,
        options: TaskOptions | None,
    ) -> None:
        self.program, self.key, self.label = program, key, label
        self.origin, self.options = origin, options

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteCall, (self.program, self.key, self.label, self.origin, self.options)

    def as_task(self) -> Task:
        """Return what messages about a task are made of."""
        task = Task(self.key, _function(self.program), label=self.label, origin=self.origin)
        task.options = self.options
        return task


# As many as there are different operations in a few plans.
@lru_cache(maxsize=256)
def _function(program: bytes) -> Any:
    return pickle.loads(program)


def perform(call: RemoteCall, n_inputs: int, *inputs_and_args: Any) -> Any:
    """Run a task here.

    Parameters
    ----------
    call : RemoteCall
    n_inputs : int
        How many results of other tasks come first.
    *inputs_and_args
    """
    inputs_and_args = (*map(_aligned, inputs_and_args[:n_inputs]), *inputs_and_args[n_inputs:])
    try:
        return _attempts(call, inputs_and_args)
    except Exception as error:
        task = call.as_task()
        annotate(error, task, inputs_and_args[:n_inputs])
        _blame(error, task)
        raise


def _aligned(value: Any) -> Any:
    """Copy arrays that came over the network to an odd address: kernels refuse them."""
    if isinstance(value, np.ndarray):
        return value if value.flags.aligned else value.copy()
    if type(value) in (tuple, list):
        return type(value)(map(_aligned, value))
    return value


def _attempts(call: RemoteCall, arguments: Sequence[Any]) -> Any:
    """Call the function, again if it may be tried again."""
    options, attempt = call.options, 0
    while True:
        try:
            return _once(call, arguments)
        except Exception:
            attempt += 1
            if options is None or attempt > options.retries:
                raise
            time.sleep(options.delay(attempt))


def _once(call: RemoteCall, arguments: Sequence[Any]) -> Any:
    function = _function(call.program)
    seconds = None if call.options is None else call.options.timeout

    def apply() -> Any:
        if not IN_USE:
            return function(*arguments)
        with running(call.label):
            return function(*arguments)

    if seconds is None:
        return apply()
    return call_within(seconds, apply, too_late(call.as_task(), seconds))


def _blame(error: Exception, task: Task) -> None:
    if not hasattr(error, BLAMED):
        try:
            setattr(error, BLAMED, (task.key, task_name(task)))
        except Exception:  # its class takes no attributes: better no name
            return
