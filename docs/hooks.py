"""Pages that are made from the package itself, so that none is forgotten and none drifts."""

from __future__ import annotations

import re
from ast import literal_eval
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gpuscale.base.options import OPTIONS
from gpuscale.cluster.options import OPTIONS as CLUSTER_OPTIONS

ROOT = Path(__file__).parents[1]

# Page, or folder of pages -> module, or folder of modules, and what users import it from.
REFERENCE = {
    "array": ("gpuscale/array/api", "gpuscale.array"),
    "array/Array": ("gpuscale/array/collection.py", "gpuscale.array"),
    "array/fft": ("gpuscale/array/fft.py", "gpuscale.array.fft"),
    "array/linalg": ("gpuscale/array/linalg", "gpuscale.array.linalg"),
    "array/ma": ("gpuscale/array/ma", "gpuscale.array.ma"),
    "array/random": ("gpuscale/array/random", "gpuscale.array.random"),
    "array/stats": ("gpuscale/array/stats.py", "gpuscale.array.stats"),
    "cluster/Client": ("gpuscale/cluster/client.py", "gpuscale.cluster"),
    "cluster/LocalCluster": ("gpuscale/cluster/local.py", "gpuscale.cluster"),
    "cluster/LocalCUDACluster": ("gpuscale/cluster/local_cuda.py", "gpuscale.cluster"),
    "cluster/batch": ("gpuscale/cluster/jobqueue.py", "gpuscale.cluster"),
    "cluster/holding": ("gpuscale/cluster/holding.py", "gpuscale.cluster"),
    "cluster/KubeCluster": ("gpuscale/cluster/kubernetes.py", "gpuscale.cluster"),
    "cluster/manifests": ("gpuscale/cluster/manifests.py", "gpuscale.cluster"),
    "cluster/SSHCluster": ("gpuscale/cluster/ssh.py", "gpuscale.cluster"),
    "cluster/YarnCluster": ("gpuscale/cluster/yarn.py", "gpuscale.cluster"),
    "config": ("gpuscale/base/config.py", "gpuscale.config"),
    "dataframe": ("gpuscale/dataframe/api", "gpuscale.dataframe"),
    "dataframe/DataFrame": ("gpuscale/dataframe/frame.py", "gpuscale.dataframe"),
    "dataframe/Series": ("gpuscale/dataframe/series.py", "gpuscale.dataframe"),
    "dataframe/Index": ("gpuscale/dataframe/index.py", "gpuscale.dataframe"),
    "errors": ("gpuscale/base/errors.py", "gpuscale.base.errors"),
}
# Whose functions and classes have a page for each module that they come from.
NAMESPACES = ("gpuscale", "gpuscale.diagnostics")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the front page, the options and the reference."""
    pages = {"index.md": front_page(), "options.md": options_page()}
    pages["cluster-options.md"] = cluster_options_page()
    for name, (place, namespace) in REFERENCE.items():
        path = ROOT / place
        modules = sorted(path.glob("[!_]*.py")) if path.is_dir() else [path]
        for module in modules:
            if text := module_page(dotted(module), namespace):
                pages[f"reference/{name}{f'/{module.stem}' * path.is_dir()}.md"] = text
    for namespace in NAMESPACES:
        for module in modules_behind(namespace):
            page = module.rpartition(".")[2]
            pages[f"reference/{page}.md"] = module_page(module, namespace)
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
        "An option is set in code by `gpuscale.config.set`, else by an environment variable, else "
        "in a YAML file in the folder `$GPUSCALE_CONFIG`, `~/.config/gpuscale` or `/etc/gpuscale`; "
        "the first that says something wins.",
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


def cluster_options_page() -> str:
    """Return the table of what clusters, workers and schedulers take."""
    lines = [
        "# Options of clusters",
        "",
        "By name, an argument of a class; by flag, one of a command line. Options that say "
        "*configuration* stand for the option of that name where nobody says them.",
        "",
        "| option | default | unit | taken by | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for option in CLUSTER_OPTIONS:
        flags = "".join(f"<br>`{flag}`" for flag in (*option.flags, *option.off_flags))
        default = "configuration" if option.key else f"`{option.default!r}`"
        help_text = option.help.replace("|", r"\|")
        lines.append(
            f"| `{option.name}`{flags} | {default} | {option.unit} "
            f"| {', '.join(option.takers)} | {help_text} |"
        )
    return "\n".join(lines) + "\n"


def dotted(path: Path) -> str:
    """Return the name of a module from the path of its file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules_behind(namespace: str) -> list[str]:
    """Return the modules that the functions and classes of a namespace come from."""
    users = import_module(namespace)
    found = [getattr(users, name) for name in users.__all__]
    return sorted({each.__module__ for each in found if callable(each)})


def module_page(module: str, namespace: str) -> str:
    """Return a page that mkdocstrings fills: of what a module lists, what users reach.

    It is empty where they reach nothing.
    """
    users = resolve_name(namespace)
    try:
        found = import_module(module)
    except ModuleNotFoundError:  # of an extra that is not installed; pages are made of the text
        names = [name for name in listed_in(module) if name in dir(users)]
    else:
        listed = getattr(found, "__all__", ())
        names = [name for name in listed if getattr(users, name, None) is getattr(found, name)]
    options = f"show_root_heading: false\n      inherited_members: true\n      members: {names}"
    text = f"# {module.rpartition('.')[2]}\n\nIn `{namespace}`:\n\n::: {module}\n    options:\n"
    return f"{text}      {options}\n" if names else ""


def listed_in(module: str) -> list[str]:
    """Return the names that the text of a module lists."""
    text = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text()
    (listed,) = re.findall(r"^__all__ = (\[.*?\])", text, re.MULTILINE | re.DOTALL)
    return list(literal_eval(listed))
