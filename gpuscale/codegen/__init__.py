"""From scalar programs to fused kernels, and their plain interpreter.

What lives here: a run of elementwise operations, index functions and the chunk stage of a
reduction is one `ScalarProgram`; this folder checks, simplifies, compiles and runs it.

============== =============================================================================
`ops`          the table of scalar operations: name, NumPy meaning, dtypes, spellings, cost
`program`      `ScalarProgram`, its instructions, `AffineIndex`, `ProgramBuilder`
`simplify`     algebra that keeps every bit
`reductions`   the table of reductions: tile, combine, empty
`interpret`    plain NumPy, tile by tile: the oracle of every kernel and the way of small data
`target_cpu`   the text of a kernel, with `loops_cpu` and `lanes_cpu` on `text_cpu`
`run`          `run_map` and `run_reduce`, by the interpreter or a kernel; `worth` chooses
============== =============================================================================

May import: base, chunks, backends and its own files; `gpuscale.kernels` for random numbers.
Numba is imported when something is compiled, never before.

To add an operation: one row in `ops`; NumPy is the oracle of the row, the interpreter the oracle
of its kernel.
"""
