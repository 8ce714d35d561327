"""HTML pages that stand alone: text, tables and figures of bokeh, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.diagnostics.files import write_atomically

__all__ = ["check_bokeh", "section", "table", "write_page"]

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; color: #1b2631; background: #fff;
       max-width: 1180px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 2em 0 .4em; }
table { border-collapse: collapse; margin: .5em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .15em .8em .15em 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #aab4be; font-weight: 600; }
td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; } .note { color: #5d6d7e; }
pre.error { background: #fdedec; border-left: 4px solid #c0392b; padding: .6em 1em;
            white-space: pre-wrap; }
"""


def check_bokeh(what: str) -> None:
    """Say how to get bokeh if it is not there.

    Raises
    ------
    ModuleNotFoundError
        Names the extra that brings it.
    """
    try:
        import bokeh.embed  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what} draws with bokeh, which is not installed; get it with the extra 'report': "
            "pip install 'gpuscale[report]'",
            name=error.name,
        ) from None


def section(title: str, *notes: str) -> str:
    """Head of a part of a page, with remarks below it.

    Examples
    --------
    >>> print(section("Tasks & workers", "two < three"))
    <h2>Tasks &amp; workers</h2>
    <p class="note">two &lt; three</p>
    """
    lines = [f"<h2>{escape(title)}</h2>"]
    return "\n".join([*lines, *(f'<p class="note">{escape(note)}</p>' for note in notes if note)])


def table(header: Sequence[str], rows: Iterable[Sequence[object]], text: int = 1) -> str:
    """Table of which the first `text` columns, and a last one called "line", are text.

    Examples
    --------
    >>> print(table(["operation", "tasks"], [["a<b", 3]]))
    <div class="scroll"><table><tr><th>operation</th><th class="number">tasks</th></tr>
    <tr><td>a&lt;b</td><td class="number">3</td></tr></table></div>
    """
    kinds = [
        "" if k < text or name == "line" else ' class="number"' for k, name in enumerate(header)
    ]

    def line(cells: Sequence[object], tag: str) -> str:
        parts = (
            f"<{tag}{kind}>{escape(str(cell))}</{tag}>"
            for cell, kind in zip(cells, kinds, strict=True)
        )
        return f"<tr>{''.join(parts)}</tr>"

    body = [line(header, "th")] if any(header) else []
    body += [line(row, "td") for row in rows]
    return '<div class="scroll"><table>' + "\n".join(body) + "</table></div>"


def write_page(path: PathLike, title: str, parts: Sequence[Any]) -> None:
    """Write a page of HTML texts and bokeh figures, in their order.

    The file is complete or, if something fails, as it was before.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources

    figures = [part for part in parts if not isinstance(part, str)]
    script, places = components(tuple(figures)) if figures else ("", ())
    rest = iter(places)
    body = "\n".join(part if isinstance(part, str) else next(rest) for part in parts)
    library = Resources(mode="inline", components=["bokeh"]).render() if figures else ""
    text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{library}\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n{script}\n</body>\n</html>\n"
    )
    write_atomically(path, text.encode())
