"""Pictures of expressions and of the tasks they become, as SVG and PNG."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key, PathLike
from gpuscale.diagnostics.colouring import Colouring, colour_tasks
from gpuscale.diagnostics.files import write_atomically
from gpuscale.diagnostics.layered import Layout, Point, place
from gpuscale.diagnostics.plan import owner_of
from gpuscale.diagnostics.wording import bracketed, line_of
from gpuscale.expr import stages
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Physical, Sink
from gpuscale.expr.walk import toposort
from gpuscale.graph.build import block_keys
from gpuscale.graph.calls import calls_behind
from gpuscale.graph.handle import Handle
from gpuscale.graph.task import Graph, Task

__all__ = ["MAX_BOXES", "Drawing", "draw", "draw_graph"]

MAX_BOXES = 400  # more than this nobody can read

# Fill and border by kind of node; what users wrote has no kind yet, but may read nothing.
COLOURS = {
    "Source": ("#d9f2e1", "#2e8b57"),
    "Blockwise": ("#dceafa", "#2f6fb3"),
    "TreeReduce": ("#fdebd0", "#c77c11"),
    "Exchange": ("#eadcf7", "#7d3cad"),
    "Call": ("#fadbd8", "#b03a2e"),
    "Sink": ("#e5e7e9", "#5d6d7e"),
}
BORDER = "#34495e"  # of tasks whose colours mean something else
LEAF, INNER = COLOURS["Source"], COLOURS["Blockwise"]

LINE = 16.0  # pixels from one line of text to the next
LETTER, BOLD = 7.2, 8.2  # mean widths of letters at 12 pixels, of a wide font
LONGEST = 40  # letters of a line; operations beyond are counted
MARGIN = 12.0


@dataclass(frozen=True)
class _Box:
    """What is drawn for one node or task: lines of text, the kind, what the pointer shows."""

    lines: tuple[str, ...]
    kind: str
    hint: str
    colours: tuple[str, str]


class Drawing:
    """A picture that notebooks show and that can be written to a file.

    Parameters
    ----------
    svg : str
    """

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<drawing, {len(self.svg):,} characters of SVG; save it with .save(filename)>"

    def save(self, filename: PathLike, format: str | None = None) -> None:
        """Write the picture to a file.

        Parameters
        ----------
        filename : str or path
        format : {"svg", "png"}, optional
            By default the ending of the file's name, "svg" where it has none.

        Raises
        ------
        ValueError
            If the format is another one.
        ModuleNotFoundError
            If a PNG is asked for and the package resvg-py is not installed.
        """
        path = Path(filename)
        format = format or path.suffix[1:].lower() or "svg"
        if format == "svg":
            write_atomically(path, self.svg.encode())
        elif format == "png":
            write_atomically(path, self.to_png())
        else:
            raise ValueError(f"cannot write {format!r}; formats are 'svg' and 'png'")

    def to_png(self) -> bytes:
        """Return the picture as PNG, drawn by the package resvg-py.

        Letters come from the system's fonts: Helvetica, Arial or DejaVu Sans, whichever is there.

        Raises
        ------
        ModuleNotFoundError
            If that package is not installed.
        """
        try:
            import resvg_py
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "PNG pictures need the package resvg-py: pip install resvg-py; "
                "SVG pictures need nothing, write one with filename='plan.svg'",
                name=error.name,
            ) from None
        return bytes(resvg_py.svg_to_bytes(svg_string=self.svg))


def draw(
    nodes: Sequence[Node],
    kind: str = "graph",
    stage: str = "fuse",
    color: str | None = None,
    handles: Sequence[Handle] = (),
) -> Drawing:
    """Draw expressions and delayed values, inputs on top, results at the bottom.

    Parameters
    ----------
    nodes : sequence of Node
    kind : {"graph", "expression"}
        One box for each task, or one for each node.
    stage : {"expression", "simplify", "lower", "fuse"}
        Last stage of optimization before drawing. Tasks exist from "lower" on.
    color : {"order", "memory", "worker"}, optional
        What the colours of tasks mean; by default the kind of the node that a task belongs to.
    handles : sequence of Handle, optional
        Delayed values, whose tasks are drawn as well.

    Raises
    ------
    ValueError
        If there is no such kind, stage or colour, more boxes than anyone can read, or an expression
        is asked for of what has none.
    """
    if kind not in ("graph", "expression"):
        raise ValueError(f"no kind {kind!r} of drawing; kinds are 'graph' and 'expression'")
    if kind == "graph" and stage in ("expression", "simplify"):
        raise ValueError(
            f"there are no tasks at stage {stage!r} yet; use stage='lower' or stage='fuse', "
            "or kind='expression'"
        )
    if kind == "expression" and color is not None:
        raise ValueError(f"color={color!r} is for tasks; leave out kind='expression'")
    if kind == "graph":
        return _draw_tasks(nodes, stage, color, handles)
    if handles:
        raise ValueError("delayed values are tasks and have no expression; use kind='graph'")
    nodes = list(dict.fromkeys(stages.optimize(nodes, stage)))
    return Drawing(_svg(*_expressions(nodes), _inlined(nodes)))


def _draw_tasks(
    nodes: Sequence[Node], stage: str, color: str | None, handles: Sequence[Handle]
) -> Drawing:
    calls = calls_behind(handles, nodes)
    roots, arguments = calls.optimize(nodes, stage)
    keys = dict.fromkeys(key for root in roots for key in block_keys(root))
    keys.update(dict.fromkeys(handle.key for handle in handles))
    owners = {node.task_prefix: node for node in toposort([*roots, *arguments])}
    return draw_graph(calls.build(roots, arguments), list(keys), color, owners)


def draw_graph(
    graph: Graph,
    keys: Sequence[Key],
    color: str | None = None,
    owners: Mapping[str, Node] = MappingProxyType({}),
) -> Drawing:
    """Draw tasks, inputs on top, results at the bottom.

    Parameters
    ----------
    graph : dict of Key to Task
    keys : sequence of Key
        Results that a computation would ask for.
    color : {"order", "memory", "worker"}, optional
        What colours mean; by default the kind of node in `owners`.
    owners : mapping of str to Node
        By the first part of the keys of their tasks.
    """
    advice = "draw a part of them, as those of a computation with fewer calls"
    if owners:
        advice = "draw kind='expression', or the same computation with fewer chunks"
    _check_size(len(graph), "tasks", advice)
    colouring = None if color is None else colour_tasks(graph, keys, color)
    boxes = {key: _task_box(key, task, owners, colouring) for key, task in graph.items()}
    inputs = {key: list(task.deps) for key, task in graph.items()}
    return Drawing(_svg(boxes, inputs, set(), colouring))


def _check_size(count: int, what: str, advice: str) -> None:
    if count > MAX_BOXES:
        raise ValueError(f"{count:,} {what} are more than anyone can read ({MAX_BOXES}); {advice}")


def _expressions(
    roots: Sequence[Node],
) -> tuple[dict[Any, _Box], dict[Any, list[Any]]]:
    order = list(toposort(roots))
    _check_size(len(order), "nodes", "draw a part of the expression")
    boxes = {node.token: _node_box(node) for node in order}
    return boxes, {node.token: [child.token for child in node.children] for node in order}


def _node_box(node: Node) -> _Box:
    meta = node.meta
    lines = [_short(node.name)]
    lines.append(f"{bracketed(meta.shape)} {meta.kind}".strip())
    blocks = math.prod(meta.numblocks)
    grid = f"{' × '.join(map(str, meta.numblocks))} = " if meta.ndim > 1 and blocks > 1 else ""
    lines.append(f"{grid}{blocks:,} block{'s' * (blocks != 1)}{_block_size(node)}")
    physical = isinstance(node, Physical)
    kind = type(node).__name__ if physical else ""
    colours = COLOURS[kind] if physical else (INNER if node.children else LEAF)
    return _Box(tuple(lines), kind, _hint(node.name, node.origin), colours)


def _block_size(node: Node) -> str:
    if isinstance(node, Sink) or node.meta.dtype.names:  # partials of a reduction are small
        return ""
    nbytes = node.meta.block_nbytes((0,) * node.meta.ndim)
    return "" if nbytes is None else f" of {format_bytes(nbytes)}"


def _inlined(roots: Sequence[Node]) -> set[tuple[str, str]]:
    """Edges to what is evaluated inside the task that reads it."""
    return {
        (each.node.token, node.token)
        for node in toposort(roots)
        if isinstance(node, Blockwise)
        for each in node.inputs
        if each.inline
    }


def _task_box(
    key: Key, task: Task, owners: Mapping[str, Node], colouring: Colouring | None
) -> _Box:
    name, *index = key if isinstance(key, tuple) else (key,)
    owner = owner_of(name, owners)
    kind = type(owners[owner]).__name__ if owner is not None else ""
    label = task.label or name.partition("-")[0]
    lines = (_short(label), f"block {bracketed(index)}", format_bytes(task.nbytes))
    hint = _hint(f"{key!r}: {task.label}", task.origin)
    if colouring is None:
        return _Box(lines, kind, hint, COLOURS.get(kind, INNER))
    note = colouring.notes.get(key, "")
    return _Box((*lines, note), kind, hint, (colouring.fills.get(key, "white"), BORDER))


def _hint(name: str, origin: tuple[str, int] | None) -> str:
    """Say in full what a box stands for; of the user's line, only the file's own name."""
    return name if origin is None else f"{name}\n{line_of(origin)}"


def _short(operations: str) -> str:
    """Operations of a fused node, those that come more than once counted."""
    counts = Counter(operations.split("+"))
    words = [name if n == 1 else f"{n}·{name}" for name, n in counts.items()]
    text = " + ".join(words)
    while len(text) > LONGEST and len(words) > 2:
        middle = len(words) // 2
        words = [*words[: middle - (words[middle] == "…")], "…", *words[middle + 1 :]]
        text = " + ".join(words)
    return text


def _svg(
    boxes: Mapping[Any, _Box],
    inputs: Mapping[Any, Sequence[Any]],
    dashed: set[tuple[Any, Any]],
    colouring: Colouring | None = None,
) -> str:
    lines = max((len(box.lines) + bool(box.kind) for box in boxes.values()), default=0)
    height = lines * LINE + 14
    widths = {key: _width(box) for key, box in boxes.items()}
    layout = place(inputs, widths, height)
    parts = [_edge(path, ends in dashed) for ends, path in layout.paths.items()]
    parts += [_rectangle(box, widths[key], height, layout, key) for key, box in boxes.items()]
    right, bottom = layout.width, layout.height
    if colouring is not None:
        legend, right = _legend(colouring, bottom + LINE, right)
        parts.append(legend)
        bottom += 3.5 * LINE
    width, tall = (math.ceil(size + 2 * MARGIN) for size in (right, bottom))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{tall}" '
            f'viewBox="{-MARGIN:g} {-MARGIN:g} {width} {tall}" '
            'font-family="Helvetica, Arial, DejaVu Sans, sans-serif" '
            'font-size="12" text-anchor="middle">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker></defs>',
            f'<rect x="{-MARGIN:g}" y="{-MARGIN:g}" width="{width}" height="{tall}" rx="6" '
            'fill="white"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _text(text: str) -> str:
    """Text between tags, where quotes mean nothing."""
    return escape(text, quote=False)


def _legend(colouring: Colouring, top: float, width: float) -> tuple[str, float]:
    """Draw what colours mean below all boxes; return the width of the whole, too."""
    swatch = 26.0
    x, parts = 0.0, []
    title = f'<text x="0" y="{top + 12:.1f}" text-anchor="start">{_text(colouring.title)}</text>'
    for fill, name in colouring.legend:
        wide = max(swatch, LETTER * len(name) + 10)
        parts.append(
            f'<rect x="{x:.1f}" y="{top + 18:.1f}" width="{wide:.1f}" height="18" fill="{fill}" '
            f'stroke="{BORDER}"/><text x="{x + wide / 2:.1f}" y="{top + 31:.1f}">'
            f"{_text(name)}</text>"
        )
        x += wide
    return f'<g class="legend">{title}{"".join(parts)}</g>', max(
        width, x, LETTER * len(colouring.title)
    )


def _width(box: _Box) -> float:
    title, *others = box.lines
    return max(BOLD * len(title), LETTER * max(map(len, (*others, box.kind)))) + 20


def _edge(path: Sequence[Point], dashed: bool) -> str:
    """Draw one edge as curves with vertical tangents."""
    (x, y), *rest = path
    curve = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        curve.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<path class="edge" d="{"".join(curve)}" fill="none" stroke="#7b8794" '
        f'marker-end="url(#tip)"{dashes}/>'
    )


def _rectangle(box: _Box, width: float, height: float, layout: Layout, key: Any) -> str:
    x, y = layout.centers[key]
    fill, border = box.colours
    lines = [*box.lines, box.kind] if box.kind else list(box.lines)
    top = y - len(lines) * LINE / 2 + 12
    text = "".join(
        f'<text x="{x:.1f}" y="{top + k * LINE:.1f}"{_style(k, box, border)}>{_text(line)}</text>'
        for k, line in enumerate(lines)
    )
    return (
        f'<g class="box"><title>{_text(box.hint)}</title><rect x="{x - width / 2:.1f}" '
        f'y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" '
        f'fill="{fill}" stroke="{border}"/>{text}</g>'
    )


def _style(k: int, box: _Box, border: str) -> str:
    if k == 0:
        return ' font-weight="bold" fill="#1b2631"'
    return f' font-style="italic" fill="{border}"' if k == len(box.lines) else ' fill="#34495e"'
