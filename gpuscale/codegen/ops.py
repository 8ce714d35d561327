"""THE table of scalar operations: NumPy meaning, dtypes, spelling inside a kernel, cost.

A row without a spelling for some kind of dtype is either run through the inner loop of its NumPy
ufunc, tile by tile inside the kernel, or, where NumPy has no such loop, by the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen import functions, random_ops

__all__ = ["OPS", "Op", "evaluate", "find", "loop_dtypes", "result_dtype"]

DType = np.dtype[Any]
#: Data types, or the Python types bool, int, float and complex: weak scalars as in NEP 50.
Operand = Any
Rule = Callable[..., tuple[DType, ...]]

REAL = "iuf"


@dataclass(frozen=True, eq=False)
class Op:
    """One scalar operation.

    Attributes
    ----------
    name : str
    arity : int
    numpy : callable
        Meaning over arrays.
    rule : callable
        Dtypes of the operands -> dtypes of NumPy's loop, inputs first, result last.
    cpu : mapping of str to str
        For kinds of dtypes (letters as in `numpy.dtype.kind`, "d" for float64 alone) a Python
        expression over ``{0}``, ``{1}``, ... that Numba vectorizes.
    cost : int
        Time for one element, in units of one addition.
    ufunc : numpy.ufunc or None
        Where set, `numpy` is output number `output` of it.
    casts_inputs : bool
        Whether arguments are first converted to the dtypes of the loop.
    """

    name: str
    arity: int
    numpy: Callable[..., Any]
    rule: Rule
    cpu: Mapping[str, str] = field(default_factory=dict)
    cost: int = 1
    ufunc: np.ufunc | None = None
    output: int = 0
    casts_inputs: bool = True

    def spelling(self, dtypes: Sequence[DType]) -> str | None:
        """Find the expression for arguments of these dtypes, if there is one."""
        first = dtypes[-1]  # of `where`, the condition comes first and decides nothing
        if any(d != first for d in dtypes[1 if self.name == "where" else 0 :]):
            return None
        letters = {first.kind, "d"} if first == np.float64 else {first.kind}
        return next((text for kinds, text in self.cpu.items() if letters.intersection(kinds)), None)

    def loop_dtypes(self, *dtypes: Operand, dtype: Any = None) -> tuple[DType, ...]:
        """Dtypes of NumPy's loop for operands of these dtypes: inputs first, result last."""
        if len(dtypes) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} operands, {len(dtypes)} were given")
        return _loop_dtypes(self, dtypes, None if dtype is None else np.dtype(dtype))


@lru_cache(maxsize=4096)
def _loop_dtypes(op: Op, dtypes: tuple[Operand, ...], dtype: DType | None) -> tuple[DType, ...]:
    if op.name == "cast":
        if dtype is None:
            raise TypeError("cast needs the dtype to convert to")
        return (*dtypes, dtype)
    if dtype is None:
        return op.rule(*dtypes)
    try:
        natural = op.rule(*dtypes)
    except TypeError:
        natural = ()
    if natural and natural[-1] == dtype:
        return natural
    if op.ufunc is None:
        raise TypeError(f"{op.name} of {_names(dtypes)} gives {natural[-1:]}, not {dtype}")
    return _ufunc_dtypes(op.ufunc, op.output, dtypes, dtype)


def _names(dtypes: Sequence[Operand]) -> str:
    return ", ".join(d.__name__ if isinstance(d, type) else str(d) for d in dtypes)


def _ufunc_dtypes(
    ufunc: np.ufunc, output: int, dtypes: Sequence[Operand], out: DType | None = None
) -> tuple[DType, ...]:
    """Ask NumPy which loop it would take (``out`` as the ``dtype=`` of a ufunc call)."""
    operands = tuple(np.dtype(bool) if d is bool else d for d in dtypes)
    if out is None:
        loop = ufunc.resolve_dtypes((*operands, *[None] * ufunc.nout))
    else:
        loop = ufunc.resolve_dtypes(
            (*operands, *[None] * ufunc.nout),
            signature=(*[None] * ufunc.nin, *[out] * ufunc.nout),
            casting="unsafe",
        )
    return (*loop[: ufunc.nin], loop[ufunc.nin + output])


