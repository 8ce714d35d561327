"""Logs of dask.distributed say in one line what happened, and the rest at level DEBUG."""

import asyncio
import logging

import pytest

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from distributed.client import AllExit  # noqa: E402

from gpuscale.base.errors import EngineError  # noqa: E402
from gpuscale.cluster.short_logs import leave_out_page, shorten_logs  # noqa: E402

NAMES = (
    "asyncio",
    "distributed.comm.utils",
    "distributed.core",
    "distributed.deploy.spec",
    "distributed.nanny",
    "distributed.worker",
    "distributed.worker.state_machine",
    "distributed.scheduler",
    "distributed.protocol.core",
    "distributed.protocol.pickle",
    "gpuscale.cluster",
)


@pytest.fixture
def records(monkeypatch):
    """What is logged, also where dask.distributed has its loggers hand nothing on."""
    found, levels = [], {name: logging.getLogger(name).level for name in NAMES}
    handler = logging.Handler()
    handler.emit = found.append
    for name in NAMES:
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "filters", [])
        monkeypatch.setattr(logger, "handlers", [handler])
        monkeypatch.setattr(logger, "propagate", False)
        logger.setLevel(logging.DEBUG)
    shorten_logs()
    shorten_logs()
    yield found
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def said(records):
    return [each.getMessage() for each in records]


FAILED = "Compute Failed\nKey:       %s\nState:     %s\nTask:  %s\nException: %r\nTraceback: %r\n"


def test_a_task_that_fails_is_one_line(records):
    worker = logging.getLogger("distributed.worker")
    worker.error(FAILED, ("k", 1), "executing", "<Task>", "ValueError('no luck')", "File ..." * 99)
    full, short = said(records)
    assert [each.levelname for each in records] == ["DEBUG", "ERROR"] and "\n" not in short
    assert short.startswith("the task ('k', 1) failed: ValueError('no luck'); its traceback")
    assert "File ..." * 99 in full


def test_long_lists_of_keys_are_cut(records):
    keys = {("name", i) for i in range(500)}
    logging.getLogger("distributed.scheduler").warning(f"Removing worker: {keys} (why)")
    full, short = said(records)
    assert len(short) < 420 and short.startswith("Removing worker") and short.endswith("(why)")
    assert str(keys) in full


def test_connections_that_end_have_no_traceback(records):
    try:
        raise OSError("in <TCP>: Stream is closed")
    except OSError:
        logging.getLogger("distributed.worker").exception("Failed to communicate.")
    assert said(records)[-1] == "Failed to communicate. (OSError: in <TCP>: Stream is closed)"
    assert [bool(each.exc_info) for each in records] == [True, False]


SENT = "Could not serialize object of type lock\nTraceback ...\nTypeError: cannot pickle 'lock'\n"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("protocol.pickle", AttributeError("local")),
        ("protocol.core", TypeError(SENT)),
        ("comm.utils", TypeError(SENT)),
        ("nanny", asyncio.CancelledError()),
    ],
)
def test_what_somebody_is_told_anyway_is_not_logged(records, name, error):
    log(name, "Failed to serialize", error)
    assert [each.levelname for each in records] == ["DEBUG"] and records[0].exc_info


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("protocol.core", TypeError("of a __setstate__"), "Failed to deserialize (TypeError: of a"),
        ("worker.state_machine", SystemExit(3), "Failed to deserialize (SystemExit: 3)"),
        ("worker", EngineError("no module"), "Failed to deserialize (no module)"),
        ("core", ValueError("of a __setstate__"), "Exception while reading from x (ValueError: of"),
    ],
)
def test_what_is_no_mistake_of_others_has_no_traceback(records, name, error, said):
    if isinstance(error, EngineError):
        cause, error = error, RuntimeError("did not start")
        error.__cause__ = cause
    log(name, said.partition(" (")[0], error)
    assert records[-1].getMessage().startswith(said)
    assert [bool(each.exc_info) for each in records] == [True, False]


def test_a_queue_that_was_empty_is_no_mistake(records):
    log("core", "Exception while handling op queue_get", TimeoutError())
    log("core", "Exception while handling op scatter", KeyError("a"))
    assert said(records)[-1] == "Exception while handling op scatter (KeyError: 'a')"
    assert [each.levelname for each in records] == ["DEBUG", "DEBUG", "ERROR"]


def test_a_dataset_that_is_there_is_told_to_who_publishes_it(records):
    log("publish", "'Dataset x already exists'", KeyError("Dataset x already exists"))
    log("core", "Exception while handling op publish_put", KeyError("Dataset x already exists"))
    assert [each.levelname for each in records] == ["DEBUG", "DEBUG"]


def test_a_page_that_is_not_there_is_nowhere(records):
    leave_out_page()
    logger = logging.getLogger("distributed.scheduler")
    for name in ("Scheduler", "dashboard"):
        logger.info("%11s at:  %25s", name, "127.0.0.1:1")
    assert [each.args[0] for each in records] == ["Scheduler"]
    logging.getLogger("distributed.worker").info("        dashboard at:      127.0.0.1:35037")
    assert len(records) == 1


def log(name, text, error):
    exc_info = (type(error), error, None)
    logging.getLogger(f"distributed.{name}").error(text, exc_info=exc_info)


def test_mistakes_of_others_keep_their_traceback(records):
    log("worker.state_machine", "Failed to deserialize", TypeError("of a __setstate__"))
    assert records[-1].exc_info


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deploy.spec", "Cluster closed without starting up"),
        ("nanny", "Worker process still alive after 4.0 seconds, killing"),
        ("scheduler", "Received heartbeat from unregistered worker 'tcp://127.0.0.1:1'."),
        (
            "worker.state_machine",
            "Async instruction for <Task cancelled name=\"execute('sleep-1')\" coro=<...>> ended "
            "with CancelledError",
        ),
    ],
)
def test_tasks_that_end_with_their_cluster_are_no_warning(records, name, text):
    logging.getLogger(f"distributed.{name}").warning(text)
    assert [(each.levelname, each.getMessage()) for each in records] == [("DEBUG", text)]


def test_futures_whose_gathering_was_interrupted_are_not_told_one_by_one(records):
    for error in (AllExit(), ValueError("no")):
        exc_info = (type(error), error, None)
        logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=exc_info)
    assert [each.exc_info[0] for each in records] == [ValueError]


def test_the_rest_is_as_it_was(records):
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("distributed.worker").exception("a mistake of %s", "ours")
    assert said(records) == ["a mistake of ours"] and records[0].exc_info
