"""The text of a map for CUDA: a grid of threads strides over rows and columns.

Where addresses allow, a thread takes several neighbouring columns by accesses of 16 bytes; the
columns that are left over are taken one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gpuscale.codegen.body_cuda import BodySpec, BodyText
from gpuscale.codegen.launch_cuda import Kernel

__all__ = ["MapSpec", "map_kernel"]


@dataclass(frozen=True)
class MapSpec(BodySpec):
    """All that the text of a map depends on; its one inner axis are the columns.

    Attributes
    ----------
    width : int
        Columns that a thread takes together; then all steps along columns are 0 or 1.
    """

    width: int = 1


@lru_cache(maxsize=1024)
def map_kernel(spec: MapSpec) -> Kernel:
    """Write the kernel of a map."""
    return _MapText(spec).write()


class _MapText(BodyText):
    spec: MapSpec

    def write(self) -> Kernel:
        width = self.spec.width
        arguments = self.arguments(self.program.dtypes)
        with self.block(f"def kernel({', '.join(name for name, _ in arguments)}):"):
            self.open_scalars()
            self.put("across = wide(cuda.gridDim.x) * wide(cuda.blockDim.x)")
            self.put("down = wide(cuda.gridDim.y) * wide(cuda.blockDim.y)")
            self.put("first = wide(cuda.blockIdx.x) * wide(cuda.blockDim.x) + cuda.threadIdx.x")
            self.put("i = wide(cuda.blockIdx.y) * wide(cuda.blockDim.y) + cuda.threadIdx.y")
            with self.block("while i < outer:"):
                self.open_group("outer", "i")
                self._read_rows()
                self.put("j = first")
                if width > 1:
                    with self.block(f"while j < inner // {width}:"):
                        self._vectors()
                        self.put("j += across")
                    self.put(f"j = first + inner // {width} * {width}")
                with self.block("while j < inner:"):
                    self._element()
                    self.put("j += across")
                self.put("i += down")
        return Kernel(self.source, tuple(kind for _, kind in arguments))

    def _is_row(self, value: int) -> bool:
        """Whether a leaf is the same for all columns."""
        instr = self.instrs[value]
        steps = self.spec.loads if instr.op == "load" else self.spec.indices
        return steps[instr.imm[0]][-1] == "0"

    def _read_rows(self) -> None:
        for value in self.leaves:
            if self._is_row(value):
                name = self._operand(value)
                self.read(value, "", f"{name}_outer")

    def _operand(self, value: int) -> str:
        instr = self.instrs[value]
        return f"{'l' if instr.op == 'load' else 'x'}{instr.imm[0]}"

    def name(self, value: int, suffix: str = "") -> str:
        """Name of a value; leaves of a row are the same for all columns."""
        if self.instrs[value].op in ("load", "index") and self._is_row(value):
            return f"v{value}"
        return super().name(value, suffix)

    def _element(self) -> None:
        self.open_group("inner", "j")
        for value in self.leaves:
            if not self._is_row(value):
                self.read(value)
        self.compute()
        self.write_all()

    def _vectors(self) -> None:
        """Several neighbouring elements at once."""
        width = self.spec.width
        self.put(f"start = j * {width}")
        for value in self.leaves:
            if self._is_row(value):
                continue
            instr, name = self.instrs[value], self._operand(value)
            if instr.op == "load":
                self.put(f"t{value} = load{width}({name}, {name}_outer + start)")
                for k in range(width):
                    self.put_read(value, f"t{value}[{k}]", f"_{k}")
            else:
                last = self.spec.indices[instr.imm[0]][-1]
                step = "" if last == "1" else f" * {name}_{self.spec.outer}"
                for k in range(width):
                    self.read(value, f"_{k}", f"{name}_outer + (start + {k}){step}")
        for k in range(width):
            self.compute(f"_{k}")
        for k, value in enumerate(self.program.outputs):
            values = ", ".join(self.stored(value, f"_{m}") for m in range(width))
            self.put(f"store{width}(o{k}, o{k}_outer + start, ({values}))")
