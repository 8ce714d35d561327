"""Floor 2: what differs between the libraries that own the data (NumPy, CuPy, ...).

A chunk knows its library: most of the work on it is ``xp = array_namespace(chunk)`` and then a
function of that namespace by the name that NumPy gives it. What remains is here.

============== ===============================================================================
`seams`        THE list of functions that differ; each a `Dispatch` by the type of the data
`frame_seams`  those of frames alone, beside it
`numpy_ops`    rows of that list for NumPy (and for plain Python objects)
`select_ops`   rows for all libraries whose functions mean what NumPy's do
`device_ops`   rows that are the same for each library of a device
`pandas_ops`   rows for pandas, and its tokens, loaded when the first object of it arrives
`cupy_ops`     rows for CuPy, loaded when the first CuPy array arrives
`cudf_ops`     rows for cuDF, the same way; `frame_ops` for each library of frames on a device
`folding`      methods of ufuncs, where those of a library lack them or are wrong
`shared_ops`   written once, with the namespace as argument
`devices`      what engines ask of a backend with memory of its own, in use here or not
`cupy_device`  that of CuPy; `pinned` copies through pinned buffers
`driver`       what the driver says of its devices, before any backend is loaded
`foreign`      arrays of other GPU libraries, taken without a copy
`transfer`     between host and device; containers of chunks
`creation`     data where there is none yet: which backend, and its namespace
`frame_libraries`  the same for frames: pandas, or cuDF beside CuPy
============== ===============================================================================

May import: `gpuscale.base` and its own files. CuPy and cuDF are imported nowhere but here.

To add a backend: one ``<name>_ops.py`` with a row for each seam, those of `device_ops` among them,
registered lazily by the library's top-level module name, and `creation.register_backend`. To add a
seam: only where the libraries truly differ; one `Dispatch` with its docstring in `seams`, and a row
in each file.
"""

from gpuscale.backends import (
    cudf_ops,
    cupy_ops,
    numpy_ops,
    pandas_ops,
    select_ops,
    transfer,
)  # they register rows

__all__ = ["cudf_ops", "cupy_ops", "numpy_ops", "pandas_ops", "select_ops", "transfer"]
