from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochtop.core.events import EpochCompleted, Event, LossNotFinite, RunResumed, Warned
from epochtop.core.run.journal import (
    JournalReader,
    JournalWriter,
    encode,
    read_backwards,
    read_first,
)
from tests.records import epoch_record, finished_record, started_record, stopping_state

NewJournal = Callable[[bytes], Path]


@pytest.fixture(scope="session")
def new_journal(tmp_path_factory: pytest.TempPathFactory) -> NewJournal:
    directory = tmp_path_factory.mktemp("journals")

    def write(content: bytes) -> Path:
        path = directory / "journal.jsonl"
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def append(path: Path, *events: Event) -> None:
    with JournalWriter(path) as writer:
        for event in events:
            writer.append(event)


def append_bytes(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def lines_of(events: Iterable[Event]) -> bytes:
    return b"".join(encode(event) + b"\n" for event in events)


def whole_run() -> list[Event]:
    """A record of every kind that differs from the others in length and alphabet."""
    return [
        started_record(run="caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}"),
        *(epoch_record(epoch) for epoch in range(1, 4)),
        LossNotFinite(time=4.0, epoch=4, step=40, which="train", value="-inf"),
        Warned(time=5.0, message='a "quoted"\nmessage \\ of \N{GRINNING FACE} two lines'),
        RunResumed(time=6.0, epoch=2),
        finished_record("failed", message=""),
    ]


finite = st.floats(allow_nan=False, allow_infinity=False)
some_records = st.lists(
    st.builds(lambda epoch, loss: epoch_record(epoch, val_loss=loss), st.integers(1, 9), finite)
    | st.builds(Warned, time=finite, message=st.text(st.characters(codec="utf-8"), max_size=40)),
    max_size=8,
)


# Append and read.


def test_what_was_appended_is_read_in_order(journal: Path) -> None:
    append(journal, *whole_run())
    assert JournalReader(journal).read() == whole_run()


def test_a_second_read_gives_only_what_came_since(journal: Path) -> None:
    reader = JournalReader(journal)
    assert reader.read() == []
    with JournalWriter(journal) as writer:
        for epoch in range(1, 4):
            writer.append(epoch_record(epoch))
            assert reader.read() == [epoch_record(epoch)]
            assert reader.read() == []


def test_there_is_nothing_to_read_before_the_journal_is_there(journal: Path) -> None:
    reader = JournalReader(journal)
    assert reader.read() == []
    append(journal, epoch_record(1))
    assert reader.read() == [epoch_record(1)]


def test_a_writer_goes_on_behind_what_is_there(journal: Path) -> None:
    append(journal, epoch_record(1))
    append(journal, epoch_record(2))
    assert JournalReader(journal).read() == [epoch_record(1), epoch_record(2)]


def test_every_record_is_one_line_of_json_with_its_event_and_time(journal: Path) -> None:
    append(journal, *whole_run())
    lines = journal.read_bytes().splitlines()
    assert len(lines) == len(whole_run())
    assert all(line.startswith(b'{"event":"') and b'"time":' in line for line in lines)


def test_a_record_is_readable_as_soon_as_it_is_appended_and_survives_a_sync(
    journal: Path,
) -> None:
    with JournalWriter(journal) as writer:
        writer.append(epoch_record(1))
        assert JournalReader(journal).read() == [epoch_record(1)]
        writer.sync()
        assert JournalReader(journal).read() == [epoch_record(1)]


@given(events=some_records)
@settings(deadline=None)
def test_any_records_read_back_as_they_were_written(
    events: list[Event], new_journal: NewJournal
) -> None:
    path = new_journal(b"")
    append(path, *events)
    assert JournalReader(path).read() == events


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_null(journal: Path, loss: float) -> None:
    append(
        journal,
        epoch_record(
            1,
            train_loss=loss,
            val_loss=loss,
            metrics={"val_accuracy": loss},
            stopping=stopping_state(target=loss),
        ),
    )

    text = journal.read_text()
    assert '"train_loss":null' in text
    assert '"metrics":{"val_accuracy":null}' in text
    (record,) = JournalReader(journal).read()
    assert isinstance(record, EpochCompleted)
    assert record.val_loss is None
    assert record.stopping.target is None


def test_a_name_that_is_not_utf8_is_written_in_some_form(journal: Path) -> None:
    # Python spells a byte that is not UTF-8 in a path as a lone surrogate.
    append(journal, Warned(message="caf\udce9.csv"), epoch_record(1))
    assert len(JournalReader(journal).read()) == 2


# What a reader does not know.


def test_unknown_events_are_left_out(journal: Path) -> None:
    append(journal, epoch_record(1))
    append_bytes(journal, b'{"event":"gpu_measured","time":1.0,"watts":300}\n')
    append(journal, epoch_record(2))
    assert JournalReader(journal).read() == [epoch_record(1), epoch_record(2)]


def test_unknown_fields_are_left_out(journal: Path) -> None:
    append_bytes(journal, b'{"event":"warning","time":1.0,"message":"m","colour":[1,{}]}\n')
    assert JournalReader(journal).read() == [Warned(time=1.0, message="m")]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0\0\0\0",
        b"no json",
        b"null",
        b"[]",
        b'{"event":"warning","time":1.0}',
        b'{"event":"warning","time":"now","message":"m"}',
        b'{"time":1.0,"message":"m"}',
        b'{"event":"warning","time":1.0,"message":"\xff"}',
        b'{"event":"warning","time":1.0,"message":"m","more":' + b"[" * 100_000,
    ],
    ids=[
        "empty",
        "zero bytes",
        "text",
        "null",
        "list",
        "field missing",
        "wrong type",
        "no event",
        "not utf-8",
        "too deep",
    ],
)
def test_a_line_that_is_no_record_is_left_out(journal: Path, line: bytes) -> None:
    append(journal, epoch_record(1))
    append_bytes(journal, line + b"\n")
    append(journal, epoch_record(2))
    assert JournalReader(journal).read() == [epoch_record(1), epoch_record(2)]
    assert list(read_backwards(journal)) == [epoch_record(2), epoch_record(1)]


