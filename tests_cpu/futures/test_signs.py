"""What locks, events and semaphores are made of, where threads come in each other's way."""

import threading
from collections import deque

from gpuscale.futures.signs import Sign


class Vanishing(deque):
    """Not empty when it is looked at; by then who waited has given up."""

    def __bool__(self):
        return True


def test_who_gives_up_at_the_moment_of_the_sign_is_nobodys_error():
    sign = Sign()
    sign._waiting = Vanishing()
    sign.give()
    assert sign.is_given


def test_all_who_wait_go_on():
    sign, went = Sign(), []
    threads = [
        threading.Thread(target=lambda: went.append(sign.wait(20)), daemon=True) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    sign.give()
    for thread in threads:
        thread.join(20)
    assert went == [True] * 5 and not sign._waiting
