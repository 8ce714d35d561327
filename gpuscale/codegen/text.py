"""Lines of a generated kernel, indented as they are put."""

from __future__ import annotations

__all__ = ["Text"]


class Text:
    """Lines that grow.

    Examples
    --------
    >>> text = Text()
    >>> with text.block("if x:"):
    ...     text.put("y = 1")
    >>> text.lines
    ['if x:', '    y = 1']
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0

    @property
    def source(self) -> str:
        """All lines, as the source of a module."""
        return "\n".join([*self.lines, ""])

    def put(self, text: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.depth + text)

    def block(self, head: str) -> _Indent:
        """Add a line and indent those that come inside ``with``."""
        self.put(head)
        return _Indent(self)


class _Indent:
    def __init__(self, text: Text) -> None:
        self.text = text

    def __enter__(self) -> None:
        self.text.depth += 1

    def __exit__(self, *_: object) -> None:
        self.text.depth -= 1
