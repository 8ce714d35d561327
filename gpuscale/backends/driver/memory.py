"""The memory of the device that this process would have, known before it has one."""

from __future__ import annotations

import os
from functools import lru_cache

from gpuscale.backends.driver.nvml import ask_driver
from gpuscale.backends.driver.visible import select

__all__ = ["visible_memory"]


@lru_cache(maxsize=1)  # a driver with many devices takes a while to answer
def visible_memory() -> int | None:
    """Return the bytes of the smallest device, or part of one, that CUDA would show this process.

    None where the driver tells of none. Which of several devices CUDA takes is only known in a
    context, and plans that keep to the smallest fit each of them.
    """
    driver = ask_driver()
    sizes: dict[str, int | None] = {}
    for device in driver.devices:
        parts = {str(part.uuid): part.memory_total for part in device.instances}
        known = [size for size in parts.values() if size is not None]
        sizes |= parts | {f"GPU {device.index}": min(known, default=device.memory_total)}
    chosen = [sizes.get(name) for name in select(os.environ, driver.devices).chosen]
    return min((size for size in chosen if size is not None), default=None)
