"""The thread between a journal and the screen."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from textual.message import Message

from epochtop.core import JournalReader, Run
from epochtop.core.events import Event, RunResumed, Warned
from epochtop.core.run.journal import encode
from epochtop.core.run.status import RunStatus, engine_process, write_engine_process
from epochtop.tui.following import follower as follower_module
from epochtop.tui.following import journal_parts
from epochtop.tui.following.epoch_block import EpochBlock
from epochtop.tui.following.follower import Follower
from epochtop.tui.following.messages import RecordsArrived, StatusChanged

from ..records import epoch_record, finished_record, started_record, write_journal
from ..waiting import LIMIT_SECONDS, wait_for
from .app_driver import finished_run, live_run


class Post:
    """In the place of the app: keeps what is posted."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> bool:
        self.messages.append(message)
        return True

    @property
    def records(self) -> list[Event]:
        batches = [message for message in self.messages if isinstance(message, RecordsArrived)]
        return [event for batch in batches for event in _records_of(batch)]

    def has_records(self, count: int) -> bool:
        return len(self.records) >= count

    @property
    def statuses(self) -> list[RunStatus]:
        return [message.status for message in self.messages if isinstance(message, StatusChanged)]


def _records_of(batch: RecordsArrived) -> Iterator[Event]:
    """The records of a message without blocks."""
    for arrival in batch.events:
        assert not isinstance(arrival, EpochBlock)
        yield arrival


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def follow(post: Post, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Run], Follower]]:
    """Follow a run; looks often, and ends with the test."""
    monkeypatch.setattr(follower_module, "SECONDS_BETWEEN_READS", 0.005)
    monkeypatch.setattr(follower_module, "_SECONDS_BETWEEN_STATUS_CHECKS", 0.02)
    started: list[Follower] = []

    def start(run: Run) -> Follower:
        follower = Follower(run, post)
        follower.start()
        started.append(follower)
        return follower

    yield start
    for follower in started:
        follower.stop()


def test_every_record_is_posted_once_and_in_order(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    records: list[Event] = [started_record(), *(epoch_record(number) for number in range(1, 101))]
    run = live_run(tmp_path, *records[:40])
    follow(run)
    wait_for(lambda: len(post.records) == 40, "the records that were there")
    for record in records[40:]:
        write_journal(run, record)

    wait_for(lambda: len(post.records) >= len(records), "the records that came later")
    assert post.records == records


def test_records_that_came_together_are_posted_together(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), *(epoch_record(n) for n in range(1, 51)))
    follow(run)

    wait_for(lambda: len(post.records) == 51, "all records")
    assert sum(isinstance(message, RecordsArrived) for message in post.messages) == 1


def test_a_torn_line_is_posted_once_it_is_whole(
    follow: Callable[[Run], Follower],
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    looks = 0

    class CountedReader(JournalReader):
        def chunks(self, end: int | None = None) -> Iterator[list[Event]]:
            nonlocal looks
            yield from super().chunks(end)
            looks += 1

    monkeypatch.setattr(follower_module, "JournalReader", CountedReader)
    line = encode(epoch_record(1)) + b"\n"
    run = live_run(tmp_path, started_record())
    with run.journal_path.open("ab", buffering=0) as journal:
        journal.write(line[:50])
        follow(run)
        wait_for(lambda: looks > 2, "a third look")
        assert post.records == [started_record()]
        journal.write(line[50:])
        wait_for(lambda: len(post.records) == 2, "the whole line")

    assert post.records[1] == epoch_record(1)


def test_a_run_without_a_journal_is_waited_for(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path)
    run.journal_path.unlink()
    follow(run)
    wait_for(lambda: post.statuses, "a status")
    assert post.messages == [post.messages[0]]
    assert post.statuses == [RunStatus("starting")]
    write_journal(run, started_record())

    wait_for(lambda: len(post.statuses) == 2, "the next status")
    assert post.records == [started_record()]
    assert post.statuses[1] == RunStatus("live")


def test_the_end_of_the_engine_is_posted(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), epoch_record(1))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        write_engine_process(run, engine_process(engine.pid))
        follow(run)
        wait_for(lambda: post.statuses, "a status")
        assert post.statuses == [RunStatus("live")]
        engine.kill()
        engine.wait()
        wait_for(lambda: len(post.statuses) > 1, "another status")

    assert post.statuses == [RunStatus("live"), RunStatus("killed")]


def test_a_status_is_posted_when_it_changes_and_not_again(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record())
    follow(run)
    for number in range(1, 6):
        write_journal(run, epoch_record(number))
        wait_for(partial(post.has_records, number + 1), f"epoch {number}")
    write_journal(run, finished_record())
    wait_for(lambda: len(post.statuses) > 1, "another status")

    assert post.statuses == [RunStatus("live"), RunStatus("finished", "completed")]


def test_a_run_that_goes_on_after_its_end_is_live_again(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), epoch_record(1), finished_record("stopped"))
    follow(run)
    wait_for(lambda: post.statuses, "a status")
    write_journal(run, RunResumed(epoch=1))
    wait_for(lambda: len(post.statuses) > 1, "another status")

    assert post.statuses == [RunStatus("finished", "stopped"), RunStatus("live")]


