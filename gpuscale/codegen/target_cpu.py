"""The text of a kernel for the CPU: the stages of a program on one tile after the other.

Every kernel is ``kernel(g)`` with one vector g of int64: `HEADER`, then `OPERAND` for each operand,
then addresses of accumulators and of NumPy's loops, then the outer axes. Operands are arrays
(base: an address) and index functions (base: a value). So one compiled kernel serves every shape
and all arrays that move the same way. `tiles_cpu.next_tile` walks: it keeps its state in g too.
"""

from __future__ import annotations

from gpuscale.codegen.emit import constant, memory_type, type_name
from gpuscale.codegen.helpers import columns_helper, copy_helper, rows_helper
from gpuscale.codegen.lanes_cpu import LaneText
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.schedule import Stage
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.text_cpu import SLOT, scalar_slot

__all__ = ["kernel_source"]


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
    return _Kernel(spec).write()


class _Kernel(LaneText):
    """The whole text: what is opened first, the loop over tiles, the stages of a tile."""

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
                    self._mirrored_tiles(self.spec.mirror[0])
        body, self.lines = self.lines, []
        self._preamble()
        return "\n".join([*self.lines, *body, ""])

    def _tile(self) -> None:
        self._open_operands()
        self._start_lanes()
        for stage in self.spec.stages.stages:
            getattr(self, f"_{stage.kind}")(stage)
        self._merge_lanes()

    def _mirrored_tiles(self, across: int) -> None:
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
