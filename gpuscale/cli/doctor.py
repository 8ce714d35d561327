"""``gpuscale doctor``: what works here, and what is missing for what does not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The type is private to argparse, and what there is to annotate with.
    from argparse import _SubParsersAction

__all__ = ["add_to"]


def add_to(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what works here, and what is missing for what does not",
        description="Say what works on this machine, and what is missing for what does not. No "
        "CUDA context is created, unless --self-test asks for it.",
        epilog="exit status: 0 if what is installed works, 1 if any of it is broken",
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of text")
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="compute something on the CPU, and on each device: this creates CUDA contexts",
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print what is found, and return the exit status."""
    from gpuscale.checkup.doctor import doctor

    found = doctor(self_test=chosen.self_test)
    if chosen.json:
        import json

        print(json.dumps(found.to_dict(), indent=2))
    else:
        print(found)
    return 0 if found.ok else 1
