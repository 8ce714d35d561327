"""Texts that are nothing but keys stay as files encode them: numbers of distinct texts.

Such columns are read and grouped in about half the time. Groups of a partition have texts again;
merges leave their key out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.grouping import Aggregates
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.rules.joined import is_merge
from gpuscale.dataframe.rules.rewriting import replaced
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.walk import toposort

__all__ = ["encode_keys"]

_TEXT = pd.StringDtype(na_value=np.nan)

Readers = Mapping[str, Sequence[Node]]


def encode_keys(roots: list[Node]) -> list[Node]:
    """Read texts as they are encoded where all who read them group or merge by them."""
    nodes = list(toposort(roots))
    sources = [each for each in nodes if isinstance(each, ReadPieces)]
    sources = [each for each in sources if "encoding" in each.pieces.takes]
    if not sources:
        return roots
    readers: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        for child in node.children:
            readers[child.token].append(node)
    for root in roots:
        readers[root.token].append(root)  # the user, who reads all of it
    new: dict[str, Node] = {}
    for source in sources:
        compared = {label for label, _, _ in source.predicate}
        labels = tuple(
            label
            for label, dtype in source.meta.frame.dtypes.items()
            if dtype == _TEXT and label not in compared and _is_only_a_key(source, label, readers)
        )
        if labels:
            with on_behalf_of(source):
                encoded = source.pieces.encoded(labels)
                new[source.token] = ReadPieces(encoded, source.columns, source.predicate)
    return replaced(roots, new) if new else roots


def _is_only_a_key(node: Node, label: Any, readers: Readers) -> bool:
    """Whether all who read a column of a frame group or merge by it."""
    for reader in readers[node.token]:
        if isinstance(reader, Project):
            if label not in reader.columns:
                continue
            found = _groups_alone(reader, readers) if reader.as_series else None
            if found is None:
                found = _is_only_a_key(reader, label, readers)
        elif isinstance(reader, Assign) and reader.x is node:
            found = label in reader.names or _is_only_a_key(reader, label, readers)
        elif is_merge(reader):
            found = _merges_alone(reader, node, label)
        elif isinstance(reader, Filter) and reader.x is node:
            found = _is_only_a_key(reader, label, readers)
        else:
            return False
        if not found:
            return False
    return True


def _merges_alone(merge: Any, node: Node, label: Any) -> bool:
    """Whether a column of a frame is looked up by a merge, and no more."""
    frames = [each.meta.frame for each in merge.args]
    sides = [k for k, each in enumerate(merge.args) if each is node]
    return all(merge.function.reads_only(label, k, frames) for k in sides)


def _groups_alone(key: Node, readers: Readers) -> bool:
    """Whether a series is a key of groups wherever it is read."""
    return all(key in _keys_of(reader) for reader in readers[key.token])


def _keys_of(reader: Node) -> Sequence[Node]:
    """Keys of groups that are made in parts, unless they are aggregated, too."""
    if isinstance(reader, Reduction) and isinstance(reader.blueprint, Aggregates):
        frame, *keys = reader.inputs
    elif isinstance(reader, Partwise) and isinstance(_owner(reader.function), Aggregates):
        frame, *keys = reader.args
    else:
        return ()
    return [key for key in keys if key is not frame]


def _owner(function: Any) -> Any:
    return getattr(function, "__self__", None)
