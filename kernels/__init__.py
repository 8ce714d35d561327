"""Hand-written kernels: a folder per family, one file per operation, suffix = target.

`philox/` draws random numbers that are functions of (key, element index); `elementary/` holds the
logarithm, exponential and circular functions that these draws need with the same bits everywhere.

A file without suffix is plain Python over operators: it runs on NumPy (and CuPy) arrays as it
stands, and Numba compiles the very same text for scalars inside a loop, so both give the same
bits. `*_cpu.py` imports numba and is imported on demand only: it holds the loops of that target.

May import: the standard library and NumPy; numba in `*_cpu.py`. Nothing of gpuscale.
To add an operation: write it once with the helpers of `portable.py`, name it in the
`make_compilable` call of its family's `*_cpu.py`, and test that array and scalar agree bit for bit.
"""
