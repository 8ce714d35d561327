"""What generated kernels say to LLVM directly: typed memory, selection, NumPy's inner loops.

Imports numba: only generated kernels and the compiler import this module.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from gpuscale.codegen.truncation import truncated
from gpuscale.kernels.elementary.exponential import exp
from gpuscale.kernels.elementary.logarithm import log_anywhere
from gpuscale.kernels.portable_cpu import make_compilable

for _function in (exp, log_anywhere):
    make_compilable(_function)


def in_kernel(function: Any) -> Any:
    """Let kernels call a Python function; nothing in it raises, not even a division by zero."""
    return register_jitable(error_model="numpy")(function)


N_SCOPES = 32  # distinct memory areas told apart in one kernel: outputs, accumulators, buffers


@intrinsic
def pointer(typing_context: Any, address: Any, dtype: Any) -> Any:
    """Turn an address into a pointer to elements of a Numba type."""
    kind = types.CPointer(dtype.instance_type)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return kind(types.intp, dtype), codegen


@intrinsic
def moved(typing_context: Any, address: Any, offset: Any) -> Any:
    """Move a pointer by elements."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return address(address, types.intp), codegen


@intrinsic
def address_of(typing_context: Any, address: Any, index: Any) -> Any:
    """Address of an element, for NumPy's inner loops."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(builder.gep(args[0], [args[1]]), ir.IntType(64))

    return types.intp(address, types.intp), codegen


@intrinsic
def word_at(typing_context: Any, address: Any, index: Any) -> Any:
    """Read eight bytes as a whole number, from any byte on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64).as_pointer()
        at = builder.bitcast(builder.gep(args[0], [args[1]]), word)
        return builder.load(at, align=1)

    return types.int64(address, types.intp), codegen


def _tag(builder: Any, instruction: Any, scope: str) -> None:
    """Say which memory area an access is in, and that the areas do not overlap.

    Without this LLVM must compare all pointers at run time before it vectorizes, and gives up
    when they are many.
    """
    if scope == "any":  # too many areas to name: may overlap with all others
        return
    module = builder.module
    domain = module.add_metadata(["gpuscale kernel"])

    def scopes(names: list[str]) -> Any:
        return module.add_metadata([module.add_metadata([name, domain]) for name in names])

    instruction.set_metadata("alias.scope", scopes([scope]))
    others = ["in", *(f"w{k}" for k in range(N_SCOPES))]
    instruction.set_metadata("noalias", scopes([name for name in others if name != scope]))


@intrinsic(prefer_literal=True)
def fetch(typing_context: Any, address: Any, index: Any, scope: Any) -> Any:
    """Read an element; no check, no negative index."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(builder.gep(args[0], [args[1]]))
        _tag(builder, value, scope.literal_value)
        return value

    return address.dtype(address, types.intp, scope), codegen


@intrinsic(prefer_literal=True)
def store(typing_context: Any, address: Any, index: Any, value: Any, scope: Any) -> Any:
    """Write an element; no check, no negative index."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        written = builder.store(args[2], builder.gep(args[0], [args[1]]))
        _tag(builder, written, scope.literal_value)
        return context.get_dummy_value()

    return types.void(address, types.intp, address.dtype, scope), codegen


def _exchange(builder: Any, rows: list[Any], distance: int) -> list[Any]:
    """Swap the off-diagonal blocks of each 2 x 2 arrangement of blocks of this size."""
    size = len(rows)
    low = [k + (size - distance if k & distance else 0) for k in range(size)]
    high = [k + (size if k & distance else distance) for k in range(size)]
    kind = ir.VectorType(ir.IntType(32), size)
    out = list(rows)
    for k in range(size):
        if not k & distance:
            pair = rows[k], rows[k + distance]
            out[k] = builder.shuffle_vector(*pair, ir.Constant(kind, low))
            out[k + distance] = builder.shuffle_vector(*pair, ir.Constant(kind, high))
    return out


@intrinsic
def transpose_8x8(
    typing_context: Any, out: Any, out_step: Any, source: Any, source_step: Any
) -> Any:
    """``out[i * out_step + j] = source[j * source_step + i]`` for i, j < 8, in registers."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, out_step, source, source_step = args
        align = context.get_abi_sizeof(source.type.pointee)
        vector = ir.VectorType(ir.IntType(8 * align), 8)  # whatever the bytes mean

        def row(start: Any, step: Any, k: int) -> Any:
            at = builder.gep(start, [builder.mul(step, ir.Constant(step.type, k))])
            return builder.bitcast(at, vector.as_pointer())

        rows = [builder.load(row(source, source_step, k), align=align) for k in range(8)]
        for distance in (1, 2, 4):
            rows = _exchange(builder, rows, distance)
        for k, value in enumerate(rows):
            builder.store(value, row(out, out_step, k), align=align)
        return context.get_dummy_value()

    return types.void(out, types.intp, source, types.intp), codegen


@intrinsic
def select(typing_context: Any, condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Return one of two values without a branch, so that the loop around vectorizes."""
    if chosen != otherwise:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(*args)

    return chosen(types.boolean, chosen, otherwise), codegen


