"""What the workloads for a device share: data there, results from there, each library's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Prepare, Run, Size

Function = Callable[[Any, Any], Any]


def to_numpy(result: Any) -> np.ndarray:
    """Return a result of any of the libraries on the host."""
    if hasattr(result, "get"):
        return result.get()
    if hasattr(result, "cpu"):
        return result.cpu().numpy()
    return np.asarray(result)


def uniform(module: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """Random numbers made by CuPy or PyTorch on the device."""
    if module.__name__ == "torch":
        return module.rand(shape, dtype=getattr(module, dtype), device="cuda")
    return module.random.random(shape, dtype=dtype)


def on_random(function: Function, shape: Callable[[Size], tuple[int, ...]], dtype: str) -> dict:
    """Implementations of ``function(library, x)`` for random x that each makes within the time."""

    def ours(ga: Any, size: Size, folder: Path) -> Run:
        rng = ga.random.default_rng(1)
        return lambda: function(ga, rng.random(shape(size), dtype=dtype)).compute()

    def cupy(cp: Any, size: Size, folder: Path) -> Run:
        return lambda: to_numpy(function(cp, uniform(cp, shape(size), dtype)))

    def torch(module: Any, size: Size, folder: Path) -> Run:
        compiled = module.compile(
            lambda: function(module, uniform(module, shape(size), dtype)), dynamic=False
        )
        return lambda: to_numpy(compiled())

    def jax(jnp: Any, size: Size, folder: Path) -> Run:
        import jax

        @jax.jit
        def compute(key: Any) -> Any:
            return function(jnp, jax.random.uniform(key, shape(size), dtype=dtype))

        return lambda: to_numpy(compute(jax.random.key(0)))

    def dask(da: Any, size: Size, folder: Path) -> Run:
        import cupy

        state = da.random.RandomState(1, RandomState=cupy.random.RandomState)
        make = state.random_sample
        return lambda: to_numpy(function(da, make(shape(size)).astype(dtype)).compute())

    return {OURS: ours, "cupy": cupy, "jax": jax, "torch": torch, "dask over cupy": dask}


def on_data(function: Function, make: Callable[[Size], Any]) -> dict[str, Prepare]:
    """Implementations of ``function(library, *data)`` for data that lie on the device."""
    return _placed(function, make, lambda y: y.compute(), to_numpy, to_numpy)


def kept(function: Function, make: Callable[[Size], Any]) -> dict[str, Prepare]:
    """As `on_data`, for results that are large and stay on the device."""
    return _placed(
        function,
        make,
        lambda y: corner(y.persist()),
        corner,
        lambda y: corner(y.block_until_ready()),
    )


def _placed(
    function: Function,
    make: Callable[[Size], Any],
    end_ours: Callable[[Any], Any],
    end_cupy: Callable[[Any], Any],
    end_jax: Callable[[Any], Any],
) -> dict[str, Prepare]:
    """Data go to the device beforehand; each library ends its work in its way within the time."""

    def ours(ga: Any, size: Size, folder: Path) -> Run:
        data = [ga.asarray(each).persist() for each in make(size)]
        return lambda: end_ours(function(ga, *data))

    def cupy(cp: Any, size: Size, folder: Path) -> Run:
        data = [cp.asarray(each) for each in make(size)]
        return lambda: end_cupy(function(cp, *data))

    def jax(jnp: Any, size: Size, folder: Path) -> Run:
        import jax

        data = [jnp.asarray(each) for each in make(size)]
        compute = jax.jit(lambda *arrays: function(jnp, *arrays))
        return lambda: end_jax(compute(*data))

    return {OURS: ours, "cupy": cupy, "jax": jax}


def corner(result: Any) -> np.ndarray:
    """Return the first elements of a result that stays on the device, on the host."""
    first = result[(slice(30),) * result.ndim]
    return first.compute() if hasattr(first, "compute") else to_numpy(first)
