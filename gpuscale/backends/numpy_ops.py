"""Rows of the seams for NumPy's arrays and scalars, and for objects that are no arrays."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from gpuscale.backends.folding import fold_pairwise, reduceat_pairwise
from gpuscale.backends.seams import (
    array_namespace,
    backend_name,
    fold,
    is_out_of_memory,
    lexicographic_order,
    nbytes,
    on_device,
    owns_memory,
    reduceat,
    to_host,
    update,
)
from gpuscale.backends.shared_ops import strided_nbytes

__all__: list[str] = []

Axes = tuple[int, ...]

_SAMPLE = 1000  # objects looked at to estimate the size of all

# With AVX-512 NumPy reduces floating-point numbers that lie side by side by these as if only the
# first and the last were there: its loops (SVML) take no step's result for the next. Seen in 2.4.6.
_WRONGLY_REDUCED = frozenset({"arctan2", "power"})


@array_namespace.register(np.ndarray, np.generic)
def _array_namespace(data: Any) -> ModuleType:
    return np


@backend_name.register(np.ndarray, np.generic)
def _backend_name(data: Any) -> str:
    return "numpy"


@fold.register(np.ndarray, np.generic)
def _fold(values: Any, name: str, axes: Axes, dtype: Any = None, **options: Any) -> Any:
    if _is_wrong(name, values, dtype):
        return fold_pairwise(np, values, name, axes, dtype, **options)
    ufunc = getattr(np, name)
    return ufunc.reduce(values, axis=axes, keepdims=True, dtype=_asked(dtype), **options)


@lexicographic_order.register(np.ndarray, np.generic)
def _lexicographic_order(*keys: Any, axis: int) -> Any:
    return np.lexsort(keys, axis=axis)


@reduceat.register(np.ndarray, np.generic)
def _reduceat(values: Any, name: str, starts: Any, axis: int, dtype: Any = None) -> Any:
    if _is_wrong(name, values, dtype):
        return reduceat_pairwise(np, values, name, starts, axis, dtype)
    return getattr(np, name).reduceat(values, starts, axis=axis, dtype=_asked(dtype))


def _is_wrong(name: str, values: Any, dtype: Any) -> bool:
    wanted = values.dtype if dtype is None else np.dtype(dtype)
    return name in _WRONGLY_REDUCED and bool(wanted.kind == "f")


@update.register(np.ndarray, np.generic)
def _update(array: Any, name: str, index: Any, *operand: Any) -> None:
    with np.errstate(all="ignore"):
        getattr(np, name).at(array, index, *operand)


def _asked(dtype: Any) -> Any:
    """Dtype to ask a ufunc for: it does not take one with a unit, and needs none: it keeps it."""
    return None if getattr(dtype, "kind", None) in ("m", "M") else dtype


@to_host.register(object)
def _to_host(data: Any) -> Any:
    return data


@owns_memory.register(np.ndarray, np.generic)
def _owns_memory(data: Any) -> bool:
    return data.base is None  # views of it hold the array itself, and so are seen as its holders


@on_device.register(object)
def _on_device(data: Any) -> bool:
    return False


@is_out_of_memory.register(object)
def _is_out_of_memory(error: Any) -> bool:
    return False


@nbytes.register(object)
def _nbytes_of_object(data: Any) -> int:
    return sys.getsizeof(data)


@nbytes.register(np.generic)
def _nbytes_of_scalar(data: np.generic) -> int:
    return data.nbytes


@nbytes.register(np.ndarray)
def _nbytes(data: np.ndarray[Any, Any]) -> int:
    stored = strided_nbytes(data)
    if data.dtype != object or data.size == 0:
        return stored
    sample = data.flat[:: max(1, data.size // _SAMPLE)]
    mean = sum(map(sys.getsizeof, sample)) / len(sample)
    return stored + int(mean * (stored // data.itemsize))
