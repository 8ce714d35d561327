"""Chains of operators on columns of numbers, as one pass over the rows.

The values are those of pandas, whose operators are NumPy's for such columns. In one pass no column
is stored in between, and where rows are many the pass is compiled.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.program import ScalarProgram
from gpuscale.expr.steps import Step

__all__ = ["COMPARISONS", "LOGICAL", "NUMERIC", "Arithmetic", "is_number"]

NUMERIC: dict[Callable[..., Any], str] = {
    operator.add: "add",
    operator.sub: "subtract",
    operator.mul: "multiply",
    operator.truediv: "divide",
    operator.neg: "negative",
}
"""Operators of numbers that give numbers, and what programs call them."""

COMPARISONS: dict[Callable[..., Any], str] = {
    operator.lt: "less",
    operator.le: "less_equal",
    operator.gt: "greater",
    operator.ge: "greater_equal",
    operator.eq: "equal",
    operator.ne: "not_equal",
}
"""Operators of numbers that give truth values."""

LOGICAL: dict[Callable[..., Any], str] = {
    operator.and_: "bitwise_and",
    operator.or_: "bitwise_or",
    operator.xor: "bitwise_xor",
    operator.invert: "invert",
}
"""Operators of truth values."""


@dataclass(frozen=True)
class Arithmetic:
    """Operators on columns that have the same rows.

    Parameters
    ----------
    program : ScalarProgram
        What happens to the elements of a row.
    params : tuple
        Numbers that the program has beside them.
    dtypes : tuple of numpy.dtype
        Of the columns.
    name : label
        Of the result.
    steps : tuple of Step
        The same for pandas, where columns turn out to be others than they promised.
    """

    program: ScalarProgram
    params: tuple[Any, ...]
    dtypes: tuple[Any, ...]
    name: Any
    steps: tuple[Step, ...]

    def __call__(self, *columns: Any) -> Any:
        """Give the result for the rows of one partition."""
        index = columns[0].index
        if not all(self._is_as_promised(*each, index) for each in enumerate(columns)):
            return self._by_pandas(columns)
        from gpuscale.codegen.run import run_map  # here: whoever plans needs no compiler

        arrays = [column.to_numpy() for column in columns]
        (values,) = run_map(self.program, arrays, (), self.params, (len(index),))
        return pd.Series(values, index, name=self.name, copy=False)

    def _is_as_promised(self, number: int, column: Any, index: Any) -> bool:
        if type(column) is not pd.Series or column.dtype != self.dtypes[number]:
            return False
        return column.index is index or column.index.identical(index)

    def _by_pandas(self, columns: tuple[Any, ...]) -> Any:
        values = list(columns)
        for step in self.steps:
            values.append(step.call(values))
        return values[-1]


def is_number(value: Any) -> bool:
    """Whether a value beside columns is a number of 64 bits, of Python or NumPy."""
    if type(value) is int:
        limits = np.iinfo(np.int64)
        return limits.min <= value <= limits.max
    return type(value) in (float, np.int64, np.float64)
