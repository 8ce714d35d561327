"""Labels of axes in products: what einsum, tensordot and matmul say about theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import index as as_int
from typing import Any

from gpuscale.base.types import Shape, Unknown
from gpuscale.chunks.axes import normalize_axes

__all__ = ["Labels", "matmul_labels", "parse_einsum", "tensordot_labels"]

#: One name per axis: a letter, or a negative number for an axis counted from the end.
Labels = tuple[str | int, ...]

_MANY = "einstein sum subscripts string "


def parse_einsum(subscripts: str, ndims: Sequence[int]) -> tuple[tuple[Labels, ...], Labels]:
    """Return the labels of the axes of all operands and of the result.

    Parameters
    ----------
    subscripts : str
        As for `numpy.einsum`: ``"ij,jk->ik"``, without ``->`` if the result keeps the labels
        that occur once, in alphabetical order.
    ndims : sequence of int
        Number of dimensions of every operand.

    Returns
    -------
    inputs, output
        An ellipsis stands for axes labelled -1, -2, ... from the last.

    Raises
    ------
    ValueError
        If the subscripts are malformed or do not fit the operands.

    Examples
    --------
    >>> parse_einsum("ij,jk", (2, 2))
    ((('i', 'j'), ('j', 'k')), ('i', 'k'))
    >>> parse_einsum("...i->...", (3,))
    (((-2, -1, 'i'),), (-2, -1))
    """
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        few = "fewer" if len(ndims) < len(terms) else "more"
        raise ValueError(
            f"{few} operands provided to einstein sum function than specified in the "
            f"subscripts string: {subscripts!r} for {len(ndims)} operands"
        )
    inputs = tuple(_term(term, n, i) for i, (term, n) in enumerate(zip(terms, ndims, strict=True)))
    if arrow:
        return inputs, _output(right, inputs)
    counts = Counter("".join(terms).replace(".", ""))
    once = sorted(letter for letter, count in counts.items() if count == 1)
    return inputs, (*_hidden_axes(inputs), *once)


def _term(term: str, ndim: int, number: int) -> Labels:
    """Return the labels of one operand."""
    before, dots, after = term.partition("...")
    if "." in before + after:
        raise ValueError(
            f"{_MANY}contains a '.' that is not part of an ellipsis ('...') in operand {number}"
        )
    _check_letters(before + after)
    n_hidden = ndim - len(before) - len(after)
    if n_hidden < 0:
        raise ValueError(f"{_MANY}contains too many subscripts for operand {number}")
    if n_hidden and not dots:
        raise ValueError(
            f"operand {number} has more dimensions than subscripts given in einstein sum, but no "
            "'...' ellipsis provided to broadcast the extra dimensions."
        )
    return (*before, *range(-n_hidden, 0), *after)


def _check_letters(letters: str) -> None:
    for letter in letters:
        if not (letter.isascii() and letter.isalpha()):
            raise ValueError(
                f"invalid subscript '{letter}' in {_MANY.rstrip()}, subscripts must be letters"
            )


def _hidden_axes(inputs: Sequence[Labels]) -> Labels:
    return tuple(sorted({label for term in inputs for label in term if isinstance(label, int)}))


def _output(term: str, inputs: tuple[Labels, ...]) -> Labels:
    """Return the labels of a result that is written out."""
    hidden = _hidden_axes(inputs)
    n_hidden = len(hidden) if "..." in term else 0
    if hidden and not n_hidden:
        raise ValueError(
            "output has more dimensions than subscripts given in einstein sum, but no '...' "
            "ellipsis provided to broadcast the extra dimensions."
        )
    labels = _term(term, len(term.replace("...", "")) + n_hidden, len(inputs))
    known = {label for each in inputs for label in each}
    for label in labels:
        if label not in known:
            raise ValueError(
                f"{_MANY}included output subscript '{label}' which never appeared in an input"
            )
        if labels.count(label) > 1:
            raise ValueError(f"{_MANY}includes output subscript '{label}' multiple times")
    return labels


def matmul_labels(shape_a: Shape, shape_b: Shape) -> tuple[tuple[Labels, Labels], Labels]:
    """Return the labels of a matrix product: rows "i", columns "j", contracted "k".

    Raises
    ------
    ValueError
        If an operand has no dimensions, or the contracted lengths differ.

    Examples
    --------
    >>> matmul_labels((7, 2, 3), (3, 4))
    (((-1, 'i', 'k'), ('k', 'j')), (-1, 'i', 'j'))
    >>> matmul_labels((3,), (3,))
    ((('k',), ('k',)), ())
    """
    signature = "with gufunc signature (n?,k),(k,m?)->(n?,m?)"
    for number, shape in enumerate((shape_a, shape_b)):
        if not shape:
            raise ValueError(
                f"matmul: Input operand {number} does not have enough dimensions "
                f"(has 0, {signature})"
            )
    k_a, k_b = shape_a[-1], shape_b[-2:][0]
    if k_a != k_b and not (isinstance(k_a, Unknown) or isinstance(k_b, Unknown)):
        raise ValueError(
            f"matmul: Input operand 1 has a mismatch in its core dimension 0, {signature} "
            f"(size {k_b} is different from {k_a}): shapes {shape_a} and {shape_b}"
        )
    batch = max(len(shape_a), len(shape_b), 2) - 2
    rows: Labels = ("i",) if len(shape_a) > 1 else ()
    columns: Labels = ("j",) if len(shape_b) > 1 else ()
    a = (*range(2 - len(shape_a), 0), *rows, "k")
    b = (*range(2 - len(shape_b), 0), "k", *columns)
    return (a, b), (*range(-batch, 0), *rows, *columns)


def tensordot_labels(
    shape_a: Shape, shape_b: Shape, axes: Any = 2
) -> tuple[tuple[Labels, Labels], Labels]:
    """Return the labels of a tensor product summed over pairs of axes.

    Parameters
    ----------
    shape_a, shape_b : Shape
        Shapes of the operands.
    axes : int or pair
        The last so many axes of a with the first of b, or the axes of a and those of b.

    Raises
    ------
    ValueError
        If the axes do not pair up, or their lengths differ.
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> tensordot_labels((2, 3, 4), (4, 3), ([1, 2], [1, 0]))
    ((('a0', 'a1', 'a2'), ('a2', 'a1')), ('a0',))
    """
    if hasattr(axes, "__iter__"):
        axes_a, axes_b = axes
        of_a = normalize_axes(axes_a, len(shape_a))
        of_b = normalize_axes(axes_b, len(shape_b))
    else:
        n = as_int(axes)
        if not 0 <= n <= min(len(shape_a), len(shape_b)):
            raise ValueError(f"cannot sum over {n} axes of shapes {shape_a} and {shape_b}")
        of_a, of_b = tuple(range(len(shape_a) - n, len(shape_a))), tuple(range(n))
    if len(of_a) != len(of_b):
        raise ValueError(f"shape-mismatch for sum: {len(of_a)} axes with {len(of_b)}")
    for a, b in zip(of_a, of_b, strict=True):
        lengths = shape_a[a], shape_b[b]
        if lengths[0] != lengths[1] and not any(isinstance(n, Unknown) for n in lengths):
            raise ValueError(
                f"shape-mismatch for sum: axis {a} of {shape_a} with axis {b} of {shape_b}"
            )
    partner = dict(zip(of_b, of_a, strict=True))
    labels_a: Labels = tuple(f"a{axis}" for axis in range(len(shape_a)))
    labels_b: Labels = tuple(
        f"a{partner[axis]}" if axis in partner else f"b{axis}" for axis in range(len(shape_b))
    )
    gone = set(labels_a) & set(labels_b)
    return (labels_a, labels_b), tuple(x for x in (*labels_a, *labels_b) if x not in gone)