def loop_dtypes(op: str, *dtypes: Operand, dtype: Any = None) -> tuple[DType, ...]:
    """Dtypes that NumPy 2 computes ``op`` in: one per operand, then the result's.

    Parameters
    ----------
    op : str
    *dtypes : dtype, or one of the types bool, int, float, complex
        A Python type stands for a Python scalar, which is weak (NEP 50).
    dtype : dtype, optional
        As the ``dtype=`` of a ufunc.

    Raises
    ------
    TypeError
        NumPy has no loop for these dtypes.

    Examples
    --------
    >>> loop_dtypes("add", np.dtype("f4"), float)
    (dtype('float32'), dtype('float32'), dtype('float32'))
    >>> loop_dtypes("less", np.dtype("i4"), np.dtype("f8"))
    (dtype('float64'), dtype('float64'), dtype('bool'))
    """
    return find(op).loop_dtypes(*dtypes, dtype=dtype)


def result_dtype(op: str, *dtypes: Operand) -> DType:
    """Dtype of the result of ``op``, exactly as NumPy 2 has it; see `loop_dtypes`.

    Examples
    --------
    >>> result_dtype("add", np.dtype("uint8"), int), result_dtype("divide", int, int)
    (dtype('uint8'), dtype('float64'))
    """
    return loop_dtypes(op, *dtypes)[-1]


def find(op: str) -> Op:
    """Look an operation up; an unknown name is an error that names it."""
    try:
        return OPS[op]
    except KeyError:
        raise TypeError(f"there is no scalar operation named {op!r}") from None


def evaluate(op: Op, values: Sequence[Any], dtype: DType) -> Any:
    """Apply an operation to arrays or NumPy scalars of the loop's dtypes."""
    if op.name == "cast":
        return functions.cast(values[0], dtype)
    result = op.numpy(*values)
    if not hasattr(result, "dtype"):  # of one object NumPy returns the object
        return functions.boxed(result, dtype)
    if result.dtype != dtype:
        # Only `dtype=` of a ufunc call comes here: NumPy casts what the loop returns.
        result = functions.cast(result, dtype)
    if result.ndim == 0 and dtype.kind not in "OSUV":
        return result[()]  # as ufuncs do: a device takes numbers of the host beside its own arrays
    return result


OPS: dict[str, Op] = {}


def _row(name: str, arity: int, numpy: Callable[..., Any], rule: Rule, **more: Any) -> None:
    OPS[name] = Op(name, arity, numpy, rule, **more)


def _ufunc(name: str, cost: int = 1, cpu: Mapping[str, str] | None = None) -> None:
    ufunc: np.ufunc = getattr(np, name)

    def rule(*dtypes: Operand) -> tuple[DType, ...]:
        return _ufunc_dtypes(ufunc, 0, dtypes)

    _row(name, ufunc.nin, ufunc, rule, cpu=cpu or {}, cost=cost, ufunc=ufunc)


def _part(name: str, ufunc: np.ufunc, output: int, cost: int) -> None:
    """One of the results of a ufunc with several."""

    def rule(*dtypes: Operand) -> tuple[DType, ...]:
        return _ufunc_dtypes(ufunc, output, dtypes)

    def numpy(*values: Any) -> Any:
        return ufunc(*values)[output]

    _row(name, ufunc.nin, numpy, rule, cost=cost, ufunc=ufunc, output=output)


