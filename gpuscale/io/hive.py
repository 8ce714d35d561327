"""Columns that stand in the names of folders, as ``year=2024/month=5/part.parquet`` has them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from gpuscale.io.files import Files

__all__ = ["NULL", "hive_columns", "hive_values"]

NULL = "__HIVE_DEFAULT_PARTITION__"
"""What a folder is called that holds the rows without a value."""


def hive_values(path: str) -> dict[str, str | None]:
    """Return what the folders of a path say, as texts.

    Examples
    --------
    >>> hive_values("data/year=2024/city=New%20York/part.parquet")
    {'year': '2024', 'city': 'New York'}
    """
    pairs = (folder.partition("=") for folder in path.split("/")[:-1])
    texts = {name: unquote(value) for name, equals, value in pairs if name and equals}
    return {name: None if text == NULL else text for name, text in texts.items()}


def hive_columns(files: Files) -> dict[str, Any]:
    """Return a ``pandas.Categorical`` for each such column, with a value for each file.

    Values that are all integers become integers, as pandas reads them.

    Raises
    ------
    ValueError
        If files differ in the columns that their folders name.
    """
    if not files.root:
        return {}
    values = [hive_values(path[len(files.root) :]) for path in files.paths]
    for number, each in enumerate(values):
        if list(each) != list(values[0]):
            raise ValueError(
                f"the folders of {files.name(0)} name the columns {list(values[0])}, those of "
                f"{files.name(number)} {list(each)}; read them apart and concat"
            )
    return {name: _categorical([each[name] for each in values]) for name in values[0]}


def _categorical(texts: list[str | None]) -> Any:
    import pandas as pd

    found = list(dict.fromkeys(text for text in texts if text is not None))
    try:
        numbers = [int(text) for text in found]
    except ValueError:
        return pd.Categorical(texts, categories=pd.Index(found, dtype="str"))
    fits = all(-(2**31) <= number < 2**31 for number in numbers)
    # Two texts of one number, as 1 and 01, are one category.
    distinct = pd.Index(list(dict.fromkeys(numbers)), dtype="int32" if fits else "int64")
    return pd.Categorical([None if t is None else int(t) for t in texts], categories=distinct)