def test_an_end_is_posted_after_the_records_that_tell_of_it(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    # who waits for the end, as the quit dialog does, would leave before the last records came
    run = finished_run(tmp_path, started_record(), epoch_record(1), finished_record())
    follow(run)
    wait_for(lambda: post.statuses and post.records, "records and a status")

    assert [type(message) for message in post.messages] == [RecordsArrived, StatusChanged]


def test_stopping_ends_the_thread_in_the_middle_of_a_long_journal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), *(epoch_record(n) for n in range(1, 5001)))
    in_small_pieces = partial(JournalReader, chunk_bytes=500)
    monkeypatch.setattr(follower_module, "JournalReader", in_small_pieces)
    posted: list[Message] = []
    has_begun, may_go_on = threading.Event(), threading.Event()

    def post(message: Message) -> bool:
        posted.append(message)
        if isinstance(message, RecordsArrived):
            has_begun.set()
            may_go_on.wait(LIMIT_SECONDS)
        return True

    follower = Follower(run, post)
    follower.start()
    assert has_begun.wait(LIMIT_SECONDS)
    may_go_on.set()
    follower.stop()

    assert not follower.is_alive()
    assert len(posted) < 2500


def test_stopping_does_not_wait_for_the_next_look(
    post: Post, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(follower_module, "SECONDS_BETWEEN_READS", 10 * LIMIT_SECONDS)
    run = live_run(tmp_path, started_record())
    follower = Follower(run, post)
    follower.start()
    wait_for(lambda: post.records, "the first look")
    stopping = threading.Thread(target=follower.stop, daemon=True)
    stopping.start()
    stopping.join(LIMIT_SECONDS)

    assert not follower.is_alive()


def test_nothing_is_posted_after_stopping(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record())
    follower = follow(run)
    wait_for(lambda: post.records, "the first record")
    follower.stop()
    before = list(post.messages)
    write_journal(run, epoch_record(1), finished_record())

    assert not follower.is_alive()
    assert post.messages == before


def test_a_journal_that_cannot_be_read_for_a_moment_is_read_later(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    # a network's file system answers with an error now and then
    run = live_run(tmp_path)
    run.journal_path.unlink()
    run.journal_path.mkdir()
    follower = follow(run)
    wait_for(lambda: not follower.is_alive() or post.statuses, "a first look")
    run.journal_path.rmdir()
    write_journal(run, started_record())

    wait_for(lambda: not follower.is_alive() or post.records, "the records")
    assert post.records == [started_record()]


# Long journals.


@pytest.fixture
def part_after_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every piece of a journal shown at once."""
    monkeypatch.setattr(follower_module, "JournalReader", partial(JournalReader, chunk_bytes=4096))
    monkeypatch.setattr(journal_parts, "SECONDS_BETWEEN_PARTS", 0.0)


@pytest.mark.usefixtures("part_after_part")
def test_a_long_journal_is_posted_in_parts_that_say_how_far_it_has_been_read(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    records: list[Event] = [started_record(), *(epoch_record(n) for n in range(1, 101))]
    run = live_run(tmp_path, *records)
    follow(run)
    wait_for(lambda: post.statuses, "the end of the first reading")

    shares = [message.loading for message in post.messages if isinstance(message, RecordsArrived)]
    *parts, last = [-1.0 if share is None else share for share in shares]
    assert len(parts) > 5
    assert parts == sorted(parts)
    assert (0 < parts[0] < 0.5, parts[-1], last) == (True, 1.0, -1.0)
    assert post.records == records


def test_a_long_journal_is_posted_in_few_parts(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), *(epoch_record(n) for n in range(1, 10_001)))
    follow(run)
    wait_for(lambda: post.statuses, "the end of the first reading")

    batches = [message for message in post.messages if isinstance(message, RecordsArrived)]
    blocks = [each for batch in batches for each in batch.events if isinstance(each, EpochBlock)]
    assert sum(map(len, blocks)) == 10_000
    assert len(blocks) == len(batches)


# Journals that do not stay what they were.


def test_a_journal_that_was_replaced_is_read_anew_and_that_is_said(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(run="one"), *(epoch_record(n) for n in range(1, 9)))
    follow(run)
    wait_for(lambda: len(post.records) == 9, "the first journal")
    other = [encode(event) + b"\n" for event in (started_record(run="other"), epoch_record(1))]
    new = tmp_path / "new"
    new.write_bytes(b"".join(other))
    new.replace(run.journal_path)
    wait_for(lambda: len(post.records) > 9, "the other journal")

    message = [each for each in post.messages if isinstance(each, RecordsArrived)][-1]
    *records, warning = post.records[9:]
    assert message.starts_over
    assert records == [started_record(run="other"), epoch_record(1)]
    assert isinstance(warning, Warned)


def test_a_journal_that_was_emptied_is_said_to_be_so_once(
    follow: Callable[[Run], Follower], post: Post, tmp_path: Path
) -> None:
    run = live_run(tmp_path, started_record(), epoch_record(1))
    follow(run)
    wait_for(lambda: len(post.records) == 2, "the journal")
    run.journal_path.write_bytes(b"")
    wait_for(lambda: len(post.records) > 2, "a warning")
    write_journal(run, started_record())
    wait_for(lambda: len(post.records) > 3, "the next run")

    assert [type(event).__name__ for event in post.records[2:]] == ["Warned", "RunStarted"]
