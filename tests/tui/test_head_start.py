"""A long journal that another process reads while this one draws the screen."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.message import Message

from epochtop.core import Run
from epochtop.core.events import Event, RunResumed, Warned
from epochtop.tui.following import head_start as head_start_module
from epochtop.tui.following.follower import Follower
from epochtop.tui.following.head_start import HeadStart, starts_of_shares
from epochtop.tui.following.messages import RecordsArrived
from epochtop.tui.following.state import RunState, reduce

from ..records import epoch_record, started_record, write_journal
from ..waiting import wait_for
from .app_driver import finished_run
from .journals import snapshot_of

NUM_EPOCHS = 1_000


def some_records() -> list[Event]:
    """Epochs with metrics, gaps and a resumption."""
    epochs = [
        epoch_record(n, metrics={"f1": n / 1000}, val_loss=None if n % 100 == 0 else 1 / n)
        for n in range(1, NUM_EPOCHS + 1)
    ]
    resumed = RunResumed(time=9_000.0, epoch=600, pid=7)
    again = [epoch_record(n, time=8_400.0 + n) for n in range(601, NUM_EPOCHS + 1)]
    return [started_record(), *epochs[:700], Warned(time=1_700.0, message="m"), resumed, *again]


class Screen:
    """In the place of the app: the state after all that is posted."""

    def __init__(self) -> None:
        self.state = RunState()
        self.is_loading = True

    def post(self, message: Message) -> bool:
        if isinstance(message, RecordsArrived):
            self.state = reduce(self.state, message.events)
            self.is_loading = message.loading is not None
        return True


def follow(run: Run, head_start: HeadStart, *, until: int, then: Sequence[Event] = ()) -> RunState:
    """The state once a follower has posted so many epochs, and more that come afterwards."""
    screen = Screen()
    follower = Follower(run, screen.post, head_start)
    follower.start()
    try:
        wait_for(lambda: screen.state.epoch == until and not screen.is_loading, "the journal")
        write_journal(run, *then)
        wait_for(lambda: len(screen.state.history) == until + len(then), "what came later")
    finally:
        follower.stop()
    return screen.state


def test_what_another_process_reads_is_what_the_journal_says_and_is_read_on_here(
    tmp_path: Path,
) -> None:
    run = finished_run(tmp_path, *some_records())
    later = epoch_record(NUM_EPOCHS + 1, time=9_500.0)
    with HeadStart(run.journal_path) as head_start:
        state = follow(run, head_start, until=NUM_EPOCHS, then=[later])
    assert snapshot_of(state) == snapshot_of(reduce(RunState(), [*some_records(), later]))


def test_what_a_killed_reader_has_left_is_read_here(tmp_path: Path) -> None:
    run = finished_run(tmp_path, *some_records())
    head_start = HeadStart(run.journal_path)
    head_start.stop()
    state = follow(run, head_start, until=NUM_EPOCHS)
    assert snapshot_of(state) == snapshot_of(reduce(RunState(), some_records()))


def test_a_journal_that_is_gone_gives_nothing_and_ends(tmp_path: Path) -> None:
    with HeadStart(tmp_path / "none") as head_start:
        assert list(head_start.parts(lambda: True)) == []


def test_parts_are_not_waited_for_once_they_are_not_wanted(tmp_path: Path) -> None:
    with HeadStart(tmp_path / "none") as head_start:
        assert list(head_start.parts(lambda: False)) == []


def test_only_a_long_journal_gets_a_head_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path, *some_records())
    assert HeadStart.on_long(run.journal_path) is None
    assert HeadStart.on_long(tmp_path / "none") is None
    monkeypatch.setattr(head_start_module, "LONG_JOURNAL_BYTES", 1000)
    head_start = HeadStart.on_long(run.journal_path)
    assert head_start is not None
    head_start.stop()


@pytest.mark.parametrize("num_readers", [1, 2, 3])
def test_shares_of_a_journal_that_are_read_side_by_side_come_in_its_order(
    tmp_path: Path, num_readers: int
) -> None:
    run = finished_run(tmp_path, *some_records())
    with HeadStart(run.journal_path, num_readers=num_readers) as head_start:
        state = follow(run, head_start, until=NUM_EPOCHS)
    assert snapshot_of(state) == snapshot_of(reduce(RunState(), some_records()))


def test_nothing_is_shown_after_a_gap_where_a_reader_was_killed(tmp_path: Path) -> None:
    run = finished_run(tmp_path, *some_records())
    with HeadStart(run.journal_path, num_readers=2) as head_start:
        head_start._readers[0].stop()  # noqa: SLF001 - as the system may kill it
        state = follow(run, head_start, until=NUM_EPOCHS)
    assert snapshot_of(state) == snapshot_of(reduce(RunState(), some_records()))


def test_shares_of_a_journal_begin_with_a_line(tmp_path: Path) -> None:
    run = finished_run(tmp_path, *some_records())
    starts = starts_of_shares(run.journal_path, 3)
    journal = run.journal_path.read_bytes()
    assert len(starts) == 3
    assert [journal[start - 1 : start] for start in starts[1:]] == [b"\n", b"\n"]
    assert starts_of_shares(tmp_path / "none", 3) == [0]
