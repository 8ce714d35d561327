"""What the metadata of a local Zarr array say about the bytes of its chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from gpuscale.io.zarr_chunks import ChunkFiles, Codecs, Shards

__all__ = ["chunk_files"]

_PLAIN_KINDS = "biufcmM"  # dtypes whose elements are stored as they are in memory


def chunk_files(array: Any) -> ChunkFiles | None:
    """Return the chunks of a `zarr.Array` as files to decode here, None where zarr must do it.

    That is any array that is not local, holds strings or objects, or uses filters, nested shards
    or codecs beside the common ones.
    """
    from zarr.storage import LocalStore

    store = array.store
    if type(store) is not LocalStore or array.dtype.kind not in _PLAIN_KINDS:
        return None
    folder, key = str(store.root / array.path), array.metadata.encode_chunk_key
    metadata = array.metadata.to_dict()
    if metadata["zarr_format"] == 2:
        if metadata["filters"]:
            return None
        axes = tuple(range(array.ndim))
        order = axes if metadata["order"] == "C" else axes[::-1]
        compressor = array.metadata.compressor
        codecs = Codecs(order, () if compressor is None else (compressor,), False)
        return ChunkFiles(folder, key, array.chunks, array.dtype, codecs)
    if metadata["chunk_grid"]["name"] != "regular":
        return None
    return _files_of_format_3(folder, key, array, metadata["codecs"])


def _files_of_format_3(
    folder: str, key: Any, array: Any, chain: Sequence[Mapping[str, Any]]
) -> ChunkFiles | None:
    shards = None
    if chain[0]["name"] == "sharding_indexed":
        # Further codecs would apply to whole shards, whose chunks then cannot be found.
        if len(chain) > 1:
            return None
        sharding = chain[0]["configuration"]
        shards = _shards(sharding, array)
        chain = sharding["codecs"]
        if shards is None:
            return None
    found = _codecs(chain, array.ndim)
    if found is None:
        return None
    codecs, byte_order = found
    dtype = array.dtype.newbyteorder(byte_order)
    return ChunkFiles(folder, key, array.chunks, dtype, codecs, shards)


def _shards(sharding: Mapping[str, Any], array: Any) -> Shards | None:
    names = [codec["name"] for codec in sharding["index_codecs"]]
    if names not in (["bytes"], ["bytes", "crc32c"]) or not _is_little(sharding["index_codecs"][0]):
        return None
    if "crc32c" in names and not _has_crc32c():
        return None
    grid = tuple(s // c for s, c in zip(array.shards, array.chunks, strict=True))
    return Shards(grid, "crc32c" in names, sharding.get("index_location", "end") == "end")


def _codecs(chain: Sequence[Mapping[str, Any]], ndim: int) -> tuple[Codecs, str] | None:
    """Return the codecs of one chunk and the byte order of its elements."""
    from numcodecs import Blosc, GZip, Zstd  # type: ignore[import-untyped]

    known = {"blosc": Blosc, "gzip": GZip, "zstd": Zstd}
    rest = list(chain)
    order = tuple(range(ndim))
    if rest[0]["name"] == "transpose":
        order = tuple(rest.pop(0)["configuration"]["order"])
    if not rest or rest[0]["name"] != "bytes":
        return None
    byte_order = "<" if _is_little(rest.pop(0)) else ">"
    checksum = bool(rest) and rest[-1]["name"] == "crc32c"
    if checksum:
        rest.pop()
    names = [codec["name"] for codec in rest]
    if not known.keys() >= set(names) or (checksum and not _has_crc32c()):
        return None
    # Every stream tells how to decode it, so the parameters of compression do not matter.
    return Codecs(order, tuple(known[name]() for name in names), checksum), byte_order


def _is_little(codec: Mapping[str, Any]) -> bool:
    # Elements of one byte have no order, and so no configuration.
    return bool(codec.get("configuration", {}).get("endian", "little") == "little")


def _has_crc32c() -> bool:
    return find_spec("google_crc32c") is not None
