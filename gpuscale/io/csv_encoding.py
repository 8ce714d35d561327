"""Bytes of CSV files that are no text in the encoding of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["undecodable"]


def undecodable(data: bytes, options: Mapping[str, Any]) -> tuple[int, str] | None:
    r"""Return the line, from 0, of the first byte that is no text, and a message; None without one.

    Parameters
    ----------
    data : bytes
    options : mapping
        Arguments of ``pandas.read_csv``.

    Examples
    --------
    >>> undecodable(b"a\nb\xff\n", {})[0], undecodable(b"\xff", {"encoding": "latin-1"})
    (1, None)
    """
    encoding = options.get("encoding") or "utf-8"
    try:
        data.decode(encoding, options.get("encoding_errors") or "strict")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start), (
            f"byte 0x{data[error.start]:02x} is no text in {encoding}; pass the encoding= that the "
            "file has, such as 'latin-1', or encoding_errors='replace'"
        )
    return None
