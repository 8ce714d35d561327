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
    parser.set_defaults(key=None, json=False, is_of_clusters=False, run=run)
    actions = parser.add_subparsers(title="actions", metavar="action")
    listing = actions.add_parser("list", help="write all options, as without an action")
    getting = actions.add_parser("get", help="write one option and what it is for")
    getting.add_argument("key", help="its name, as array.chunk-size")
    clusters = actions.add_parser(
        "clusters", help="write the options that clusters, workers and schedulers take"
    )
    clusters.set_defaults(is_of_clusters=True)
    for action in (listing, getting, clusters):
        action.add_argument("--json", action="store_true", help="write JSON instead of text")
        action.set_defaults(key=None, run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print options, and return the exit status."""
    from gpuscale.base.errors import ConfigError

    try:
        if chosen.is_of_clusters:
            print(_of_clusters(chosen.json))
        else:
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
    from gpuscale.base.options import OPTIONS

    defaults = {option.key: option.default for option in OPTIONS}
    rows = [(key, value, config.source(key)) for key, value in config.to_dict().items()]
    if as_json:
        found = {
            key: {"value": value, "source": source, "default": defaults[key]}
            for key, value, source in rows
        }
        return json.dumps(found, indent=2)
    told = [
        (key, value, source if source == "default" else f"{source} (by default {defaults[key]})")
        for key, value, source in rows
    ]
    return _table(told)


def _of_clusters(as_json: bool) -> str:
    """Write the table of options that arguments of classes, and command lines, set."""
    from gpuscale.cluster.options import OPTIONS

    if as_json:
        found = {
            each.name: {"default": each.default, "flags": each.flags, "takers": each.takers}
            for each in OPTIONS
        }
        return json.dumps(found, indent=2)
    return _table([(each.name, each.default, ", ".join(each.takers)) for each in OPTIONS])


def _table(rows: list[tuple[str, Any, str]]) -> str:
    names, values = (max(len(str(row[i])) for row in rows) for i in (0, 1))
    return "\n".join(f"{name:{names}}  {value!s:{values}}  {more}" for name, value, more in rows)
