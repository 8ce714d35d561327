"""From scalar programs to fused kernels, and their plain interpreter.

What lives here: a run of elementwise operations, index functions and the chunk stage of a
reduction is one `ScalarProgram`; this folder checks, simplifies, compiles and runs it.

============== =============================================================================
`ops`          the table of scalar operations: name, NumPy meaning, dtypes, spellings, cost;
               `functions` are the meanings that NumPy has no ufunc for
`program`      `ScalarProgram`, its instructions, `AffineIndex`, `ProgramBuilder`
`simplify`     algebra that keeps every bit
`reductions`   the table of reductions: tile, combine, empty
`interpret`    plain NumPy, tile by tile: the oracle of every kernel and the way of small data
`run`          `run_map` and `run_reduce`, by the interpreter or a kernel
`targets`      who compiles for which library's arrays; `run_cpu` for NumPy's, if it pays (`worth`)
`hoist`        what does not depend on every axis is computed once
`mirror`       a block and its mirror image together, each random number drawn once
`request`      what a kernel is asked for, and how its operands lie in memory
`plan`         a launch: the order of the walk (`layout`) in a vector of integers (`geometry`)
`spec`         all that the text of a kernel depends on, its stages (`schedule`) among it
`target_cpu`   that text, with `loops_cpu` and `lanes_cpu` on `text_cpu`; `emit` spells operations,
               `accumulate` reductions, `random_ops` random numbers
`helpers`      parts that kernels share: `tiles_cpu`, `draw_cpu`, `merge_cpu`, NumPy's own loops
               (`ufunc_loops`); `intrinsics` are what they say to LLVM directly
               (`truncation` for both targets)
`kernel`       compiles (`compiler`) or loads (`cache`) a kernel once, and launches it
`loops`        whether loops over rows that are written by hand are worth their making, their call
`groups`       rows in groups by such loops, `groups_cpu`, and `hashing_cpu` for texts
`lookups`      rows that have a number, by `lookups_cpu`
`scatter`      where rows go, by `scatter_cpu`
`run_cuda`     the same for CUDA: plans (`plan_cuda`) and launches (`launch_cuda`), on a device
               (`target_cuda`, the one that imports CuPy) or on none (`simulator_cuda`)
`map_cuda`     the text of a map (`tile_cuda` where arrays are read across), `reduce_cuda` of a
               reduction (`accumulate_cuda` has its table), on `body_cuda` and `turned_cuda`
`emit_cuda`    operations with names of `intrinsics_cuda`; `expand_cuda` puts others together
               (`functions_cuda`, written down by `trace_cuda`)
`cache_cuda`   PTX of kernels on the disk, made by `compiler_cuda`
`rows_cuda`    rows of the seams for CuPy that launch hand-written kernels, through `device_cuda`
============== =============================================================================

May import: base, chunks, backends and its own files; `gpuscale.kernels`.
Numba is imported when something is compiled, never before.

To add an operation: one row in `ops`; NumPy is the oracle of the row, the interpreter the oracle
of its kernel.
"""

from gpuscale.codegen import rows_cuda  # it registers its rows

__all__ = ["rows_cuda"]
