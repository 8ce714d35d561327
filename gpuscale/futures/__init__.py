"""Futures: tasks that start when they are submitted, with the names of dask.distributed.

============ ===============================================================================
`client`     `Client`: opens and closes, cancels; `telling` says what there is
`tasks`      what it starts: submit, map, gather, scatter, compute
`future`     `Future`: the result of one task, that may not be there yet
`waiting`    `wait`, `as_completed`; `progress` waits with a bar
`calls`      one call as one task, futures among its arguments
`meaning`    what a function does now: which calls of it are the same task
`current`    the client that is open, also as seen by its own tasks; giving a place away
`clusters`   clients and futures of clusters, known without importing dask.distributed
`nesting`    futures inside of containers, and their results in their places
`primitives` locks, events, semaphores, queues and variables that tasks find by name; `signs` are
             what they are made of
`manners`    options and names of dask.distributed that mean nothing here, or something else
`executor`   the same client as an executor of `concurrent.futures`
============ ===============================================================================

May import: every lower floor. What runs the tasks is a session (`gpuscale.engines.session`); what
has become of a task is an outcome (`gpuscale.engines.outcome`), which all futures of its key share.

To add a method of dask.distributed's client: one method of `Client`, in terms of what
`engines.session` offers.
"""

from gpuscale.futures.client import Client
from gpuscale.futures.current import default_client, get_client, rejoin, secede, worker_client
from gpuscale.futures.executor import ClientExecutor
from gpuscale.futures.future import Future, fire_and_forget, futures_of
from gpuscale.futures.primitives import Event, Lock, Queue, Semaphore, Variable
from gpuscale.futures.progress import progress
from gpuscale.futures.waiting import as_completed, wait

__all__ = [
    "Client",
    "ClientExecutor",
    "Event",
    "Future",
    "Lock",
    "Queue",
    "Semaphore",
    "Variable",
    "as_completed",
    "default_client",
    "fire_and_forget",
    "futures_of",
    "get_client",
    "progress",
    "rejoin",
    "secede",
    "wait",
    "worker_client",
]
