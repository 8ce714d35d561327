"""Tasks that tests of clients submit."""

import threading

import gpuscale as gs

SOON = 20  # seconds in which anything ends, on any machine


class Gate:
    """A task that begins when it begins, and ends when it is told to."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()
        self.__name__ = "gate"

    def __call__(self, value=None, *_):
        self.begun.set()
        assert self.open.wait(SOON)
        return value


def square(n):
    return n * n


def fibonacci(n):
    if n < 2:
        return n
    client = gs.get_client()
    return sum(client.gather([client.submit(fibonacci, n - 1), client.submit(fibonacci, n - 2)]))
