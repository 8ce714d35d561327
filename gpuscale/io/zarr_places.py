"""Where a new Zarr array is made: beside its name in a local folder, in its place elsewhere."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from gpuscale.io.targets import Kind, Target, describe

__all__ = ["LocalPlace", "OtherPlace"]

_GROUP = r"zarr\.json|\.zgroup|\.zattrs|\.zmetadata"
_OF_GROUPS = re.compile(_GROUP)
_OF_GROUPS_AND_CHUNKS = re.compile(rf"{_GROUP}|(c|\d+)([./]\d+)*")


def _foreign(path: Path) -> str | None:
    """Say what a path holds, None for a Zarr array, an empty group and an empty folder."""
    if not path.is_dir():
        return describe(path)
    types = _node_types(path)
    if types == {"array"}:
        return None
    others = sorted(name for name in os.listdir(path) if not _OF_GROUPS.fullmatch(name))
    if "group" in types and others:
        return _group_of(others)
    return None if types == {"group"} or not os.listdir(path) else describe(path)


def _node_types(path: Path) -> set[str]:
    """Return what the metadata in a folder say that it is."""
    names = {".zarray": "array", ".zgroup": "group"}
    types = {kind for name, kind in names.items() if (path / name).is_file()}
    if (path / "zarr.json").is_file():
        try:
            types.add(str(json.loads((path / "zarr.json").read_bytes())["node_type"]))
        except (ValueError, KeyError, TypeError):
            types.add("damaged")
    return types


def _group_of(names: list[str]) -> str:
    return f"a Zarr group that holds {names[0]!r} (name an array within it by component=)"


_KIND = Kind("a Zarr array", is_folder=True, foreign=_foreign)


class LocalPlace:
    """Below a local folder: a hidden sibling, renamed at the end."""

    def __init__(self, root: Path, path: str, overwrite: bool) -> None:
        self._root, self._path = root, path
        self._target = Target(root / path, overwrite, _KIND)

    def create(self, options: dict[str, Any]) -> Any:
        """Make an array that nobody finds yet, once it is sure that its name is free."""
        import zarr

        self._target.check_free()  # before groups are made
        if self._path:
            group = zarr.open_group(self._root, mode="a", zarr_format=options["zarr_format"])
            parent = self._path.rpartition("/")[0]
            if parent:
                group.require_group(parent)
        else:
            self._target.path.parent.mkdir(parents=True, exist_ok=True)
        hidden = self._target.begin()
        try:
            return zarr.create_array(hidden, **options)
        except BaseException:
            self.remove()
            raise

    def publish(self, options: dict[str, Any]) -> None:
        """Let the array be found."""
        self._target.finish()

    def remove(self) -> None:
        """Remove what was written so far; once the array can be found, do nothing."""
        self._target.abandon()


class OtherPlace:
    """In a store that cannot rename: chunks first, metadata last."""

    def __init__(self, store: Any, path: str, overwrite: bool) -> None:
        self._store, self._path, self._overwrite = store, path, overwrite
        self._is_published = False

    def create(self, options: dict[str, Any]) -> Any:
        """Make an array that nobody finds yet, once it is sure that its name is free."""
        import zarr
        from zarr.storage import StorePath

        place = StorePath(self._store, self._path)
        self._check_free(place)
        model = zarr.create_array({}, **options)
        self.remove()
        return zarr.Array(zarr.AsyncArray(model.metadata, place))

    def _check_free(self, place: Any) -> None:
        import zarr

        try:
            node = zarr.open(self._store, path=self._path, mode="r")
        except FileNotFoundError:
            node = None
        if not isinstance(node, zarr.Array):
            # Chunks without metadata are what a write that was killed has left.
            others = sorted(k for k in self._keys() if not _OF_GROUPS_AND_CHUNKS.fullmatch(k))
            if others:
                what = f"a place that holds {others[0]!r}" if node is None else _group_of(others)
                raise FileExistsError(
                    f"{place} is {what}, and only a Zarr array can be replaced; write to another "
                    "name, or remove it first"
                )
        if node is not None and not self._overwrite:
            raise FileExistsError(f"{place} exists; pass overwrite=True to replace it")

    def _keys(self) -> list[str]:
        """Return all keys below the place."""
        from zarr.core.sync import collect_aiterator

        prefix = f"{self._path}/" if self._path else ""
        return [key[len(prefix) :] for key in collect_aiterator(self._store.list_prefix(prefix))]

    def publish(self, options: dict[str, Any]) -> None:
        """Let the array be found."""
        import zarr

        zarr.create_array(self._store, name=self._path or None, **options)
        self._is_published = True

    def remove(self) -> None:
        """Remove what was written so far; once the array can be found, do nothing."""
        from zarr.core.sync import sync

        if not self._is_published:
            sync(self._store.delete_dir(self._path))
