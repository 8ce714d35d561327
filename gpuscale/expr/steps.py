"""What one task does with the partitions of frames: a few steps, each a function of those before.

It is to frames what `ProgramKernel` is to arrays: work that one task can do in one go is one kernel
(`gpuscale.expr.merge_steps`), where every value is dropped after its last use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from gpuscale.base.errors import add_note
from gpuscale.expr.kernels import Block
from gpuscale.memory.projection import MORE_PARTITIONS

__all__ = ["Step", "StepsKernel", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """Stands for a value in the arguments of a step: an input, or what a step before gave."""

    number: int


@dataclass(frozen=True)
class Step:
    """One call of a function.

    Parameters
    ----------
    function : callable
    args : tuple
        Those that are a `Value` stand for one.
    kwargs : tuple of (str, object)
        The same for names.
    label : str
    origin : (str, int), optional
        The user's line; no part of the identity.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...] = ()
    label: str = "function"
    origin: tuple[str, int] | None = None

    def __gpuscale_tokenize__(self) -> tuple[Any, ...]:
        return self.function, self.args, self.kwargs, self.label

    @property
    def reads(self) -> Iterator[int]:
        """Numbers of the values that it takes."""
        for each in (*self.args, *(value for _, value in self.kwargs)):
            if isinstance(each, Value):
                yield each.number

    def renumbered(self, numbers: Mapping[int, int]) -> Step:
        """Return the step over values that have other numbers."""

        def new(value: Any) -> Any:
            return Value(numbers[value.number]) if isinstance(value, Value) else value

        kwargs = tuple((name, new(value)) for name, value in self.kwargs)
        return replace(self, args=tuple(map(new, self.args)), kwargs=kwargs)

    def call(self, values: Sequence[Any]) -> Any:
        """Call the function."""

        def filled(value: Any) -> Any:
            return values[value.number] if isinstance(value, Value) else value

        kwargs = {name: filled(value) for name, value in self.kwargs}
        return self.function(*map(filled, self.args), **kwargs)


@dataclass(frozen=True)
class StepsKernel:
    """Steps over aligned partitions; the last one gives the result.

    Parameters
    ----------
    count : int
        How many inputs there are: values 0, 1, ... are these, and then come those of the steps.
    steps : tuple of Step
    room : int, optional
        Bytes that the steps take for the largest partition, beside inputs and result; by default as
        much as a copy of the result or of the largest input.
    """

    count: int
    steps: tuple[Step, ...]
    room: int | None = None
    otherwise: ClassVar[str] = MORE_PARTITIONS

    @property
    def advice(self) -> str:
        """What to do where a partition is too large: what a function says that has all rows."""
        said = (getattr(step.function, "advice", "") for step in self.steps)
        return next(filter(None, said), "")

    @cached_property
    def label(self) -> str:
        """Steps inside, for people."""
        return "+".join(dict.fromkeys(step.label for step in self.steps))

    @cached_property
    def _last_uses(self) -> list[list[int]]:
        """Values that nobody reads after each step."""
        seen: set[int] = set()
        found: list[list[int]] = []
        for step in reversed(self.steps):
            found.append(list(set(step.reads) - seen))
            seen.update(step.reads)
        return found[::-1]

    def __call__(self, block: Block, inputs: Sequence[Any], out: Any = None) -> Any:
        """Take the steps for one set of partitions."""
        values = list(inputs)
        if isinstance(inputs, list):
            inputs.clear()  # whoever made the list for us would hold all partitions until the end
        for step, unused in zip(self.steps, self._last_uses, strict=True):
            try:
                values.append(step.call(values))
            except (Exception, SystemExit) as error:
                add_note(error, operation=step.label, origin=step.origin, chunk=block.index)
                raise
            for number in unused:
                values[number] = None
        if out is None:
            return values[-1]
        out[...] = values[-1]  # an array of frames, which has its place already
        return out
