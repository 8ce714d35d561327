"""Random arrays: a namespace with NumPy's names that can itself be called.

``random((n, n), like=cupy)`` is ``random.random((n, n), like=cupy)``. `generator` is the class
that users hold, made of ``streams`` (seeds), ``distributions``, ``vectors`` and ``orders``;
``draw`` says how draws become expressions, ``legacy`` has the names of older NumPy. Module
functions share one generator, which `seed` starts again.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.random.generator import Generator as Generator
from gpuscale.array.random.generator import default_rng as default_rng
from gpuscale.array.random.legacy import RandomState as RandomState

_state = RandomState()

beta = _state.beta
binomial = _state.binomial
bytes = _state.bytes
chisquare = _state.chisquare
choice = _state.choice
dirichlet = _state.dirichlet
exponential = _state.exponential
f = _state.f
gamma = _state.gamma
geometric = _state.geometric
gumbel = _state.gumbel
hypergeometric = _state.hypergeometric
laplace = _state.laplace
logistic = _state.logistic
lognormal = _state.lognormal
logseries = _state.logseries
multinomial = _state.multinomial
multivariate_hypergeometric = _state.multivariate_hypergeometric
multivariate_normal = _state.multivariate_normal
negative_binomial = _state.negative_binomial
noncentral_chisquare = _state.noncentral_chisquare
noncentral_f = _state.noncentral_f
normal = _state.normal
pareto = _state.pareto
permutation = _state.permutation
poisson = _state.poisson
power = _state.power
rand = _state.rand
randint = _state.randint
randn = _state.randn
random_integers = _state.random_integers
random_sample = _state.random_sample
rayleigh = _state.rayleigh
seed = _state.seed
shuffle = _state.shuffle
standard_cauchy = _state.standard_cauchy
standard_exponential = _state.standard_exponential
standard_gamma = _state.standard_gamma
standard_normal = _state.standard_normal
standard_t = _state.standard_t
triangular = _state.triangular
uniform = _state.uniform
vonmises = _state.vonmises
wald = _state.wald
weibull = _state.weibull
zipf = _state.zipf


def random(
    size: Any = None,
    chunks: Any = "auto",
    *,
    dtype: Any = float,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Draw uniform numbers in [0, 1) from the shared generator.

    Parameters
    ----------
    size : int or tuple of int, optional
    chunks : int, str, tuple or dict
    dtype : {float64, float32}
    like, backend : module, array or name, optional
        Library of the chunks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.random((4, 4), chunks=2).numblocks
    (2, 2)
    """
    return _state.random(size, dtype, chunks=chunks, like=like, backend=backend)


class _Callable(ModuleType):
    """The module itself, which calls `random`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Array:
        return random(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
