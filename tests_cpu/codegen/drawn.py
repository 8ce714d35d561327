"""Operands that tests of kernels draw, for the CPU and in the simulator of CUDA alike."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gpuscale.codegen import random_ops
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder

quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def shapes(draw, longer, max_dims, max_size, min_dims=0):
    """Shapes of short axes and of those lengths, cut to a size."""
    lengths = st.one_of(st.integers(1, 9), st.sampled_from(longer))
    shape = draw(st.lists(lengths, min_size=min_dims, max_size=max_dims))
    while np.prod(shape, dtype=int) > max_size:
        shape[int(np.argmax(shape))] = 3
    return tuple(shape)


@st.composite
def views(draw, shape, dtype):
    """An array that broadcasts to a shape: any order, steps and directions in memory."""
    wanted = [n if draw(st.integers(0, 4)) else 1 for n in shape]
    order = draw(st.permutations(range(len(shape))))
    step = [draw(st.sampled_from([1, 1, 1, -1, 2])) for _ in shape]
    memory = [wanted[a] * abs(step[a]) for a in order]
    seed = draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).integers(-8, 8, memory).astype(dtype)
    if dtype.kind == "f" and values.size and draw(st.booleans()):
        values.flat[seed % values.size] = [np.nan, np.inf, -np.inf, -0.0][seed % 4]
    view = values.transpose(np.argsort(order))
    return view[(..., *(slice(None, None, s) for s in step))]


@st.composite
def targets(draw, shape, dtypes):
    """Zeros to write results to, as every other element of memory in some order."""
    out = []
    for dtype in dtypes:
        order = draw(st.permutations(range(len(shape))))
        memory = np.zeros([shape[a] * 2 for a in order], dtype)
        step = draw(st.sampled_from([slice(None, None, 2), slice(1, None, 2)]))
        out.append(memory.transpose(np.argsort(order))[(..., *(step,) * len(shape))])
    return out


def samples(dtype, rng, n):
    """Numbers of a dtype, its extremes among them."""
    if dtype.kind == "b":
        return rng.random(n) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = np.array([info.min, info.max, 0, 1, 2, info.min + 1], dtype)
        x = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        small = rng.integers(-9 if info.min else 0, 9, n).astype(dtype)
        x = np.where(rng.random(n) < 0.5, x, small)
        x[: special.size] = rng.permutation(special)
        return x
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        x = np.empty(n, dtype)
        x.real, x.imag = samples(part, rng, n), samples(part, rng, n)
        return x
    info = np.finfo(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, info.tiny, -info.tiny / 4, 1, -1, 0.5]
    x = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)
    x[: 2 * len(special)] = rng.permutation(special * 2)
    return x.astype(dtype)


def operations_on(dtype, is_taken):
    """Names of the operations on operands of one dtype whose program a target takes."""
    for name, op in OPS.items():
        if name in random_ops.BY_NAME or name == "cast":
            continue
        b = ProgramBuilder()
        try:
            value = b.apply(name, *(b.load(k, dtype) for k in range(op.arity)))
        except TypeError:
            continue
        if is_taken(b.build(value)):
            yield name


def assert_zeros_have_the_same_sign(got, want):
    """Beside equality, which knows one zero."""
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))
