import signal
import threading

import pytest

from gpuscale.base.interrupts import held_back


@pytest.fixture(autouse=True)
def ctrl_c_raises():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def press():
    signal.raise_signal(signal.SIGINT)


def test_it_comes_at_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        done.append(1)
    assert done == [1]


def test_the_second_one_goes_through():
    done = []
    with pytest.raises(KeyboardInterrupt) as caught, held_back():
        press()
        done.append(1)
        press()
        done.append(2)
    assert done == [1]
    assert caught.value.__context__ is None


def test_it_comes_after_an_error_too():
    with pytest.raises(KeyboardInterrupt) as caught, held_back():
        press()
        raise ValueError
    assert isinstance(caught.value.__context__, ValueError)


def test_a_handler_of_the_program_is_called():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with held_back():
            press()
            assert heard == []
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back():
            press()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_it_alone():
    found = []

    def look():
        with held_back():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
