"""What the texts of CUDA kernels call, in terms of NVVM and libdevice.

Imports numba.cuda: only the compiler of kernels imports this module. `simulator_cuda` has the same
names in plain NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba_cuda  # noqa: F401  Numba's own numba.cuda is another, older one
from llvmlite import ir
from numba import cuda
from numba.cuda import types
from numba.cuda.extending import intrinsic

from gpuscale.codegen.emit_cuda import OTHER_NAMES, SAME_BINARY, SAME_UNARY, TYPE_NAMES
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.truncation import truncated

__all__ = ["scope"]

WORD = ir.IntType(32)


def _make(typing: Callable[..., Any], build: Callable[..., Any], arity: int) -> Any:
    """Make a function whose types `typing` gives and whose instructions `build` writes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return build(builder, signature, *args)

    if arity == 1:

        @intrinsic
        def unary(typing_context: Any, x: Any) -> Any:
            return typing(x), codegen

        return unary
    if arity == 2:

        @intrinsic
        def binary(typing_context: Any, x: Any, y: Any) -> Any:
            return typing(x, y), codegen

        return binary

    @intrinsic
    def ternary(typing_context: Any, x: Any, y: Any, z: Any) -> Any:
        return typing(x, y, z), codegen

    return ternary


def _same(x: Any, *others: Any) -> Any:
    return x(*[x] * (1 + len(others)))


def _declared(builder: Any, name: str, result: Any, args: Any) -> Any:
    function = builder.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(result, [a.type for a in args])
        function = ir.Function(builder.module, kind, name)
    return function


def _libdevice(name: str, arity: int) -> Any:
    def build(builder: Any, signature: Any, *args: Any) -> Any:
        single = isinstance(args[0].type, ir.FloatType)
        function = _declared(builder, f"__nv_{name}" + "f" * single, args[0].type, args)
        return builder.call(function, args)

    return _make(_same, build, arity)


def _whole(name: str) -> Any:
    """Make a function of libdevice that takes or gives an int32 beside a number."""

    def build(builder: Any, signature: Any, x: Any, *more: Any) -> Any:
        single = isinstance(x.type, ir.FloatType)
        result = x.type if more else WORD
        function = _declared(builder, f"__nv_{name}" + "f" * single, result, (x, *more))
        return builder.call(function, (x, *more))

    if name == "ilogb":
        return _make(lambda x: types.int32(x), build, 1)
    return _make(lambda x, n: x(x, types.int32), build, 2)


def _product(builder: Any, signature: Any, x: Any, y: Any) -> Any:
    """Round a product by itself: the compiler fuses others with the sums they go into."""
    letter = "f" if isinstance(x.type, ir.FloatType) else "d"
    return builder.call(_declared(builder, f"llvm.nvvm.mul.rn.{letter}", x.type, (x, y)), (x, y))


def _compare(builder: Any, kind: Any, sign: str, x: Any, y: Any) -> Any:
    if isinstance(kind, types.Float):
        return builder.fcmp_ordered(sign, x, y)
    if isinstance(kind, types.Integer) and kind.signed:
        return builder.icmp_signed(sign, x, y)
    return builder.icmp_unsigned(sign, x, y)


def _extreme(sign: str, keeps_nan: bool) -> Any:
    def build(builder: Any, signature: Any, x: Any, y: Any) -> Any:
        kind = signature.args[0]
        first = _compare(builder, kind, sign, x, y)
        if isinstance(kind, types.Float):
            odd = x if keeps_nan else y
            first = builder.or_(first, builder.fcmp_unordered("uno", odd, odd))
        return builder.select(first, x, y)

    return _make(_same, build, 2)


def _truncation(kind: Any) -> Any:
    """Make a conversion to an integer."""
    return _make(lambda x: kind(x), lambda b, s, value: truncated(b, kind, value), 1)


def _integer_type(x: Any) -> Any:
    return (types.int64 if x.bitwidth == 64 else types.int32)(x)


def _floating_type(x: Any) -> Any:
    return (types.float64 if x.bitwidth == 64 else types.float32)(x)


def _bits(builder: Any, signature: Any, x: Any) -> Any:
    kind = signature.return_type
    double, single = ir.DoubleType(), ir.FloatType()
    floating = double if kind.bitwidth == 64 else single
    target = floating if isinstance(kind, types.Float) else ir.IntType(kind.bitwidth)
    return builder.bitcast(x, target)


