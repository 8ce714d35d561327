"""The command ``gpuscale``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from gpuscale.base.version import FROM_SOURCE, own_version
from gpuscale.cli import config, doctor

__all__ = ["COMMANDS", "main"]

#: Modules of commands, each with a function ``add_to(subparsers)``.
COMMANDS = (config, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit status: 0 for success. Arguments that cannot be read exit with 2, as usual.

    Examples
    --------
    >>> main(["doctor", "--json"])  # doctest: +SKIP
    0
    """
    parser = argparse.ArgumentParser(
        prog="gpuscale", description="NumPy and pandas, scaled over many cores and many GPUs."
    )
    parser.add_argument(
        "--version", action="version", version=f"gpuscale {own_version() or FROM_SOURCE}"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="command", required=True)
    for command in COMMANDS:
        command.add_to(subparsers)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
