"""Numba's meaning of `portable.py`, and what lets LLVM vectorise loops over these kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload, register_jitable

from .portable import as_float32, as_float64, as_uint64, select

# Inlining must not depend on LLVM's cost model, or the loops around would stay scalar. Fast-math
# is pinned off: a caller's flags would otherwise be inherited and change the last bits.
OPTIONS: dict[str, Any] = {"forceinline": True, "error_model": "numpy", "fastmath": False}


def make_compilable(*functions: Callable[..., Any]) -> None:
    """Let code compiled by Numba call these plain functions, inlined.

    Examples
    --------
    >>> def double(x):
    ...     return x + x
    >>> make_compilable(double)
    """
    for function in functions:
        register_jitable(**OPTIONS)(function)


# For each function: given the types of the arguments, what to compile for them.
overload(select, jit_options=OPTIONS)(
    lambda condition, chosen, otherwise: (
        lambda condition, chosen, otherwise: chosen if condition else otherwise
    )
)
overload(as_uint64, jit_options=OPTIONS)(lambda values: lambda values: np.uint64(values))
overload(as_float64, jit_options=OPTIONS)(lambda values: lambda values: np.float64(values))
overload(as_float32, jit_options=OPTIONS)(lambda values: lambda values: np.float32(values))


@intrinsic
def prefer_wide_vectors(typing_context: Any) -> Any:
    """Ask LLVM for 512-bit vectors in the function that calls this.

    LLVM tunes server CPUs with AVX-512 for 256 bits, for fear of lower clocks; loops of integer
    multiplications such as Philox run nearly twice as fast with 512 on CPUs since Ice Lake.
    On a CPU without AVX-512 the wish has no effect.
    """

    def tag_function(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite's own `add` knows only LLVM's enumerated attributes, not string attributes
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), tag_function