def _bit_count(builder: Any, signature: Any, x: Any) -> Any:
    name = f"llvm.ctpop.i{x.type.width}"
    return builder.call(_declared(builder, name, x.type, (x,)), (x,))


def _gcd(builder: Any, signature: Any, x: Any, y: Any) -> Any:
    """Divide by what is left, as NumPy's loop does, until nothing is; of unsigned numbers."""
    start = builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
    builder.branch(head)
    builder.position_at_end(head)
    divisor, other = builder.phi(x.type), builder.phi(x.type)
    is_done = builder.icmp_unsigned("==", divisor, ir.Constant(x.type, 0))
    builder.cbranch(is_done, end, body)
    builder.position_at_end(body)
    rest = builder.urem(other, divisor)
    builder.branch(head)
    for phi, first, later in ((divisor, x, rest), (other, y, divisor)):
        phi.add_incoming(first, start)
        phi.add_incoming(later, body)
    builder.position_at_end(end)
    return other


def _vector(size: int) -> tuple[Any, Any]:
    """Read and write several neighbouring elements by one access; the address fits its size."""

    def place(builder: Any, pointer: Any, index: Any) -> tuple[Any, int]:
        """Where the vector is, and its bytes."""
        at = builder.gep(pointer, [index])
        element = at.type.pointee
        bits = {ir.DoubleType(): 64, ir.FloatType(): 32}.get(element) or element.width
        return builder.bitcast(at, ir.VectorType(element, size).as_pointer()), bits * size // 8

    @intrinsic
    def load(typing_context: Any, pointer: Any, index: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at, align = place(builder, *args)
            vector = builder.load(at, align=align)
            values = [builder.extract_element(vector, ir.Constant(WORD, k)) for k in range(size)]
            return context.make_tuple(builder, signature.return_type, values)

        return types.UniTuple(pointer.dtype, size)(pointer, types.int64), codegen

    @intrinsic
    def store(typing_context: Any, pointer: Any, index: Any, values: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at, align = place(builder, *args[:2])
            vector = ir.Constant(at.type.pointee, ir.Undefined)
            for k in range(size):
                value = builder.extract_value(args[2], k)
                vector = builder.insert_element(vector, value, ir.Constant(WORD, k))
            builder.store(vector, at, align=align)
            return context.get_dummy_value()

        wanted = types.UniTuple(pointer.dtype, size)
        return types.void(pointer, types.int64, wanted), codegen

    return load, store


def scope() -> dict[str, Any]:
    """Names that the text of a kernel may use."""
    names: dict[str, Any] = {"cuda": cuda, "inf": float("inf"), "nan": float("nan")}
    names |= {name: getattr(types, name) for name in TYPE_NAMES}
    names |= {"boolean": types.boolean, "wide": types.int64}
    rounding = ("sqrt", "fabs", "floor", "ceil", "trunc", "rint")
    names |= {name: _libdevice(name, 1) for name in (*rounding, *SAME_UNARY)}
    names |= {name: _libdevice(name, 2) for name in ("copysign", *SAME_BINARY)}
    names |= {other: _libdevice(other, OPS[name].arity) for name, other in OTHER_NAMES.items()}
    names |= {name: _whole(name) for name in ("ldexp", "ilogb")}
    for kind in (types.int32, types.int64, types.uint32, types.uint64):
        names[f"truncate_{kind.name}"] = _truncation(kind)
    names["product"] = _make(_same, _product, 2)
    names["quotient"] = _make(_same, lambda b, s, x, y: b.sdiv(x, y), 2)
    names["gcd"] = _make(_same, _gcd, 2)
    names["maximum"], names["minimum"] = _extreme(">=", True), _extreme("<=", True)
    names["fmax"], names["fmin"] = _extreme(">=", False), _extreme("<=", False)
    names["integer_of"] = _make(_integer_type, _bits, 1)
    names["floating_of"] = _make(_floating_type, _bits, 1)
    names["bit_count"] = _make(lambda x: x(x), _bit_count, 1)
    names["select"] = _make(
        lambda c, x, y: x(types.boolean, x, y), lambda b, s, *args: b.select(*args), 3
    )
    for size in (2, 4, 8, 16):
        names[f"load{size}"], names[f"store{size}"] = _vector(size)
    return names
