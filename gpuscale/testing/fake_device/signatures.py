"""Calls are checked against the parameters that CuPy's functions have."""

from __future__ import annotations

from functools import lru_cache
from inspect import Parameter, Signature
from typing import Any

from gpuscale.testing.fake_device.cupy_names import VERSION

__all__ = ["check_call"]

_KINDS = {"*": Parameter.VAR_POSITIONAL, "**": Parameter.VAR_KEYWORD}


@lru_cache(maxsize=1024)
def signature(text: str) -> Signature:
    """Read a signature from its short form in `cupy_names`.

    Examples
    --------
    >>> signature("a / axis= * out= **kw")
    <Signature (a, /, axis=None, *, out=None, **kw)>
    """
    found: list[Parameter] = []
    kind: Any = Parameter.POSITIONAL_OR_KEYWORD
    for word in text.split():
        name = word.lstrip("*").removesuffix("=")
        stars = word[: len(word) - len(word.lstrip("*"))]
        if word == "/":
            found = [p.replace(kind=Parameter.POSITIONAL_ONLY) for p in found]
        elif stars and name:
            found.append(Parameter(name, _KINDS[stars]))
        else:
            default = None if word.endswith("=") else Parameter.empty
            if name:
                found.append(Parameter(name, kind, default=default))
        if stars == "*":
            kind = Parameter.KEYWORD_ONLY
    return Signature(found)


def check_call(name: str, text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that CuPy does not take.

    Raises
    ------
    TypeError
    """
    if not kwargs and "*" not in text and len(args) == 1 and not text.startswith("*"):
        return
    try:
        signature(text).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}{signature(text)} of CuPy {VERSION}: {error}") from None
