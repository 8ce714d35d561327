"""Write what was measured: a Markdown table for people, JSON for everything else."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.harness import ROOT, Measurement
from benchmarks.limits import Rates
from benchmarks.worker import PATIENCE
from benchmarks.workload import LIBRARIES, OURS, Workload

PACKAGES = (
    "numpy",
    "numba",
    "dask",
    "dask-array",
    "distributed",
    "jax",
    "numexpr",
    "scikit-learn",
    "torch",
    "zarr",
)
Results = Mapping[str, Mapping[str, Measurement]]


def machine(cores: int) -> dict[str, str]:
    """Describe the machine and the software, without naming the host."""
    info = {
        "processor": processor(),
        "cores used": str(cores),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "gpuscale": revision(),
    }
    for package in PACKAGES:
        try:
            info[package] = version(package)
        except PackageNotFoundError:
            info[package] = "not installed"
    return info


def processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def revision() -> str:
    """Return the commit that was measured, with a mark if files had changed since."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def verdict(workload: Workload, results: Mapping[str, Measurement], least: float = 0) -> str:
    """Say for each goal whether it was reached; `least` is the physical limit in seconds."""
    if OURS not in results or results[OURS].problem:
        return "not measured"
    ours = results[OURS]
    said = []
    for peer, factor in workload.goals.items():
        if peer in results and results[peer].seconds:
            mark = "yes" if results[peer].median / ours.median >= factor else "**no**"
            said.append(f"{factor:.2g}x {peer}: {mark}")
    if workload.peak_goal:
        mark = "yes" if ours.peak / 1e6 < workload.peak_goal else "**no**"
        said.append(f"{ours.peak / 1e6:.0f} MB in all, under {workload.peak_goal:g}: {mark}")
    if workload.limit_goal and least:
        mark = "yes" if ours.median / least <= workload.limit_goal else "**no**"
        said.append(f"{workload.limit_goal:.3g}x the limit: {mark}")
    if workload.seconds_goal:
        mark = "yes" if ours.median < workload.seconds_goal else "**no**"
        said.append(f"under {workload.seconds_goal:g} s: {mark}")
    return "; ".join(said)


def cell(name: str, result: Measurement | None, ours: Measurement | None) -> str:
    """One implementation in the table: seconds, times slower than gpuscale, peak megabytes."""
    if result is None:
        return ""
    if result.problem:
        return result.problem.replace("|", "/")
    text = f"{result.median:.3g} s, {result.above_imports / 1e6:.0f} MB"
    if name != OURS and ours is not None and ours.seconds and not ours.problem:
        text += f" (**{result.median / ours.median:.2f}x**)"
    return text


def table(workloads: Mapping[str, Workload], size: str, results: Results, rates: Rates) -> str:
    """Return the Markdown table, one row a workload."""
    names = [n for n in LIBRARIES if any(n in result for result in results.values())]
    head = ["workload", *names, "physical limit", "goal reached"]
    rows = [head, ["---"] * len(head)]
    for key, result in results.items():
        workload, ours = workloads[key], result.get(OURS)
        least = rates.seconds(workload.limit(workload.sizes[size]))
        limit = f"{least:.3g} s" if least else "-"
        if least and ours is not None and ours.seconds:
            limit += f" ({ours.median / least:.1f}x)"
        about = f"`{key}`: {workload.about.format(**workload.sizes[size])}"
        cells = [cell(name, result.get(name), ours) for name in names]
        rows.append([about, *cells, limit, verdict(workload, result, least)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


LIMITS_OF_CPU = """\
The physical limit is the time to move the bytes that must be moved, to make the random numbers
that must be made, or to do the multiply-adds, at the rates measured in the same run by STREAM's
add, the hand-written kernel of Philox4x32-10, and BLAS:"""

LIMITS_OF_DEVICE = """\
Times are between CUDA events; memory is what the driver says is taken on the device. The physical
limit is the time to move the bytes that must be moved, to make the random numbers that must be
made, or to do the multiply-adds. Rates measured in the same run: a copy within the device, a
product of matrices, and a copy from pinned memory of the host (link); the rate of random numbers is
that of the integer units, from their number and the clock:"""


def markdown(
    workloads: Mapping[str, Workload],
    size: str,
    results: Results,
    rates: Rates,
    facts_of_machine: Mapping[str, str],
) -> str:
    """Return the whole report."""
    facts = "\n".join(f"- {what}: {value}" for what, value in facts_of_machine.items())
    return f"""# Benchmarks, {date.today()}, {size} sizes

Times are medians over processes, taken in turn, each after a warm-up in its process (what takes
over {PATIENCE:.0f} s runs once, and cold); memory is the peak above what imports take; the factor
in bold is how many times longer than gpuscale an implementation takes. Random inputs are made
within the time.

{table(workloads, size, results, rates)}

{LIMITS_OF_DEVICE if "device" in facts_of_machine else LIMITS_OF_CPU}
{rates.bytes / 1e9:.1f} GB/s, {rates.randoms / 1e9:.2f} random doubles a nanosecond,
{rates.flops / 1e9:.0f} GFLOP/s{f", {rates.link / 1e9:.1f} GB/s of link" if rates.link else ""}.
In brackets: how many times longer gpuscale takes.

## Machine

{facts}
"""


def write(
    folder: Path,
    workloads: Mapping[str, Workload],
    size: str,
    results: Results,
    rates: Rates,
    facts: Mapping[str, str],
) -> Path:
    """Write the report as .md and .json; return the path of the first."""
    name_of_machine = facts.get("device", facts["processor"])
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name_of_machine.lower().replace("(r)", "")).strip("-")
    name = f"{date.today()}-{slug}" + ("" if size == "full" else f"-{size}")
    path = folder / f"{name}.md"
    path.write_text(markdown(workloads, size, results, rates, facts))
    record = {
        "date": str(date.today()),
        "size": size,
        "machine": dict(facts),
        "rates": asdict(rates),
        "results": {
            key: {name: asdict(r) | {"digest": None} for name, r in result.items()}
            for key, result in results.items()
        },
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    return path
