"""Scalar programs: what happens to one element, straight-line and typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from gpuscale.base.types import same_dtype
from gpuscale.codegen import ops

__all__ = ["LEAVES", "AffineIndex", "Instr", "ProgramBuilder", "ScalarProgram"]

LEAVES = ("load", "index", "param", "const")


class Instr:
    """One value of a program; its position in the program is its number.

    Parameters
    ----------
    op : str
        A row of `ops.OPS`, or a leaf: "load", "index", "param", "const".
    args : tuple of int
        Numbers of earlier values.
    dtype : numpy.dtype
    imm : tuple
        (k,) for the k-th array, index function or parameter; (value,) for a constant.
    """

    __slots__ = ("_hash", "_key", "_text", "args", "dtype", "imm", "op")

    def __init__(
        self, op: str, args: tuple[int, ...], dtype: np.dtype[Any], imm: tuple[Any, ...] = ()
    ) -> None:
        self.op = op
        self.args = args
        self.dtype = dtype = same_dtype(dtype)
        self.imm = imm
        # Constants compare by spelling: -0.0 is not 0.0, and NaN is the same as NaN.
        shown = tuple(map(_spelling, imm)) if op == "const" else imm
        self._key = (op, args, dtype, shown)
        self._hash = hash(self._key)
        self._text: str | None = None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Instr) and self._key == other._key

    def __reduce__(self) -> tuple[Any, ...]:
        return (Instr, (self.op, self.args, self.dtype, self.imm))

    @property
    def is_leaf(self) -> bool:
        """Whether the value is read rather than computed."""
        return self.op in LEAVES

    def __repr__(self) -> str:
        if self._text is None:  # programs that share values spell them once
            words = [f"%{a}" for a in self.args] + [str(i) for i in self.imm]
            self._text = f"{' '.join([self.op, *words])} : {_dtype_name(self.dtype)}"
        return self._text


_dtype_name = lru_cache(maxsize=256)(str)  # NumPy puts it together anew each time


def _spelling(value: Any) -> tuple[str, Any]:
    if isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        return type(value).__name__, repr(value)
    return "object", id(value)


@dataclass(frozen=True, slots=True)
class AffineIndex:
    """An integer that depends linearly on the position in the domain.

    Its value at the block's local position p is ``base + sum(coefs[a] * p[a])``, in int64.

    Examples
    --------
    The C-order element number of a (3, 5) array, and of its transpose:

    >>> AffineIndex(0, (5, 1)).at((2, 4)), AffineIndex(0, (1, 5)).at((4, 2))
    (14, 14)
    """

    base: int
    coefs: tuple[int, ...]

    def at(self, position: Sequence[int]) -> int:
        """Value at one position."""
        return self.base + sum(c * p for c, p in zip(self.coefs, position, strict=True))


class ScalarProgram:
    """Instructions in single-assignment form and the numbers of the values that leave.

    Immutable, hashable (programs that spell the same are equal) and picklable.

    Examples
    --------
    >>> b = ProgramBuilder()
    >>> x = b.load(0, np.dtype("f8"))
    >>> print(b.build(b.apply("add", x, b.const(1.0, np.dtype("f8")))))
    %0 = load 0 : float64
    %1 = const 1.0 : float64
    %2 = add %0 %1 : float64
    return %2
    """

    def __init__(self, instrs: tuple[Instr, ...], outputs: tuple[int, ...]) -> None:
        self.instrs = instrs
        self.outputs = outputs
        self._hash = hash((instrs, outputs))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, ScalarProgram)
            and self._hash == other._hash
            and self.outputs == other.outputs
            and self.instrs == other.instrs
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Hashes of strings differ from process to process: send the content, not the hash.
        return (ScalarProgram, (self.instrs, self.outputs))

    def __gpuscale_tokenize__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return str(self)

    def _count(self, op: str) -> int:
        return max((i.imm[0] + 1 for i in self.instrs if i.op == op), default=0)

    @cached_property
    def n_loads(self) -> int:
        """Arrays the program expects."""
        return self._count("load")

    @cached_property
    def n_indices(self) -> int:
        """Index functions the program expects."""
        return self._count("index")

    @cached_property
    def n_params(self) -> int:
        """Parameters the program expects."""
        return self._count("param")

    @cached_property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        """Data types of the outputs."""
        return tuple(self.instrs[k].dtype for k in self.outputs)

    @cached_property
    def last_use(self) -> tuple[int, ...]:
        """For each value the number of the instruction that reads it last."""
        last = list(range(len(self.instrs)))
        for number, instr in enumerate(self.instrs):
            for arg in instr.args:
                last[arg] = number
        for number in self.outputs:
            last[number] = len(self.instrs)
        return tuple(last)

    def __str__(self) -> str:
        lines = [f"%{k} = {instr!r}" for k, instr in enumerate(self.instrs)]
        return "\n".join([*lines, "return " + " ".join(f"%{k}" for k in self.outputs)])

    __repr__ = __str__


class ProgramBuilder:
    """Writes a program value by value; equal values are computed once, constants are folded.

    Examples
    --------
    >>> b = ProgramBuilder()
    >>> two = b.const(2, np.dtype("i8"))
    >>> four = b.apply("multiply", two, two)
    >>> b.instr(four)
    const 4 : int64
    """

    def __init__(self) -> None:
        self._instrs: list[Instr] = []
        self._numbers: dict[Instr, int] = {}

    def start(self, program: ScalarProgram) -> bool:
        """Take over a whole program with the numbers of its values, if nothing is written yet."""
        if self._instrs:
            return False
        self._instrs = list(program.instrs)
        self._numbers = {instr: number for number, instr in enumerate(self._instrs)}
        return True

    @property
    def instrs(self) -> Sequence[Instr]:
        """What is written so far."""
        return self._instrs

    def instr(self, value: int) -> Instr:
        """Look at one value."""
        return self._instrs[value]

    def load(self, k: int, dtype: Any) -> int:
        """Read an element of the k-th array."""
        return self._add(Instr("load", (), np.dtype(dtype), (k,)))

    def index(self, k: int) -> int:
        """Read the k-th index function, int64."""
        return self._add(Instr("index", (), np.dtype(np.int64), (k,)))

    def param(self, k: int, dtype: Any) -> int:
        """Read the k-th scalar parameter: it may change from run to run without a compilation."""
        return self._add(Instr("param", (), np.dtype(dtype), (k,)))

    def const(self, value: Any, dtype: Any) -> int:
        """Write a constant down."""
        dtype = np.dtype(dtype)
        if dtype.kind in "biufc":
            value = np.asarray(value).astype(dtype)[()].item()
        return self._add(Instr("const", (), dtype, (value,)))

    def copy(self, leaf: Instr) -> int:
        """Take over a leaf of another program."""
        return self._add(leaf)

    def cast(self, value: int, dtype: Any) -> int:
        """Convert to another dtype; nothing is added where it is that already."""
        dtype = np.dtype(dtype)
        if self._instrs[value].dtype == dtype:
            return value
        return self.apply("cast", value, dtype=dtype)

    def apply(self, op: str, *values: int, dtype: Any = None) -> int:
        """Apply a row of `ops.OPS`; arguments are cast to the dtypes of NumPy's loop.

        Parameters
        ----------
        op : str
        *values : int
            Numbers of the arguments.
        dtype : dtype, optional
            Of the result, where it is not the one NumPy would choose (``dtype=`` of a ufunc).

        Raises
        ------
        TypeError
            NumPy has no such operation for these dtypes.
        """
        row = ops.find(op)
        given = [self._instrs[v].dtype for v in values]
        *wanted, out = row.loop_dtypes(*given, dtype=dtype)
        if row.casts_inputs:
            values = tuple(self.cast(v, w) for v, w in zip(values, wanted, strict=True))
        if all(self._instrs[v].op == "const" for v in values) and out.kind in "biufc":
            return self._fold(row, values, out)
        return self._add(Instr(op, tuple(values), out))

    def _fold(self, row: ops.Op, values: tuple[int, ...], out: np.dtype[Any]) -> int:
        scalars = [self._instrs[v].dtype.type(self._instrs[v].imm[0]) for v in values]
        with np.errstate(all="ignore"):
            return self.const(ops.evaluate(row, scalars, out), out)

    def _add(self, instr: Instr) -> int:
        number = self._numbers.get(instr)
        if number is None:
            number = self._numbers[instr] = len(self._instrs)
            self._instrs.append(instr)
        return number

    def build(self, *outputs: int) -> ScalarProgram:
        """Finish: values that no output needs are left out."""
        if len({*outputs}.union(*(instr.args for instr in self._instrs))) == len(self._instrs):
            return ScalarProgram(tuple(self._instrs), outputs)
        needed = set(outputs)
        for number in range(len(self._instrs) - 1, -1, -1):
            if number in needed:
                needed.update(self._instrs[number].args)
        order = sorted(needed)
        new = {old: k for k, old in enumerate(order)}
        instrs = []
        for old in order:
            i = self._instrs[old]
            instrs.append(Instr(i.op, tuple(new[a] for a in i.args), i.dtype, i.imm))
        return ScalarProgram(tuple(instrs), tuple(new[k] for k in outputs))
