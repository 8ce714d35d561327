"""Loops in the text of a kernel: values of a tile are fetched, computed and stored."""

from __future__ import annotations

from collections.abc import Sequence

from gpuscale.codegen import random_ops
from gpuscale.codegen.emit import expression
from gpuscale.codegen.schedule import Stage
from gpuscale.codegen.text_cpu import KernelText

__all__ = ["LoopText"]


class LoopText(KernelText):
    """What a loop over the elements of a tile says."""

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

    def _store_output(self, k: int) -> None:
        step = "j" if self.spec.outs[k] == "row" else f"j * o{k}_j"
        text = self._stored(self.program.outputs[k])
        self.put(f"store(o{k}, e{k} + {step}, {text}, {self._scope('out', k)})")
