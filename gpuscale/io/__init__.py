"""Floor 5: pieces of files, of arrays and of frames, read and written by many tasks at once.

=============== ==========================================================================
`pieces`        the two contracts, `PieceReader` and `PieceWriter`
`grid`          stored chunks under a region; grids on which writing is safe
`targets`       hidden names beside a target, so that it appears whole or not at all
`memory`        chunks that were computed, and an array that tasks fill
`checkpoint`    results on disk, under names that every process finds again
`functions`     pieces that a Python function makes
`array_like`    anything with shape, dtype and indexing; `reader_of` finds the reader
`chunk_locks`   locks of stored chunks that several writers fill together
`places`        where arrays lie, and whether two of them share it
`mapped`        memory-mapped files, whose pieces are views
`npy`           one ``.npy`` file           `npy_stack`   a folder of them
`zarr`          Zarr arrays; `zarr_layout` and `zarr_chunks` decode local ones directly;
                `zarr_places` makes new ones; `zarr_changes` sees that others have replaced one
`hdf5`          datasets of HDF5 files; `hdf5_files` has one handle of each
=============== ==========================================================================

Of frames:

=============== ==========================================================================
`frames`        the contracts, `FramePieces` and `FrameWriter`; `frame_readers` of partitions
`files`         files that paths, globs and URLs name        `staging`   files until all are written
`parquet`       Parquet files: `parquet_footers`, `_schema`, `_layout`, `_cuts`, `_writer`, `hive`
`csv`           CSV files: `csv_format` and `csv_dates` of the first lines, `csv_arrow` and
                `csv_pandas` for blocks, `csv_whole` for what cannot be cut, `quotes`
`text_blocks`   files in blocks of lines        `promised_dtypes`   of the first rows, for all
`text_writer`   CSV and JSON                    `csv_lines`   by Arrow, as pandas has them
`json`, `orc`, `orc_writer`, `sql`, `fixed_width`, `frame_functions`
`predicates`    conditions on rows              `labels`   columns that do not exist
=============== ==========================================================================

May import: floors 0 to 4 and its own files. What is an extra is imported in functions only.

To add a format: one file with a reader and a writer that follow the contracts in `pieces`; a row
of `reader_of`, registered lazily by module name, if users hold its arrays as objects.
"""

from gpuscale.io import hdf5, zarr  # they register their rows of `reader_of`

__all__ = ["hdf5", "zarr"]
