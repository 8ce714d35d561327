"""What is known of a task, and how that may change."""

from __future__ import annotations

from enum import IntEnum

from gpuscale.base.errors import GpuscaleError

__all__ = ["TRANSITIONS", "IllegalTransition", "Status", "story"]


class Status(IntEnum):
    """What is known of a task."""

    WAITING = 0  #: something it needs has not finished
    READY = 1  #: may start as soon as there is room, and what is scarce is free
    RUNNING = 2  #: given to a worker, its bytes are reserved
    HELD = 3  #: finished, its result is in memory
    RELEASED = 4  #: finished, its result is dropped
    FAILED = 5  #: raised an exception, for the last time
    CANCELLED = 6  #: will not run
    RETRYING = 7  #: raised an exception, and waits for its next attempt
    SKIPPED = 8  #: will not run, since something it needs failed or was revoked
    FORGOTTEN = 9  #: its number is free for another task
    SPILLING = 10  #: finished, its result is being written to disk
    SPILLED = 11  #: finished, its result is on disk


_GONE = "the run was cancelled, it was revoked, or nobody needs its result any more"
_UNUSED = "its last use finished, or the run was cancelled"
_FORGOTTEN = "the driver forgot it"

#: Every legal move of a task, with its cause.
TRANSITIONS: dict[tuple[Status, Status], str] = {
    (Status.WAITING, Status.READY): "the last of what it needs finished",
    (Status.READY, Status.RUNNING): "a worker took it",
    (Status.RUNNING, Status.HELD): "it finished",
    (Status.RUNNING, Status.RELEASED): "it finished when nobody needed its result any more",
    (Status.RUNNING, Status.FAILED): "it raised",
    (Status.RUNNING, Status.RETRYING): "it raised, and may try again",
    (Status.RUNNING, Status.CANCELLED): "its worker gave it back before it began, or it raised "
    "when nobody needed it any more",
    (Status.RETRYING, Status.READY): "its back-off is over",
    (Status.HELD, Status.RELEASED): _UNUSED,
    (Status.HELD, Status.SPILLING): "there was no room for the task whose turn it is, "
    "or for what is held",
    (Status.SPILLING, Status.SPILLED): "it was written",
    (Status.SPILLING, Status.HELD): "it could not be written",
    (Status.SPILLING, Status.RELEASED): _UNUSED,
    (Status.SPILLED, Status.RELEASED): _UNUSED,
    (Status.SPILLED, Status.HELD): "somebody who holds it looked at it",
    (Status.WAITING, Status.CANCELLED): _GONE,
    (Status.READY, Status.CANCELLED): _GONE,
    (Status.RETRYING, Status.CANCELLED): _GONE,
    (Status.WAITING, Status.SKIPPED): "something it needs failed or was revoked",
    (Status.RELEASED, Status.FORGOTTEN): _FORGOTTEN,
    (Status.FAILED, Status.FORGOTTEN): _FORGOTTEN,
    (Status.CANCELLED, Status.FORGOTTEN): _FORGOTTEN,
    (Status.SKIPPED, Status.FORGOTTEN): _FORGOTTEN,
    (Status.FORGOTTEN, Status.WAITING): "another task got its number",
    (Status.FORGOTTEN, Status.READY): "another task, which needs nothing, got its number",
    (Status.FORGOTTEN, Status.SKIPPED): "another task, which needs what failed, got its number",
}


class IllegalTransition(GpuscaleError, RuntimeError):
    """An event that cannot happen to a task as it stands: a defect of the engine."""


def story(key: object, event: str, status: Status, waiting: int, in_use: int) -> IllegalTransition:
    """Make the error of an event that cannot happen: what the task is, and what it could become.

    Examples
    --------
    >>> print(story("x", "finished", Status.FAILED, 0, 1))
    task 'x' finished while it was FAILED, from where it can only become FORGOTTEN (the driver \
forgot it); it waits for 0 results, its own is needed 1 times more
    """
    moves = [f"{to.name} ({why})" for (at, to), why in TRANSITIONS.items() if at == status]
    return IllegalTransition(
        f"task {key!r} {event} while it was {status.name}, from where it can only become "
        f"{' or '.join(moves)}; it waits for {waiting} results, its own is needed {in_use} times "
        "more"
    )
