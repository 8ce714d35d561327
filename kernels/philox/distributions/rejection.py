"""Rejection methods as functions of the element index: repeat an attempt until it is accepted.

Attempt number t of element i takes the Philox blocks i of the draws that follow from t, so a value
depends on key, index and constants alone. Attempts are branch-free: on arrays they run for all
pending elements at once, in compiled code (`rejection_cpu.py`) as vector loops, with equal bits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..rounds import words
from ..uniform import bits53

Array = np.ndarray[Any, Any]
Formulas = Callable[[Any], tuple[Any, ...]]
Attempt = Callable[[tuple[Any, ...], Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Stream:
    """Where random numbers come from: one key, and the elements that want a value.

    Attributes
    ----------
    key : the two 32-bit halves of the key.
    index : 1-d uint64 array, the global indices of the elements.
    stage : keeps apart the draws of a value that is built from several; see `at`.
    compiled : whether to run compiled loops; the values are the same.
    """

    key: tuple[int, int]
    index: Array
    stage: int = 0
    compiled: bool = False

    def draws(self, draw: Callable[..., Any]) -> Array:
        """Return `draw(key0, key1, index)`, a draw that ignores the stage, for all elements."""
        if not self.compiled:
            return draw(*self.key, self.index)
        from ..rows_cpu import fill_each

        out = np.empty(self.index.size)
        fill_each(draw)(out, *self.key, self.index)
        return out

    def evaluate(self, formulas: Formulas, *inputs: Any) -> Any:
        """Return the results of formulas: a tuple of floats, or a table with a row for each.

        Each input is a number, or an array with a value for each element.
        """
        if not any(np.ndim(values) for values in inputs):
            results = formulas(tuple(np.full(1, values, np.float64) for values in inputs))
            return tuple(float(result[0]) for result in results)
        columns = np.broadcast_arrays(np.empty(self.index.size), *inputs)[1:]
        table = np.stack(columns, dtype=np.float64)
        if not self.compiled:
            return np.stack(formulas(table))
        from .rejection_cpu import compiled_formulas

        return compiled_formulas(formulas)(table)

    def at(self, stage: int) -> "Stream":
        """Return the same elements with draws that are independent of other stages."""
        return replace(self, stage=stage)


@dataclass(frozen=True)
class Method:
    """A rejection method.

    Attributes
    ----------
    setup : parameters -> constants of the attempts; both are indexed by number.
    attempt : (53-bit random integers, constants) -> (value, accepted).
    blocks : how many Philox blocks of two such integers an attempt takes, 1 or 2.
    """

    setup: Formulas
    attempt: Attempt
    blocks: int


def one_block(key0: Any, key1: Any, index: Any, attempt: Any, stage: Any) -> tuple[Any, ...]:
    """Return two 53-bit integers for an attempt (0, 1, ...) of elements `index`.

    Examples
    --------
    >>> zero = np.uint64(0)
    >>> len(one_block(0, 0, np.arange(3, dtype=np.uint64), zero, zero))
    2
    """
    w0, w1, w2, w3 = words(key0, key1, index, attempt + np.uint64(1), stage)
    return bits53(w0, w1), bits53(w2, w3)


def two_blocks(key0: Any, key1: Any, index: Any, attempt: Any, stage: Any) -> tuple[Any, ...]:
    """Return four 53-bit integers for an attempt (0, 1, ...) of elements `index`.

    Examples
    --------
    >>> zero = np.uint64(0)
    >>> len(two_blocks(0, 0, np.arange(3, dtype=np.uint64), zero, zero))
    4
    """
    first, second = one_block(key0, key1, index, attempt + attempt, stage)
    third, fourth = one_block(key0, key1, index, attempt + attempt + np.uint64(1), stage)
    return first, second, third, fourth


def constants_at(constants: Any, positions: Any) -> Any:
    """Return the constants of the elements at `positions`: floats hold for all of them.

    Examples
    --------
    >>> constants_at((1.0, 2.0), np.array([5]))
    (1.0, 2.0)
    """
    return constants if isinstance(constants, tuple) else constants[:, positions]


def draw_accepted(method: Method, stream: Stream, *parameters: Any) -> Array:
    """Return, for each element of a stream, the value of its first accepted attempt.

    Parameters
    ----------
    method : what to attempt.
    stream : key, elements and stage.
    parameters : each a number, or an array with a value for each element. Where a constant that
        follows from them is infinite or NaN no attempt could end, and the value is NaN.

    Examples
    --------
    >>> def limit(parameters):
    ...     return (parameters[0] / 2.0,)
    >>> def below(bits, constants):
    ...     value = bits[0] * 2.0**-53
    ...     return value, value < constants[0]
    >>> stream = Stream((0, 0), np.arange(1000, dtype=np.uint64))
    >>> draw_accepted(Method(limit, below, blocks=1), stream, 0.5).max() < 0.25
    np.True_
    """
    constants = stream.evaluate(method.setup, *parameters)
    finite = np.isfinite(constants).all(axis=0)
    if finite.all():
        return _draw(method, stream, constants)
    out = np.full(stream.index.size, np.nan)
    if np.ndim(finite):
        usable = replace(stream, index=stream.index[finite])
        out[finite] = _draw(method, usable, constants[:, finite])
    return out


def _draw(method: Method, stream: Stream, constants: Any) -> Array:
    out = np.empty(stream.index.size)
    if stream.compiled:
        from .rejection_cpu import compiled_loop

        compiled_loop(method)(out, *stream.key, stream.index, stream.stage, constants)
    else:
        _draw_on_arrays(method, stream, constants, out)
    return out


def _draw_on_arrays(method: Method, stream: Stream, constants: Any, out: Array) -> None:
    pending = np.arange(stream.index.size)
    draw_bits = one_block if method.blocks == 1 else two_blocks
    stage, attempt = np.uint64(stream.stage), 0
    while pending.size:
        bits = draw_bits(*stream.key, stream.index[pending], np.uint64(attempt), stage)
        value, accepted = method.attempt(bits, constants_at(constants, pending))
        out[pending[accepted]] = value[accepted]
        pending = pending[~accepted]
        attempt += 1