def _math(name: str, arity: int) -> Any:
    """Make one of LLVM's floating point intrinsics callable; each is one vector instruction."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type] * arity)
        function = builder.module.declare_intrinsic(f"llvm.{name}", [args[0].type], kind)
        return builder.call(function, args)

    if arity == 1:

        @intrinsic
        def unary(typing_context: Any, x: Any) -> Any:
            return x(x), codegen

        return unary

    @intrinsic
    def binary(typing_context: Any, x: Any, y: Any) -> Any:
        return x(x, y), codegen

    return binary


sqrt, fabs, rint = _math("sqrt", 1), _math("fabs", 1), _math("rint", 1)
floor, ceil, trunc = _math("floor", 1), _math("ceil", 1), _math("trunc", 1)
copysign = _math("copysign", 2)


@intrinsic
def finite_or_zero(typing_context: Any, x: Any) -> Any:
    """Return a number to measure deviations from: those from infinity would all be NaN."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, 0.0)
        # x - x is zero for numbers, and NaN for NaN and the infinities.
        finite = builder.fcmp_ordered("==", builder.fsub(args[0], args[0]), zero)
        return builder.select(finite, args[0], zero)

    return x(x), codegen


def _truncation(kind: Any) -> Any:
    """Make a conversion to an integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return truncated(builder, kind, *args)

    @intrinsic
    def truncate(typing_context: Any, x: Any) -> Any:
        return kind(x), codegen

    return truncate


truncate_int32, truncate_int64 = _truncation(types.int32), _truncation(types.int64)
truncate_uint32, truncate_uint64 = _truncation(types.uint32), _truncation(types.uint64)


@in_kernel
def maximum(x: Any, y: Any) -> Any:
    """Return the larger number, or NaN."""
    return select((x >= y) | (x != x), x, y)


@in_kernel
def minimum(x: Any, y: Any) -> Any:
    """Return the smaller number, or NaN."""
    return select((x <= y) | (x != x), x, y)


@in_kernel
def fmax(x: Any, y: Any) -> Any:
    """Return the larger of the numbers that are not NaN."""
    return select((x >= y) | (y != y), x, y)


@in_kernel
def fmin(x: Any, y: Any) -> Any:
    """Return the smaller of the numbers that are not NaN."""
    return select((x <= y) | (y != y), x, y)


def _words(builder: Any, values: Any) -> Any:
    """Put 64-bit words side by side on the stack; their address."""
    area = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), max(1, len(values))))
    for k, value in enumerate(values):
        builder.store(value, cgutils.gep_inbounds(builder, area, 0, k))
    return builder.bitcast(area, ir.IntType(64).as_pointer())


@intrinsic
def call_kernel(typing_context: Any, function: Any, *words: Any) -> Any:
    """Call a kernel by its address, with words for its vector."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = cgutils.unpack_tuple(builder, args[1])
        words = ir.IntType(64).as_pointer()
        kind = ir.FunctionType(ir.IntType(32), [words] * 3).as_pointer()
        unused = _words(builder, [ir.Constant(ir.IntType(64), 0)] * 2)
        builder.call(builder.inttoptr(args[0], kind), [unused, unused, _words(builder, values)])
        return context.get_dummy_value()

    return types.void(types.intp, types.BaseTuple.from_types([types.intp] * len(words))), codegen


@intrinsic
def call_loop(typing_context: Any, function: Any, data: Any, count: Any, *operands: Any) -> Any:
    """Call a NumPy inner loop ``void f(char **args, intp *n, intp *strides, void *data)``.

    ``operands`` are the address and the stride in bytes of each operand, inputs first. The loops
    of numeric dtypes need no GIL: NumPy itself releases it around them.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = cgutils.unpack_tuple(builder, args[3])
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [word.as_pointer()] * 3 + [word]).as_pointer()
        given = [_words(builder, v) for v in (values[0::2], [args[2]], values[1::2])]
        builder.call(builder.inttoptr(args[0], kind), [*given, args[1]])
        return context.get_dummy_value()

    words = types.BaseTuple.from_types([types.intp] * len(operands))
    return types.void(types.intp, types.intp, types.intp, words), codegen
