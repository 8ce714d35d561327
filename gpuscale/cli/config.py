"""``gpuscale config``: the options, their values, and where these come from."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The type is private to argparse, and what there is to annotate with.
    from argparse import _SubParsersAction

__all__ = ["add_to"]


def add_to(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "config",
        help="say what the options are set to, and where",
        description="Say what the options are set to, and where: in the environment, in a file, or "
        "nowhere, which leaves the default.",
        epilog="exit status: 0, or 2 if there is no such option or a setting is wrong",
    )
    parser.set_defaults(key=None, json=False, run=run)
    actions = parser.add_subparsers(title="actions", metavar="action")
    listing = actions.add_parser("list", help="write all options, as without an action")
    getting = actions.add_parser("get", help="write one option and what it is for")
    getting.add_argument("key", help="its name, as array.chunk-size")
    for action in (listing, getting):
        action.add_argument("--json", action="store_true", help="write JSON instead of text")
        action.set_defaults(key=None, run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print options, and return the exit status."""
    from gpuscale.base.errors import ConfigError

    try:
        print(_one(chosen.key, chosen.json) if chosen.key else _all(chosen.json))
    except ConfigError as error:
        print(f"gpuscale config: error: {error}", file=sys.stderr)
        return 2
    return 0


def _one(key: str, as_json: bool) -> str:
    from gpuscale.base import config

    found: dict[str, Any] = {"value": config.get(key), "source": config.source(key)}
    if as_json:
        return json.dumps(found)
    return f"{config.describe(key)}\n    It is set by: {found['source']}."


def _all(as_json: bool) -> str:
    from gpuscale.base import config

    rows = [(key, value, config.source(key)) for key, value in config.to_dict().items()]
    if as_json:
        found = {key: {"value": value, "source": source} for key, value, source in rows}
        return json.dumps(found, indent=2)
    names, values = (max(len(str(row[i])) for row in rows) for i in (0, 1))
    return "\n".join(f"{key:{names}}  {value!s:{values}}  {source}" for key, value, source in rows)
