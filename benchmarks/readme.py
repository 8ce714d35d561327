"""Put tables into README.md: a line a workload, short enough to be read there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Measurement
from benchmarks.limits import Rates
from benchmarks.report import verdict
from benchmarks.workload import OURS, Workload

README = ROOT / "README.md"
START, END = "<!-- benchmarks -->\n", "<!-- benchmarks end -->"
HEAD = ("workload", "gpuscale", "times as long elsewhere", "goals")


@dataclass(frozen=True)
class Titled:
    """A report and the table that its rows go into; later ones replace rows of earlier ones."""

    title: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> Titled:
        """Read ``TITLE=REPORT.json`` as it is written on the command line."""
        title, equals, path = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not TITLE=REPORT.json")
        return cls(title, Path(path))

    def load(self) -> Mapping[str, Any]:
        return json.loads(self.path.read_text())


def into_readme(
    reports: Iterable[Titled], workloads: Mapping[str, Workload], readme: Path = README
) -> None:
    """Put a table for each title where the README has its marks."""
    by_title: dict[str, list[Titled]] = {}
    for report in reports:
        by_title.setdefault(report.title, []).append(report)
    text = "\n".join(section(title, each, workloads) for title, each in by_title.items())
    before, _, rest = readme.read_text().partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}\n{text}\n{END}{after}")


def section(title: str, reports: Iterable[Titled], workloads: Mapping[str, Workload]) -> str:
    """Return the heading, the table and where its rows were measured."""
    rows, places = {}, []
    for report in reports:
        known = report.load()
        rates = Rates(**known["rates"])
        for key, result in known["results"].items():
            if key in workloads:
                measured = {name: Measurement(**fields) for name, fields in result.items()}
                rows[key] = row(workloads[key], known["size"], measured, rates)
        places.append(place(known["machine"], known["date"], report.path.stem))
    ordered = (rows[key] for key in workloads if key in rows)
    lines = [HEAD, ("---",) * len(HEAD), *ordered]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    where = "\n".join(places)
    return f"### {title}\n\n{table}\n\n{where}\n"


def row(
    workload: Workload, size: str, results: Mapping[str, Measurement], rates: Rates
) -> tuple[str, ...]:
    about = f"`{workload.name}`: {workload.about.format(**workload.sizes[size])}"
    least = rates.seconds(workload.limit(workload.sizes[size]))
    ours = results[OURS]
    peers = {name: each for name, each in results.items() if name != OURS}
    elsewhere = ", ".join(ratio(name, each, ours) for name, each in peers.items())
    return about, own(ours), elsewhere, verdict(workload, results, least)


def own(ours: Measurement) -> str:
    return ours.problem or f"{ours.median:.3g} s, {ours.above_imports / 1e6:.0f} MB"


def ratio(name: str, peer: Measurement, ours: Measurement) -> str:
    if peer.problem or ours.problem:
        return f"{name} {peer.problem or '-'}".replace("|", "/")
    return f"{name} **{peer.median / ours.median:.2f}**"


def place(machine: Mapping[str, str], date: str, stem: str) -> str:
    return (
        f"- Measured on {date} at {machine['gpuscale']} on {machine['cores used']} cores of an "
        f"{machine['processor']}\n  with {machine['memory']}: `benchmarks/results/{stem}.md`."
    )
