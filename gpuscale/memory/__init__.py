"""Memory: how much there is, how much a graph will need, how much a result holds.

============ ===============================================================================
`limits`     what a user says about sizes -> bytes; what machine and cgroup allow
`projection` bytes that a graph needs, task by task, before anything runs
`spaces`     where bytes lie: in the memory of the host, or of the device
`measure`    bytes that a result keeps alive
`freed`      what the process does with memory that was freed
`spill`      write results to disk; `spilled` reads them back, whole or in regions
`spill_*`    the folder of each process, and a file in it
`parked`     results of a device that are away: on the host, or on disk from there
`kept`       who keeps chunks on a device that may leave it when memory runs out
`pool`       the pool of a device's memory, set up when CuPy is first used
============ ===============================================================================

May import: base, chunks, backends. Graphs come in as anything that looks like one.

To add to it: one file for one question about memory, a pure function where possible.
"""

from gpuscale.memory import pool  # it has itself called when CuPy is first used

__all__ = ["pool"]