# Torn lines.


def test_a_torn_last_line_is_kept_back_until_its_newline_comes(journal: Path) -> None:
    line = encode(epoch_record(2))
    append(journal, epoch_record(1))
    reader = JournalReader(journal)

    append_bytes(journal, line[:20])
    assert reader.read() == [epoch_record(1)]
    append_bytes(journal, line[20:])
    assert reader.read() == []
    append_bytes(journal, b"\n")
    assert reader.read() == [epoch_record(2)]


def test_a_killed_writers_torn_line_is_ended_by_the_next_and_nothing_else_is_lost(
    journal: Path,
) -> None:
    live = JournalReader(journal)
    append(journal, epoch_record(1))
    append_bytes(journal, encode(epoch_record(2))[:-5])
    assert live.read() == [epoch_record(1)]

    append(journal, RunResumed(time=1.0, epoch=1), epoch_record(2))

    rest: list[Event] = [RunResumed(time=1.0, epoch=1), epoch_record(2)]
    assert live.read() == rest
    assert JournalReader(journal).read() == [epoch_record(1), *rest]


def test_a_line_that_lacks_only_its_newline_counts_once_the_next_writer_ends_it(
    journal: Path,
) -> None:
    append_bytes(journal, encode(epoch_record(1)))
    append(journal, epoch_record(2))
    assert JournalReader(journal).read() == [epoch_record(1), epoch_record(2)]


def test_a_new_writer_adds_nothing_to_a_whole_journal(journal: Path) -> None:
    append(journal, epoch_record(1))
    before = journal.read_bytes()
    JournalWriter(journal).close()
    assert journal.read_bytes() == before


@given(cuts=st.lists(st.integers(min_value=0), max_size=12), chunk_bytes=st.integers(32, 4096))
@settings(deadline=None)
def test_records_that_arrive_in_pieces_are_read_once_and_in_order(
    cuts: list[int], chunk_bytes: int, new_journal: NewJournal
) -> None:
    content = lines_of(whole_run())
    ends = sorted({0, *(cut % len(content) for cut in cuts), len(content)})
    path = new_journal(b"")
    reader = JournalReader(path, chunk_bytes=chunk_bytes)

    read: list[Event] = []
    for start, end in pairwise(ends):
        append_bytes(path, content[start:end])
        read += reader.read()
        whole_lines = content[:end].count(b"\n")
        assert read == whole_run()[:whole_lines]

    assert read == whole_run()


def test_a_journal_torn_at_any_byte_gives_its_whole_lines(new_journal: NewJournal) -> None:
    content = lines_of(whole_run())
    for size in range(len(content) + 1):
        path = new_journal(content[:size])
        expected = whole_run()[: content[:size].count(b"\n")]
        assert JournalReader(path).read() == expected


# Chunks.


@pytest.mark.parametrize("chunk_bytes", [1, 2, 7, 100, 10_000])
def test_chunks_of_any_size_give_the_same_records(journal: Path, chunk_bytes: int) -> None:
    append(journal, *whole_run())
    assert JournalReader(journal, chunk_bytes=chunk_bytes).read() == whole_run()


def test_a_line_may_be_thousands_of_chunks_long(journal: Path) -> None:
    long = Warned(time=1.0, message="x" * 5_000)
    append(journal, long, epoch_record(1))
    assert JournalReader(journal, chunk_bytes=1).read() == [long, epoch_record(1)]


def test_a_large_journal_comes_in_pieces(journal: Path) -> None:
    append(journal, *(epoch_record(epoch) for epoch in range(1, 101)))
    chunks = list(JournalReader(journal, chunk_bytes=4096).chunks())
    assert len(chunks) > 1
    assert [event for chunk in chunks for event in chunk] == [
        epoch_record(epoch) for epoch in range(1, 101)
    ]


def test_a_piece_without_a_known_record_does_not_end_the_reading(journal: Path) -> None:
    append_bytes(journal, b'{"event":"unknown"}\n' * 50)
    append(journal, epoch_record(1))
    assert JournalReader(journal, chunk_bytes=64).read() == [epoch_record(1)]


