"""Whether an object may be sent to other processes with each task that reads it."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["LUGGAGE", "can_travel"]

#: Bytes of a pickle that a task may carry along; a path and its options are far below.
LUGGAGE = 1 << 20


def can_travel(value: Any) -> bool:
    """Whether something can be pickled, into so few bytes that it names data and holds none.

    Examples
    --------
    >>> import threading
    >>> can_travel(("a path", 3)), can_travel(threading.Lock()), can_travel(bytes(10 << 20))
    (True, False, False)
    """
    import cloudpickle  # which only those need who send something

    try:
        cloudpickle.CloudPickler(_Scale(), protocol=5).dump(value)
    except Exception:
        return False
    return True


class _Scale(io.RawIOBase):
    """A file that takes a little, and keeps nothing."""

    _left = LUGGAGE

    def write(self, data: Any) -> int:
        nbytes = memoryview(data).nbytes
        self._left -= nbytes
        if self._left < 0:
            raise OverflowError("more than a task may carry")
        return nbytes
