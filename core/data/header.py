"""The columns of a data file, without its rows; a screen may ask, so torch is not loaded."""

from ..settings.declaration import FILE_SUFFIXES
from .csv_file import csv_header
from .data_file import Reader, read_data_file
from .npz_file import npz_header
from .parquet_file import parquet_header

_READERS: dict[str, Reader[dict[str, str]]] = dict(
    zip(FILE_SUFFIXES, (csv_header, parquet_header, npz_header), strict=True)
)


def read_header(source: str) -> dict[str, str]:
    """The columns of a data file and what each holds, from no more of it than they need.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    return read_data_file(source, _READERS)
