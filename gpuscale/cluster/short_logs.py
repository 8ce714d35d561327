"""What dask.distributed logs in many lines, said in one; all of it is at level DEBUG of ours."""

from __future__ import annotations

import asyncio
import logging

from distributed.client import AllExit

from gpuscale.base.errors import GpuscaleError

__all__ = ["cannot_be_sent", "leave_out_page", "shorten_logs"]

_logger = logging.getLogger("gpuscale.cluster")

#: Characters of a key or of an exception that are worth reading in a log.
SOME = 200
#: Characters of a message: beyond these come the keys of many tasks.
MOST = 400

_LOGGERS = tuple(
    f"distributed.{name}"
    for name in (
        "client", "comm.utils", "core", "deploy.spec", "nanny", "protocol.core", "protocol.pickle",
        "publish", "scheduler", "worker", "worker.state_machine",
    )
)  # fmt: skip

# The other side has closed the connection or is gone, or a call ends its worker: no mistakes.
_ENDS = (OSError, SystemExit, KeyboardInterrupt)

# A thread cannot be interrupted: a worker that closes leaves its tasks, and ends with its process.
_USUAL_ENDS = (
    "Cluster closed without starting up",
    "Worker process still alive after",
    "Async instruction for <Task cancelled",
    # Of one that was given up while it was busy: it hears so, and ends or joins again.
    "Received heartbeat from unregistered worker",
)


class _Short(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record, or leave it out where nothing is wrong that it tells."""
        if record.getMessage().startswith(_USUAL_ENDS) or _is_told(record):
            _logger.debug("%s", record.getMessage(), exc_info=record.exc_info)
            return False
        text = _in_short(record)
        if text is not None:
            _logger.debug("in full: %s", record.getMessage(), exc_info=record.exc_info)
            record.msg, record.args, record.exc_info = text, (), None
        return True


class _Interrupted(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Leave out what says only that nobody waits any more, once for each future."""
        return not (record.exc_info and isinstance(record.exc_info[1], AllExit))


class _NoPage(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Leave out where a page would be."""
        is_of_worker = record.getMessage().lstrip().startswith("dashboard at:")
        is_of_scheduler = isinstance(record.args, tuple) and record.args[:1] == ("dashboard",)
        return not (is_of_worker or is_of_scheduler)


def _in_short(record: logging.LogRecord) -> str | None:
    """Say what a record says in one line; None if it does already."""
    text = record.getMessage()
    if text.startswith("Compute Failed") and isinstance(record.args, tuple):
        key, _, _, raised, _ = map(str, record.args)
        return (
            f"the task {_cut(key)} failed: {_cut(raised)}; its traceback goes to whoever asks for "
            "its result"
        )
    error = record.exc_info[1] if record.exc_info else None
    if (ours := _ours(error)) is not None:
        return text if str(ours) in text else f"{_cut(text, MOST)} ({ours})"
    if isinstance(error, _ENDS) or (error and _goes_back(record)):
        return f"{_cut(text, MOST)} ({type(error).__name__}: {_cut(_reason(error))})"
    return _cut(text, MOST) if len(text) > MOST and not error else None


def _is_told(record: logging.LogRecord) -> bool:
    """Whether somebody is told anyway, or nobody waits for it any more.

    What cannot be pickled is told to whoever sends it, or asks for it; what a server did that
    closes is cancelled.
    """
    error = record.exc_info[1] if record.exc_info else None
    if error is None or isinstance(error, asyncio.CancelledError):
        return error is not None
    if isinstance(error, TimeoutError) and _says(record, "exception while handling op"):
        return True  # as of a queue that was empty
    is_publishing = record.name == "distributed.publish" or _says(
        record, "exception while handling op publish_"
    )
    if is_publishing and isinstance(error, KeyError):
        return True  # there is one of that name
    is_moved = record.name.startswith(_MOVING)
    return is_moved and (_says(record, "failed to serialize") or cannot_be_sent(error))


def _goes_back(record: logging.LogRecord) -> bool:
    """Whether whoever has sent something hears what came of it, with its traceback."""
    is_unread = record.name.startswith(_MOVING) and _says(record, "failed to deserialize")
    return is_unread or (record.name == "distributed.core" and _says(record, "exception while "))


def _says(record: logging.LogRecord, words: str) -> bool:
    return record.getMessage().lower().startswith(words)


_MOVING = ("distributed.protocol.", "distributed.comm.")


def _ours(error: BaseException | None) -> BaseException | None:
    """Find what we have raised among an exception and its causes: it says all there is to say."""
    while error is not None and not isinstance(error, GpuscaleError):
        error = error.__cause__
    return error


def cannot_be_sent(error: BaseException) -> bool:
    """Whether an error is what dask.distributed says of objects that cannot be pickled."""
    said = error.args[0] if isinstance(error, TypeError) and error.args else ""
    return str(said).startswith("Could not serialize")


def _reason(error: BaseException) -> str:
    """Say what an error says, without the traceback that it quotes."""
    lines = str(error).splitlines()
    return f"{lines[0]}: {lines[-1]}" if len(lines) > 1 else str(error)


def _cut(text: str, most: int = SOME) -> str:
    """Leave the middle out of a long text.

    Examples
    --------
    >>> _cut("abcdefgh", 4)
    'abc ... h'
    """
    return text if len(text) <= most else f"{text[: most * 3 // 4]} ... {text[-(most // 4) :]}"


_SHORT, _INTERRUPTED, _NO_PAGE = _Short(), _Interrupted(), _NoPage()


def shorten_logs() -> None:
    """Have this process log in one line what fails, or ends, on a cluster."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_SHORT)  # once, however often it is said
    logging.getLogger("asyncio").addFilter(_INTERRUPTED)


def leave_out_page() -> None:
    """Have servers without a page log none: what listens there tells only how they are."""
    for name in ("scheduler", "worker"):
        logging.getLogger(f"distributed.{name}").addFilter(_NO_PAGE)
