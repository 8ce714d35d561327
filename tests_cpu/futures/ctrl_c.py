"""Ctrl-C at every point of an operation where Python lets it through, one after the other."""

import dis
import itertools
import signal
import sys

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
    hook, sys.unraisablehook = sys.unraisablehook, lambda told: heard.append(told.exc_type)
    try:
        for k in itertools.count():
            point = _Point(k)
            try:
                point.run(operation)
            except KeyboardInterrupt:
                assert point.is_past
            if not point.is_past:
                return k
            check()
            assert set(heard) <= {KeyboardInterrupt}, heard
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)


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
                signal.raise_signal(signal.SIGINT)
            self.left -= 1
        name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        if name in _LOOKS:
            self.looks[frame] = not name.startswith("CALL"), self.entered
        return self.step
