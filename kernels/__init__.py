"""Hand-written kernels, installed as ``gpuscale.kernels``: the ground floor.

A folder per family, a file per operation, the suffix says the target: ``philox/uniform_cpu.py``,
``philox/uniform_cuda.py``, and what both share in ``philox/rounds.py``.

May import: NumPy, and Numba inside functions or in files that only compiled code asks for; nothing
of gpuscale. To add a kernel, add its file to the folder of its family and a test beside the others
in ``tests_cpu/kernels``.
"""
