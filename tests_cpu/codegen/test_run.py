"""When kernels are used, and that it makes no difference."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import KernelWarning
from gpuscale.codegen import kernel, run, worth
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.codegen.random_ops import ROWS

F8 = np.dtype("f8")


def chain(steps, seed):
    b = ProgramBuilder()
    value = b.load(0, F8)
    for k in range(steps):
        value = b.apply("add", b.apply("multiply", value, b.load(0, F8)), b.const(k + seed, F8))
    return b.build(value)


@pytest.fixture
def launches(monkeypatch):
    """Names of the launches of kernels."""
    seen = []
    for name in ("launch_map", "launch_reduce"):
        original = getattr(kernel, name)
        monkeypatch.setattr(kernel, name, lambda *a, f=original, n=name: seen.append(n) or f(*a))
    return seen


@pytest.fixture
def cheap_compiler(monkeypatch, kernel_cache):
    monkeypatch.setattr(worth, "COMPILER", 1e5)
    monkeypatch.setattr(worth, "NUMBA", 1e5)
    monkeypatch.setattr(kernel, "is_stored", lambda spec: False)
    with config.set({"codegen.cache-dir": str(kernel_cache), "codegen.min-elements": 20_000}):
        yield


def test_little_work_is_interpreted(launches):
    x = np.ones(5000)
    run.run_map(chain(3, 0.5), [x], [], [], x.shape)
    assert launches == []


def test_work_adds_up_until_a_kernel_pays(cheap_compiler, launches):
    x, program = np.linspace(0, 1, 9000), chain(8, 0.25)
    results = [run.run_map(program, [x], [], [], x.shape)[0] for _ in range(5)]
    assert launches == ["launch_map"] * 3
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_kernels_on_the_disk_pay_sooner(launches, monkeypatch):
    stored = []
    monkeypatch.setattr(kernel, "is_stored", lambda spec: bool(stored))
    for name in ("COMPILER", "NUMBA", "LOADER", "LLVM"):
        monkeypatch.setattr(worth, name, 1e5 if name in ("LOADER", "LLVM") else 1e12)
    x, program = np.linspace(0, 1, 20_000), chain(4, 0.375)
    with config.set({"codegen.min-elements": 1}):
        run.run_map(program, [x], [], [], x.shape)
        assert launches == []
        stored.append(True)
        run.run_map(program, [x], [], [], x.shape)
        assert launches == ["launch_map"]


def test_compilation_can_be_switched_off(cheap_compiler, launches):
    x = np.ones(100_000)
    with config.set({"codegen.enabled": False}):
        run.run_map(chain(5, 0.75), [x], [], [], x.shape)
    assert launches == []
    run.run_map(chain(5, 0.75), [x], [], [], x.shape)
    with config.set({"codegen.enabled": False}):
        run.run_map(chain(5, 0.75), [x], [], [], x.shape)
    assert launches == ["launch_map"]


@pytest.mark.parametrize("size", [1, 7, 4095, 4096])
def test_one_option_decides_what_is_compiled(launches, kernel_cache, size):
    x, program = np.linspace(0, 1, size), chain(2, 0.0625)
    with config.set({"codegen.cache-dir": str(kernel_cache), "codegen.min-elements": 0}):
        run.run_map(program, [x], [], [], x.shape)
        run.run_reduce(program, ("sum",), [x], [], [], x.shape, (0,))
        run.run_map(program, [x[:0]], [], [], (0,))
    assert launches == ["launch_map", "launch_reduce"]
    with config.set({"codegen.min-elements": size + 1}):
        run.run_map(program, [x[:5]], [], [], x[:5].shape)
    assert len(launches) == 2


def test_scalars_and_seeds_share_a_kernel(tmp_path):
    x = ga.asarray(np.arange(6.0), chunks=6)

    def stored(number):
        np.testing.assert_array_equal((x + number).compute(), np.arange(6.0) + number)
        ga.random.default_rng(int(number)).random(6, chunks=6).compute()
        return sorted(tmp_path.glob("*.kernel"))

    with config.set({"codegen.cache-dir": str(tmp_path), "codegen.min-elements": 0}):
        kernels = stored(1.5)
        assert kernels
        assert stored(2.5) == kernels


@pytest.mark.usefixtures("always_compile")
class TestFallBacks:
    def run_sum(self, x, dtype=F8):
        b = ProgramBuilder()
        program = b.build(b.apply("add", b.load(0, dtype), b.load(0, dtype)))
        return run.run_map(program, [x], [], [], x.shape)[0]

    def test_foreign_byte_order(self, launches):
        x = np.arange(9.0).astype(">f8")
        np.testing.assert_array_equal(self.run_sum(x), 2 * np.arange(9.0))
        assert launches == []

    def test_unaligned_memory(self, launches):
        packed = np.zeros(9, dtype=[("pad", "i1"), ("x", "f8")])
        packed["x"] = np.arange(9)
        np.testing.assert_array_equal(self.run_sum(packed["x"]), 2 * np.arange(9.0))
        assert launches == []

    def test_fields_of_aligned_records(self, launches):
        records = np.zeros(9, dtype=[("pad", "i8"), ("x", "f8")])
        records["x"] = np.arange(9)
        np.testing.assert_array_equal(self.run_sum(records["x"]), 2 * np.arange(9.0))
        assert launches == ["launch_map"]

    def test_read_only_memory(self, launches):
        x = np.arange(9.0)
        x.flags.writeable = False
        np.testing.assert_array_equal(self.run_sum(x), 2 * x)
        assert launches == ["launch_map"]

    def test_results_of_another_dtype(self, launches):
        out = np.empty(9, "f4")
        b = ProgramBuilder()
        program = b.build(b.apply("negative", b.load(0, F8)))
        run.run_map(program, [np.arange(9.0)], [], [], (9,), out=[out])
        np.testing.assert_array_equal(out, -np.arange(9.0))
        assert launches == []

    def test_half_precision_and_objects(self, launches):
        assert self.run_sum(np.arange(5, dtype="f2"), np.dtype("f2")).dtype == np.float16
        assert self.run_sum(np.array(["a", "b"], object), np.dtype(object))[1] == "bb"
        assert launches == []

    def test_complex_moments(self, launches):
        x = np.array([1 + 1j, 3 - 1j])
        b = ProgramBuilder()
        _, mean, m2 = run.run_reduce(
            b.build(b.load(0, x.dtype)), ("moments",), [x], [], [], x.shape, (0,)
        )
        assert (mean[0], m2[0]) == (2, 4) and launches == []

    def test_integers_to_negative_powers_raise_as_in_numpy(self):
        b = ProgramBuilder()
        x = np.array([2, 3])
        program = b.build(b.apply("power", b.load(0, x.dtype), b.load(1, x.dtype)))
        with pytest.raises(ValueError, match="negative integer powers"):
            run.run_map(program, [x, -x], [], [], x.shape)


@pytest.mark.usefixtures("always_compile")
def test_parameters_need_no_compilation():
    b = ProgramBuilder()
    dtypes = [np.dtype(c) for c in "?bHqfdD"]
    values = [b.cast(b.param(k, d), "c16") for k, d in enumerate(dtypes)]
    total = b.load(0, "c16")
    for value in values:
        total = b.apply("add", b.apply("multiply", total, b.const(2, "c16")), value)
    program, x = b.build(total), np.array([1 + 1j])
    kernels = set()
    for params in ([True, -3, 7, 2**40, 0.5, 0.1, 2 - 1j], [False, 3, 1, -1, -0.5, 1e300, 1j]):
        want = x
        for p in params:
            want = want * 2 + p
        (got,) = run.run_map(program, [x], [], params, x.shape)
        np.testing.assert_allclose(got, want, rtol=1e-15)
        kernels.add(len(kernel._compiled))
    assert len(kernels) == 1


@pytest.mark.usefixtures("always_compile")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_draw_has_the_same_bits(row):
    b = ProgramBuilder()
    key = b.param(0, "u4"), b.param(1, "u4")
    draws = [b.apply(row.name, *key, b.index(k)) for k in range(3)]
    program = b.build(*draws)
    shape, params = (37, 130), [3, 2**32 - 1]
    indices = [AffineIndex(5, (131, 1)), AffineIndex(2**40, (1, 38)), AffineIndex(1, (3, 2))]
    got = run.run_map(program, [], indices, params, shape)
    for g, w in zip(got, run.interpret_map(program, [], indices, params, shape), strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.usefixtures("always_compile")
def test_threads_share_a_kernel(monkeypatch):
    compiled = []
    original = kernel.compile_kernel
    monkeypatch.setattr(kernel, "compile_kernel", lambda s: compiled.append(s) or original(s))
    x, program = np.linspace(0, 1, 1000), chain(6, 0.125)
    results = [None] * 4

    def work(k):
        results[k] = run.run_map(program, [x], [], [], x.shape)[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(set(compiled)) == len(compiled)
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_numba_is_imported_when_something_is_compiled_only():
    code = (
        "import sys, numpy as np; from gpuscale.codegen.run import run_map\n"
        "from gpuscale.codegen.program import ProgramBuilder\n"
        "b = ProgramBuilder(); p = b.build(b.apply('exp', b.load(0, 'f8')))\n"
        "run_map(p, [np.ones(50_000)], [], [], (50_000,))\n"
        "assert not {'numba', 'llvmlite', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("always_compile")
def test_a_kernel_that_the_compiler_refuses_is_interpreted(monkeypatch):
    def refuse(source):
        raise NotImplementedError("no such instruction")

    monkeypatch.setattr(kernel, "compile_kernel", refuse)
    x, program = np.linspace(0, 1, 1000), chain(3, 0.375)
    with pytest.warns(KernelWarning, match="no such instruction"):
        (first,) = run.run_map(program, [x], [], [], x.shape)
    (again,) = run.run_map(program, [x], [], [], x.shape)
    np.testing.assert_array_equal(first, ((x * x + 0.375) * x + 1.375) * x + 2.375)
    np.testing.assert_array_equal(first, again)