# --- arithmetic ---------------------------------------------------------------------------------
_ufunc("add", 1, {"b": "{0} | {1}", "iufc": "{0} + {1}"})
_ufunc("subtract", 1, {"iufc": "{0} - {1}"})
_ufunc("multiply", 1, {"b": "{0} & {1}", "iuf": "{0} * {1}"})
_ufunc("divide", 4, {"f": "{0} / {1}"})
_ufunc("floor_divide", 10)
_ufunc("remainder", 10)
_ufunc("fmod", 10)
_ufunc("power", 40)
_ufunc("float_power", 40)
_ufunc("negative", 1, {"iufc": "-{0}"})
_ufunc("positive", 1, {"iufc": "{0}"})
_ufunc("absolute", 1, {"bu": "{0}", "i": "select({0} < 0, type(-{0}), {0})", "f": "fabs({0})"})
_ufunc("fabs", 1, {"f": "fabs({0})"})
_ufunc(
    "sign",
    2,
    {
        "u": "{0} > 0",
        "i": "({0} > 0) - ({0} < 0)",
        "f": "select({0} > 0, type(1), select({0} < 0, type(-1), select({0} == 0, type(0), {0})))",
    },
)
_ufunc("square", 1, {"iuf": "{0} * {0}"})
_ufunc("reciprocal", 4, {"f": "type(1) / {0}"})
_ufunc("gcd", 40)
_ufunc("lcm", 40)
_ufunc("heaviside", 2)
_part("divmod_quotient", np.divmod, 0, 12)
_part("divmod_remainder", np.divmod, 1, 12)

# --- comparisons and logic ----------------------------------------------------------------------
_ufunc("equal", 1, {"biuf": "{0} == {1}"})
_ufunc("not_equal", 1, {"biuf": "{0} != {1}"})
_ufunc("less", 1, {"biuf": "{0} < {1}"})
_ufunc("less_equal", 1, {"biuf": "{0} <= {1}"})
_ufunc("greater", 1, {"biuf": "{0} > {1}"})
_ufunc("greater_equal", 1, {"biuf": "{0} >= {1}"})
_ufunc("logical_and", 1, {"b": "{0} & {1}", REAL: "({0} != 0) & ({1} != 0)"})
_ufunc("logical_or", 1, {"b": "{0} | {1}", REAL: "({0} != 0) | ({1} != 0)"})
_ufunc("logical_xor", 1, {"b": "{0} != {1}", REAL: "({0} != 0) != ({1} != 0)"})
_ufunc("logical_not", 1, {"b": "not {0}", REAL: "{0} == 0"})
_ufunc(
    "maximum",
    1,
    {
        "b": "{0} | {1}",
        "iu": "select({0} > {1}, {0}, {1})",
        "f": "maximum({0}, {1})",
    },
)
_ufunc(
    "minimum",
    1,
    {
        "b": "{0} & {1}",
        "iu": "select({0} < {1}, {0}, {1})",
        "f": "minimum({0}, {1})",
    },
)
_ufunc(
    "fmax",
    1,
    {
        "b": "{0} | {1}",
        "iu": "select({0} > {1}, {0}, {1})",
        "f": "fmax({0}, {1})",
    },
)
_ufunc(
    "fmin",
    1,
    {
        "b": "{0} & {1}",
        "iu": "select({0} < {1}, {0}, {1})",
        "f": "fmin({0}, {1})",
    },
)
_ufunc("isnan", 1, {"biu": "False", "f": "{0} != {0}"})
_ufunc("isinf", 1, {"biu": "False", "f": "fabs({0}) == inf"})
_ufunc("isfinite", 1, {"biu": "True", "f": "fabs({0}) < inf"})
_ufunc("isnat", 1)
_ufunc("signbit", 1, {"f": "copysign(type(1), {0}) < 0"})

# --- bits ---------------------------------------------------------------------------------------
_ufunc("bitwise_and", 1, {"biu": "{0} & {1}"})
_ufunc("bitwise_or", 1, {"biu": "{0} | {1}"})
_ufunc("bitwise_xor", 1, {"biu": "{0} ^ {1}"})
_ufunc("invert", 1, {"b": "not {0}", "iu": "~{0}"})
_ufunc("left_shift", 2)
_ufunc("right_shift", 2)
_ufunc("bitwise_count", 2)

