"""A long journal through blocks of epochs tells what its records tell one by one."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochtop.core.events import EpochCompleted, Event, Warned
from epochtop.core.run.journal import JournalReader, decode, encode
from epochtop.tui.following.epoch_block import RECORDS_KEPT, Arrival, EpochBlock
from epochtop.tui.following.gathering import Gathering
from epochtop.tui.following.state import RunState, reduce

from ..records import epoch_record, improved, started_record, stopping_state
from .journals import epoch_records, other_records, snapshot_of, starts

NewJournal = Callable[[bytes], Path]

# More epochs in a row than else, so that there are blocks.
some_events = st.lists(
    st.lists(epoch_records, min_size=1, max_size=6) | st.lists(other_records | starts, max_size=2),
    max_size=8,
).map(lambda runs: [event for run in runs for event in run])
no_records = st.sampled_from(
    [
        b"",
        b"no json",
        b'{"event":"gpu_measured","time":1.0,"watts":300}',
        encode(epoch_record(5))[:-40],  # as a killed engine leaves it
        b'{"event":"warning","time":1.0,',
        b'"message":"the rest of a record that is no line"}',
        encode(Warned(time=5.0, message="m"))[:-1] + b',"colour":[1,{}]}',
        encode(epoch_record(6)).replace(b'"lr":0.01', b'"lr":"0.01"'),
    ]
)


@pytest.fixture(scope="session")
def new_journal(tmp_path_factory: pytest.TempPathFactory) -> NewJournal:
    path = tmp_path_factory.mktemp("journals") / "journal.jsonl"

    def write(content: bytes) -> Path:
        path.write_bytes(content)
        return path

    return write


def one_by_one(events: Iterable[Event]) -> RunState:
    state = RunState()
    for event in events:
        state = reduce(state, [event])
    return state


def gathered(parts: Iterable[Sequence[Event]], *, take_after: Sequence[bool] = ()) -> RunState:
    """The state after blocks of two epochs and more, taken after some of the parts."""
    gathering, state = Gathering(fewest_in_a_block=2), RunState()
    takes = iter(take_after)
    for part in parts:
        gathering.add(part)
        if next(takes, False):
            state = reduce(state, gathering.take())
    return reduce(state, gathering.take())


def epochs(first: int, last: int) -> list[Event]:
    return [epoch_record(epoch) for epoch in range(first, last + 1)]


def blocks_of(arrivals: Iterable[Arrival]) -> list[EpochBlock]:
    return [arrival for arrival in arrivals if isinstance(arrival, EpochBlock)]


# Blocks and single records.


@given(
    events=some_events,
    ends=st.lists(st.integers(0, 30), max_size=6),
    take_after=st.lists(st.booleans(), max_size=7),
)
def test_records_in_blocks_lead_to_the_same_state_as_one_by_one(
    events: list[Event], ends: list[int], take_after: list[bool]
) -> None:
    bounds = [0, *sorted(min(end, len(events)) for end in ends), len(events)]
    parts = [events[start:end] for start, end in pairwise(bounds)]
    state = gathered(parts, take_after=take_after)
    assert snapshot_of(state) == snapshot_of(one_by_one(events))


@given(
    events=some_events,
    garbage=st.lists(st.tuples(st.integers(0, 40), no_records), max_size=3),
    chunk_bytes=st.integers(1, 3_000),
    torn=st.integers(0, 60),
)
@settings(deadline=None)
def test_a_journal_with_odd_lines_in_any_chunks_leads_to_the_state_of_its_lines(
    events: list[Event],
    garbage: list[tuple[int, bytes]],
    chunk_bytes: int,
    torn: int,
    new_journal: NewJournal,
) -> None:
    lines = [encode(event) for event in events]
    for place, line in garbage:
        lines.insert(place, line)
    path = new_journal(b"".join(line + b"\n" for line in lines) + encode(epoch_record(9))[:torn])
    reader = JournalReader(path, chunk_bytes=chunk_bytes)

    state = gathered(reader.chunks())

    known = [event for line in lines if (event := decode(line)) is not None]
    assert snapshot_of(state) == snapshot_of(one_by_one(known))
    assert reader.share == 1.0


def test_epochs_in_a_row_become_one_block_and_few_stay_records() -> None:
    gathering = Gathering(fewest_in_a_block=10)
    gathering.add([started_record(), *epochs(1, 20)])
    gathering.add(epochs(21, 60))
    gathering.add([Warned(message="m"), *epochs(61, 63)])
    start, block, *rest = gathering.take()
    assert isinstance(block, EpochBlock)
    assert (start, [type(event) for event in rest]) == (
        started_record(),
        [Warned] + 3 * [EpochCompleted],
    )
    assert (len(block), list(block.epochs)) == (60, list(range(1, 61)))


def test_what_was_taken_is_not_given_again() -> None:
    gathering = Gathering(fewest_in_a_block=2)
    gathering.add(epochs(1, 5))
    assert gathering
    assert len(gathering.take()) == 1
    assert not gathering
    assert gathering.take() == []


# What a block tells.


def test_a_block_counts_its_improvements_and_keeps_the_first_and_the_last_of_them() -> None:
    def record(epoch: int, *, best: int) -> EpochCompleted:
        return epoch_record(epoch, stopping=stopping_state(best_loss=0.5, best_epoch=best))

    gathering = Gathering(fewest_in_a_block=2)
    gathering.add([record(1, best=0), record(2, best=2), record(3, best=3)])
    gathering.add([record(4, best=3), record(5, best=5), record(6, best=5)])
    (block,) = blocks_of(gathering.take())
    assert block.improvements == 3
    assert block.first_improvement == record(2, best=2)
    assert block.last_improvement == record(5, best=5)


def test_a_block_keeps_its_last_records_whole_wherever_its_parts_end() -> None:
    gathering = Gathering(fewest_in_a_block=2)
    for first in (1, 151, 161, 221):
        gathering.add(epochs(first, {1: 150, 151: 160, 161: 220, 221: 230}[first]))
    (block,) = blocks_of(gathering.take())
    assert list(block.recent) == epochs(231 - RECORDS_KEPT, 230)


def test_a_metric_called_like_a_loss_hides_neither() -> None:
    records = [epoch_record(epoch, metrics={"val_loss": 9.0, "f1": 0.5}) for epoch in (1, 2)]
    block = EpochBlock.of(records)
    assert list(block.series["val_loss"]) == [2.0, 1.0]
    assert list(block.series["metrics.val_loss"]) == [9.0, 9.0]
    assert list(block.series["f1"]) == [0.5, 0.5]


def test_a_block_without_an_improvement_has_no_first_and_no_last_one() -> None:
    block = EpochBlock.of([epoch_record(3, stopping=improved(2, 0.5))])
    assert (block.improvements, block.first_improvement, block.last_improvement) == (0, None, None)
