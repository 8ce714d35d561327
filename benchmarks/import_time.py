"""How long ``import gpuscale.array`` takes on top of NumPy: median of fresh processes, in seconds.

Run it as ``python benchmarks/import_time.py``; the aim is under 0.15 s.
"""

import statistics
import subprocess
import sys

SCRIPT = """
import time, numpy
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def seconds_to_import(module: str, runs: int = 7) -> float:
    command = [sys.executable, "-c", SCRIPT.format(module=module)]
    outputs = [subprocess.check_output(command, text=True) for _ in range(runs)]
    return statistics.median(map(float, outputs))


if __name__ == "__main__":
    for module in ("gpuscale", "gpuscale.array"):
        print(f"{module:15} {seconds_to_import(module):.3f} s")
