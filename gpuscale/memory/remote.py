"""Results that stay on the workers of a cluster, and are fetched when somebody needs them here."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from gpuscale.base.errors import EngineError, LostError
from gpuscale.memory.spilled import OnDisk

__all__ = ["CLOSED", "RemoteValue", "check_open", "check_reaches"]

#: What there is to say of results whose client is closed.
CLOSED = (
    "the client of the cluster was closed, and what workers held for it went with it: persist or "
    "submit it again with an open client, and compute or gather what is to stay before closing"
)


def check_open(client: Any) -> None:
    """Refuse to go on with a client that is closed.

    Parameters
    ----------
    client : distributed.Client or None

    Raises
    ------
    EngineError
        It is.
    """
    if _is_closed(client):
        raise LostError(CLOSED)


def check_reaches(client: Any, futures: Iterable[Any]) -> None:
    """Refuse results that are gone, or that another cluster holds: they would come never.

    Parameters
    ----------
    client : distributed.Client
        Whose workers are to read them.
    futures : iterable of distributed.Future

    Raises
    ------
    EngineError
        Their client is closed; or it names the result, and the scheduler that has it.
    """
    here = _scheduler_of(client)
    for future in futures:
        check_open(future.client)
        there = _scheduler_of(future.client)
        if here and there and here != there:
            raise EngineError(
                f"{future.key} belongs to the client of another cluster, that of the scheduler "
                f"{future.client.scheduler.address}: leave the inner `with` before it is used, or "
                "compute (gather) it there first"
            )


def _scheduler_of(client: Any) -> str | None:
    """Which scheduler a client talks to, by whichever address; None if that is not known."""
    identity: dict[str, Any] = getattr(client, "_scheduler_identity", {})
    return identity.get("id")


def _is_closed(client: Any) -> bool:
    return getattr(client, "status", None) == "closed"


class RemoteValue(OnDisk):
    """A result that a worker holds for as long as this object is there.

    Unlike those of what is on disk, copies and pickles of it hold the same result: a task that has
    one asks the workers.

    Parameters
    ----------
    future : distributed.Future
    place : int, optional
        Which item of the future's result it is; by default all of that.
    """

    #: What a region is read along, one part after the other.
    outer_axis = 0

    def __init__(self, future: Any, place: int | None = None) -> None:
        self.future, self.place = future, place
        self._shape: tuple[int, ...] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteValue, (self.future, self.place)

    @property
    def is_lost(self) -> bool:
        """Whether it is gone for good."""
        return _is_closed(self.future.client) or bool(self.future.status == "cancelled")

    def lost(self) -> LostError:
        """Return what there is to say if it is."""
        if _is_closed(self.future.client):
            return LostError(CLOSED)
        return LostError(
            "what was persisted is lost with its worker, and cannot be computed again, as it came "
            "from data of this program; or somebody has cancelled it, or restarted the cluster: "
            "persist it again, or have it read from files, which workers can do again"
        )

    @property
    def stored(self) -> int:
        """Bytes on disk of this process."""
        return 0

    def load(self) -> Any:
        """Fetch all of it."""
        return self._ask(_same) if self.place is not None else self._result(self._future())

    def as_future(self) -> Any:
        """Return a future of this alone."""
        return self.future if self.place is None else self._asking(_same)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array; that alone is fetched."""
        if self._shape is None:  # `cached_property` has a lock for all objects before Python 3.12
            self._shape = tuple(self._ask(operator.attrgetter("shape")))
        return self._shape

    def __getitem__(self, region: Any) -> Any:
        return self._ask(operator.getitem, region)

    def _ask(self, function: Any, *args: Any) -> Any:
        if _is_in_task():  # whose thread may be the only one that could answer
            return _answer(self._result(self._future()), self.place, function, args)
        return self._result(self._asking(function, *args))

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except Exception:
            if self.is_lost:
                raise self.lost() from None
            raise

    def _asking(self, function: Any, *args: Any) -> Any:
        future = self._future()
        return future.client.submit(_answer, future, self.place, function, args, pure=False)

    def _future(self) -> Any:
        """The future; one that came with the function of a task is made known to the cluster."""
        future = self.future
        if _is_closed(self.future.client):
            raise self.lost()
        if future.client is None:
            from distributed import get_client

            client: Any = get_client()
            state = client.sync(client.scheduler.get_task_status, keys=[future.key])[future.key]
            if state is None:
                raise EngineError(
                    "what was persisted is no longer on the cluster: it is lost with its worker, "
                    "or nobody holds it; persist it again, and keep it until its tasks have ended"
                )
            if state not in ("memory", "erred"):  # maybe for want of the thread that would wait
                raise EngineError(
                    "a function has a persisted collection that is not there yet: wait for it "
                    "before (gpuscale.cluster.wait), or make it an argument of the function"
                )
            future.bind_client(client)
            wish = {"op": "client-desires-keys", "keys": [future.key], "client": client.id}
            client._send_to_scheduler(wish)
        return future


def _is_in_task() -> bool:
    from distributed import get_worker

    try:
        get_worker()
    except ValueError:
        return False
    return True


def _same(value: Any) -> Any:
    return value


def _answer(result: Any, place: int | None, function: Any, args: tuple[Any, ...]) -> Any:
    return function(result if place is None else result[place], *args)
