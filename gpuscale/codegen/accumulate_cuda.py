"""How each reduction is written inside a CUDA kernel: states, what they take, how two become one.

The rows here are twins of `reductions.REDUCTIONS`, which is their oracle. A state lives in the
registers of one thread; those of a block are joined in shared memory, those of several blocks by
a second kernel, always in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.emit import type_name
from gpuscale.codegen.reductions import extreme, missing

__all__ = ["State", "state_of"]

DType = np.dtype[Any]
F8, I8, U1 = np.dtype("f8"), np.dtype("i8"), np.dtype("u1")


@dataclass(frozen=True)
class State:
    """One reduction of values of one dtype.

    Attributes
    ----------
    starts : tuple of (dtype, value)
        What each part of the state is before anything is taken.
    take : tuple of str
        Lines over the parts ``{a0}``, ``{a1}``, ..., a value ``{v}`` and its ``{position}``.
    join : tuple of str
        Lines over the parts and those of a later state, ``{b0}``, ``{b1}``, ...
    results : tuple of (dtype, str)
        The partial result in the form of `Reduction.tile`: expressions over the parts.
    """

    starts: tuple[tuple[DType, Any], ...]
    take: tuple[str, ...]
    join: tuple[str, ...]
    results: tuple[tuple[DType, str], ...]

    @property
    def wants_position(self) -> bool:
        """Whether positions are part of the result."""
        return any("{position}" in line for line in self.take)


@lru_cache(maxsize=256)
def state_of(reduction: str, dtype: DType) -> State | None:
    """Find the compiled form of a reduction; None where only the interpreter can do it.

    Examples
    --------
    >>> state_of("max", np.dtype("f8")).take
    ('{a0} = float64(maximum({a0}, {v}))',)
    >>> state_of("logaddexp", np.dtype("f8")) is None
    True
    """
    if reduction not in _MAKERS:
        return None
    kinds, make = _MAKERS[reduction]
    return make(dtype) if dtype.kind in kinds else None


def _plain(dtype: DType, start: Any, text: str, out: DType | None = None) -> State:
    """One number, joined as values are taken; truth values are bytes."""
    memory = U1 if dtype.kind == "b" else dtype
    line = "{{a0}} = " + type_name(memory) + "(" + text + ")"
    take, join = line.format(x="{v}"), line.format(x="{b0}")
    return State(((memory, start),), (take,), (join,), ((out or dtype, "{a0}"),))


def _sum(dtype: DType) -> State:
    if dtype.kind in "iu":
        return _plain(dtype, 0, "{{a0}} + {x}")
    wide = np.dtype("c16") if dtype.kind == "c" else F8
    name = type_name(wide)
    return State(
        ((wide, 0),),
        (f"{{a0}} = {{a0}} + {name}({{v}})",),
        ("{a0} = {a0} + {b0}",),
        ((dtype, f"{type_name(dtype)}({{a0}})"),),
    )


def _prod(dtype: DType) -> State:
    if dtype.kind in "iu":
        return _plain(dtype, 1, "{{a0}} * {x}")
    if dtype.kind == "f":
        return _plain(dtype, 1, "product({{a0}}, {x})")
    real = "product({{a0}}.real, {x}.real) - product({{a0}}.imag, {x}.imag)"
    imag = "product({{a0}}.real, {x}.imag) + product({{a0}}.imag, {x}.real)"
    return _plain(dtype, 1, f"complex({real}, {imag})")


def _extreme(name: str, start: Callable[[DType, int], Any], sign: int) -> Callable[[DType], State]:
    def make(dtype: DType) -> State:
        return _plain(dtype, start(dtype, sign), f"{name}({{{{a0}}}}, {{x}})")

    return make


def _truth(symbol: str, start: int) -> Callable[[DType], State]:
    def make(dtype: DType) -> State:
        return State(
            ((U1, start),),
            (f"{{a0}} = uint8({{a0}} {symbol} uint8({{v}} != 0))",),
            (f"{{a0}} = uint8({{a0}} {symbol} {{b0}})",),
            ((np.dtype(bool), "{a0}"),),
        )

    return make


def _count(dtype: DType) -> State:
    take = "{a0} = int64({a0} + uint8({v} != 0))"
    return State(((I8, 0),), (take,), ("{a0} = {a0} + {b0}",), ((I8, "{a0}"),))


def _bits(symbol: str, start: int) -> Callable[[DType], State]:
    def make(dtype: DType) -> State:
        first = np.array(start, np.int64).astype(dtype).item()
        return _plain(dtype, int(first), f"{{{{a0}}}} {symbol} {{x}}")

    return make


def _hypot(dtype: DType) -> State:
    return _plain(dtype, 0, "hypot({{a0}}, {x})")


def _arg(beats: str, sign: int) -> Callable[[DType], State]:
    def make(dtype: DType) -> State:
        memory = U1 if dtype.kind == "b" else dtype

        def wins(value: str, position: str) -> str:
            better, equal = f"({value} {beats} {{a0}})", f"({value} == {{a0}})"
            if dtype.kind == "f":  # NaN beats all numbers
                better += f" | (({value} != {value}) & ({{a0}} == {{a0}}))"
                equal = f"({equal} | (({value} != {value}) & ({{a0}} != {{a0}})))"
            return f"({{a1}} < 0) | {better} | ({equal} & ({position} < {{a1}}))"

        def lines(value: str, position: str, test: str) -> tuple[str, ...]:
            chosen = (f"select(wins, {value}, {{a0}})", f"select(wins, {position}, {{a1}})")
            return f"wins = {test}", f"{{a0}} = {chosen[0]}", f"{{a1}} = {chosen[1]}"

        return State(
            ((memory, extreme(dtype, sign)), (I8, -1)),
            lines("{v}", "{position}", wins("{v}", "{position}")),
            lines("{b0}", "{b1}", f"({{b1}} >= 0) & ({wins('{b0}', '{b1}')})"),
            ((I8, "{a1}"), (dtype, "{a0}")),
        )

    return make


def _moments(dtype: DType) -> State:
    """Count, shift, mean and sum of squared deviations from it; sum; whether all were finite.

    The shift is the first value, since deviations from it are exact or nearly so, however far from
    zero all lie. B. P. Welford, "Note on a method for calculating corrected sums of squares and
    products", 1962; to join two states Chan, Golub and LeVeque, 1983.
    """
    name = type_name(dtype)
    take = (
        "value = float64({v})",
        "finite = fabs(value) < inf",
        "{a1} = select(({a0} == 0) & finite, value, {a1})",
        "{a0} = {a0} + 1",
        "off = (value - {a1}) - {a2}",
        "{a2} = {a2} + off / float64({a0})",
        "{a3} = {a3} + product(off, (value - {a1}) - {a2})",
        "{a4} = {a4} + value",
        "{a5} = uint8({a5} & uint8(finite))",
    )
    join = (
        "before = float64({a0})",
        "{a0} = {a0} + {b0}",
        "share = float64({b0}) / float64(max({a0}, 1))",
        "off = ({b1} - {a1}) + ({b2} - {a2})",
        "between = product(product(off, off), product(before, share))",
        "{a1} = select(before > 0, {a1}, {b1})",
        "{a2} = select(before > 0, {a2} + product(off, share), {b2})",
        "{a3} = {a3} + {b3} + select((before > 0) & ({b0} > 0), between, float64(0))",
        "{a4} = {a4} + {b4}",
        "{a5} = uint8({a5} & {b5})",
    )
    # Deviations of the largest numbers overflow to infinities of both signs.
    mean = "select(fabs({a1} + {a2}) < inf, {a1} + {a2}, {a4} / float64({a0}))"
    m2 = "select(({a3} != {a3}) & ({a5} != 0), float64(inf), {a3})"
    return State(
        ((I8, 0), (F8, 0), (F8, 0), (F8, 0), (F8, 0), (U1, 1)),
        take,
        join,
        ((I8, "{a0}"), (dtype, f"{name}({mean})"), (dtype, f"{name}({m2})")),
    )


_MAKERS: dict[str, tuple[str, Callable[[DType], State]]] = {
    "sum": ("iufc", _sum),
    "prod": ("iufc", _prod),
    "min": ("biuf", _extreme("minimum", extreme, 1)),
    "max": ("biuf", _extreme("maximum", extreme, -1)),
    "fmin": ("biuf", _extreme("fmin", missing, 1)),
    "fmax": ("biuf", _extreme("fmax", missing, -1)),
    "any": ("biufc", _truth("|", 0)),
    "all": ("biufc", _truth("&", 1)),
    "logical_xor": ("biufc", _truth("^", 0)),
    "count": ("biufc", _count),
    "bitwise_and": ("biu", _bits("&", -1)),
    "bitwise_or": ("biu", _bits("|", 0)),
    "bitwise_xor": ("biu", _bits("^", 0)),
    "hypot": ("f", _hypot),
    "argmin": ("biuf", _arg("<", 1)),
    "argmax": ("biuf", _arg(">", -1)),
    "moments": ("f", _moments),
}
