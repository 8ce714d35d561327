"""Where an operation is not defined, and so masks its result, as `numpy.ma` has it.

Complex numbers are compared by their real parts first, as everywhere in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.ufunc import call

__all__ = ["not_finite", "outside_domain"]

_TINY = np.finfo(float).tiny  # a double, beside which float32 is widened: it cannot hold this


def _quotient(a: Any, b: Any) -> Array:
    return call("greater_equal", call("multiply", call("absolute", a), _TINY), call("absolute", b))


def _not_positive(x: Any) -> Array:
    return call("less_equal", x, 0)


def _beyond(end: float) -> Callable[..., Array]:
    return lambda x: call("logical_or", call("greater", x, end), call("less", x, -end))


_OUTSIDE: dict[str, Callable[..., Array]] = {
    "arccos": _beyond(1.0),
    "arccosh": lambda x: call("less", x, 1),
    "arcsin": _beyond(1.0),
    "arctanh": _beyond(1 - 1e-15),
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
    return None if function is None else function(*operands)


def not_finite(op: str, result: Array) -> Array | None:
    """Which elements the function of `numpy.ma` masks besides; NumPy's ufunc leaves them."""
    limited = op in _OUTSIDE or op == "power"
    return ~call("isfinite", result) if limited and result.dtype.kind in "fc" else None
