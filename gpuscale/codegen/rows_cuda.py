"""Rows of the seams for CuPy that launch hand-written kernels, loaded with its first array.

A row launches a kernel of ours where CuPy lacks the function, where it sorts all to select a few,
or where it adds floats by atomic operations or in an order that depends on timing, so that results
have other bits in each run. All else is CuPy's: counts, running sums of integers, masks, `take`,
transposed copies (which it leaves to cuBLAS).
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np

from gpuscale.backends.folding import accumulate_pairwise
from gpuscale.backends.seams import (
    accumulate,
    array_namespace,
    best_positions,
    best_values,
    bincount,
    histogram,
)
from gpuscale.backends.select_ops import positions_by_partition, values_by_partition
from gpuscale.codegen.device_cuda import KernelDevice
from gpuscale.kernels.histogram import histogram_cuda
from gpuscale.kernels.scan.operations import OPERATIONS
from gpuscale.kernels.scan.scan_cuda import scan
from gpuscale.kernels.topk.topk_cuda import topk

__all__: list[str] = []

_THREADS = 256  # of a block


@accumulate.register_lazy("cupy")
@best_positions.register_lazy("cupy")
@best_values.register_lazy("cupy")
@bincount.register_lazy("cupy")
@histogram.register_lazy("cupy")
def _register_rows() -> None:
    kind = sys.modules["cupy"].ndarray  # one has arrived, so CuPy is imported
    accumulate.register(kind)(_accumulate)
    best_positions.register(kind)(_best_positions)
    best_values.register(kind)(_best_values)
    bincount.register(kind)(_bincount)
    histogram.register(kind)(_histogram)


@cache
def _device() -> KernelDevice:
    from gpuscale.codegen.target_cuda import CupyLauncher

    return KernelDevice(CupyLauncher())


def _accumulate(chunk: Any, ufunc: str, axis: int, dtype: Any = None) -> Any:
    dtype = chunk.dtype if dtype is None else np.dtype(dtype)
    # Integers have the same bits in any order; complex numbers may differ in the last ones.
    by_cupy = ufunc in ("add", "multiply") and dtype.kind != "f"
    if by_cupy or ufunc not in OPERATIONS or dtype.kind not in "biuf":
        return accumulate_pairwise(array_namespace(chunk), chunk, ufunc, axis, dtype)
    values = _numbers(chunk.astype(dtype, copy=False))
    return scan(_device(), values, ufunc, axis, threads=_THREADS).astype(dtype, copy=False)


def _bincount(chunk: Any, weights: Any, length: int) -> Any:
    if weights is None:
        return array_namespace(chunk).bincount(chunk, minlength=length)
    values, weights = map(_numbers, (chunk, weights))
    return histogram_cuda.bincount(_device(), values, length, weights, _THREADS)


def _histogram(chunk: Any, bins: Any, limits: Any, weights: Any) -> Any:
    xp = array_namespace(chunk)
    if weights is None:
        return xp.histogram(chunk, bins=bins, range=limits)[0]
    if weights.dtype.kind == "c":
        real = _histogram(chunk, bins, limits, weights.real)
        total = xp.empty(real.shape, weights.dtype)
        total.real, total.imag = real, _histogram(chunk, bins, limits, weights.imag)
        return total
    equal = limits is not None
    if equal:
        bins = xp.asarray(np.histogram_bin_edges(np.empty(0, chunk.dtype), bins, limits))
    values, edges, weights = map(_numbers, (chunk, bins, weights))
    return histogram_cuda.histogram(_device(), values, edges, equal, weights, _THREADS)


def _numbers(array: Any) -> Any:
    """Make an array contiguous, bytes of truth values and float32 of float16."""
    array = array_namespace(array).ascontiguousarray(array)
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _best_values(chunk: Any, k: int, axis: int) -> Any:
    if chunk.dtype.kind == "c":
        return values_by_partition(chunk, k, axis)
    return _best(chunk, k, axis)[0].view(chunk.dtype)


def _best_positions(chunk: Any, k: int, axis: int) -> Any:
    if chunk.dtype.kind == "c":
        return positions_by_partition(chunk, k, axis)
    return _best(chunk, k, axis)[1]


def _best(chunk: Any, k: int, axis: int) -> list[Any]:
    """Values, truth values as bytes, and positions of the best."""
    xp = array_namespace(chunk)
    rows = xp.ascontiguousarray(xp.moveaxis(chunk, axis, -1))
    rows = rows.view(np.uint8) if rows.dtype.kind == "b" else rows
    found = topk(_device(), rows, abs(k), k > 0, _THREADS)
    return [xp.moveaxis(each, -1, axis) for each in found]
