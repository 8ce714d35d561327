"""An engine that refuses: whatever runs under it was lazy."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, ClassVar

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.types import Key
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import Listener
from gpuscale.graph.task import Task

__all__ = ["RefusingEngine", "nothing_computes"]


class RefusingEngine(Engine):
    """Raises when anything is computed."""

    name: ClassVar[str] = "refusing"

    def run(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
        on_error: OnError = "raise",
    ) -> list[Any]:
        """Raise; the message names what would have been computed."""
        labels = sorted({task.label for task in graph.values()})
        raise AssertionError(f"computed, but should be lazy: {', '.join(labels)}")


@block
def nothing_computes() -> Generator[None, None, None]:
    """Raise AssertionError where anything is computed inside the block.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> with nothing_computes():
    ...     y = ga.ones(3) + 1
    """
    config.allow("engine", RefusingEngine.name)
    with config.set({"engine": RefusingEngine.name}):
        yield
    config.disallow("engine", RefusingEngine.name)
