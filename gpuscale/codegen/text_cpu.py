"""Lines of a kernel, and the words in them that all its parts share."""

from __future__ import annotations

from collections.abc import Sequence

from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.program import ScalarProgram
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.text import Text

__all__ = ["SLOT", "KernelText", "scalar_slot"]

SLOT = 16  # bytes of one parameter or constant, and of one element of a lane
N_SCOPES = 32  # as in `intrinsics`, which needs numba


class KernelText(Text):
    """What the text of a kernel is written of.

    Parameters
    ----------
    spec : KernelSpec
    """

    def __init__(self, spec: KernelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.program = spec.program
        self.instrs = spec.program.instrs
        self.imports: set[str] = set()
        self.buffers = spec.stages.buffers
        self.call_numbers = {value: k for k, value in enumerate(spec.calls)}

    def _word(self, name: str) -> str:
        return f"g[{HEADER.index(name)}]"

    def _field(self, operand: str, field: str) -> str:
        shift = " + shift" if self.spec.mirror else ""
        return f"g[{self.spec.slot_of(operand) + OPERAND.index(field)}{shift}]"

    def _call_helper(self, helper: Helper, words: Sequence[str]) -> None:
        self.put(f"call_kernel({self._helper_word(helper)}, {', '.join(words)})")

    def _helper_word(self, helper: Helper) -> str:
        return f"g[{self.spec.helpers_at + self.spec.helpers.index(helper)}]"

    def _scope(self, kind: str, number: int) -> str:
        """Name of a memory area that no other access of the kernel touches."""
        spec = self.spec
        first = {"out": 0, "buffer": len(spec.outs), "lane": len(spec.outs) + spec.n_buffers}
        number += first[kind]
        return f"'w{number}'" if number < N_SCOPES else "'any'"

    def _stored(self, value: int) -> str:
        return f"uint8(v{value})" if self.instrs[value].dtype.kind == "b" else f"v{value}"


def scalar_slot(program: ScalarProgram, value: int) -> int:
    """Place of a parameter or constant among the scalars: parameters first."""
    instr = program.instrs[value]
    if instr.op == "param":
        return int(instr.imm[0])
    constants = [v for v, i in enumerate(program.instrs) if i.op == "const"]
    return program.n_params + constants.index(value)
