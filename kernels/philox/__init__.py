"""Random numbers that are pure functions of (key, global element index, parameters).

An element's value depends on nothing else: not on chunks, workers, order of evaluation or target.
The counter of Philox holds (block low, block high, draw, stage): see `rounds.words`.

May import: `kernels.portable`, `kernels.elementary`. To add a draw: write it in a file of its own
from `uniform.py` or `rounds.py`, with a row generator in `<name>_cpu.py`.
"""
