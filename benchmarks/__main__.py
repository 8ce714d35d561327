"""Command line: ``python -m benchmarks run`` and ``python -m benchmarks list``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from benchmarks import harness, readme, report
from benchmarks.limits import Rates, measure_rates
from benchmarks.workload import LIBRARIES, Workload
from benchmarks.workloads import WORKLOADS

RESULTS = Path(__file__).resolve().parent / "results"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure workloads and write the table")
    run.add_argument("names", nargs="*", help="workloads; all but the huge one where none is named")
    run.add_argument(
        "--device", action="store_true", help="those for a CUDA device, not the others"
    )
    run.add_argument("--quick", action="store_true", help="tiny sizes, to see that all is well")
    run.add_argument(
        "--huge", action="store_true", help="the headline at 100,000 x 100,000 as well"
    )
    run.add_argument("--only", nargs="+", default=(), choices=LIBRARIES, metavar="LIBRARY")
    run.add_argument("--repeats", type=int, default=3, help="processes each (default: 3)")
    run.add_argument("--cores", type=int, default=2, help="cores each (default: 2)")
    run.add_argument("--timeout", type=float, default=600, help="seconds each (default: 600)")
    run.add_argument("--output", type=Path, default=RESULTS, help="folder of the table and JSON")
    commands.add_parser("list", help="name the workloads")
    tables = commands.add_parser("readme", help="put tables into README.md")
    tables.add_argument(
        "reports",
        nargs="+",
        type=readme.Titled.parse,
        metavar="TITLE=REPORT.json",
        help="a table's title and a file that `run` wrote; later ones of a title replace rows",
    )
    return top


def chosen(names: list[str], huge: bool, on_device: bool = False) -> list[Workload]:
    """Return the workloads asked for; one table holds those of the CPU, or those of a device."""
    unknown = sorted(set(names) - set(WORKLOADS))
    if unknown:
        raise SystemExit(
            f"no workload named {', '.join(unknown)}; there are: {', '.join(WORKLOADS)}"
        )
    for name in names:
        if WORKLOADS[name].on_device != on_device:
            raise SystemExit(f"{name} runs {'without' if on_device else 'with'} --device alone")
    if names:
        return [WORKLOADS[name] for name in names]
    fit = (w for w in WORKLOADS.values() if w.on_device == on_device)
    return [w for w in fit if huge or not w.on_request]


def cpu_facts(cores: int) -> tuple[Rates, dict[str, str]]:
    return measure_rates(cores), report.machine(cores)


def why_no_device(error: Exception) -> str:
    """Say what there has to be for ``--device``, and what to install, as `gpuscale doctor` does."""
    import gpuscale

    found = next(each for each in gpuscale.doctor().features if each.name == "arrays on GPUs")
    lacking = "; ".join(found.why) or str(error)
    install = f" ({found.install})" if found.install else ""
    return (
        f"--device measures on a CUDA device, and here none can be used: {lacking}{install}. "
        "'gpuscale doctor' says more; without --device the CPU is measured"
    )


def device_facts() -> tuple[Rates, dict[str, str]]:
    """Return rates and description of the device, or say why there is none."""
    from gpuscale.backends.creation import namespace
    from gpuscale.base.errors import BackendError

    try:
        namespace("cupy")
    except BackendError as error:
        raise SystemExit(why_no_device(error)) from None
    from benchmarks.device import rates

    return rates.measure_rates(), rates.machine() | report.machine(os.cpu_count() or 1)


def run(options: argparse.Namespace) -> None:
    size = "quick" if options.quick else "full"
    workloads = chosen(options.names, options.huge, options.device)
    rates, machine = device_facts() if options.device else cpu_facts(options.cores)
    results = {}
    for workload in workloads:
        results[workload.name] = harness.measure(
            workload,
            size,
            repeats=options.repeats,
            cores=options.cores,
            timeout=options.timeout,
            only=options.only,
            say=lambda line: print(line, file=sys.stderr),
        )
        # After each, so that nothing is lost where the rest is not waited for.
        path = report.write(options.output, WORKLOADS, size, results, rates, machine)
    print(path.read_text())
    print(f"written to {path} and {path.with_suffix('.json').name}", file=sys.stderr)


def main() -> None:
    options = parser().parse_args()
    # Like Ctrl-C: end the process at work and remove the input files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.command == "list":
        for workload in WORKLOADS.values():
            print(f"{workload.name:<18} {workload.about.format(**workload.sizes['full'])}")
    elif options.command == "readme":
        readme.into_readme(options.reports, WORKLOADS)
    else:
        run(options)


if __name__ == "__main__":
    main()
