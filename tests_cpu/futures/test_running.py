"""What becomes of tasks of a client: their order, retries, resources, errors, cancelling."""

from concurrent.futures import CancelledError, ThreadPoolExecutor

import numpy as np
import pytest

import gpuscale as gs
from gpuscale.base.errors import EngineError, NotSupportedError

from .tasks import SOON, Gate, fibonacci, square


def test_priorities_and_then_the_order_of_submission(lonely):
    gate, order = Gate(), []
    first = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    futures = [lonely.submit(order.append, k, pure=False) for k in range(3)]
    with gs.annotate(priority=2):
        futures.append(lonely.submit(order.append, "annotated", pure=False))
    futures.append(lonely.submit(order.append, "first", priority=10, pure=False))
    futures.append(lonely.submit(order.append, "last", priority=-1, pure=False))
    gate.open.set()
    gs.wait([first, futures], SOON)
    assert order == ["first", "annotated", 0, 1, 2, "last"]


def test_retries(client):
    answers = [ValueError("once"), ValueError("twice"), 7]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with gs.annotate(backoff=0.001):
        assert client.submit(flaky, retries=2).result(SOON) == 7
        answers[:] = [ValueError("once"), ValueError("twice"), 7]
        with pytest.raises(ValueError, match="twice"):
            client.submit(flaky, retries=1, pure=False).result(SOON)


def test_resources_are_scarce_and_those_that_do_not_exist_are_refused():
    with gs.Client(threads_per_worker=3, resources={"GPU": 1}) as client:
        gate, second = Gate(), Gate()
        one = client.submit(gate, 1, resources={"GPU": 1})
        two = client.submit(second, 2, resources={"GPU": 1})
        assert gate.begun.wait(SOON)
        assert client.submit(square, 3).result(SOON) == 9  # overtakes
        assert not second.begun.is_set()
        gate.open.set()
        second.open.set()
        assert client.gather([one, two]) == [1, 2]
        with pytest.raises(EngineError, match="asks for 2 of 'GPU'"):
            client.submit(square, 2, resources={"GPU": 2})
        with pytest.raises(EngineError, match="TPU"):
            client.map(square, [2, 3], resources={"TPU": 1})
        with pytest.raises(ValueError, match="retries"):
            client.submit(square, 2, retries=-1)
        assert client.submit(square, 2).result(SOON) == 4


def test_a_client_and_compute_share_what_is_scarce():
    with gs.Client(threads_per_worker=2, resources={"GPU": 1}) as client:
        gate = Gate()
        with gs.annotate(resources={"GPU": 1}):
            lazy = [gs.delayed(square)(k) for k in range(10)]
        with gs.annotate(resources={"GPU": 1}):
            running = client.submit(gate, 1)
        assert gate.begun.wait(SOON)
        computed = ThreadPoolExecutor(1).submit(gs.compute, lazy)
        with pytest.raises(TimeoutError):
            computed.result(0.02)
        gate.open.set()
        assert computed.result(SOON) == ([k * k for k in range(10)],)
        assert running.result(SOON) == 1
        assert client.submit(square, 3, resources={"GPU": 1}).result(SOON) == 9


def test_what_a_computation_beside_it_took_is_the_clients_again():
    gate = Gate()
    with gs.Client(threads_per_worker=2, memory_limit="10 MB") as client:
        state = client._session.job.state
        parts = [gs.delayed(np.ones)(1_000_000), *map(gs.delayed(square), range(4))]
        with ThreadPoolExecutor(1) as pool:
            beside = pool.submit(gs.delayed(gate)(*parts).compute)
            assert gate.begun.wait(SOON)
            client.submit(square, 1).result()
            assert state.budget[0] == 2_000_000
            gate.open.set()
            beside.result()
        client.submit(square, 2).result()
        assert state.budget[0] == 10_000_000


def test_a_task_that_takes_too_long_is_left_to_itself(lonely):
    gate = Gate()
    with gs.annotate(timeout=0.01):
        late = lonely.submit(gate)
        parent = lonely.submit(lambda: gs.get_client().submit(square, 3).result())
    assert isinstance(late.exception(SOON), TimeoutError)
    assert lonely.submit(square, 2).result(SOON) == 4
    gate.open.set()
    assert parent.exception(SOON) is None or isinstance(parent.exception(), TimeoutError)
    with gs.annotate(timeout=SOON):
        assert lonely.submit(fibonacci, 6).result(SOON) == 8


