"""Where an operation is not defined, and so masks its result, as `numpy.ma` has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.ufunc import call

__all__ = ["outside_domain"]

_TINY = float(np.finfo(float).tiny)


def _quotient(a: Any, b: Any) -> Array:
    return call("less_equal", call("absolute", b), call("multiply", call("absolute", a), _TINY))


def _not_positive(x: Any) -> Array:
    return call("less_equal", x, 0)


def _beyond_one(x: Any) -> Array:
    return call("greater", call("absolute", x), 1)


_OUTSIDE: dict[str, Callable[..., Array]] = {
    "arccos": _beyond_one,
    "arccosh": lambda x: call("less", x, 1),
    "arcsin": _beyond_one,
    "arctanh": lambda x: call("greater", call("absolute", x), 1 - 1e-15),
    "divide": _quotient,
    "floor_divide": _quotient,
    "fmod": _quotient,
    "log": _not_positive,
    "log10": _not_positive,
    "log2": _not_positive,
    "remainder": _quotient,
    "sqrt": lambda x: call("less", x, 0),
    "tan": lambda x: call("less", call("absolute", call("cos", x)), 1e-35),
}


def outside_domain(op: str, operands: Sequence[Any]) -> Array | None:
    """Which elements of the result of an operation are not defined; None where all are."""
    function = _OUTSIDE.get(op)
    complex_ = any(np.result_type(getattr(x, "dtype", type(x))).kind == "c" for x in operands)
    return None if function is None or complex_ else function(*operands)
