"""Files to load, written row by row."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from epochtop.core.data import Dataset, load_dataset
from epochtop.core.errors import DataError
from epochtop.core.settings.declaration import DataSettings

WriteCsv = Callable[[Sequence[str], Iterable[Sequence[object]]], Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
        path = tmp_path / "table.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    return write


@pytest.fixture
def write_text(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.fixture
def load() -> Callable[..., Dataset]:
    def load(source: object, **settings: object) -> Dataset:
        return load_dataset(DataSettings(source=str(source), **settings))  # type: ignore[arg-type]

    return load


@pytest.fixture
def failure(load: Callable[..., Dataset]) -> Callable[..., str]:
    """The message that loading fails with."""

    def failure(source: object, **settings: object) -> str:
        with pytest.raises(DataError) as caught:
            load(source, **settings)
        message = str(caught.value)
        assert message.isprintable()
        return message

    return failure
