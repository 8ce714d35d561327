"""How the columns of Parquet files become a frame: labels, order, index, columns of folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.io.labels import check_labels
from gpuscale.io.parquet_schema import Labels

__all__ = ["FrameLayout", "choose"]

Names = dict[Any, str]


@dataclass(frozen=True)
class FrameLayout:
    """Which columns a frame has, and where they come from.

    Parameters
    ----------
    columns : dict of label to str
        The columns of the frame, in order, with their names in the files.
    index : tuple of (str, label)
        Columns that are the index, and what it calls them; none where rows are numbered.
    hive : dict of label to pandas.Categorical
        Columns that the names of folders hold, with a value for each file.
    labels : pandas.Index
        All labels of ``columns``.
    """

    columns: Names
    index: tuple[tuple[str, Any], ...]
    hive: dict[str, Any]
    labels: Any

    def names(self, labels: Iterable[Any]) -> list[str]:
        """Return what some columns are called in the files, without those of folders."""
        return [self.columns[label] for label in labels if label not in self.hive]

    @property
    def index_names(self) -> list[str]:
        """What the columns of the index are called in the files."""
        return [name for name, _ in self.index]

    def columns_of(self, flat: Any, labels: Sequence[Any], files: Any) -> Any:
        """Return columns of the frame from those of files.

        Parameters
        ----------
        flat : pandas.DataFrame
            Columns as the files name them.
        labels : sequence of labels
        files : numpy.ndarray of int
            Number of the file that each row is from.
        """
        import pandas as pd

        names = self.names(labels)
        frame = flat[names] if list(flat.columns) != names else flat.copy(deep=False)
        for at, label in enumerate(labels):
            if label in self.hive:
                values = self.hive[label]
                codes = values.codes[files]
                frame.insert(at, label, pd.Categorical.from_codes(codes, dtype=values.dtype))
        frame.columns = self.labels[self.labels.get_indexer_for(list(labels))]
        return frame

    def frame(self, flat: Any, labels: Sequence[Any], rows: Any, files: Any) -> Any:
        """Return a frame with its index, which is ``rows`` unless columns of files are."""
        import pandas as pd

        frame = self.columns_of(flat, labels, files)
        if not self.index:
            frame.index = rows
            return frame
        keys = [flat[name] for name in self.index_names]
        titles = [label for _, label in self.index]
        one = len(keys) == 1
        frame.index = pd.Index(keys[0]) if one else pd.MultiIndex.from_arrays(keys)
        frame.index.names = titles
        return frame


def choose(
    noted: Labels, hive: dict[str, Any], columns: Sequence[Any] | None, index: Any, where: str
) -> FrameLayout:
    """Lay a frame out as the user wants it, else as pandas has noted it.

    Parameters
    ----------
    noted : Labels
    hive : dict
    columns : sequence of labels or None
    index : label, sequence of labels, False or None
    where : str
        What messages call the files.

    Raises
    ------
    KeyError
        If there is no such column.
    """
    import pandas as pd

    there = dict(noted.columns)
    chosen = noted.index
    if index is not None:
        names = dict(noted.index)
        there |= {name if title is None else title: name for name, title in names.items()}
        wanted = [] if index is False else index if isinstance(index, list) else [index]
        check_labels(wanted, there, where)
        chosen = tuple((there[label], names.get(there[label], label)) for label in wanted)
        there = {label: there[label] for label in there if label not in wanted}
    found = {label: values for label, values in hive.items() if label not in there}
    there |= dict.fromkeys(found, "")
    if columns is not None:
        check_labels(columns, there, where)
        there = {label: there[label] for label in columns}
    of_files = [label for label in there if label not in found]
    if of_files == list(noted.empty.columns):
        labels = noted.empty.columns.append(pd.Index(list(found))) if found else noted.empty.columns
    else:
        labels = pd.Index(list(there), name=noted.empty.columns.name, tupleize_cols=True)
    return FrameLayout(there, chosen, {k: v for k, v in found.items() if k in there}, labels)
