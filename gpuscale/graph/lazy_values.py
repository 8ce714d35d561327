"""What is lazy among the things that users hand over: delayed values, and futures of any client."""

from __future__ import annotations

from typing import Any

from gpuscale.base.dispatch import Dispatch
from gpuscale.graph.handle import Handle, kept
from gpuscale.graph.packing import rebuilt
from gpuscale.graph.task import Task
from gpuscale.memory.remote import RemoteValue

__all__ = ["handle_of", "lazy_in"]

handle_of: Dispatch[Handle | None] = Dispatch(
    "handle_of",
    doc="""Return the handle of a value that is the result of one task, None for other objects.

    The futures of another library register a row; nobody imports one to look for them.
    """,
)


@handle_of.register(object)
def _no_handle(value: Any) -> None:
    return None


@handle_of.register(Handle)
def _itself(value: Handle) -> Handle:
    return value


@handle_of.register_lazy("distributed")
def _register_futures_of_clusters() -> None:
    import distributed

    @handle_of.register(distributed.Future)
    def handle_of_future(future: Any) -> Handle:
        key = f"future-{future.key}"
        return Handle(Task(key, kept, (), (RemoteValue(future),), label="future"))


def lazy_in(value: Any) -> list[Any]:
    """List what is lazy, in containers and dataclasses too.

    Examples
    --------
    >>> lazy_in([1, {"x": 2}])
    []
    """
    found: list[Any] = []

    def note(each: Any) -> Any:
        if handle_of(each) is None:
            return rebuilt(each, note)
        found.append(each)
        return each

    note(value)
    return found
