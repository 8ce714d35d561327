"""Ctrl-C at every point of an operation where Python lets it through, one after the other."""

import dis
import itertools
import signal
import sys
import time

from .tasks import SOON

__all__ = ["press_at_each_point"]

# After these the interpreter looks for signals: calls that are no Python functions (those look
# when they begin), the beginning of a function, and the way back of a loop.
_LOOKS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX", "RESUME", "JUMP_BACKWARD"}


def press_at_each_point(operation, check, handle=signal.default_int_handler):
    """Call an operation again and again, and press Ctrl-C at its first, second ... point.

    After each call that it ended, `check` is called. Returns how many these were.
    """
    before = signal.signal(signal.SIGINT, handle)
    heard = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda told: heard.append(_where(told))
    try:
        for k in itertools.count():
            point, n_heard = _Point(k), len(heard)
            try:
                point.run(operation)
                if point.is_past and handle is signal.default_int_handler:
                    if len(heard) == n_heard:  # it met the end of a future, and comes again
                        time.sleep(SOON)
                    assert len(heard) > n_heard, "a Ctrl-C was lost"
            except KeyboardInterrupt:
                assert point.is_past
            if not point.is_past:
                return k
            check()
            assert set(heard) <= UNHEARD, heard
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)


# Where nobody can catch it: at the beginning of what Python calls when a future goes.
UNHEARD = {(KeyboardInterrupt, "_lose", 0)}


def _where(told):
    """Say in which function Python ignored an exception, and in which of its lines."""
    frame, line = told.exc_traceback.tb_frame, told.exc_traceback.tb_lineno
    return told.exc_type, frame.f_code.co_name, line - frame.f_code.co_firstlineno


class _Point:
    def __init__(self, k):
        self.left, self.is_past = k, False
        self.looks, self.entered = {}, 0

    def run(self, operation):
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # else Python 3.12 has them begin late
        sys.settrace(self.enter)
        try:
            operation()
        finally:
            sys.settrace(before)

    def enter(self, frame, event, arg):
        if self.is_past or "gpuscale" not in frame.f_code.co_filename + frame.f_code.co_name:
            module = frame.f_globals.get("__name__", "")
            if self.is_past or module not in ("threading", "queue", "concurrent.futures._base"):
                return None
        self.entered += 1
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        if sys.version_info >= (3, 12):  # where nobody is told of RESUME
            self.looks[frame] = True, self.entered
        return self.step

    def step(self, frame, event, arg):
        if event != "opcode" or self.is_past:
            return self.step
        found = self.looks.pop(frame, None)
        if found is not None and (found[0] or found[1] == self.entered):
            if self.left == 0:
                self.is_past = True
                sys.settrace(None)  # who traces would hear of a Ctrl-C that comes a moment later
                signal.raise_signal(signal.SIGINT)
            self.left -= 1
        name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        if name in _LOOKS:
            self.looks[frame] = not name.startswith("CALL"), self.entered
        return self.step
