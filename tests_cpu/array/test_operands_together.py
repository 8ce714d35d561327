"""Operands of one call: lists go where the arrays are, arrays of NumPy are refused on a device."""

import inspect

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import BackendError, NotSupportedError

from .operand_cases import CASES, V

LISTS = [
    (name, at)
    for name, case in CASES.items()
    for at in range(len(case.arrays))
    if len(case.arrays) > 1 and at not in case.fixed
]


def leads(name, at):
    """Whether another operand says where the result goes."""
    case = CASES[name]
    return any(k != at and k not in case.planned for k in range(len(case.arrays)))


ARRAYS = [(name, at) for name, at in LISTS if at not in CASES[name].planned and leads(name, at)]


@pytest.fixture(autouse=True)
def arrays_of_numpy_stay(pretended):
    with config.set({"array.backend": "numpy"}):
        yield


def on_device(x):
    return ga.asarray(x, chunks=2, like="fake")


def compare(case, result, on_device=True):
    expected = (case.oracle or case.call)(np, *(x.copy() for x in case.arrays))
    several = isinstance(expected, tuple | list)
    results = result if several else [result]
    for each, wanted in zip(results, expected if several else [expected], strict=True):
        if isinstance(each, ga.Array):
            assert each.backend == "fake" or not on_device
            each = each.compute()
        np.testing.assert_allclose(each, wanted, rtol=1e-10, atol=1e-12)


ARRAYS_ARE_CALLED = {
    "a", "a1", "a2", "append", "ar1", "ar2", "arr", "arrays", "args", "aweights", "b", "bins",
    "choicelist", "choices", "condition", "condlist", "dst", "element", "f", "f_exp", "f_obs",
    "fp", "fweights", "ind", "indices", "keys", "m", "mask", "multi_index", "operands", "p",
    "popmean", "prepend", "q", "repeats", "sample", "samples", "src", "start", "stop",
    "test_elements", "to_begin", "to_end", "v", "val", "vals", "values", "varargs", "w", "weights",
    "where", "x", "x1", "x2", "xi", "xp", "y",
}  # fmt: skip
OTHERS = {  # which take one array and numbers, or several that they do not bring together
    "apply_along_axis", "arange", "atleast_1d", "atleast_2d", "atleast_3d", "common_type",
    "histogram_bin_edges", "ix_", "linalg.cond", "linalg.tensorinv", "logspace",
    "rollaxis", "unify_chunks",
}  # fmt: skip


def takes_several_arrays(function):
    if hasattr(function, "nin"):
        return function.nin > 1
    names = [
        name
        for name, each in inspect.signature(function).parameters.items()
        for _ in range(1 + (each.kind is each.VAR_POSITIONAL))
        if name in ARRAYS_ARE_CALLED
    ]
    return len(names) > 1


def test_all_functions_of_several_arrays_are_called_here():
    called = {name.split()[0] for name in CASES}
    known = {getattr(ga, name) for name in called if hasattr(ga, name)}  # under other names too
    missing = []
    for prefix, module in (("", ga), ("linalg.", ga.linalg), ("stats.", ga.stats)):
        for name in getattr(module, "__all__", dir(module)):
            function = getattr(module, name)
            if not inspect.isroutine(function) and not hasattr(function, "nin"):
                continue
            if not function.__module__.startswith("gpuscale") or function in known:
                continue
            if takes_several_arrays(function) and prefix + name not in called | OTHERS:
                missing.append(prefix + name)
    assert missing == []


@pytest.mark.parametrize("name", CASES)
def test_arrays_of_a_device_do_not_mix(name):
    case = CASES[name]
    compare(case, case.call(ga, *map(on_device, case.arrays)))


@pytest.mark.parametrize(("name", "at"), LISTS)
def test_lists_go_where_the_others_are(name, at):
    case = CASES[name]
    arrays = [x.tolist() if i == at else on_device(x) for i, x in enumerate(case.arrays)]
    compare(case, case.call(ga, *arrays), leads(name, at))


@pytest.mark.parametrize(("name", "at"), ARRAYS)
def test_arrays_of_numpy_are_refused(name, at):
    case = CASES[name]
    arrays = [x if i == at else on_device(x) for i, x in enumerate(case.arrays)]
    with pytest.raises(BackendError, match=r"fake and numpy|numpy and fake") as caught:
        case.call(ga, *arrays)
    assert "like=" in str(caught.value)


def test_what_a_device_has_no_arrays_of_is_refused():
    """Nothing is said to be moved there that cannot be."""
    for other in ("a", np.datetime64("2020-01-01"), ["a", "b"], np.array(["a"]), ga.asarray(["a"])):
        with pytest.raises(NotSupportedError, match="on fake: a device has none but"):
            ga.isin(on_device(V), other)
    with pytest.raises(NotSupportedError, match="on fake: a device has none but"):
        ga.stack([on_device(V), V.astype(object)])
