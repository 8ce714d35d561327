"""A device that any machine has: strict arrays over host memory, which behave as CuPy's do.

Whatever runs on it touches the host only by transfers that are explicit and counted, uses no name
and no parameter that CuPy lacks, keeps to a limit of memory, and waits for its streams.

============== ===============================================================================
`array`        the array type: no ``__array__``, no operands of the host, dtypes of CuPy
`namespace`    ``fake``: the module that stands for ``cupy``
`calls`        NumPy's functions on the memory behind the arrays
`frames`       frames, series and indexes, with the names of cuDF in the table `cudf_names`
`frame_namespace`  ``fake_frames``: the module that stands for ``cudf``
`cupy_names`   the table of names and parameters that CuPy has; `signatures` checks calls by it
`memory`       what lies behind arrays and their views; `pool` counts it, with limit and peak
`streams`      streams and events; reading without having waited is an error
`device`       what an engine asks of it: a stream for each task, copies, figures
`transfers`    the count of what goes between host and device
`small`        computations on a device that has room for a fifth of their data
`backend`      the registration with the seams: `activate`, `active`
============== ===============================================================================

To see that a function of yours runs on a device, set the option ``array.backend`` to "fake", or
make chunks with ``like="fake"``, while the backend is active:

>>> import gpuscale.array as ga
>>> from gpuscale.testing import fake_device
>>> with fake_device.active():
...     x = ga.arange(6, chunks=3, like="fake")
...     total = (x + 1).sum().compute()
>>> int(total)
21
"""

from gpuscale.testing.fake_device.array import ndarray
from gpuscale.testing.fake_device.backend import NAME, activate, active
from gpuscale.testing.fake_device.namespace import fake
from gpuscale.testing.fake_device.pool import POOL, Pool
from gpuscale.testing.fake_device.streams import Event, Stream, StreamOrderError, current_stream
from gpuscale.testing.fake_device.transfers import TRANSFERS, Transfers

__all__ = [
    "NAME",
    "POOL",
    "TRANSFERS",
    "Event",
    "Pool",
    "Stream",
    "StreamOrderError",
    "Transfers",
    "activate",
    "active",
    "current_stream",
    "fake",
    "ndarray",
]
