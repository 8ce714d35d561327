"""Labels of einsum, tensordot and matmul against NumPy's shapes and errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.types import Unknown
from gpuscale.chunks.einsum import matmul_labels, parse_einsum, tensordot_labels

LETTERS = "ijk"


def evaluate(inputs, output, operands):
    """Let NumPy's einsum do the labelled product, with integers in place of labels."""
    labels = list({label for term in (*inputs, output) for label in term})
    number = {label: i for i, label in enumerate(labels)}
    pairs = []
    for operand, term in zip(operands, inputs, strict=True):
        pairs += [operand, [number[label] for label in term]]
    return np.einsum(*pairs, [number[label] for label in output])


@given(st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=3), st.data())
def test_labels_mean_what_numpys_subscripts_mean(terms, data):
    lengths = dict(zip(LETTERS, (2, 3, 4), strict=True))
    hidden = data.draw(st.lists(st.sampled_from([(), (5,), (6, 5)]), max_size=len(terms)))
    subscripts, operands = [], []
    rng = np.random.default_rng(0)
    for number, term in enumerate(terms):
        extra = hidden[number] if number < len(hidden) else None
        at = data.draw(st.integers(0, len(term)))
        dots = "" if extra is None else "..."
        subscripts.append(term[:at] + dots + term[at:])
        shape = [lengths[x] for x in term[:at]]
        shape += [*(extra or ()), *(lengths[x] for x in term[at:])]
        operands.append(rng.integers(0, 9, shape))
    text = ",".join(subscripts)
    if data.draw(st.booleans()):
        used = "".join(sorted(set("".join(terms))))
        text += "->" + ("..." if hidden else "") + "".join(data.draw(st.permutations(used)))
    inputs, output = parse_einsum(text, [operand.ndim for operand in operands])
    np.testing.assert_array_equal(evaluate(inputs, output, operands), np.einsum(text, *operands))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij->ji->", [(2, 3)]),
        ("ij,jk->il", [(2, 3), (3, 4)]),
        ("ij,jk->iik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3)]),
        ("ij", [(2, 3), (3, 4)]),
        ("ijk,jk", [(2, 3), (3, 4)]),
        ("i,jk", [(2, 3), (3, 4)]),
        ("i$,jk", [(2, 3), (3, 4)]),
        ("i..j,jk", [(2, 3), (3, 4)]),
        ("......j,jk", [(2, 3), (3, 4)]),
        ("i...->i", [(2, 3)]),
        ("...->", [(2, 3)]),
        ("ij>", [(2, 3)]),
    ],
)
def test_malformed_subscripts_raise_what_numpy_raises(subscripts, shapes):
    with pytest.raises(ValueError) as expected:  # noqa: PT011
        np.einsum(subscripts, *map(np.ones, shapes))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parse_einsum(subscripts, list(map(len, shapes)))
    if "..." not in subscripts[:6]:
        start = str(expected.value).removeprefix("operand ")[:30]
        assert start in str(caught.value) or "operands provided" in str(caught.value)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_matmul_labels_give_numpys_product(ndim_a, ndim_b, data):
    shape_a, shape_b = (6, 5, 2, 3)[-ndim_a:], (6, 5, 3, 4)[-ndim_b:]
    shape_b = (3,) if ndim_b == 1 else shape_b
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, shape_a), rng.integers(0, 9, shape_b)
    inputs, output = matmul_labels(shape_a, shape_b)
    np.testing.assert_array_equal(evaluate(inputs, output, (a, b)), a @ b)


@given(st.permutations(range(3)), st.permutations(range(3)), st.integers(0, 3))
def test_tensordot_labels_give_numpys_product(axes_a, axes_b, n_axes):
    rng = np.random.default_rng(0)
    shape_a, shape_b = [0] * 3, [0] * 3
    for length, a, b in zip((2, 3, 4), axes_a, axes_b, strict=True):
        shape_a[a] = shape_b[b] = length
    a, b = rng.integers(0, 9, shape_a), rng.integers(0, 9, shape_b)
    axes = (axes_a[:n_axes], [axis - 3 for axis in axes_b[:n_axes]])
    inputs, output = tensordot_labels(a.shape, b.shape, axes)
    np.testing.assert_array_equal(evaluate(inputs, output, (a, b)), np.tensordot(a, b, axes))
    c = rng.integers(0, 9, shape_a[3 - n_axes :] + [5])
    inputs, output = tensordot_labels(a.shape, c.shape, n_axes)
    expected = np.tensordot(a, c, n_axes)
    np.testing.assert_array_equal(evaluate(inputs, output, (a, c)), expected)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"3 is different from 4.*\(2, 4\) and \(3, 5\)"):
        matmul_labels((2, 4), (3, 5))
    with pytest.raises(ValueError, match="operand 1 does not have enough dimensions"):
        matmul_labels((2, 4), ())
    for axes in (1, ([0], [1]), ([0, 1], [0])):
        with pytest.raises(ValueError, match="shape-mismatch for sum"):
            tensordot_labels((2, 4), (3, 5), axes)
    with pytest.raises(ValueError, match="cannot sum over 3 axes"):
        tensordot_labels((2, 4), (2, 4), 3)
    with pytest.raises(np.exceptions.AxisError):
        tensordot_labels((2, 4), (2, 4), (5, 0))
    length = Unknown("a", -1)
    assert matmul_labels((2, length), (length, 4))[1] == ("i", "j")
    assert tensordot_labels((2, length), (length, 4), 1)[1] == ("a0", "b1")
