"""Logarithm, exponential and circular functions with the same bits on every target.

Branch-free polynomials of IEEE additions, multiplications and divisions in a fixed order: a NumPy
array, a compiled vector loop and a GPU give identical results, which the C libraries do not. They
cover the arguments that random draws need, not every special case of `numpy`.

May import: `kernels.portable`.
"""
