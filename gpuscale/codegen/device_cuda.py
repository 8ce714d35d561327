"""Hand-written kernels on devices: through the launcher of the generated ones.

To it a hand-written kernel is a line of text that builds it, so that both are compiled, stored and
loaded in one way, and a stored one needs no Numba.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from gpuscale.backends.seams import to_host
from gpuscale.base.errors import BackendError
from gpuscale.codegen import launch_cuda
from gpuscale.codegen.cache import source_digest
from gpuscale.codegen.launch_cuda import Launcher, array_of
from gpuscale.kernels import device

__all__ = ["KernelDevice", "written"]

_TEXT = """\
# {digest}
from numpy import dtype
from gpuscale.kernels.{family}.kernels_cuda import build_{name}

kernel = build_{name}(*{constants!r})
"""


def written(kernel: device.Kernel, arguments: tuple[Any, ...]) -> launch_cuda.Kernel:
    """Write what builds a hand-written kernel, for arguments of these types.

    Examples
    --------
    >>> kernel = written(device.Kernel("rows", "scatter", (True,)), (np.zeros(3), 4, 0.5))
    >>> kernel.types
    ('float64[]', 'int64', 'float64')
    >>> kernel.text.splitlines()[-1]
    'kernel = build_scatter(*(True,))'
    """
    text = _TEXT.format(digest=_digest(), **kernel._asdict())
    return launch_cuda.Kernel(text, tuple(map(_type_of, arguments)))


@cache
def _digest() -> str:
    """Of all that may be in the text: a change there makes stored kernels useless."""
    return source_digest(["gpuscale.kernels"])


def _type_of(argument: Any) -> str:
    if isinstance(argument, float):
        return "float64"
    return array_of(argument.dtype) if hasattr(argument, "dtype") else "int64"


class KernelDevice:
    """What operations of `gpuscale.kernels` ask for, see `gpuscale.kernels.device.Device`.

    Parameters
    ----------
    launcher : Launcher
        Of generated kernels.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Make an array with any content."""
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        return self._launcher.empty(sizes, np.dtype(dtype))

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """Make an array full of zeros."""
        array = self.empty(shape, dtype)
        array.fill(0)
        return array

    def number(self, array: Any) -> int:
        """Copy the only element to the host, when all before it is done."""
        return int(to_host(array).reshape(-1)[0])

    def launch(self, kernel: device.Kernel, grid: int, block: int, *arguments: Any) -> None:
        """Run a kernel on the current stream.

        Raises
        ------
        BackendError
            If the kernel cannot be compiled or loaded here; a warning says why.
        """
        text = written(kernel, arguments)
        if not self._launcher.prepare(text):
            raise BackendError(
                f"this operation needs the CUDA kernel {kernel.family}.{kernel.name}, which cannot "
                "be compiled here: install 'gpuscale[cuda13]' or [cuda12], or compute on the CPU "
                "with like=numpy"
            )
        self._launcher.launch(text, (grid, 1), (block, 1), arguments)
