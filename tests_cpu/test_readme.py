"""Every Python block of the README and of the pages runs and prints what the block after it says.

The blocks of one file are one program; it runs in a folder of its own. A block marked ``text`` that
follows a Python block is what that one prints, ``...`` standing for anything.
"""

import doctest
import gc
import io
import logging
import re
import tomllib
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.memory.kept import kept_bytes

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "pages").glob("*.md"))]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)

# Libraries that come with an extra; what shows them stays unread where they are not installed.
OPTIONAL = ("bokeh", "h5py", "zarr")


def blocks(text):
    """Yield line, code and expected output (None where the page shows none) of Python blocks."""
    fences = list(FENCE.finditer(text))
    following = {one.start(): other for one, other in pairwise(fences)}
    for fence in fences:
        if fence[1] == "python":
            after = following.get(fence.start())
            near = after is not None and not text[fence.end() : after.start()].strip()
            shown = after[2] if near and after[1] == "text" else None
            yield text.count("\n", 0, fence.start()) + 1, fence[2], shown


def test_the_reader_itself():
    text = (
        "```python\na\n```\n\n```text\nb\n```\nwords\n```python\nc\n```\nwords\n```text\nd\n```\n"
    )
    assert list(blocks(text)) == [(1, "a\n", "b\n"), (9, "c\n", None)]


@pytest.fixture
def logs_as_before():
    """What a page asks to be logged ends with it: other tests say that nothing is by default."""
    logger = logging.getLogger("gpuscale")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def arrays_of_the_host(monkeypatch):
    """The plans that pages print are those of readers who have set no option, wherever tests run.

    What pages say of devices they say by ``like=`` or by the option, which they set themselves. Nor
    has a reader persisted what other tests of this process hold.
    """
    gc.collect()
    others = kept_bytes()

    def own():
        return [max(0, now - before) for now, before in zip(kept_bytes(), others, strict=True)]

    monkeypatch.setattr("gpuscale.diagnostics.explain.kept_bytes", own)
    with config.set({"array.backend": "numpy"}):
        yield


@pytest.mark.usefixtures("logs_as_before", "arrays_of_the_host")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_runs_and_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    for library in OPTIONAL:
        if library in text:
            pytest.importorskip(library, exc_type=ModuleNotFoundError)
    names = {"__name__": "__main__"}
    for line, code, shown in blocks(text):
        place = f"{page.name}, block at line {line}"
        program = compile("\n" * line + code, "tour.py", "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(program, names)
        if shown is not None:
            said = printed.getvalue()
            assert doctest.OutputChecker().check_output(shown, said, FLAGS), f"{place}:\n{said}"


class Model:
    def __init__(self, n):
        self.weights, self.known_as = np.full(500_000, float(n)), n

    @property
    def nbytes(self):
        return self.weights.nbytes


def test_what_is_missing_is_said_and_missing():
    said = PAGES[0].read_text().split("## What is not there yet")[1].split("\n## ")[0]
    for words in ("by reference", "needs a lock", "masked arrays"):
        assert words in said
    assert not re.search(r"(?i)(retries|checkpoints|futures|spilling)[^.]* later", said)
    single = np.ma.masked_array(np.ones(4, "f4"), [0, 1, 0, 0])
    lazy = ga.ma.masked_array(single.data, single.mask)
    for change in (lambda x: x.mean(), lambda x: x.std(), lambda x: x.var(), lambda x: x / 3):
        assert (change(lazy).dtype, change(single).dtype) == ("float32", "float64")
    argument = [1]
    with gpuscale.Client(threads_per_worker=1, memory_limit="24 MB") as client:
        assert client.submit(lambda value: value, argument).result() is argument
        models = client.map(Model, range(9))
        gpuscale.wait(models)
        assert len({id(future.result()) for future in models}) == 9
        assert models[0].result() is models[0].result()  # in memory, 36 MB of them
        assert client._session.job.state.alive == [36_000_000, 0]


def test_every_extra_is_in_the_table():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = re.findall(r"^\| (`.*?`) \|", PAGES[0].read_text(), flags=re.MULTILINE)
    said = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert set(project["optional-dependencies"]) <= set(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    generated = re.findall(r'pages\["(.*?)"\]', (ROOT / "docs" / "hooks.py").read_text())
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        there = target in generated or (page.parent / target).exists()
        assert there, f"{page.name} links to {target}"
