"""The texts of the kernels that scan; `scan_cuda.py` says what each is launched for."""

from typing import Any

from numba import cuda, from_dtype

from .operations import OPERATIONS, neutral

__all__ = ["build_row_totals", "build_column_totals", "build_scan_columns", "build_scan_rows"]


@cuda.jit(device=True, inline="always")
def _combine(which: int, a: Any, b: Any) -> Any:
    """Combine two elements; NaN wins, which no comparison is true of."""
    return (
        a + b
        if which == 0
        else a * b
        if which == 1
        else (a if a < b or a != a else b)
        if which == 2
        else (a if a > b or a != a else b)
    )


@cuda.jit(device=True, inline="always")
def _column_segment(job: int, length: int, inner: int, segments: int) -> tuple[int, int, int]:
    """Return where the column of a job begins, which segment of it is meant, and its number.

    Segments are counted along each column, so that a scan of their totals runs along lines.
    """
    column = job % inner
    segment = (job // inner) % segments
    outer = job // (inner * segments)
    return outer * length * inner + column, segment, (outer * inner + column) * segments + segment


def _typed(operation: str, dtype: Any, zero: bool) -> tuple[int, Any, Any]:
    """Return the number of an operation, the conversion to its dtype, and its neutral element."""
    return OPERATIONS.index(operation), from_dtype(dtype), neutral(operation, dtype, zero)


def build_row_totals(operation: str, dtype: Any, zero: bool, threads: int) -> Any:
    """Build what combines the elements of each segment of rows."""
    which, cast, first = _typed(operation, dtype, zero)

    def row_totals(
        values: Any, totals: Any, lines: int, length: int, inner: int, segments: int, size: int
    ) -> None:
        """Combine the elements of a segment, a block for each."""
        partial = cuda.shared.array(threads, cast)
        thread = cuda.threadIdx.x
        for job in range(cuda.blockIdx.x, lines * segments, cuda.gridDim.x):
            line = job // segments
            start = (job - line * segments) * size
            stop = min(start + size, length)
            own = first
            for k in range(start + thread, stop, threads):
                own = cast(_combine(which, own, cast(values[line * length + k])))
            partial[thread] = own
            cuda.syncthreads()
            half = threads // 2
            while half > 0:
                if thread < half:
                    partial[thread] = _combine(which, partial[thread], partial[thread + half])
                cuda.syncthreads()
                half //= 2
            if thread == 0:
                totals[job] = partial[0]
            cuda.syncthreads()

    return row_totals


def build_column_totals(operation: str, dtype: Any, zero: bool, threads: int) -> Any:
    """Build what combines the elements of each segment of columns."""
    which, cast, first = _typed(operation, dtype, zero)

    def column_totals(
        values: Any, totals: Any, lines: int, length: int, inner: int, segments: int, size: int
    ) -> None:
        """Combine the elements of a segment, a thread for each; neighbours read neighbours."""
        for job in range(cuda.grid(1), lines * segments, cuda.gridsize(1)):
            at, segment, place = _column_segment(job, length, inner, segments)
            own = first
            for k in range(segment * size, min((segment + 1) * size, length)):
                own = cast(_combine(which, own, cast(values[at + k * inner])))
            totals[place] = own

    return column_totals


def build_scan_columns(
    operation: str, dtype: Any, zero: bool, threads: int, items: int, exclusive: bool, carried: bool
) -> Any:
    """Build what scans each segment of columns."""
    which, cast, first = _typed(operation, dtype, zero)

    def scan_columns(
        values: Any,
        before: Any,
        out: Any,
        lines: int,
        length: int,
        inner: int,
        segments: int,
        size: int,
    ) -> None:
        """Scan a segment of a line across the rows, a thread for each."""
        for job in range(cuda.grid(1), lines * segments, cuda.gridsize(1)):
            at, segment, place = _column_segment(job, length, inner, segments)
            own = first
            if carried:
                own = before[place]
            for k in range(segment * size, min((segment + 1) * size, length)):
                after = cast(_combine(which, own, cast(values[at + k * inner])))
                out[at + k * inner] = own if exclusive else after
                own = after

    return scan_columns


def build_scan_rows(
    operation: str, dtype: Any, zero: bool, threads: int, items: int, exclusive: bool, carried: bool
) -> Any:
    """Build what scans each segment of rows."""
    which, cast, first = _typed(operation, dtype, zero)
    tile = items * threads

    def scan_rows(
        values: Any,
        before: Any,
        out: Any,
        lines: int,
        length: int,
        inner: int,
        segments: int,
        size: int,
    ) -> None:
        """Scan a segment tile by tile, a block for each: four neighbours a thread, then threads."""
        staged = cuda.shared.array(tile, cast)
        sums = cuda.shared.array(threads, cast)
        thread = cuda.threadIdx.x
        for job in range(cuda.blockIdx.x, lines * segments, cuda.gridDim.x):
            line = job // segments
            begin = line * length + (job - line * segments) * size
            end = min(begin + size, (line + 1) * length)
            carry = first
            if carried:
                carry = before[job]
            for start in range(begin, end, tile):
                for k in range(thread, tile, threads):
                    staged[k] = cast(values[start + k]) if start + k < end else first
                cuda.syncthreads()
                own = staged[thread * items]
                for k in range(1, items):
                    own = cast(_combine(which, own, staged[thread * items + k]))
                sums[thread] = own
                cuda.syncthreads()
                step = 1
                while step < threads:
                    own = sums[thread]
                    if thread >= step:
                        own = cast(_combine(which, sums[thread - step], own))
                    cuda.syncthreads()
                    sums[thread] = own
                    cuda.syncthreads()
                    step *= 2
                running = carry
                if thread > 0:
                    running = cast(_combine(which, carry, sums[thread - 1]))
                for k in range(thread * items, (thread + 1) * items):
                    after = cast(_combine(which, running, staged[k]))
                    staged[k] = running if exclusive else after
                    running = after
                carry = cast(_combine(which, carry, sums[threads - 1]))
                cuda.syncthreads()
                for k in range(thread, min(tile, end - start), threads):
                    out[start + k] = staged[k]
                cuda.syncthreads()

    return scan_rows
