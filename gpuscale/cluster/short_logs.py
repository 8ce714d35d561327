"""What dask.distributed logs in many lines, said in one; all of it is at level DEBUG of ours."""

from __future__ import annotations

import logging

__all__ = ["shorten_logs"]

_logger = logging.getLogger("gpuscale.cluster")

#: Characters of a key or of an exception that are worth reading in a log.
SOME = 200
#: Characters of a message: beyond these come the keys of many tasks.
MOST = 400

_LOGGERS = tuple(f"distributed.{name}" for name in ("client", "nanny", "scheduler", "worker"))


class _Short(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record; none is left out."""
        text = _in_short(record)
        if text is not None:
            _logger.debug("in full: %s", record.getMessage(), exc_info=record.exc_info)
            record.msg, record.args, record.exc_info = text, (), None
        return True


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
    if isinstance(error, OSError):  # the other side has closed the connection, or is gone
        return f"{_cut(text, MOST)} ({type(error).__name__}: {_cut(str(error))})"
    return _cut(text, MOST) if len(text) > MOST and not error else None


def _cut(text: str, most: int = SOME) -> str:
    """Leave the middle out of a long text.

    Examples
    --------
    >>> _cut("abcdefgh", 4)
    'abc ... h'
    """
    return text if len(text) <= most else f"{text[: most * 3 // 4]} ... {text[-(most // 4) :]}"


_SHORT = _Short()


def shorten_logs() -> None:
    """Have this process log in one line what fails, or ends, on a cluster."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_SHORT)  # once, however often it is said
