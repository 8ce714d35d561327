"""Every distribution of `numpy.random`, each a function of (key, element index, parameters).

`transforms.py` holds those that are a formula of one uniform, normal or exponential draw: the
array layer builds them as elementwise expressions, so they fuse. The others repeat an attempt
until it is accepted (`rejection.py`) or combine several draws (`mixtures.py`, `vectors.py`).
`sampling.py` is the one door to all of them, `parameters.py` says which parameters are legal.

May import: `kernels.elementary` and the draws of `kernels.philox`. To add a distribution: a
formula in `TRANSFORMS`, or a function of (stream, *parameters) in the table of `sampling.py`; and
the checks of its parameters in `parameters.py`.
"""
