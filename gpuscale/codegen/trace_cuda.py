"""Write down what a function of arrays does, operation by operation, as part of a program.

The functions of `gpuscale.kernels` and of `functions_cuda` are branch-free over arrays. Called with
`Traced` values instead, they leave their operations in a program, spelled like all others: so one
text is the meaning on every target, and kernels for CUDA, which can call no other kernel, hold
everything in line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gpuscale.codegen.program import Instr, ProgramBuilder

__all__ = ["Traced", "trace"]

DType = np.dtype[Any]


class Traced(NDArrayOperatorsMixin):
    """A value of a program that grows as it is computed with.

    Parameters
    ----------
    builder : ProgramBuilder
    value : int
        Its number.
    """

    def __init__(self, builder: ProgramBuilder, value: int) -> None:
        self.builder = builder
        self.value = value

    @property
    def dtype(self) -> DType:
        """Data type of the value."""
        return self.builder.instr(self.value).dtype

    @property
    def real(self) -> Traced:
        """Real part."""
        return self._apply("real", [self])

    @property
    def imag(self) -> Traced:
        """Imaginary part."""
        return self._apply("imag", [self])

    def astype(self, dtype: Any) -> Traced:
        """Convert."""
        return Traced(self.builder, self.builder.cast(self.value, dtype))

    def view(self, dtype: Any) -> Traced:
        """Take the bits for another dtype of the same size."""
        bits = Instr("bits", (self.value,), np.dtype(dtype))
        return Traced(self.builder, self.builder.copy(bits))

    def with_imag(self, imag: Traced) -> Traced:
        """Make a complex number of this real part and an imaginary one."""
        dtype = np.result_type(self.dtype, np.complex64)
        instr = Instr("complex", (self.value, imag.value), dtype)
        return Traced(self.builder, self.builder.copy(instr))

    def primitive(self, name: str, *more: Traced, dtype: Any = None) -> Traced:
        """Call an operation that kernels for CUDA know beside the table of operations."""
        values = (self.value, *(each.value for each in more))
        instr = Instr(name, values, np.dtype(dtype or self.dtype))
        return Traced(self.builder, self.builder.copy(instr))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Write an operation down instead of computing it."""
        if method != "__call__" or kwargs:
            return NotImplemented
        return self._apply(ufunc.__name__, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Write ``np.where`` down."""
        if function is not np.where or kwargs:
            return NotImplemented
        return self._apply("where", args)

    def _apply(self, name: str, operands: Sequence[Any]) -> Traced:
        builder = self.builder
        known = [each.dtype for each in operands[name == "where" :] if isinstance(each, Traced)]
        values = []
        for each in operands:
            if isinstance(each, Traced):
                values.append(each.value)
            elif isinstance(each, np.generic):
                values.append(builder.const(each, each.dtype))
            else:  # Python's numbers take the dtype of what they meet
                values.append(builder.const(each, known[0] if known else np.asarray(each).dtype))
        return Traced(builder, builder.apply(name, *values))


def trace(function: Callable[..., Any], builder: ProgramBuilder, values: Sequence[int]) -> int:
    """Write a function of values into a program; the number of its result.

    Examples
    --------
    >>> b = ProgramBuilder()
    >>> x = b.load(0, np.dtype("f8"))
    >>> print(b.build(trace(lambda x: np.where(x < 0, -x, 2.0), b, [x])))
    %0 = load 0 : float64
    %1 = const 0.0 : float64
    %2 = less %0 %1 : bool
    %3 = negative %0 : float64
    %4 = const 2.0 : float64
    %5 = where %2 %3 %4 : float64
    return %5
    """
    result: Traced = function(*(Traced(builder, value) for value in values))
    return result.value
