"""Numba's meaning of `portable.py`, and what lets LLVM vectorise loops over these kernels."""

from collections.abc import Callable
from functools import cache, wraps
from threading import RLock
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

from .portable import (
    as_float32,
    as_float64,
    as_int32,
    as_int64,
    as_key,
    as_uint64,
    bits_of,
    float64_of,
    select,
)

Builder = TypeVar("Builder", bound=Callable[..., Any])

# Inlining must not depend on LLVM's cost model, or the loops around would stay scalar. Fast-math
# is pinned off: a caller's flags would otherwise be inherited and change the last bits.
OPTIONS: Any = {
    "forceinline": True,
    "error_model": "numpy",
    "fastmath": False,
    "no_cpython_wrapper": True,  # nobody calls them from Python
    "no_cfunc_wrapper": True,
}

# What Numba compiles for the two-faced functions of `portable.py`.
SPELLINGS: dict[Callable[..., Any], Callable[..., Any]] = {
    select: lambda condition, chosen, otherwise: chosen if condition else otherwise,
    as_uint64: lambda values: np.uint64(values),
    as_key: lambda value: np.uint64(value),
    as_int32: lambda values: np.int32(values),
    as_int64: lambda values: np.int64(values),
    as_float64: lambda values: np.float64(values),
    as_float32: lambda values: np.float32(values),
    bits_of: lambda values: np.float64(values).view(np.int64),
    float64_of: lambda bits: np.int64(bits).view(np.float64),
}
_compilable: set[Callable[..., Any]] = set()
_registering = RLock()


def build_once(build: Builder) -> Builder:
    """Return a builder of compiled functions that remembers, and builds one at a time.

    Threads that want the same function together would otherwise each compile their own.

    Examples
    --------
    >>> @build_once
    ... def build(name):
    ...     return [name]
    >>> build("a") is build("a")
    True
    """
    remembered = cache(build)

    @wraps(build)
    def locked(*arguments: Any) -> Any:
        with _registering:
            return remembered(*arguments)

    return cast(Builder, locked)


def make_compilable(function: Callable[..., Any]) -> None:
    """Let code compiled by Numba call this plain function, and those it calls, all inlined.

    Examples
    --------
    >>> def double(x):
    ...     return x + x
    >>> make_compilable(double)
    """
    with _registering:
        if function in _compilable:
            return
        compiled = SPELLINGS.get(function, function)
        for name in compiled.__code__.co_names:
            called = compiled.__globals__.get(name)
            if isinstance(called, FunctionType):
                make_compilable(called)
        overload(function, jit_options=OPTIONS, strict=False)(lambda *types, **more: compiled)
        _compilable.add(function)


@njit(forceinline=True)
def join_float32(first: float, second: float) -> np.uint64:
    """Return the bytes of two neighbouring float32 values as one uint64.

    Examples
    --------
    >>> hex(join_float32(np.float32(0.0), np.float32(1.0)))
    '0x3f80000000000000'
    """
    low = np.uint64(np.float32(first).view(np.uint32))
    high = np.uint64(np.float32(second).view(np.uint32))
    return low | (high << np.uint64(32))


@intrinsic
def prefer_wide_vectors(typing_context: Any = None) -> Any:
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
