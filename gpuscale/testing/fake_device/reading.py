"""Write the table `cupy_names`, from the CuPy that is installed: names, parameters, methods.

No GPU is needed for it. With ``cupy`` imported, ``print(table_text(cupy), end="")`` is the file.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["table_text"]

_MODULES = ("", "fft", "linalg", "lib.stride_tricks")
_WITHOUT = frozenset({"c_", "r_", "mgrid", "ogrid"})  # objects that make arrays
_METHODS_WITHOUT = frozenset({"cstruct", "data", "mdspan", "reduced_view", "toDlpack"})

_HEAD = '''"""What CuPy has of NumPy's names, with the parameters that its functions take.

Written by `reading.table_text`; a test compares it where that version of CuPy is installed. A
parameter is its name, with ``=`` where it may be left out; ``/`` and ``*`` as in Python.
"""

from __future__ import annotations

__all__ = ["AT", "ATTRIBUTES", "FUNCTIONS", "METHODS", "NUMPY", "SAME", "UFUNCS", "VERSION"]
'''


def table_text(cupy: ModuleType) -> str:
    """Return the text of `cupy_names` for a version of CuPy."""
    names = [name for name in dir(np) if not name.startswith("_") and hasattr(cupy, name)]
    found = {name: getattr(cupy, name) for name in names}
    ufuncs = [name for name, each in found.items() if isinstance(each, cupy.ufunc)]
    same = [
        name
        for name, each in found.items()
        if (each is getattr(np, name) or not callable(each)) and not inspect.ismodule(each)
    ]
    methods = {n: getattr(cupy.ndarray, n) for n in dir(cupy.ndarray) if not n.startswith("_")}
    methods = {name: each for name, each in methods.items() if name not in _METHODS_WITHOUT}
    attributes = [name for name, each in methods.items() if not callable(each)]
    functions = {path: _functions(cupy, path) for path in _MODULES}
    return "\n".join(
        [
            _HEAD,
            f'VERSION, NUMPY = "{cupy.__version__}", "{np.__version__[:3]}"',
            '"""Of the CuPy that this was read off, and of the NumPy beside it."""\n',
            *_words("UFUNCS", ufuncs, "Universal functions."),
            *_words(
                "AT",
                [name for name in ufuncs if found[name]._scatter_op],
                "Those that have ``at``; only add and multiply have ``reduce`` and ``accumulate``.",
            ),
            *_words(
                "SAME",
                [name for name in same if name not in _WITHOUT],
                "Names that are NumPy's own objects: dtypes, constants, and what needs no data.",
            ),
            *_words("ATTRIBUTES", attributes, "Attributes of arrays."),
            "FUNCTIONS: dict[str, dict[str, str]] = {",
            *(line for path, rows in functions.items() for line in _section(path, rows)),
            '}\n"""Functions by module."""\n',
            "METHODS: dict[str, str] = {",
            *(f'    "{n}": "{_parameters(f)}",' for n, f in methods.items() if callable(f)),
            '}\n"""Methods of arrays."""\n',
        ]
    )


def _words(name: str, words: Iterable[str], doc: str) -> list[str]:
    lines = textwrap.wrap(" ".join(sorted(words)), 92, break_on_hyphens=False)
    text = "".join(f"    {line}\n" for line in lines)
    return [f'_{name} = """\n{text}"""', f"{name} = frozenset(_{name}.split())", f'"""{doc}"""\n']


def _section(path: str, rows: dict[str, str]) -> Iterable[str]:
    yield f'    "{path}": {{'
    yield from (f'        "{name}": "{text}",' for name, text in rows.items())
    yield "    },"


def _functions(cupy: ModuleType, path: str) -> dict[str, str]:
    """Functions of a module that both libraries have and that are not the same."""
    ours, theirs = np, cupy
    for part in filter(None, path.split(".")):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    rows = {}
    for name in sorted(dir(ours)):
        each = getattr(theirs, name, None)
        if name.startswith("_") or not callable(each) or isinstance(each, type | cupy.ufunc):
            continue
        if each is not getattr(ours, name):
            rows[name] = _parameters(each)
    return rows


def _parameters(function: Any) -> str:
    """Return the short form of a signature, from the first line of the text where need be."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        inside = re.search(r"\((.*?)\)( ->.*)?$", (function.__doc__ or "()").strip().split("\n")[0])
        return _of_text(inside[1] if inside else "")
    words: list[str] = []
    kinds = [p.kind for p in parameters]
    for number, p in enumerate(parameters):
        star = "*" * (p.kind is p.VAR_POSITIONAL) + "**" * (p.kind is p.VAR_KEYWORD)
        if p.kind is p.KEYWORD_ONLY and "*" not in words and p.VAR_POSITIONAL not in kinds:
            words.append("*")
        words.append(f"{star}{p.name}{'' if star or p.default is p.empty else '='}")
        if p.kind is p.POSITIONAL_ONLY and p.POSITIONAL_ONLY not in kinds[number + 1 :]:
            words.append("/")
    return " ".join(word for word in words if word != "self")


def _of_text(text: str) -> str:
    """Read what Cython writes: ``self, int axis=-1, kind=None``."""
    words = []
    for part in text.split(", "):
        name = part.partition("=")[0].split()[-1:]
        if name and name != ["self"]:
            words.append(name[0] + "=" * ("=" in part))
    return " ".join(words)
