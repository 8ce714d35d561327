"""Pages that are made from the package itself, so that none is forgotten and none drifts."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gpuscale.base.options import OPTIONS

ROOT = Path(__file__).parents[1]

# Page, or folder of pages -> module, or folder of modules, and what users import it from.
# A page shows the names of its module's ``__all__`` that are found there.
REFERENCE = {
    "annotate": ("gpuscale/graph/annotations.py", "gpuscale"),
    "array": ("gpuscale/array/api", "gpuscale.array"),
    "array/Array": ("gpuscale/array/collection.py", "gpuscale.array"),
    "array/fft": ("gpuscale/array/fft.py", "gpuscale.array.fft"),
    "array/linalg": ("gpuscale/array/linalg", "gpuscale.array.linalg"),
    "array/ma": ("gpuscale/array/ma", "gpuscale.array.ma"),
    "array/random": ("gpuscale/array/random", "gpuscale.array.random"),
    "array/stats": ("gpuscale/array/stats.py", "gpuscale.array.stats"),
    "callback": ("gpuscale/diagnostics/callback.py", "gpuscale.diagnostics"),
    "configuration": ("gpuscale/base/config.py", "gpuscale.config"),
    "delayed": ("gpuscale/lazy.py", "gpuscale"),
    "errors": ("gpuscale/base/errors.py", "gpuscale.base.errors"),
    "plots": ("gpuscale/diagnostics/plots.py", "gpuscale.diagnostics"),
    "profile": ("gpuscale/diagnostics/profile.py", "gpuscale.diagnostics"),
    "progress": ("gpuscale/diagnostics/progress.py", "gpuscale.diagnostics"),
    "report": ("gpuscale/diagnostics/report.py", "gpuscale"),
    "resources": ("gpuscale/diagnostics/resources.py", "gpuscale.diagnostics"),
    "run": ("gpuscale/run.py", "gpuscale"),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the front page, the options and the reference."""
    pages = {"index.md": front_page(), "options.md": options_page()}
    for name, (place, namespace) in REFERENCE.items():
        path = ROOT / place
        modules = sorted(path.glob("[!_]*.py")) if path.is_dir() else [path]
        for module in modules:
            if names := public_names(dotted(module), namespace):
                page = f"{name}/{module.stem}" if path.is_dir() else name
                pages[f"reference/{page}.md"] = module_page(dotted(module), names, namespace)
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let ``:doc:`chunks``` in docstrings lead to the page of that name."""
    to_top = "../" * page.url.count("/")
    return re.sub(r":doc:<code>(\w+)</code>", rf'<a href="{to_top}\1/">\1</a>', html)


def front_page() -> str:
    """Return the README: pictures and pages from here, links to other files as text."""
    text = (ROOT / "README.md").read_text().replace("](docs/pages/", "](")
    return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:|#|\w+\.md\))[^)]+\)", r"\1", text)


def options_page() -> str:
    """Return the table of all options."""
    lines = [
        "# Options",
        "",
        "| option | default | unit | takes | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for option in OPTIONS:
        help_text = option.help.replace("|", r"\|")
        lines.append(
            f"| `{option.key}`<br>`{option.variable}` | `{option.default!r}` | {option.unit} "
            f"| {option.accepted} | {help_text} |"
        )
    return "\n".join(lines) + "\n"


def dotted(path: Path) -> str:
    """Return the name of a module from the path of its file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def public_names(module: str, namespace: str) -> list[str]:
    """Return the names of a module that users reach, all of them the same objects."""
    found, users = import_module(module), resolve_name(namespace)
    names = getattr(found, "__all__", ())
    return [name for name in names if getattr(users, name, None) is getattr(found, name)]


def module_page(module: str, names: list[str], namespace: str) -> str:
    """Return a page that mkdocstrings fills from a module's docstrings."""
    options = f"show_root_heading: false\n      inherited_members: true\n      members: {names}"
    title = module.rpartition(".")[2]
    return f"# {title}\n\nIn `{namespace}`:\n\n::: {module}\n    options:\n      {options}\n"
