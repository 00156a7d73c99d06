"""Where rows come from: a built-in set, or a file by its suffix."""

from ..settings.declaration import BUILT_IN_SOURCES, FILE_SUFFIXES, DataSettings
from .built_in import read_built_in
from .csv_file import read_csv
from .data_file import Reader, read_data_file
from .npz_file import read_npz
from .parquet_file import read_parquet
from .table import Table, check_rows

READERS: dict[str, Reader[Table]] = dict(
    zip(FILE_SUFFIXES, (read_csv, read_parquet, read_npz), strict=True)
)


def read_source(settings: DataSettings) -> Table:
    """Read all rows of a source and check that they can be used as they are.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    if settings.source in BUILT_IN_SOURCES:
        return read_built_in(settings.source, settings.seed)
    table = read_data_file(settings.source, READERS)
    check_rows(table)
    return table