# From the end.


def test_from_the_end_only_later_records_are_read(journal: Path) -> None:
    append(journal, epoch_record(1))
    reader = JournalReader(journal, from_end=True)
    assert reader.read() == []
    append(journal, epoch_record(2))
    assert reader.read() == [epoch_record(2)]


def test_from_the_end_of_a_journal_that_is_not_there_yet_all_is_read(journal: Path) -> None:
    reader = JournalReader(journal, from_end=True)
    append(journal, epoch_record(1))
    assert reader.read() == [epoch_record(1)]


def test_from_the_end_of_a_torn_journal_the_rest_of_the_line_is_left_out(journal: Path) -> None:
    append_bytes(journal, encode(epoch_record(1))[:30])
    reader = JournalReader(journal, from_end=True)
    append(journal, epoch_record(2))
    assert reader.read() == [epoch_record(2)]


# Another journal in its place.


def test_a_journal_that_was_cut_short_is_read_again(journal: Path) -> None:
    append(journal, *whole_run())
    reader = JournalReader(journal)
    reader.read()
    journal.write_bytes(lines_of(whole_run()[:2]))
    assert reader.read() == whole_run()[:2]
    assert reader.restarts == 1


def test_another_journal_that_is_longer_by_now_is_read_from_its_start(journal: Path) -> None:
    append(journal, started_record(run="one"))
    reader = JournalReader(journal)
    reader.read()
    other: list[Event] = [started_record(run="other"), epoch_record(1), epoch_record(2)]
    journal.write_bytes(lines_of(other))
    assert reader.read() == other
    assert reader.restarts == 1


def test_a_torn_line_of_the_journal_before_is_forgotten(journal: Path) -> None:
    append(journal, started_record())
    append_bytes(journal, encode(epoch_record(1))[:-10])
    reader = JournalReader(journal)
    reader.read()
    journal.write_bytes(lines_of([epoch_record(5)]))
    assert reader.read() == [epoch_record(5)]


def test_a_newer_copy_of_the_same_journal_is_read_on(journal: Path, tmp_path: Path) -> None:
    # as a program writes it that keeps a copy of another machine's files
    append(journal, started_record(), epoch_record(1))
    reader = JournalReader(journal)
    reader.read()
    copy = tmp_path / "copy"
    copy.write_bytes(lines_of([started_record(), epoch_record(1), epoch_record(2)]))
    copy.replace(journal)
    assert (reader.read(), reader.restarts) == ([epoch_record(2)], 0)


def test_from_the_end_another_journal_is_read_from_its_start(journal: Path) -> None:
    append(journal, started_record(run="one"), epoch_record(1))
    reader = JournalReader(journal, from_end=True)
    journal.write_bytes(lines_of([started_record(run="other")]))
    assert reader.read() == [started_record(run="other")]


# How far.


def test_the_share_says_how_much_of_the_journal_has_been_read(journal: Path) -> None:
    append(journal, *(epoch_record(epoch) for epoch in range(1, 101)))
    reader = JournalReader(journal, chunk_bytes=4096)
    shares = [reader.share for _ in reader.chunks()]
    assert shares[0] == 4096 / journal.stat().st_size
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


# The first and the last records.


@given(events=some_records, chunk_bytes=st.integers(1, 600), torn=st.integers(0, 60))
@settings(deadline=None)
def test_backwards_is_forwards_reversed(
    events: Sequence[Event], chunk_bytes: int, torn: int, new_journal: NewJournal
) -> None:
    path = new_journal(lines_of(events) + encode(epoch_record(99))[:torn])
    forwards = JournalReader(path).read()
    assert list(read_backwards(path, chunk_bytes=chunk_bytes)) == forwards[::-1]
    assert forwards == events


def test_backwards_takes_no_more_than_is_asked(journal: Path) -> None:
    append(journal, *(epoch_record(epoch) for epoch in range(1, 1001)))
    assert next(read_backwards(journal, chunk_bytes=1000)) == epoch_record(1000)


def test_a_missing_journal_has_no_first_and_no_last_record(journal: Path) -> None:
    assert read_first(journal) is None
    assert list(read_backwards(journal)) == []


def test_an_empty_journal_has_no_first_and_no_last_record(journal: Path) -> None:
    journal.touch()
    assert read_first(journal) is None
    assert list(read_backwards(journal)) == []


def test_the_first_record_is_read(journal: Path) -> None:
    append(journal, *whole_run())
    assert read_first(journal) == whole_run()[0]


def test_a_torn_first_line_is_no_record_yet(journal: Path) -> None:
    append_bytes(journal, encode(started_record())[:-1])
    assert read_first(journal) is None


@pytest.mark.parametrize(
    "line", [encode(started_record())[:-9], b'{"event":"unknown"}'], ids=["torn", "unknown"]
)
def test_a_first_line_that_is_no_record_is_skipped(journal: Path, line: bytes) -> None:
    append_bytes(journal, line + b"\n")
    append(journal, started_record())
    assert read_first(journal) == started_record()
