import sys
import types

import numpy as np
import pytest

from gpuscale.backends.creation import (
    backend_names,
    namespace,
    register_backend,
    resolve_backend,
    unregister_backend,
)
from gpuscale.base import config
from gpuscale.base.errors import BackendError


@pytest.fixture
def fake():
    module = types.ModuleType("fakelib.xp")
    register_backend("fakelib", lambda: module)
    yield module
    unregister_backend("fakelib")
    assert "fakelib" not in backend_names()


class Collection:
    backend = "cupy"


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        (np, "numpy"),
        (np.linalg, "numpy"),
        (np.ones(3), "numpy"),
        (np.float32(3), "numpy"),
        ("cupy", "cupy"),
        (types.ModuleType("cupy"), "cupy"),
        (types.ModuleType("array_api_compat.cupy"), "cupy"),
        (Collection(), "cupy"),
    ],
)
def test_like(like, expected):
    assert resolve_backend(like=like) == expected
    assert resolve_backend(like=like, backend=expected) == expected


def test_the_option_decides_where_nobody_does():
    assert resolve_backend() == "numpy"
    with config.set({"array.backend": "cupy"}):
        assert resolve_backend() == "cupy"
        assert resolve_backend(backend="numpy") == "numpy"
        assert resolve_backend(like=np) == "numpy"


@pytest.mark.parametrize(
    ("name", "hint"), [("numpi", "'numpy'"), ("CuPy", "'cupy'"), ("kupy", "'cupy'")]
)
def test_near_misses(name, hint):
    with pytest.raises(BackendError, match=f"no backend '{name}'; did you mean {hint}"):
        resolve_backend(backend=name)
    with pytest.raises(BackendError, match=f"did you mean {hint}"):
        namespace(name)


@pytest.mark.parametrize("like", ["torch", types.ModuleType("torch")])
def test_unknown_libraries(like):
    with pytest.raises(BackendError, match="no backend 'torch'; there are 'cupy', 'numpy'"):
        resolve_backend(like)


@pytest.mark.parametrize("like", [[1, 2], 3.0, object(), {"a": 1}])
def test_like_takes_no_other_objects(like):
    with pytest.raises(BackendError, match=r"like= takes a module, an array or a name, not"):
        resolve_backend(like)


def test_contradictions():
    with pytest.raises(
        BackendError, match="like= asks for 'numpy' but backend= \\(or device=\\) for 'cupy'"
    ):
        resolve_backend(like=np, backend="cupy")
    with pytest.raises(BackendError, match="backend= takes a name"):
        resolve_backend(backend=np)


def test_a_registered_backend(fake):
    assert "fakelib" in backend_names()
    assert namespace("fakelib") is fake
    assert resolve_backend(like=fake) == resolve_backend("fakelib") == "fakelib"
    with config.set({"array.backend": "fakelib"}):
        assert resolve_backend() == "fakelib"
    other = types.ModuleType("other")
    register_backend("fakelib", lambda: other)
    assert namespace("fakelib") is other


def test_a_backend_that_cannot_work_may_work_later(fake):
    answers = [BackendError("asleep"), fake]

    def load():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    register_backend("fakelib", load)
    with pytest.raises(BackendError, match="asleep"):
        namespace("fakelib")
    assert namespace("fakelib") is namespace("fakelib") is fake


def test_dtypes_that_devices_lack_stay_on_the_host():
    with config.set({"array.backend": "cupy"}):
        for dtype in ("f8", "?", "c8", "i2"):
            assert resolve_backend(dtype=dtype) == "cupy"
        for dtype in ("U3", "S3", "O", "M8[s]", "m8", ">i4", "g", [("x", "i4")]):
            assert resolve_backend(dtype=dtype) == "numpy"
            assert resolve_backend(like=np, dtype=dtype) == "numpy"


def test_plans_for_cupy_need_no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it would raise
    assert resolve_backend("cupy") == resolve_backend(backend="cupy") == "cupy"
