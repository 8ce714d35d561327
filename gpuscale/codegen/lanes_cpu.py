"""Reductions in the text of a kernel: lanes begin, take values, and are merged into totals."""

from __future__ import annotations

import numpy as np

from gpuscale.codegen.accumulate import FIRST, SHIFT
from gpuscale.codegen.emit import memory_type
from gpuscale.codegen.helpers import merge_helper
from gpuscale.codegen.loops_cpu import LoopText
from gpuscale.codegen.schedule import Stage

__all__ = ["LaneText"]

TOGETHER = 4  # values that a reduction takes before it writes its lanes back
LONG = 24  # instructions; longer programs take one, they take long to compile


class LaneText(LoopText):
    """Loops whose results go into lanes."""

    def _accumulating_loops(self, stage: Stage) -> None:
        """Take several rows, or several strips of a row, before lanes are written back."""
        together = TOGETHER if len(self.instrs) <= LONG else 1
        if self.spec.form == "columns":
            self.put(f"whole = h - h % {together}")
            with self.block(f"for i in range(0, whole, {together}):"):
                self._recentre("(i > 0) & (i & (i - 1) == 0)", "w", "i")
                self._accumulating_lanes(stage, together, "i == 0", "w", "i + k", "lane")
            if together > 1:
                with self.block("for i in range(whole, h):"):
                    self._accumulating_lanes(stage, 1, "i == 0", "w", "i", "lane")
            return
        with self.block("for i in range(h):"):
            starts, column = "(i == 0) & (s == 0)", "s + k * lanes + lane"
            rows_before = "i * (w // lanes) + select(lane < w % lanes, i, 0)"
            self._recentre("(i > 0) & (i & (i - 1) == 0)", "min(lanes, w)", rows_before)
            self.put("s = 0")
            # Not `range`, which raises for a step of zero: kernels know no exceptions.
            if together > 1:
                self.put(f"whole = w - w % ({together} * lanes)")
                with self.block("while s < whole:"):
                    self._recentre_in_first_row()
                    self._accumulating_lanes(stage, together, starts, "lanes", "i", column)
                    self.put(f"s += {together} * lanes")
            with self.block("while s < w:"):
                if together == 1:
                    self._recentre_in_first_row()
                self._accumulating_lanes(stage, 1, starts, "min(lanes, w - s)", "i", "s + lane")
                self.put("s += lanes")

    def _recentre_in_first_row(self) -> None:
        taken = "s // lanes"
        self._recentre(f"(i == 0) & (s > 0) & ({taken} & ({taken} - 1) == 0)", "lanes", taken)

    def _recentre(self, when: str, width: str, taken: str) -> None:
        """Move the shift of deviations to their mean, `taken` values having come into each lane."""
        moved = [r for r, each in enumerate(self.spec.accumulators) if each.recentred]
        if not moved:
            return
        with self.block(f"if {when}:"), self.block(f"for lane in range({width}):"):
            for r in moved:
                self._fetch_lanes(r)
                kind = self._lane_type(r)
                self.put(f"mean = {kind}(c{r}_1 / {kind}({taken}))")
                self.put("off = finite_or_zero(mean)")  # the mean of infinities is theirs
                self.put(f"c{r}_0, c{r}_2 = c{r}_0 + off, c{r}_2 - c{r}_1 * off")
                self.put(f"c{r}_1 = select(off == mean, {kind}(0), c{r}_1)")
                self._store_lanes(r)

    def _accumulating_lanes(
        self, stage: Stage, together: int, starts: str, width: str, row: str, column: str
    ) -> None:
        read = self._read_by(stage)
        self.put(f"starts = {starts}")
        with self.block(f"for lane in range({width}):"):
            for k in stage.outputs:
                self._fetch_lanes(k)
                if self.spec.accumulators[k].grouped:
                    self.put(f"u{k} = {self._lane_type(k)}(0)")
            with self.block(f"for k in range({together}):"):
                self.put(f"row, j = {row}, {column}")
                for value in read:
                    self._row_start(value, "row")
                self._element(stage, read, "row")
                for k in stage.outputs:
                    self._accumulate(k)
            for k in stage.outputs:
                if self.spec.accumulators[k].grouped:
                    self.put(f"c{k}_0 = c{k}_0 + u{k}")
                self._store_lanes(k)

    def _lane_scopes(self, k: int) -> list[str]:
        before = sum(len(a.lanes) for a in self.spec.accumulators[:k])
        count = len(self.spec.accumulators[k].lanes)
        return [self._scope("lane", before + lane) for lane in range(count)]

    def _lane_type(self, r: int) -> str:
        return memory_type(self.spec.accumulators[r].lanes[0][0])

    def _fetch_lanes(self, r: int) -> None:
        scopes = self._lane_scopes(r)
        for k in range(len(scopes)):
            self.put(f"c{r}_{k} = fetch(n{r}_{k}, lane, {scopes[k]})")

    def _accumulate(self, r: int) -> None:
        accumulator = self.spec.accumulators[r]
        if accumulator.grouped:
            self.put(f"u{r} = u{r} + v{self.program.outputs[r]}")
            return
        self.put(f"v = {self._stored(self.program.outputs[r])}")
        if accumulator.wants_position:
            self.put("position = row * w + j")
        for k, (_, start) in enumerate(accumulator.lanes):
            self.put(f"a{k} = c{r}_{k}")
            if start is SHIFT:
                self.put(f"a{k} = select(starts & (k == 0), finite_or_zero(v), a{k})")
        if any(start is FIRST for _, start in accumulator.lanes):
            # The lanes are still empty: this value and its position are the best so far.
            self.put("a0 = select(starts & (k == 0), v, a0)")
            self.put("a1 = select(starts & (k == 0), position, a1)")
        for k, (dtype, _) in enumerate(accumulator.lanes):
            self.put(f"c{r}_{k} = {memory_type(dtype)}({accumulator.update[k]})")

    def _store_lanes(self, r: int) -> None:
        scopes = self._lane_scopes(r)
        for k in range(len(scopes)):
            self.put(f"store(n{r}_{k}, lane, c{r}_{k}, {scopes[k]})")

    def _start_lanes(self) -> None:
        if not self.spec.reductions:
            return
        with self.block("for lane in range(min(lanes, w)):"):
            for r, accumulator in enumerate(self.spec.accumulators):
                scopes = self._lane_scopes(r)
                for k, (dtype, start) in enumerate(accumulator.lanes):
                    text = f"{memory_type(dtype)}({_start(start)})"
                    self.put(f"store(n{r}_{k}, lane, {text}, {scopes[k]})")

    def _merge_lanes(self) -> None:
        total = self.spec.totals_at
        for r, accumulator in enumerate(self.spec.accumulators):
            words = [f"z{r}_{k}" for k in range(len(accumulator.lanes))]
            shift = f" + side * {self.spec.n_totals}" if self.spec.mirror else ""
            words += [f"g[{total + k}{shift}]" for k in range(len(accumulator.totals))]
            total += len(accumulator.totals)
            words += ["kept", "kept_j", "w", "lanes", "h"]
            if accumulator.wants_position:
                words += ["flat", "flat_i", "flat_j"]
            self._call_helper(merge_helper(self.spec.form, accumulator), words)


def _start(value: object) -> str:
    if value is FIRST or value is SHIFT:
        return "0"
    return repr(value.item() if isinstance(value, np.generic) else value)
