"""What the footers of Parquet files say: row groups, their rows, bytes and statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gpuscale.io.files import Files

__all__ = [
    "RowGroup",
    "check_alike",
    "is_like",
    "merged_statistics",
    "read_footers",
    "row_groups_of",
]

_READERS = 16  # footers of stores come one request each, which is waiting for the most part
_DICTIONARY = 1 << 20  # bytes of different texts, beyond which writers give dictionaries up

_WITHOUT = "read them without it by columns=[...]"
_READING = f"{_WITHOUT}, or read them apart and concat", f"{_WITHOUT}, or cast one of them"

Statistics = Mapping[str, tuple[Any, Any, int | None]]


@dataclass(frozen=True)
class RowGroup:
    """What is known of one row group.

    Parameters
    ----------
    file, number : int
        Of the file, and of the row group in it.
    rows : int
    nbytes : dict of str to int
        Projected bytes in memory of each column.
    statistics : dict of str to (least, greatest, nulls)
        Of columns that are not nested.
    encoded : frozenset of str
        Columns of texts that lie in the file as numbers of a few different ones.
    plain : frozenset of str
        Columns of texts that are so many different ones that they lie there themselves.
    """

    file: int
    number: int
    rows: int
    nbytes: dict[str, int]
    statistics: dict[str, tuple[Any, Any, int | None]]
    encoded: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


def read_footers(files: Files) -> list[tuple[Any, Any]]:
    """Return metadata and schema of files, ``FileMetaData`` and ``Schema`` of pyarrow each.

    Raises
    ------
    ValueError
        If one is no Parquet file, or is truncated.
    """
    if len(files) == 1 or files.on_disk and len(files) < _READERS:
        return [_read_footer(files, number) for number in range(len(files))]
    with ThreadPoolExecutor(_READERS, "gpuscale-footers") as pool:
        return list(pool.map(lambda number: _read_footer(files, number), range(len(files))))


def _read_footer(files: Files, number: int) -> tuple[Any, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with files.open(number) as file, pq.ParquetFile(file) as opened:
            return opened.metadata, opened.schema_arrow
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, (FileNotFoundError, PermissionError)):
            raise
        raise ValueError(
            f"{files.name(number)} is no Parquet file, or is truncated: {error}"
        ) from error


def check_alike(
    name_of: Callable[[int], str],
    schemas: Sequence[Any],
    columns: Iterable[str] | None,
    remedies: tuple[str, str] = _READING,
) -> Any:
    """Return the schema that all files share.

    What is without any value in one file (Arrow's null type), a column or what is nested in it,
    takes its type from the others; decimals are as wide as in the widest, and objects have the
    fields of all.

    Parameters
    ----------
    name_of : callable
        Name of a file from its number.
    schemas : sequence of pyarrow.Schema
    columns : iterable of str or None
        Those that are read; None for all.
    remedies : tuple of str
        What is to be done where a file lacks a column, and where columns are not alike.

    Raises
    ------
    ValueError
        If two files differ in a column.
    """
    import pyarrow as pa

    first = schemas[0]
    types = dict(zip(first.names, first.types, strict=True))
    origins = dict.fromkeys(types, 0)  # files that the types are from
    seen = [first]
    for number, schema in enumerate(schemas):
        if any(schema is each or schema.equals(each) for each in seen):
            continue
        seen = [first, schema]
        names = set(first.names) | set(schema.names) if columns is None else set(columns)
        for name in sorted(names):
            mine = types.get(name)
            its = schema.field(name).type if name in schema.names else None
            one, two = name_of(origins.get(name, 0)), name_of(number)
            if (mine is None) != (its is None):
                having, lacking = (one, two) if its is None else (two, one)
                said = f"{having} has a column {name!r}, and {lacking} has none"
                raise ValueError(f"{said}; {remedies[0]}")
            if mine is None:
                continue
            if not is_like(mine, its):
                said = f"column {name!r} is {mine} in {one}, and {its} in {two}"
                raise ValueError(f"{said}; {remedies[1]}")
            types[name] = _common(mine, its)
            if types[name] != mine:
                origins[name] = number
    shared = [name for name in first.names if all(name in s.names for s in schemas)]
    return pa.schema([first.field(n).with_type(types[n]) for n in shared], first.metadata)


def _common(one: Any, other: Any) -> Any:
    """Return the type of columns of two types that are like each other."""
    import pyarrow as pa

    if one == other:
        return one
    alone = [pa.schema([("column", each)]) for each in (one, other)]
    return pa.unify_schemas(alone, promote_options="permissive").field(0).type


def is_like(one: Any, other: Any) -> bool:
    """Whether columns of two types are read as one column."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_null(one) or kinds.is_null(other):
        return True
    if kinds.is_decimal(one) and kinds.is_decimal(other):
        return True
    if kinds.is_list(one) and kinds.is_list(other):
        return is_like(one.value_type, other.value_type)
    if kinds.is_struct(one) and kinds.is_struct(other):
        shared = {field.name for field in one} & {field.name for field in other}
        return all(is_like(one.field(name).type, other.field(name).type) for name in shared)
    return bool(one == other)


def row_groups_of(file: int, footer: Any, schema: Any) -> list[RowGroup]:
    """Return the row groups of one file.

    Parameters
    ----------
    file : int
        Its number.
    footer : pyarrow.parquet.FileMetaData
    schema : pyarrow.Schema
    """
    leaves = [footer.schema.column(i).path for i in range(footer.num_columns)]
    flat = {name for name in schema.names if leaves.count(name) == 1}
    tops = [leaf if leaf in flat else leaf.partition(".")[0] for leaf in leaves]
    groups = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        nbytes: dict[str, int] = dict.fromkeys(schema.names, 0)
        statistics = {}
        encoded, plain = set(), set()
        for i, name in enumerate(tops):
            if name not in nbytes:
                continue
            column = group.column(i)
            kind = schema.field(name).type
            nbytes[name] += _projected(kind, column, group.num_rows)
            if _is_text(kind) and column.total_uncompressed_size > _DICTIONARY + 4 * group.num_rows:
                plain.add(name)
            if name in flat and column.is_stats_set and column.statistics is not None:
                statistics[name] = _bounds(column.statistics)
                if _is_text(kind) and _is_encoded(column, group.num_rows):
                    encoded.add(name)
        texts = frozenset(encoded), frozenset(plain)
        groups.append(RowGroup(file, number, group.num_rows, nbytes, statistics, *texts))
    return groups


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_encoded(column: Any, rows: int) -> bool:
    """Whether texts take less than the four bytes that the length of each takes otherwise."""
    there = rows - (column.statistics.null_count or 0)
    return bool(column.has_dictionary_page and column.total_uncompressed_size < 4 * there)


def _projected(kind: Any, column: Any, rows: int) -> int:
    """Bytes of a column in memory: texts may be far shorter in a file that has a dictionary."""
    try:
        return int(rows * max(kind.bit_width, 8) // 8)
    except ValueError:  # a type without a fixed width
        pass
    length = 0
    if column.is_stats_set and column.statistics is not None and column.statistics.has_min_max:
        ends = (column.statistics.min, column.statistics.max)
        length = sum(len(end) for end in ends if isinstance(end, (str, bytes))) // 2
    return max(int(column.total_uncompressed_size), rows * (8 + length))


def _bounds(statistics: Any) -> tuple[Any, Any, int | None]:
    nulls = statistics.null_count if statistics.has_null_count else None
    if not statistics.has_min_max:
        return None, None, nulls
    low, high = statistics.min, statistics.max
    if low != low or high != high:  # some writers took NaN for a bound
        return None, None, nulls
    return low, high, nulls


def merged_statistics(groups: Sequence[RowGroup]) -> dict[str, tuple[Any, Any, int | None]]:
    """Return the statistics of several row groups together.

    Examples
    --------
    >>> groups = [RowGroup(0, k, 5, {}, {"x": (k, k + 2, 1)}) for k in range(2)]
    >>> merged_statistics(groups)
    {'x': (0, 3, 2)}
    """
    merged = {}
    for name in groups[0].statistics if groups else ():
        found = [group.statistics.get(name, (None, None, None)) for group in groups]
        lows, highs, nulls = zip(*found, strict=True)
        filled = [  # a row group of nulls alone has no bounds, and widens none
            pair
            for pair, null, group in zip(zip(lows, highs, strict=True), nulls, groups, strict=True)
            if null is None or null < group.rows
        ]
        known = bool(filled) and all(low is not None and high is not None for low, high in filled)
        low = min(pair[0] for pair in filled) if known else None
        high = max(pair[1] for pair in filled) if known else None
        merged[name] = low, high, None if None in nulls else sum(nulls)
    return merged
