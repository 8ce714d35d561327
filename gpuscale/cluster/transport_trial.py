"""A program that ends with 0 if two endpoints of UCX exchange an array and it arrives intact.

`transport` runs it in a process of its own. It imports nothing of gpuscale, so that it starts fast.
"""

from __future__ import annotations

import asyncio
import sys

__all__ = ["exchange", "main"]

_LENGTH = 1 << 18  # longer than what UCX sends along with its first message


async def exchange() -> bool:
    """Send an array there and back, and say whether it is still the same."""
    import numpy as np
    import ucxx

    over = asyncio.Event()

    async def answer(endpoint: object) -> None:
        got = np.empty(_LENGTH, "u4")
        await endpoint.recv(got)  # type: ignore[attr-defined]
        await endpoint.send(got)  # type: ignore[attr-defined]
        over.set()

    sent = np.arange(_LENGTH, dtype="u4")
    back = np.zeros(_LENGTH, "u4")
    listener = ucxx.create_listener(answer)
    endpoint = await ucxx.create_endpoint(ucxx.get_address(), listener.port)
    await endpoint.send(sent)
    await endpoint.recv(back)
    await over.wait()
    return bool((sent == back).all())


def main() -> int:
    """Return the exit status."""
    if not asyncio.run(exchange()):
        print("an array arrived changed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
