"""Expressions as text: ``df.query("x > @least")``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame
from gpuscale.dataframe.methods import SERIES_METHODS, Method
from gpuscale.dataframe.nodes.partwise import Rows
from gpuscale.dataframe.operators import FLEXIBLE
from gpuscale.dataframe.scalar import Scalar
from gpuscale.expr.node import user_frame

__all__: list[str] = []


@dataclass(frozen=True)
class Expression:
    """Evaluate an expression of columns and of variables, whose values are operands."""

    method: str
    names: tuple[str, ...]

    def __call__(
        self, partition: Any, expression: str, *values: Any, local_dict: Any, **options: Any
    ) -> Any:
        """Call pandas."""
        local = {**local_dict, **dict(zip(self.names, values, strict=True))}
        return Method(self.method)(partition, expression, local_dict=local, **options)


def evaluated(x: Any, method: str, expression: str, options: dict[str, Any], rows: Rows) -> Any:
    """Answer ``query`` and ``eval``; values that are not computed yet are variables as others."""
    _check_calls(expression)
    expression, local = _looked_up(expression, options.get("local_dict") or {})
    if not local:
        return call(Method(method), (x, expression), options, method, rows)
    whole = [name for name, value in local.items() if isinstance(value, Frame)]
    shared = [local[name].repartition(npartitions=1) for name in whole]
    lazy = [name for name, value in local.items() if isinstance(value, Scalar)]
    plain = {name: value for name, value in local.items() if name not in (*whole, *lazy)}
    options = {**options, "local_dict": plain}
    if not whole and not lazy:
        return call(Method(method), (x, expression), options, method, rows)
    values = (*shared, *(local[name] for name in lazy))
    function = Expression(method, (*whole, *lazy))
    return call(function, (x, expression, *values), options, method, rows, shared=shared)


# ------------------------------------------------------------------ variables

_TEXT = r"'[^']*'|\"[^\"]*\"|`[^`]*`"
_VARIABLE = re.compile(
    rf"{_TEXT}|@(?P<name>[A-Za-z_]\w*)(?:(?P<path>(?:\.[A-Za-z_]\w*(?:\(\s*\))?)+)(?![\w(.]))?"
)


def _looked_up(expression: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return an expression with all its variables, of those of the user's function as well.

    What is asked of a variable without arguments, as in ``@other.x.max()``, is a variable of its
    own: it is the same for all partitions, and may be lazy.

    Raises
    ------
    NameError
        If there is no such variable.
    """
    frame = user_frame()
    around = {} if frame is None else {**frame.f_globals, **frame.f_locals}
    local = dict(given)

    def named(match: re.Match[str]) -> str:
        name, path = match["name"], match["path"]
        if name is None:
            return match[0]
        if name not in given and name not in around:
            raise NameError(f"local variable {name!r} is not defined")
        value = given[name] if name in given else around[name]
        if path is not None:
            name = f"{name}_{len(local)}_"
            value = _asked(value, path)
        local[name] = value
        return f"@{name}"

    return _VARIABLE.sub(named, expression), local


def _asked(value: Any, path: str) -> Any:
    for step in path.removeprefix(".").split("."):
        value = getattr(value, step.partition("(")[0])
        value = value() if step.endswith(")") else value
    return value


# ------------------------------------------------------------------ methods

_CALL = re.compile(r"\.\s*([A-Za-z_]\w*)\s*\(")
_OF_OTHERS = re.compile(r"(@[\w.]*|\.(str|dt|cat))$")
_OF_ELEMENTS = frozenset((*SERIES_METHODS, *FLEXIBLE)) - {"map", "stack"}


def _check_calls(expression: str) -> None:
    """Refuse methods that are not of each element by itself: expressions see single partitions.

    Raises
    ------
    NotSupportedError
        If the expression calls a method that says something of all rows.
    """
    bare = re.sub(_TEXT, "''", expression)
    for match in _CALL.finditer(bare):
        name = match[1]
        if name not in _OF_ELEMENTS and not _OF_OTHERS.search(bare[: match.start()]):
            raise NotSupportedError(
                f"{name}() in an expression would see one partition at a time: compute() what it "
                "says of all rows before, and name that by @"
            )