# --- parts and rounding of floating point numbers -----------------------------------------------
_ufunc("floor", 1, {"biu": "{0}", "f": "floor({0})"})
_ufunc("ceil", 1, {"biu": "{0}", "f": "ceil({0})"})
_ufunc("trunc", 1, {"biu": "{0}", "f": "trunc({0})"})
_ufunc("rint", 1, {"f": "rint({0})"})
_ufunc("copysign", 1, {"f": "copysign({0}, {1})"})
_ufunc("nextafter", 4)
_row("spacing", 1, functions.spacing, functions.spacing_rule, cost=4, ufunc=np.spacing)
_ufunc("ldexp", 10)
_part("frexp_mantissa", np.frexp, 0, 10)
_part("frexp_exponent", np.frexp, 1, 10)
_part("modf_fraction", np.modf, 0, 10)
_part("modf_integer", np.modf, 1, 10)

# --- exponentials, logarithms, roots ------------------------------------------------------------
_ufunc("sqrt", 4, {"f": "sqrt({0})"})
# NumPy's own loops have vectors for float64 on CPUs with AVX-512 only; these are vectors on all.
_ufunc("exp", 20, {"d": "exp({0})"})
_ufunc("log", 20, {"d": "log_anywhere({0})"})
for _name in ("cbrt", "exp2", "expm1", "log2", "log10", "log1p"):
    _ufunc(_name, 20)
_ufunc("logaddexp", 60)
_ufunc("logaddexp2", 60)
_ufunc("hypot", 40)

# --- trigonometric and hyperbolic ---------------------------------------------------------------
for _name in (
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "arctan2",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
):
    _ufunc(_name, 30)
for _name in ("deg2rad", "rad2deg", "degrees", "radians"):
    _ufunc(_name, 2)

# --- complex parts ------------------------------------------------------------------------------
_ufunc("conjugate", 1, {"iuf": "{0}"})
_row("real", 1, functions.real, functions.part_rule, cpu={"c": "{0}.real", "biuf": "{0}"})
_row("imag", 1, functions.imag, functions.part_rule, cpu={"c": "{0}.imag", "biuf": "0"})
_row("angle", 1, np.angle, functions.angle_rule, cost=30, casts_inputs=False)
_row("isreal", 1, np.isreal, functions.test_rule, cpu={"c": "{0}.imag == 0", "biuf": "True"})
_row("iscomplex", 1, np.iscomplex, functions.test_rule, cpu={"c": "{0}.imag != 0", "biuf": "False"})

# --- composites ---------------------------------------------------------------------------------
_row("cast", 1, functions.cast, functions.test_rule, casts_inputs=False)
_row("where", 3, np.where, functions.where_rule, cpu={"biufc": "select({0}, {1}, {2})"})
_row(
    "clip",
    3,
    np.clip,
    functions.clip_rule,
    cost=2,
    cpu={"biuf": "minimum(maximum({0}, {1}), {2})"},
)
_row(
    "nan_to_num",
    4,
    functions.nan_to_num,
    functions.common_rule,
    cost=3,
    cpu={
        "biu": "{0}",
        "f": "select({0} != {0}, {1}, select({0} == inf, {2}, select({0} == -inf, {3}, {0})))",
    },
)
_row("isposinf", 1, np.isposinf, functions.sign_rule, cpu={"biu": "False", "f": "{0} == inf"})
_row("isneginf", 1, np.isneginf, functions.sign_rule, cpu={"biu": "False", "f": "{0} == -inf"})
_row(
    "isclose",
    4,
    functions.isclose,
    functions.isclose_rule,
    cost=4,
    cpu={"f": "((fabs({0} - {1}) <= {3} + {2} * fabs({1})) & (fabs({1}) < inf)) | ({0} == {1})"},
)
_row(
    "isclose_equal_nan",
    4,
    functions.isclose_equal_nan,
    functions.isclose_rule,
    cost=5,
    cpu={
        "f": "((fabs({0} - {1}) <= {3} + {2} * fabs({1})) & (fabs({1}) < inf)) | ({0} == {1})"
        " | (({0} != {0}) & ({1} != {1}))"
    },
)
_row("sinc", 1, np.sinc, functions.inexact_rule, cost=35)
_row("i0", 1, np.i0, functions.i0_rule, cost=100)

# --- random numbers: functions of a key and an element's index ----------------------------------
for _random in random_ops.ROWS:
    _row(_random.name, len(_random.dtypes) - 1, _random.numpy, _random.rule, cost=_random.cost)
