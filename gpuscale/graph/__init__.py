"""Task graphs: what an expression becomes just before it runs.

============== =============================================================================
`task`         one call of one Python function, and checks of a whole graph
`options`      how a task is to be tried; `annotations` say it of all that a block of code makes
`numbering`    a graph with numbers instead of keys; `order` is one in which few results wait
`build`        physical nodes to tasks; `sizes` are the bytes that they are projected to take
`layouts`      all that lay `Exchange` plans out: `rechunk`, `relabel`, `overlap`, `take`, `pick`,
               `gather`, `scan`, `recurrence`, `sort` (cut by `cuts`), `select` (by `brackets`),
               `checkpoint`
`shuffle`      a rechunk whose pieces the workers of a cluster pass on
`pieces`       blocks that are computed piece by piece; `join` puts blocks together
`mirror`       a block and its mirror image in one task
`handle`       a lazy value that is the result of one task; `packing` finds some in containers
`lazy_values`  those, and futures of clusters, among what users hand over
`calls`        delayed calls beside arrays; `plain` reads graphs that are dictionaries
`steady`       names that every process finds again; `fresh` ones that nobody finds again
`batches`      tasks that go to a worker of a cluster together
============== =============================================================================

May import: base, chunks, backends, codegen, memory, expr.

To add a way for elements to move: a plan in `gpuscale.expr.plans`, a file that lays it out as
tasks, and its import in `layouts`. A new property of a task is a slot of `task.Task` with a
default; whoever runs tasks (`gpuscale.engines`) reads it there.
"""
