"""Names of expressions and delayed calls that every process finds again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from gpuscale.base.steady import Steady
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Call
from gpuscale.graph.handle import Handle, whole_key

__all__ = ["steady_tokens"]


def steady_tokens(roots: Iterable[Node | Handle]) -> list[str]:
    """Return tokens of nodes and delayed calls by what they compute, not by their keys.

    Equal calls with keys of their own are counted, in the order in which the roots lead to them:
    ten calls of a function that returns a random number are ten results.

    Raises
    ------
    CheckpointError
        Something has no token that another process would find again.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> one, two = (steady_tokens([Handle(Task(key, abs, (), (-1,)))]) for key in "ab")
    >>> one == two
    True
    """
    roots = list(roots)
    known: dict[Any, str] = {}
    seen: Counter[str] = Counter()
    steady = Steady(known)
    stack = [*reversed(roots)]
    while stack:  # a chain may be longer than Python's stack is deep
        item = stack[-1]
        if _name(item) in known:
            stack.pop()
            continue
        missing = [each for each in _children(item) if _name(each) not in known]
        if missing:
            stack += reversed(missing)
            continue
        stack.pop()
        if isinstance(item, Node):
            known[item.token] = steady.token(type(item).__qualname__, *item.operands)
        else:
            known[item.key] = _of_call(item, steady, known, seen)
    return [known[_name(each)] for each in roots]


def _name(item: Node | Handle) -> Any:
    return item.token if isinstance(item, Node) else item.key


def _children(item: Node | Handle) -> Iterator[Node | Handle]:
    if isinstance(item, Handle):
        for parent in item._parents:
            yield parent if isinstance(parent, Handle) else parent.expr
        return
    yield from item.children
    if isinstance(item, Call) and hasattr(item.function, "handle"):
        yield item.function.handle


def _of_call(handle: Handle, steady: Steady, known: dict[Any, str], seen: Counter[str]) -> str:
    for parent in handle._parents:
        if not isinstance(parent, Handle):
            known[whole_key(parent)] = known[parent.expr.token]
    if handle._stands_for is not None:
        return known[handle._stands_for.key]
    task = handle._task
    token = steady.token("call", task.fn, [known[dep] for dep in task.deps], task.args)
    seen[token] += 1
    return token if seen[token] == 1 else steady.token(token, seen[token])
