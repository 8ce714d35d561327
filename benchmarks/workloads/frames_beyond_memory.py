"""Tables of six times the memory limit: a join of two, and a sort, read from Parquet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import FRAMES, OURS, Run, Size, Workload

ROWS = 1 << 19  # of a row group


def write_files(size: Size, folder: Path) -> None:
    """Write a table of numbers, 40 bytes a row, and one of half as many keys."""
    rows = size["mb"] * 10**6 // 40
    keys = rows // 2
    rng = np.random.default_rng(1)

    def facts(start: int, count: int) -> dict[str, Any]:
        numbers = {name: rng.random(count) for name in ("a", "b", "c")}
        order = rng.integers(0, 2**40, count)
        return {"key": rng.integers(0, keys, count), "order": order, **numbers}

    def names(start: int, count: int) -> dict[str, Any]:
        return {"key": keys - 1 - np.arange(start, start + count), "d": rng.random(count)}

    _write(folder / "facts.parquet", rows, facts)
    _write(folder / "names.parquet", keys, names)


def _write(path: Path, rows: int, make: Callable[[int, int], dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetWriter(path, pa.table(make(0, 1)).schema) as writer:
        for start in range(0, rows, ROWS):
            table = pa.table(make(start, min(ROWS, rows - start)))
            writer.write_table(table, row_group_size=ROWS)


def prepared(ask: Callable[[Any, Any], Any]) -> Callable[..., Run]:
    """Prepare a run under the memory limit."""

    def prepare(gd: Any, size: Size, folder: Path) -> Run:
        import gpuscale

        gpuscale.config.set({"memory-limit": f"{size['limit']} MiB"})

        def run() -> Any:
            facts, names = (gd.read_parquet(folder / f"{name}.parquet") for name in FILES)
            return np.asarray(ask(facts, names).compute())

        return run

    return prepare


FILES = ("facts", "names")


def joined(facts: Any, names: Any) -> Any:
    return facts.merge(names, on="key")[["a", "b", "c", "d"]].sum()


def in_order(facts: Any, names: Any) -> Any:
    return facts.sort_values("order").map_partitions(look_at).sum()


def look_at(rows: Any) -> Any:
    """Look at all of a partition: its rows, and whether they are in order."""
    import pandas as pd

    is_sorted = float(rows.order.is_monotonic_increasing)
    return pd.DataFrame({"sorted": [is_sorted], "a": [rows.a.sum()], "b": [rows.b.sum()]})


SIZES = {"full": {"mb": 12_000, "limit": 2_048}, "quick": {"mb": 8, "limit": 64}}

WORKLOADS = tuple(
    Workload(
        name=name,
        about=f"{about} of {{mb}} MB of Parquet, memory limit {{limit}} MiB",
        sizes=SIZES,
        implementations={OURS: prepared(ask)},
        peak_goal=2_148,
        files=write_files,
        on_request=True,
        modules=FRAMES,
    )
    for name, about, ask in (
        ("join-12gb", "a join with half as many keys", joined),
        ("sort-12gb", "a sort", in_order),
    )
)
