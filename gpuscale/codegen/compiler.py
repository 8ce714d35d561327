"""From the source of a kernel to machine code: the only module that runs Numba's compiler."""

from __future__ import annotations

import re
from typing import Any

from llvmlite import binding
from numba import njit, types

__all__ = ["compile_source"]

# What machine code may refer to outside itself: parts of the C library, in every process.
_MATHS = ("sqrt", "exp", "log", "log1p", "expm1", "sin", "cos", "tan", "pow", "floor", "ceil",
          "trunc", "rint", "fma")  # fmt: skip
C_LIBRARY = frozenset(
    ["memset", "memcpy", "memmove", "bzero", *_MATHS, *(f"{name}f" for name in _MATHS)]
)


def compile_source(symbol: str, source: str) -> bytes:
    """Compile a module that defines ``kernel(g)``, g a pointer to int64.

    Parameters
    ----------
    symbol : str
        Name of the function in the object file.
    source : str

    Returns
    -------
    bytes
        An object file with ``int symbol(void **result, void **exception, int64_t *g)``: the
        interface of Numba's functions. The first two must point to a word each; what is written
        there means nothing, since nothing in a kernel raises.

    Raises
    ------
    RuntimeError
        The code would need parts of Python or Numba when it runs.
    """
    scope: dict[str, Any] = {"__name__": symbol}
    exec(compile(source, f"<{symbol}>", "exec"), scope)
    signature = types.void(types.CPointer(types.int64))
    compiled = njit(signature, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(
        scope["kernel"]
    )
    (result,) = compiled.overloads.values()
    module = binding.parse_assembly(_without_destructor(result.library.get_llvm_str()))
    _hide_all_but(module, result.fndesc.llvm_func_name)
    module.get_function(result.fndesc.llvm_func_name).name = symbol
    _check_closed(module, symbol)
    return bytes(_machine().emit_object(module))


def _without_destructor(text: str) -> str:
    """Give Numba's destructor of array memory an empty body.

    Kernels own no memory, so it is never called; but slices of arrays refer to it.
    """
    declared = r"declare void @NRT_MemInfo_call_dtor\(([^)]*)\)[^\n]*"
    return re.sub(declared, r"define internal void @NRT_MemInfo_call_dtor(\1) { ret void }", text)


def _hide_all_but(module: Any, kept: str) -> None:
    """Keep names of other functions inside: they are unique within one process only."""
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != kept:
            value.linkage = "internal"


def _machine() -> Any:
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
        codemodel="jitdefault",
    )


def _check_closed(module: Any, name: str) -> None:
    """Refuse code that raises: it cannot be loaded without Numba, nor run without the GIL."""
    used = {f.name for f in module.functions if f.is_declaration}
    foreign = {f for f in used if not f.startswith("llvm.")} - C_LIBRARY
    if foreign and _calls(module, foreign):
        raise RuntimeError(f"{name} refers to {', '.join(sorted(foreign))}")


def _calls(module: Any, names: set[str]) -> bool:
    for function in module.functions:
        for block in function.blocks:
            for instruction in block.instructions:
                if instruction.opcode in ("call", "invoke", "tail call"):
                    called = [operand.name for operand in instruction.operands]
                    if names.intersection(called):
                        return True
    return False
