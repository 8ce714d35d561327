"""Einstein's summation convention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api.manipulation import expand_dims, moveaxis, squeeze, transpose
from gpuscale.array.api.matrices import diagonal
from gpuscale.array.api.products import product_sum, same_dtype, sum_as
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays
from gpuscale.array.ufunc import call, into

__all__ = ["einsum", "einsum_path"]

Letters = tuple[Hashable, ...]
Operand = tuple[Array, Letters]


def einsum(
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    casting: str = "safe",
    optimize: Any = "greedy",
    order: str = "K",
    split_every: Any = None,
) -> Array:
    """Sum products over repeated index letters.

    Parameters
    ----------
    *operands : str and arrays, or arrays and lists of letters
        ``einsum("ij,jk->ik", a, b)`` or ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    out : Array, optional
    dtype : dtype, optional
        To compute in; the common one by default.
    casting : str
        What conversions to ``dtype`` are allowed.
    optimize : bool, str or list
        In which order operands are multiplied, as `numpy.einsum_path` understands it; pairs are
        multiplied in any case.
    order, split_every
        Accepted for NumPy's and dask's sake.

    Raises
    ------
    ValueError
        If the subscripts are malformed, or do not fit the operands.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(4).reshape(2, 2)
    >>> ga.einsum("ij,kj->ik", x, x).compute()
    array([[ 1,  3],
           [ 3, 13]])
    """
    terms, result, arrays = _parse(operands)
    if dtype is not None:
        for x in arrays:
            if not np.can_cast(x.dtype, dtype, casting):  # type: ignore[arg-type]
                raise TypeError(
                    f"Cannot cast operand data from {x.dtype!r} to {np.dtype(dtype)!r} according "
                    f"to the rule {casting!r}"
                )
    nodes = same_dtype("einsum", *arrays, dtype=dtype)
    lengths = _lengths(terms, [n.meta.shape for n in nodes])
    items = [_simplified(Array(node), own, lengths) for node, own in zip(nodes, terms, strict=True)]
    for places in _path(items, result, optimize):
        chosen = [items[k] for k in places]
        items = [each for k, each in enumerate(items) if k not in places]
        current = chosen[0]
        for number, each in enumerate(chosen[1:], 2):
            rest = [own for _, own in (*items, *chosen[number:])]
            current = _multiplied(current, each, {x for own in (*rest, result) for x in own})
        items.append(current)
    return into(out, _finished(*items[0], result))


def einsum_path(*operands: Any, optimize: Any = "greedy") -> tuple[list[Any], str]:
    """Order in which `einsum` multiplies the operands; see `numpy.einsum_path`."""
    terms, result, arrays = _parse(operands)
    dummies = _dummies(list(zip(arrays, terms, strict=True)), result)
    return np.einsum_path(*dummies, optimize=optimize)


# --- reading subscripts --------------------------------------------------------------------------


def _parse(operands: Sequence[Any]) -> tuple[list[Letters], Letters, list[Array]]:
    """Letters of each operand and of the result; an ellipsis is spelled out."""
    if not operands:
        raise ValueError("must specify the einstein sum subscripts string and at least one operand")
    if isinstance(operands[0], str):
        text, *values = operands
        text = text.replace(" ", "")
        left, arrow, right = text.partition("->")
        terms = [_letters(part) for part in left.split(",")]
        wanted = _letters(right) if arrow else None
    else:
        values, lists = list(operands[: len(operands) // 2 * 2 : 2]), operands[1::2]
        terms = [tuple(each) for each in lists]
        wanted = tuple(operands[-1]) if len(operands) % 2 else None
    if len(terms) != len(values):
        few = "more" if len(values) > len(terms) else "fewer"
        raise ValueError(
            f"{few} operands provided to einstein sum function than specified in the subscripts "
            "string"
        )
    arrays = as_arrays(values, "einsum")
    terms = [_spelled(own, x.ndim, x.shape) for own, x in zip(terms, arrays, strict=True)]
    dots = max((own for own in map(_dots, terms)), key=len, default=())
    return terms, _result(terms, wanted, dots), arrays


def _letters(text: str) -> Letters:
    parts = text.split("...")
    letters = "".join(parts)
    if len(parts) > 2 or not all(c.isalpha() and c.isascii() for c in letters):
        raise ValueError(f"einstein sum subscripts string contains an invalid part: {text!r}")
    return (*parts[0], *([...] if len(parts) == 2 else ()), *(parts[1] if len(parts) == 2 else ()))


def _spelled(own: Letters, ndim: int, shape: tuple[int, ...]) -> Letters:
    """Replace an ellipsis by numbered letters, the last axis first."""
    missing = ndim - (len(own) - (... in own))
    if missing < 0 or missing and ... not in own:
        raise ValueError(
            f"einstein sum subscripts {own} do not fit an operand of shape {shape}: there must be "
            "one for each axis, or an ellipsis"
        )
    if ... not in own:
        return own
    at = own.index(...)
    dots = tuple(("...", missing - k) for k in range(missing))
    return (*own[:at], *dots, *own[at + 1 :])


def _dots(own: Iterable[Hashable]) -> Letters:
    return tuple(x for x in own if isinstance(x, tuple))


def _result(terms: list[Letters], wanted: Letters | None, dots: Letters) -> Letters:
    count = Counter(x for own in terms for x in own)
    if wanted is None:
        once = [x for x, n in count.items() if n == 1 and not isinstance(x, tuple)]
        return (*dots, *sorted(once))  # type: ignore[type-var]
    if ... in wanted:
        at = wanted.index(...)
        wanted = (*wanted[:at], *dots, *wanted[at + 1 :])
    elif dots:
        raise ValueError("the output subscripts of einsum must include the ellipsis of operands")
    for letter in wanted:
        if letter not in count:
            raise ValueError(
                f"einstein sum subscripts string included output subscript {letter!r} which never "
                "appeared in an input"
            )
    if len(set(wanted)) < len(wanted):
        raise ValueError("einstein sum subscripts string includes an output subscript repeatedly")
    return wanted


def _lengths(terms: Sequence[Letters], shapes: Sequence[tuple[int, ...]]) -> dict[Hashable, int]:
    """Length along each letter; one operand may have length 1 where others are longer."""
    lengths: dict[Hashable, int] = {}
    for own, shape in zip(terms, shapes, strict=True):
        by_letter: dict[Hashable, int] = {}
        for letter, n in zip(own, shape, strict=True):
            if by_letter.setdefault(letter, n) != n:
                raise ValueError(
                    f"an operand of shape {shape} has no diagonal along {letter!r}: its lengths "
                    f"are {by_letter[letter]} and {n}"
                )
            known = lengths.setdefault(letter, n)
            if known == 1:
                lengths[letter] = n
            elif n not in (1, known):
                raise ValueError(
                    f"operands have different lengths along {letter!r}: {known} and {n}; their "
                    f"shapes are {list(shapes)}"
                )
    return lengths


# --- multiplying ---------------------------------------------------------------------------------


def _simplified(x: Array, own: Letters, lengths: dict[Hashable, int]) -> Operand:
    """Take diagonals along repeated letters, and drop axes of length 1 that others have longer."""
    letters = list(own)
    alone = [k for k, letter in enumerate(letters) if x.shape[k] == 1 != lengths[letter]]
    x, letters = squeeze(x, tuple(alone)), [y for k, y in enumerate(letters) if k not in alone]
    for letter in [y for y, n in Counter(letters).items() if n > 1]:
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            x = moveaxis(diagonal(x, 0, first, second), -1, first)
            del letters[second]
    return x, tuple(letters)


def _dummies(items: Sequence[Operand], result: Letters) -> list[Any]:
    """Arguments for `numpy.einsum_path`: arrays without memory, letters as numbers."""
    numbers: dict[Hashable, int] = {}
    arguments: list[Any] = []
    for x, own in items:
        arguments.append(np.broadcast_to(np.zeros((), np.int8), x.shape))
        arguments.append([numbers.setdefault(y, len(numbers)) for y in own])
    return [*arguments, [numbers[y] for y in result if y in numbers]]


def _path(items: Sequence[Operand], result: Letters, optimize: Any) -> list[tuple[int, ...]]:
    if len(items) <= 2 or optimize is False:
        return [tuple(range(len(items)))]
    chosen = "greedy" if optimize is True else optimize
    path, _ = np.einsum_path(*_dummies(items, result), optimize=chosen)
    return list(path[1:])


def _multiplied(a: Operand, b: Operand, needed: set[Hashable]) -> Operand:
    """Product of two operands, summed over letters that nobody needs any more."""
    (x, first), (y, second) = a, b
    out = tuple(letter for letter in dict.fromkeys((*first, *second)) if letter in needed)
    if set(first) & set(second) - needed:
        return Array(product_sum(x.expr, y.expr, (first, second), out, "einsum")), out
    # Nothing to sum together: a product of elements, which fuses with its neighbours.
    (x, first), (y, second) = _summed(x, first, needed), _summed(y, second, needed)
    return call("multiply", _spread(x, first, out), _spread(y, second, out)), out


def _summed(x: Array, own: Letters, needed: Iterable[Hashable]) -> Operand:
    gone = tuple(k for k, letter in enumerate(own) if letter not in needed)
    kept = tuple(letter for letter in own if letter in needed)
    return (sum_as(x, gone) if gone else x), kept


def _spread(x: Array, own: Letters, out: Letters) -> Array:
    """Give an operand the axes of ``out``, of length 1 where it has none."""
    ordered = [letter for letter in out if letter in own]
    x = transpose(x, [own.index(letter) for letter in ordered])
    return expand_dims(x, tuple(k for k, letter in enumerate(out) if letter not in own))


def _finished(x: Array, own: Letters, result: Letters) -> Array:
    x, kept = _summed(x, own, result)
    return transpose(x, [kept.index(letter) for letter in result])
