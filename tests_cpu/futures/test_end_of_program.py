"""The end of a program: whatever runs then, and however it comes, Python ends."""

import subprocess
import sys
import textwrap

import pytest

HEAD = """
    import atexit, sys, time
    import gpuscale as gs
    import gpuscale.array as ga

    def job(i):
        time.sleep(0.02)
        return i

    def main(delay):
        client = gs.Client(threads_per_worker=8)
        futures = client.map(job, range(4))
        time.sleep(delay)
        {}["no"]

    class AtTheEnd:
        # In a cycle, which Python takes apart when no thread is alive any more.
        def __init__(self, call):
            self.call, self.me = call, self

        def __del__(self):
            assert sys.is_finalizing()
            try:
                print(self.call(), flush=True)
            except (RuntimeError, ImportError) as error:
                print(error, flush=True)

    def ask(client):
        return client.submit(job, 7).result()
"""

FAILING = {
    "in a function": "main(DELAY)",
    "in the file": """
        client = gs.Client(threads_per_worker=2)
        futures = client.map(time.sleep, [0.3] * 20, pure=False)
        time.sleep(DELAY)
        {}["no"]
    """,
    "with an executor": """
        client = gs.Client(threads_per_worker=2)
        futures = [client.submit(time.sleep, 0.02) for _ in range(9)]
        fired = list(client.get_executor().map(job, range(2))), client.map(job, range(5))
        time.sleep(DELAY)
        {}["no"]
    """,
    "with fired tasks": """
        client = gs.Client(threads_per_worker=2)
        futures = client.map(job, range(9))
        gs.fire_and_forget(client.map(job, range(10, 12)))
        time.sleep(DELAY)
        {}["no"]
    """,
    "with results on disk": """
        import numpy as np
        client = gs.Client(threads_per_worker=2, memory_limit="1 MiB")
        futures = client.map(np.full, [40_000] * 9, range(9))
        time.sleep(DELAY)
        {}["no"]
    """,
    "while arrays are computed": """
        client = gs.Client(threads_per_worker=2)
        lazy = [ga.ones((200, 200), chunks=50).map_blocks(np.copy) for _ in range(3)]
        futures = client.compute(lazy)
        time.sleep(DELAY)
        {}["no"]
    """.replace("np.copy", "lambda x: x + job(1)"),
    "while it is watched": """
        from gpuscale.diagnostics import Profiler, ResourceProfiler
        client = gs.Client(threads_per_worker=2)
        Profiler().register(), ResourceProfiler(dt=0.01).register()
        futures = client.map(job, range(9))
        time.sleep(DELAY)
        {}["no"]
    """,
}


def run(body, **texts):
    program = textwrap.dedent(HEAD) + textwrap.dedent(body)
    for name, text in texts.items():
        program = program.replace(name, text)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, timeout=60, capture_output=True, text=True)


@pytest.mark.parametrize("case", FAILING)
def test_a_program_that_fails_ends(case):
    for delay in ("0", "0.01"):
        done = run(FAILING[case], DELAY=delay)
        assert done.stderr.splitlines()[-1] == "KeyError: 'no'"
        assert done.stderr.count("Traceback") == 1


@pytest.mark.parametrize("case", FAILING)
def test_a_program_that_ends_while_tasks_run_says_nothing(case):
    done = run(FAILING[case], **{"DELAY": "0.003", '{}["no"]': "pass"})
    assert (done.stderr, done.returncode) == ("", 0)


LATE = {
    "client.close()": "None",
    "client.cancel(futures)": "None",
    "futures[-1].result()": "the program is at its end",
    "ask(client)": "",  # an error, of whatever fails first
    "client.nbytes()": "the program is at its end",
    "ga.ones(4000, chunks=100).sum().compute()": "",
    "gs.Client(threads_per_worker=2).close()": "None",
}


@pytest.mark.parametrize("call", LATE)
def test_what_comes_when_no_thread_is_alive_does_not_wait(call):
    done = run(
        f"""
        client = gs.Client(threads_per_worker=2)
        futures = client.map(time.sleep, [0.3] * 20, pure=False)
        last = AtTheEnd(lambda: {call})
        """
    )
    assert done.stdout.startswith(LATE[call])
    assert (done.stderr, done.returncode) == ("", 0)


def test_functions_of_atexit_may_compute():
    done = run(
        """
        client = gs.Client(threads_per_worker=2)
        client.submit(job, 1).result()
        atexit.register(lambda: print(ask(client), ga.ones(4000, chunks=100).sum().compute()))
        """
    )
    assert (done.stdout, done.stderr) == ("7 4000.0\n", "")
