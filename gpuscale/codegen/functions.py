"""What the rows of `ops` mean where NumPy has no ufunc for it: array functions and dtype rules.

A rule takes the dtypes of the operands, or the Python types bool, int, float and complex for weak
scalars, and answers the dtypes of the inputs followed by the dtype of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace

DType = np.dtype[Any]
BOOL: DType = np.dtype(bool)
WEAK: dict[Any, Any] = {bool: BOOL, int: 0, float: 0.0, complex: 0j}


def common_dtype(*dtypes: Any) -> DType:
    """Promote as NumPy does, Python types being weak.

    Examples
    --------
    >>> common_dtype(np.dtype("f4"), float), common_dtype(int, bool)
    (dtype('float32'), dtype('int64'))
    """
    return np.result_type(*(WEAK.get(d, d) for d in dtypes))


def boxed(value: Any, dtype: Any = None) -> Any:
    """Return one value as an array without axes, even an object that is a list.

    Examples
    --------
    >>> boxed([1, 2], np.dtype(object)), boxed(3, np.dtype("f4"))
    (array(list([1, 2]), dtype=object), array(3., dtype=float32))
    """
    if dtype is None or np.dtype(dtype).kind != "O":
        return np.asarray(value, dtype)
    box = np.empty((), dtype)
    box[()] = value
    return box


def cast(values: Any, dtype: DType) -> Any:
    """Convert as ``astype`` does; of complex numbers that become real, the real part."""
    if values.dtype.kind == "c" and dtype.kind not in "cbOUS":
        values = values.real
    elif dtype == np.uint32 and values.dtype.kind == "f" and values.dtype.itemsize in (4, 8):
        return _to_uint32(values, dtype)
    return values.astype(dtype, copy=False)


def _to_uint32(values: Any, dtype: DType) -> Any:
    """Convert floating point numbers, those out of range too, as NumPy's vectors do.

    NumPy itself has two answers for those: what is left over at the end of an array, too little for
    a vector, and strided arrays give another. Results must not depend on where chunks end.
    """
    high = values >= 2.0**31
    words = np.where(high, values - 2.0**31, values).astype(np.int32).view(np.uint32)
    return (words ^ (high.astype(np.uint32) << np.uint32(31))).astype(dtype, copy=False)


def real(values: Any) -> Any:
    """Real part."""
    return values.real if values.dtype.kind == "c" else values


def imag(values: Any) -> Any:
    """Imaginary part; zero of the same dtype for real numbers."""
    return values.imag if values.dtype.kind == "c" else np.zeros_like(values)


def nan_to_num(values: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    """Replace NaN and the infinities."""
    xp = array_namespace(values)
    return xp.asarray(xp.nan_to_num(values, nan=nan, posinf=posinf, neginf=neginf))


def spacing(values: Any) -> Any:
    """Distance to the next number away from zero, as ``numpy.spacing``, which CuPy lacks.

    Of numbers with half precision NumPy's is the distance to the next larger one.
    """
    values = values.astype(spacing_rule(values.dtype)[0], copy=False)
    # -0.0 + 0.0 is 0.0
    away = np.inf if values.dtype == np.float16 else np.copysign(np.inf, values + 0.0)
    return np.nextafter(values, away) - values + (values - values)  # NaN for infinities


def isclose(a: Any, b: Any, rtol: Any, atol: Any) -> Any:
    """Compare within ``atol + rtol * abs(b)``."""
    near = np.less_equal(np.absolute(a - b), atol + rtol * np.absolute(b))
    return (near & np.isfinite(b)) | np.equal(a, b)


def isclose_equal_nan(a: Any, b: Any, rtol: Any, atol: Any) -> Any:
    """Compare as `isclose`, NaN being close to NaN."""
    return isclose(a, b, rtol, atol) | (np.isnan(a) & np.isnan(b))


def part_rule(x: Any) -> tuple[DType, DType]:
    """Complex to real of the same precision; anything else stays."""
    x = common_dtype(x)
    return x, (np.empty(0, x).real.dtype if x.kind == "c" else x)


def test_rule(x: Any) -> tuple[DType, DType]:
    """Any dtype to bool."""
    return common_dtype(x), BOOL


def spacing_rule(x: Any) -> tuple[DType, DType]:
    """As NumPy's ufunc has it."""
    given, result = np.spacing.resolve_dtypes((np.dtype(bool) if x is bool else x, None))
    return given, result


def sign_rule(x: Any) -> tuple[DType, DType]:
    """Real numbers to bool."""
    given = common_dtype(x)
    if given.kind not in "biuf":
        raise TypeError(f"infinities of {given} are neither positive nor negative")
    return given, BOOL


def inexact_rule(x: Any) -> tuple[DType, DType]:
    """Integers become float64."""
    x = common_dtype(x)
    if x.kind in "biu":
        x = np.dtype(np.float64)
    return x, x


def angle_rule(x: Any) -> tuple[DType, DType]:
    """Angles are real."""
    given = common_dtype(x)
    real = part_rule(given)[1]
    parts = (real, real) if given.kind == "c" else (int, real)  # the imaginary part is just 0
    return given, np.arctan2.resolve_dtypes((*parts, None))[-1]


def i0_rule(x: Any) -> tuple[DType, DType]:
    """Real floating point only, as `numpy.i0`."""
    given = common_dtype(x)
    if given.kind == "c":
        raise TypeError("i0 not supported for complex values")
    wanted = given if given.kind == "f" else np.dtype(np.float64)
    return wanted, wanted


def common_rule(*dtypes: Any) -> tuple[DType, ...]:
    """All operands in the dtype of the first."""
    x = common_dtype(dtypes[0])
    return (x,) * (len(dtypes) + 1)


def where_rule(condition: Any, x: Any, y: Any) -> tuple[DType, ...]:
    """Promote the two branches."""
    out = common_dtype(x, y)
    return BOOL, out, out, out


def clip_rule(x: Any, low: Any, high: Any) -> tuple[DType, ...]:
    """Promote value and bounds."""
    return (common_dtype(x, low, high),) * 4


def isclose_rule(a: Any, b: Any, rtol: Any, atol: Any) -> tuple[DType, ...]:
    """Compare in floating point; tolerances in the real dtype of the same precision."""
    x = common_dtype(a, b, float)
    tolerance = part_rule(x)[1]
    return x, x, tolerance, tolerance, BOOL
