"""What a list of runs tells of one."""

from pathlib import Path

import pytest
from rich.cells import cell_len

from epochtop.core import Run
from epochtop.core.events import (
    CheckpointSaved,
    Event,
    Paused,
    Resumed,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.status import summarise
from epochtop.tui.commands.listing import as_json, is_paused, summarise_runs, table_lines

from ..records import epoch_record, started_record, task_record, write_journal
from .app_driver import finished_run, live_run

PAUSED = Paused(epoch=1, step=14)
CHANGED = SettingChanged(setting="optim.lr", before=0.1, after=0.2, by="request")
SAVED = CheckpointSaved(kind="last", epoch=1, path="last.pt", bytes=1, seconds=0.1)


def cells(run: Run) -> list[str]:
    """The words of a run's line."""
    return table_lines([summarise(run)])[1].split()


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], False),
        ([epoch_record(1)], False),
        ([epoch_record(1), PAUSED], True),
        ([PAUSED, CHANGED, SAVED, Warned(message="m")], True),
        ([PAUSED, Resumed(epoch=1, step=14)], False),
        ([PAUSED, Resumed(epoch=1, step=14), SAVED], False),
        ([PAUSED, StopRequested(when="epoch")], False),
        ([PAUSED, RunResumed(epoch=0, pid=7)], False),
    ],
)
def test_a_run_is_paused_from_the_pause_until_it_goes_on(
    records: list[Event], expected: bool, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), *records)
    assert is_paused(run) is expected
    assert as_json(summarise(run))["paused"] is expected
    assert cells(run)[1] == ("paused" if expected else "live")


def test_a_run_that_was_killed_while_paused_is_killed(tmp_path: Path) -> None:
    run = finished_run(tmp_path, started_record(), PAUSED)
    assert as_json(summarise(run))["paused"] is False
    assert cells(run)[1] == "killed"


def test_a_run_that_trains_more_epochs_than_it_began_with_is_told_of_how_many(
    tmp_path: Path,
) -> None:
    run = live_run(tmp_path, started_record(epochs=5), *map(epoch_record, range(1, 6)))
    assert cells(run)[2] == "5/5"
    more = SettingChanged(setting="train.epochs", before=5, after=9, by="request")
    write_journal(run, more, CHANGED, epoch_record(6))
    assert cells(run)[2] == "6/9"
    assert as_json(summarise(run))["epochs"] == 9


def test_a_task_is_listed_like_any_other_run(tmp_path: Path) -> None:
    run = live_run(tmp_path, task_record(num_train=None, num_val=None), epoch_record(1))
    assert cells(run)[1:3] == ["live", "1/200"]


def test_columns_stand_below_each_other_whatever_folders_are_called(tmp_path: Path) -> None:
    for name in ("数字-分類", "digits"):
        run = finished_run(tmp_path, started_record(), epoch_record(1))
        run.path.rename(tmp_path / name)
    header, *lines = table_lines(summarise_runs(tmp_path))
    starts = {cell_len(line[: line.index("killed")]) for line in lines}
    assert starts == {cell_len(header[: header.index("status")])}
