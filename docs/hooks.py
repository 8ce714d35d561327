"""Pages that are made from the package itself, so that none is forgotten and none drifts."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gpuscale.base.options import OPTIONS

ROOT = Path(__file__).parents[1]

# Page -> module or folder of modules whose public names it shows.
REFERENCE = {
    "array": "gpuscale/array/api",
    "callback": "gpuscale/diagnostics/callback.py",
    "collection": "gpuscale/collection.py",
    "configuration": "gpuscale/base/config.py",
    "errors": "gpuscale/base/errors.py",
    "profile": "gpuscale/diagnostics/profile.py",
    "progress": "gpuscale/diagnostics/progress.py",
    "report": "gpuscale/diagnostics/report.py",
    "resources": "gpuscale/diagnostics/resources.py",
    "run": "gpuscale/run.py",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the front page, the options and the reference."""
    pages = {"index.md": front_page(), "options.md": options_page()}
    for name, place in REFERENCE.items():
        path = ROOT / place
        if path.is_dir():
            modules = sorted(p for p in path.glob("*.py") if not p.stem.startswith("_"))
            pages |= {f"reference/{name}/{m.stem}.md": module_page(m) for m in modules}
        elif path.exists():
            pages[f"reference/{name}.md"] = module_page(path)
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let ``:doc:`chunks``` in docstrings lead to the page of that name."""
    to_top = "../" * page.url.count("/")
    return re.sub(r":doc:<code>(\w+)</code>", rf'<a href="{to_top}\1/">\1</a>', html)


def front_page() -> str:
    """Return the README: pictures from here, links to other files of the repository as text."""
    text = (ROOT / "README.md").read_text().replace("](docs/pages/", "](")
    return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:|#)[^)]+\)", r"\1", text)


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


def module_page(path: Path) -> str:
    """Return a page that mkdocstrings fills from a module's docstrings."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return f"# {path.stem}\n\n::: {module}\n    options:\n      show_root_heading: false\n"
