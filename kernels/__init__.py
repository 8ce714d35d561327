"""Hand-written kernels: a folder per family, one file per operation, suffix = target.

`philox/` draws random numbers that are functions of (key, element index); `elementary/` holds the
logarithm, exponential and circular functions that these draws need with the same bits everywhere.
Operations on whole chunks have a file per target: `histogram/`, `topk/`, `scan/`, `transpose/`,
`rows/` (gather and scatter), `masks/` (counting and compaction), `stencil/`. On a device gpuscale
calls the first three, and leaves the others to CuPy (`gpuscale.codegen.rows_cuda` says why).
`device.py` says what their `*_cuda.py` ask of whoever launches kernels; what a launch takes stands
in their docstrings.

A file without suffix is plain Python over operators: it runs on NumPy (and CuPy) arrays as it
stands, and Numba compiles the very same text for scalars inside a loop, so both give the same
bits. `*_cpu.py` imports numba and is imported on demand only: it holds the loops of that target.

May import: the standard library and NumPy; numba in `*_cpu.py`, `blocks_cuda.py` and the texts of
kernels, `*/kernels_cuda.py`. Nothing of gpuscale.
To add a draw: write it once with the helpers of `portable.py`, name it in the
`make_compilable` call of its family's `*_cpu.py`, and test that array and scalar agree bit for bit.
To add an operation on chunks: `NAME/NAME_cpu.py` and `NAME/NAME_cuda.py` with the same function but
for the device, the texts in `NAME/kernels_cuda.py`, and one test suite that runs on both and
compiles each kernel.
"""
