"""Engines: who runs the tasks of a graph.

============ ===============================================================================
`base`       the contract, and how an engine is found by name or entry point
`state`      which task may run next and which results may go: pure, no threads, no clock
`growing`    the same for a run to which tasks are added
`states`     what is known of a task, and how that may change; `ledger` keeps it, `invariants` are
             what is true of it between two events
`spilling`   which results are written to disk when there is no room, the `latest` first; `spiller`
             does it
`tokens`     scarce things, and which tasks wait for some
`sync`       one task after the other in the calling thread
`threads`    own worker threads, which a `pool` keeps between runs; `blas` limits those of BLAS
`job`        one run of one graph, whoever drives it: state, results and events
`session`    a run of threads without end, for futures; its workers are in `working`, its `book` has
             keys and wishes, its `shelf` results that are `away`; `outcome` is what became of each
             task, `seats` the places of those that wait, `overlimit` a word about too much
`sharing`    how runs and sessions divide room and batches
`events`     what engines tell those who watch; `watching` does it for a session
`failure`    what becomes of the exception of a task
`rescue`     what is done when a device has no memory left for a task; `relief` makes room for it
`timeouts`   calls that may take so long and no longer
============ ===============================================================================

May import: base, chunks, backends, codegen, memory, expr, graph.

To add an engine: subclass `base.Engine` and name it in the entry point group
``gpuscale.engines``. To teach both engines something new (another reason to wait, another event),
change `state` and its tests alone where possible.
"""

from gpuscale.engines.base import Engine, get_engine

__all__ = ["Engine", "get_engine"]