def test_an_error_arises_in_all_that_need_it_with_its_traceback(client):
    def culprit():
        raise KeyError("here")

    bad = client.submit(culprit)
    user = client.submit(square, client.submit(square, bad))
    for future in (bad, user, user):
        with pytest.raises(KeyError, match="here") as caught:
            future.result(SOON)
        assert caught.traceback[-1].name == "culprit"
        assert len(caught.traceback) < 8
    assert user.exception() is bad.exception()
    assert user.status == "error"
    assert bad.traceback().tb_frame.f_code.co_name == "culprit"
    assert client.submit(square, 2).result(SOON) == 4
    assert client.submit(square, bad, pure=False).exception(SOON) is bad.exception()
    assert "in operation culprit" in bad.exception().__notes__[0]
    assert "test_running.py" in bad.exception().__notes__[0]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_no_exception_is_an_error_too(client, error):
    def raises():
        raise error

    assert client.submit(raises).exception(SOON) is error
    assert client.submit(square, 2).result(SOON) == 4


def test_cancelled_is_what_has_not_begun_and_what_needs_it(lonely):
    gate, ran = Gate(), []
    running = lonely.submit(gate, 1)
    assert gate.begun.wait(SOON)
    waiting = lonely.submit(ran.append, 1)
    user = lonely.submit(square, waiting)
    lonely.cancel([waiting])
    waiting.cancel()
    gate.open.set()
    assert running.result(SOON) == 1
    assert [f.status for f in (running, waiting, user)] == ["finished", "cancelled", "cancelled"]
    assert waiting.cancelled() and waiting.done() and ran == []
    for future in (waiting, user):
        with pytest.raises(CancelledError):
            future.result(SOON)
        with pytest.raises(CancelledError):
            future.exception(SOON)
    with pytest.raises(CancelledError, match="was cancelled"):
        lonely.submit(square, waiting)
    with pytest.raises(CancelledError):
        lonely.gather([waiting])
    assert lonely.gather([waiting], errors="skip") == []
    assert lonely.submit(ran.append, 1).result(SOON) is None  # the same call once more
    assert ran == [1]


def test_a_running_task_that_is_cancelled_goes_on_unseen(lonely):
    gate = Gate()
    future = lonely.submit(gate, key="gate")
    assert gate.begun.wait(SOON)
    future.cancel()
    assert future.cancelled()
    again = lonely.submit(square, 3, key="gate")
    gate.open.set()
    assert again.result(SOON) == 9


def test_trying_again(client):
    answers = [ValueError("once"), 7]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    future = client.submit(flaky)
    user = client.submit(square, future)
    assert isinstance(user.exception(SOON), ValueError)
    user.retry()  # what it needs is tried again as well
    assert (user.result(SOON), future.result(SOON)) == (49, 7)
    answers[:] = [ValueError("once"), 5]
    computed = client.compute(gs.delayed(square)(gs.delayed(flaky)()))
    assert isinstance(computed.exception(SOON), ValueError)
    client.retry([computed])
    assert computed.result(SOON) == 25


def test_bad_input(client):
    with pytest.raises(TypeError, match="what to call, not 3"):
        client.submit(3, 4)
    with pytest.raises(TypeError, match="what to call"):
        client.map(None, [4])
    with pytest.raises(TypeError, match="annotation"), gs.annotate(retires=2):
        pass
    with pytest.raises(NotSupportedError, match="clusters"):
        gs.Client("tcp://localhost:8786")
    with pytest.raises(NotSupportedError, match="processes"):
        gs.Client(processes=True)
    with pytest.raises(NotSupportedError, match="actors"):
        client.submit(dict, actor=True)
    with pytest.raises(ValueError, match="threads_per_worker"):
        gs.Client(threads_per_worker=0)
    with gs.Client(threads_per_worker=1) as other:
        future = other.submit(square, 2)
        for call in (
            lambda: client.submit(square, [future]),
            lambda: client.cancel(future),
            lambda: client.retry([future]),
        ):
            with pytest.raises(ValueError, match="another client"):
                call()
        assert client.gather(future) == 4
