"""Task graphs: what an expression becomes just before it runs.

What lives here: `task` (one call of one Python function, and checks of a whole graph), `order`
(in which order tasks should run so that few results are alive at a time), `build` (physical
nodes to tasks).

May import: base, chunks, backends, codegen, memory, expr.

To add to it: a new property of a task is a slot of `task.Task` with a default; whoever runs tasks
(`gpuscale.engines`) reads it there.
"""
