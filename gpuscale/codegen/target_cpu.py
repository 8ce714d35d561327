"""The text of a kernel for the CPU: the stages of a program on one tile after the other.

Every kernel is ``kernel(g)`` with one vector g of int64: `HEADER`, then `OPERAND` for each operand,
then addresses of accumulators and of NumPy's loops, then the outer axes. Operands are arrays
(base: an address) and index functions (base: a value). So one compiled kernel serves every shape
and all arrays that move the same way. `tiles_cpu.next_tile` walks: it keeps its state in g too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate import FIRST, SHIFT
from gpuscale.codegen.emit import constant, expression, memory_type, type_name
from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.helpers import (
    Helper,
    columns_helper,
    copy_helper,
    merge_helper,
    rows_helper,
)
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ScalarProgram
from gpuscale.codegen.schedule import Stage
from gpuscale.codegen.spec import KernelSpec

__all__ = ["SLOT", "kernel_source", "scalar_slot"]

SLOT = 16  # bytes of one parameter or constant, and of one element of a lane
N_SCOPES = 32  # as in `intrinsics`, which needs numba
TOGETHER = 4  # values that a reduction takes before it writes its lanes back
LONG = 24  # instructions; longer programs take one, they take long to compile


def kernel_source(spec: KernelSpec) -> str:
    """Write the source of a kernel.

    Parameters
    ----------
    spec : KernelSpec

    Returns
    -------
    str
        A Python module that defines ``kernel``.
    """
    return _Writer(spec).write()


class _Writer:
    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self.program = spec.program
        self.instrs = spec.program.instrs
        self.lines: list[str] = []
        self.depth = 0
        self.imports: set[str] = set()
        self.buffers = spec.stages.buffers
        self.call_numbers = {value: k for k, value in enumerate(spec.calls)}

    # --- text -----------------------------------------------------------------------------------

    def put(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def block(self, head: str) -> _Indent:
        self.put(head)
        return _Indent(self)

    def write(self) -> str:
        with self.block("def kernel(g):"):
            self.put("prefer_wide_vectors()")
            self._open_memory()
            self._open_scalars()
            with self.block("while True:"):
                self._call_helper(self.spec.helpers[0], [self._word("self")])
                with self.block(f"if {self._word('done')}:"):
                    self.put("break")
                if self.spec.mirror is None:
                    self.put(f"h, w = {self._word('h')}, {self._word('w')}")
                    self._tile()
                else:
                    self._mirrored_tiles(*self.spec.mirror)
        body, self.lines = self.lines, []
        self._preamble()
        return "\n".join([*self.lines, *body, ""])

    def _tile(self) -> None:
        self._open_operands()
        self._start_lanes()
        for stage in self.spec.stages.stages:
            getattr(self, f"_{stage.kind}")(stage)
        self._merge_lanes()

    def _mirrored_tiles(self, across: int, down: int) -> None:
        """Draw tiles (i, j) and (j, i) in rows, then work on each with the other's transpose."""
        spec, h, w = self.spec, self._word("h"), self._word("w")
        instr = self.instrs[across]
        *keys, index = instr.args
        x = f"x{self.instrs[index].imm[0]}"
        self.put(f"pair, sides = scratch + {spec.n_buffers - 2} * area, {self._word('sides')}")
        for text in ("draw", "work"):
            with self.block("for side in range(sides):"):
                self.put(f"shift = side * {spec.words_per_side}")
                self.put(f"h, w = ({w}, {h}) if side else ({h}, {w})")
                self.put(f"m{across} = pair + side * area")
                if text == "draw":
                    words = [f"m{across}", "w", self._field(x, "here"), self._field(x, "step_i")]
                    words += ["h", "w", *(f"int64(v{a})" for a in keys)]
                    self._call_helper(rows_helper(instr.op, instr.dtype), words)
                else:
                    self.put(f"b{across} = pointer(m{across}, {type_name(instr.dtype)})")
                    self.put("other = pair + (sides - 1 - side) * area")
                    self._tile()

    def _preamble(self) -> None:
        names = {"int64", "uint8", *(type_name(i.dtype) for i in self.instrs)}
        names |= {memory_type(d) for a in self.spec.accumulators for d, _ in (*a.lanes, *a.totals)}
        self.put('"""A kernel that gpuscale has written; it may be deleted."""')
        # Not numba.types: it replaces itself on import, which other threads may see half done.
        self.put(f"from numba.core.types import {', '.join(sorted(names))}")
        self.put("from gpuscale.codegen.intrinsics import *")
        self.put("from gpuscale.kernels.portable_cpu import prefer_wide_vectors")
        for text in sorted(self.imports):
            self.put(text)
        self.put("inf, nan = float('inf'), float('nan')")
        self.put("")

    def _word(self, name: str) -> str:
        return f"g[{HEADER.index(name)}]"

    def _field(self, operand: str, field: str) -> str:
        shift = " + shift" if self.spec.mirror else ""
        return f"g[{self.spec.slot_of(operand) + OPERAND.index(field)}{shift}]"

    def _call_helper(self, helper: Helper, words: Sequence[str]) -> None:
        self.put(f"call_kernel({self._helper_word(helper)}, {', '.join(words)})")

    def _helper_word(self, helper: Helper) -> str:
        return f"g[{self.spec.helpers_at + self.spec.helpers.index(helper)}]"

    # --- before the tiles -----------------------------------------------------------------------

    def _open_memory(self) -> None:
        """Pointers to buffers, lanes and accumulators."""
        spec = self.spec
        if spec.n_buffers + spec.n_lanes:
            self.put(f"scratch = {self._word('scratch')}")
        if spec.n_buffers:
            self.put(f"area = {self._word('area')}")
        for value, number in self.buffers.items():
            if spec.mirror and value == spec.mirror[0]:
                continue
            self.put(f"m{value} = scratch + {number} * area")
            self.put(f"b{value} = pointer(m{value}, {memory_type(self.instrs[value].dtype)})")
        if spec.needs_spare:
            self.put(f"spare = scratch + {spec.n_buffers - 1} * area")
        if spec.n_lanes:
            self.put(f"lanes = {self._word('lanes')}")
            self.put(f"first_lane = scratch + {spec.n_buffers} * {self._word('area')}")
        lane = 0
        for r, accumulator in enumerate(spec.accumulators):
            for k, (dtype, _) in enumerate(accumulator.lanes):
                self.put(f"z{r}_{k} = first_lane + {SLOT * lane} * lanes")
                self.put(f"n{r}_{k} = pointer(z{r}_{k}, {memory_type(dtype)})")
                lane += 1

    def _open_scalars(self) -> None:
        scalars = [v for v, i in enumerate(self.instrs) if i.op in ("param", "const")]
        if scalars:
            self.put(f"scalars = {self._word('scalars')}")
        for value in scalars:
            instr = self.instrs[value]
            if instr.op == "const":
                self.put(f"v{value} = {constant(instr)}")
            else:
                address = f"pointer(scalars + {SLOT * instr.imm[0]}, {memory_type(instr.dtype)})"
                test = " != 0" if instr.dtype.kind == "b" else ""
                self.put(f"v{value} = fetch({address}, 0, 'in'){test}")

    # --- one tile -------------------------------------------------------------------------------

    def _open_operands(self) -> None:
        """Where each operand begins in this tile, and its steps where they are not known."""
        spec = self.spec
        dtypes = {f"l{i.imm[0]}": i.dtype for i in self.instrs if i.op == "load"}
        dtypes |= {f"o{k}": self.program.dtypes[k] for k in range(len(spec.outs))}
        for name in spec.operands:
            here = self._field(name, "here")
            if name in dtypes:
                here = f"pointer({here}, {memory_type(dtypes[name])})"
            elif name.startswith("l"):
                continue  # the program has this array no more
            self.put(f"{name} = {here}")
            self.put(f"{name}_i = {self._field(name, 'step_i')}")
            if self._wants_step_j(name):
                self.put(f"{name}_j = {self._field(name, 'step_j')}")

    def _wants_step_j(self, name: str) -> bool:
        spec = self.spec
        if name.startswith("l"):
            return spec.loads[int(name[1:])] == "tile"
        return not name.startswith("o") or spec.outs[int(name[1:])] == "tile"

    def _scope(self, kind: str, number: int) -> str:
        """Name of a memory area that no other access of the kernel touches."""
        spec = self.spec
        first = {"out": 0, "buffer": len(spec.outs), "lane": len(spec.outs) + spec.n_buffers}
        number += first[kind]
        return f"'w{number}'" if number < N_SCOPES else "'any'"

    def _copy(self, stage: Stage) -> None:
        (value,) = stage.values
        k = self.instrs[value].imm[0]
        words = [f"m{value}", f"address_of(l{k}, 0)", f"l{k}_i", f"l{k}_j", "h", "w"]
        self._call_helper(copy_helper(self.instrs[value].dtype), words)

    def _fill(self, stage: Stage) -> None:
        (value,) = stage.values
        instr = self.instrs[value]
        if self.spec.mirror and value in self.spec.mirror:
            if value == self.spec.mirror[1]:
                words = [f"m{value}", "other", "1", "h", "h", "w"]
                self._call_helper(copy_helper(instr.dtype), words)
            return
        *keys, index = instr.args
        x = f"x{self.instrs[index].imm[0]}"
        key = [f"int64(v{a})" for a in keys]
        rows = rows_helper(instr.op, instr.dtype)
        if dict(self.spec.fills)[value] == "row":
            self._call_helper(rows, [f"m{value}", "w", x, f"{x}_i", "h", "w", *key])
        else:
            words = [self._helper_word(rows), f"m{value}", "spare", x, f"{x}_j", "h", "w", *key]
            self._call_helper(columns_helper(instr.dtype), words)

    def _call(self, stage: Stage) -> None:
        (value,) = stage.values
        instr = self.instrs[value]
        ufunc = OPS[instr.op].ufunc
        assert ufunc is not None
        number = self.spec.loops_at + 2 * self.call_numbers[value]
        by_row = bool(stage.outputs) or any(self._in_rows(a) for a in instr.args)
        words = [f"g[{number}]", f"g[{number + 1}]", "w" if by_row else "h * w"]
        words += [word for a in instr.args for word in self._memory(a, by_row)]
        size = str(instr.dtype.itemsize)
        for output in range(ufunc.nout):
            if output != OPS[instr.op].output:
                words += ["spare", str(self.spec.slot)]
            elif stage.outputs:
                k = stage.outputs[0]
                words += [f"address_of(o{k}, i * o{k}_i)", size]
            else:
                words += [f"m{value}" + f" + i * w * {size}" * by_row, size]
        call = f"call_loop({', '.join(words)})"
        if by_row:
            with self.block("for i in range(h):"):
                self.put(call)
        else:
            self.put(call)

    def _in_rows(self, value: int) -> bool:
        return self.instrs[value].op == "load" and value not in self.buffers

    def _memory(self, value: int, by_row: bool) -> tuple[str, str]:
        """Address and step in bytes from which a NumPy loop reads a value."""
        instr = self.instrs[value]
        if value in self.buffers:
            size = instr.dtype.itemsize
            return f"m{value}" + f" + i * w * {size}" * by_row, str(size)
        if instr.op == "load":
            k = instr.imm[0]
            step = 0 if self.spec.loads[k] == "scalar" else instr.dtype.itemsize
            return f"address_of(l{k}, i * l{k}_i)", str(step)
        return f"scalars + {SLOT * scalar_slot(self.program, value)}", "0"

    def _loop(self, stage: Stage) -> None:
        if self.spec.form != "map" and stage.outputs:
            self._accumulating_loops(stage)
            return
        read = self._read_by(stage)
        with self.block("for i in range(h):"):
            for value in read:
                self._row_start(value)
            for k in stage.outputs:
                self.put(f"e{k} = i * o{k}_i")
            with self.block("for j in range(w):"):
                self._element(stage, read)
                for k in stage.outputs:
                    self._store_output(k)

    def _accumulating_loops(self, stage: Stage) -> None:
        """Take several rows, or several strips of a row, before lanes are written back."""
        together = TOGETHER if len(self.instrs) <= LONG else 1
        if self.spec.form == "columns":
            self.put(f"whole = h - h % {together}")
            with self.block(f"for i in range(0, whole, {together}):"):
                self._accumulating_lanes(stage, together, "i == 0", "w", "i + k", "lane")
            if together > 1:
                with self.block("for i in range(whole, h):"):
                    self._accumulating_lanes(stage, 1, "i == 0", "w", "i", "lane")
            return
        with self.block("for i in range(h):"):
            starts, column = "(i == 0) & (s == 0)", "s + k * lanes + lane"
            self.put("s = 0")
            # Not `range`, which raises for a step of zero: kernels know no exceptions.
            if together > 1:
                self.put(f"whole = w - w % ({together} * lanes)")
                with self.block("while s < whole:"):
                    self._accumulating_lanes(stage, together, starts, "lanes", "i", column)
                    self.put(f"s += {together} * lanes")
            with self.block("while s < w:"):
                self._accumulating_lanes(stage, 1, starts, "min(lanes, w - s)", "i", "s + lane")
                self.put("s += lanes")

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

    def _read_by(self, stage: Stage) -> list[int]:
        """Values a loop reads from memory or from index functions."""
        wanted = {a for v in stage.values for a in self.instrs[v].args}
        wanted.update(self.program.outputs[k] for k in stage.outputs)
        wanted.update(v for v in stage.values if self.instrs[v].op == "index")
        inside = {v for v in stage.values if self.instrs[v].op != "index"}
        leaves = ("const", "param")
        return sorted(v for v in wanted - inside if self.instrs[v].op not in leaves)

    def _row_start(self, value: int, i: str = "i") -> None:
        instr = self.instrs[value]
        if value in self.buffers and instr.op != "index":
            self.put(f"r{value} = {i} * w")
        elif instr.op == "index":
            k = instr.imm[0]
            self.put(f"r{value} = x{k} + {i} * x{k}_i")
        else:
            k = instr.imm[0]
            if self.spec.loads[k] == "scalar":
                text = self._fetch(f"l{k}", f"{i} * l{k}_i", "'in'", value)
                self.put(f"v{value} = {text}")
            else:
                self.put(f"r{value} = {i} * l{k}_i")

    def _fetch(self, pointer: str, offset: str, scope: str, value: int) -> str:
        test = " != 0" if self.instrs[value].dtype.kind == "b" else ""
        return f"fetch({pointer}, {offset}, {scope}){test}"

    def _element(self, stage: Stage, read: Sequence[int], i: str = "i") -> None:
        for value in read:
            instr = self.instrs[value]
            if instr.op == "index":
                self.put(f"v{value} = r{value} + j * x{instr.imm[0]}_j")
            elif value in self.buffers:
                scope = self._scope("buffer", self.buffers[value])
                text = self._fetch(f"b{value}", f"r{value} + j", scope, value)
                self.put(f"v{value} = {text}")
            elif self.spec.loads[instr.imm[0]] == "row":
                text = self._fetch(f"l{instr.imm[0]}", f"r{value} + j", "'in'", value)
                self.put(f"v{value} = {text}")
        for value in stage.values:
            instr = self.instrs[value]
            if instr.op == "index":
                continue
            if instr.op in random_ops.BY_NAME:
                self._import_draw(instr.op)
            names = [f"v{a}" for a in instr.args]
            self.put(f"v{value} = {expression(self.program, value, names)}")
        for value in stage.stores:
            scope = self._scope("buffer", self.buffers[value])
            text = self._stored(value)
            self.put(f"store(b{value}, {i} * w + j, {text}, {scope})")

    def _import_draw(self, name: str) -> None:
        row = random_ops.BY_NAME[name]
        self.imports.add(f"import gpuscale.kernels.philox.{row.module}_cpu")
        module = f"gpuscale.kernels.philox.{row.module}"
        self.imports.add(f"from {module} import {row.function} as {name}")

    def _stored(self, value: int) -> str:
        return f"uint8(v{value})" if self.instrs[value].dtype.kind == "b" else f"v{value}"

    def _store_output(self, k: int) -> None:
        step = "j" if self.spec.outs[k] == "row" else f"j * o{k}_j"
        text = self._stored(self.program.outputs[k])
        self.put(f"store(o{k}, e{k} + {step}, {text}, {self._scope('out', k)})")

    # --- lanes ----------------------------------------------------------------------------------

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


class _Indent:
    def __init__(self, writer: _Writer) -> None:
        self.writer = writer

    def __enter__(self) -> None:
        self.writer.depth += 1

    def __exit__(self, *_: object) -> None:
        self.writer.depth -= 1


def _start(value: object) -> str:
    if value is FIRST or value is SHIFT:
        return "0"
    return repr(value.item() if isinstance(value, np.generic) else value)


def scalar_slot(program: ScalarProgram, value: int) -> int:
    """Place of a parameter or constant among the scalars: parameters first."""
    instr = program.instrs[value]
    if instr.op == "param":
        return int(instr.imm[0])
    constants = [v for v, i in enumerate(program.instrs) if i.op == "const"]
    return program.n_params + constants.index(value)
