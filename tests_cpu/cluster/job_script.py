"""The job script and the program of the page on SLURM, as somebody would submit them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import gpuscale.array as ga

PAGE = Path(__file__).parents[2] / "docs" / "pages" / "deploy-slurm.md"
SIZE = 1_000


def write(folder: Path) -> dict[str, str]:
    """Write both into a folder, and return an environment in which our commands are there.

    The commands are those of this tree, on a machine that may have no GPU.
    """
    text = PAGE.read_text()
    (job,) = re.findall(r"```bash\n(#!/bin/bash\n.*?)```", text, re.DOTALL)
    (program,) = re.findall(r"```py\n(import sys\n.*?)```", text, re.DOTALL)
    (folder / "job.sh").write_text(job)
    (folder / "headline.py").write_text(program)
    module = f"exec {sys.executable} -m gpuscale.cli"
    commands = {
        "gpuscale-scheduler": f'{module}.scheduler --no-dashboard "$@"',
        "gpuscale-cuda-worker": f'{module}.cuda_worker --allow-no-device "$@"',
        "python": f'exec {sys.executable} "$@"',
    }
    (folder / "bin").mkdir()
    for name, line in commands.items():
        add_command(folder, name, f"#!/bin/bash\n{line}\n")
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def add_command(folder: Path, name: str, text: str) -> None:
    """Add a command to those that are there."""
    file = folder / "bin" / name
    file.write_text(text)
    file.chmod(0o755)


def expected() -> float:
    """What the program prints for `SIZE`."""
    x = ga.random.default_rng(0).random((SIZE, SIZE))
    return float(((x + x.T) - x.mean(axis=0)).std().compute())
