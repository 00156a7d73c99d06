from collections.abc import Iterable
from itertools import pairwise

import pytest
from msgspec import structs

from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    FinishReason,
    LossNotFinite,
    Paused,
    RunResumed,
    SavedBy,
    Stopping,
    StopRequested,
    Warned,
)
from epochtop.tui.following.epoch_block import EpochBlock
from epochtop.tui.words.event_wording import event_text
from epochtop.tui.words.narration import Line, Severity, Story, narrate
from tests.records import (
    epoch_record,
    finished_record,
    improved,
    started_record,
    stopping_state,
)


def told(*records: Event, before: Stopping | None = None) -> list[Line]:
    """The lines of records that come at once, after a rule's state that is known."""
    lines, _ = narrate(records, Story(stopping=before))
    return lines


def texts(*records: Event, before: Stopping | None = None) -> list[str]:
    return [line.text for line in told(*records, before=before)]


def log_of(records: Iterable[Event], *, at_a_time: int = 1) -> list[Line]:
    """What stands in the log after records that came a few at a time."""
    story, log = Story(), dict[str, Line]()
    for few in batches(list(records), at_a_time):
        lines, story = narrate(few, story)
        log |= {line.key or f"line {len(log)}": line for line in lines}
    return list(log.values())


def batches(records: list[Event], size: int) -> list[list[Event]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


def improvement(epoch: int, loss: float, *, patience: int = 10) -> EpochCompleted:
    return epoch_record(epoch, val_loss=loss, stopping=improved(epoch, loss, patience=patience))


def no_improvement(epoch: int, *, best: int, patience: int = 10) -> EpochCompleted:
    state = stopping_state(
        best_loss=0.5,
        best_epoch=best,
        epochs_since_best=epoch - best,
        patience=patience,
        target=0.5,
    )
    return epoch_record(epoch, val_loss=0.6, stopping=state)


def test_nothing_new_is_no_line() -> None:
    assert texts() == []


# Improvements.


def test_the_first_best_beats_nothing() -> None:
    assert texts(improvement(1, 0.5)) == ["epoch 1: new best 0.5000"]


def test_a_new_best_says_what_it_beat() -> None:
    assert texts(improvement(3, 0.25), before=improved(2, 0.5)) == [
        "epoch 3: new best 0.2500, was 0.5000 at epoch 2"
    ]


def test_improvements_that_come_together_share_a_line() -> None:
    assert texts(
        *(improvement(epoch, 1 / epoch) for epoch in range(3, 6)), before=improved(2, 0.5)
    ) == ["epochs 3 to 5: 3 improvements, new best 0.2000, was 0.5000 at epoch 2"]


def test_improvements_share_a_line_across_epochs_of_which_nothing_is_told() -> None:
    records = [
        improvement(1, 0.75),
        improvement(2, 0.5),
        no_improvement(3, best=2),
        improvement(4, 0.25),
    ]
    assert texts(*records) == ["epochs 1 to 4: 3 improvements, new best 0.2500"]


def test_an_improvement_after_epochs_without_one_says_which_it_beat() -> None:
    records = [no_improvement(3, best=2), no_improvement(4, best=2), improvement(5, 0.25)]
    assert texts(*records, before=improved(2, 0.5)) == [
        "epoch 5: new best 0.2500, was 0.5000 at epoch 2"
    ]


def test_lines_come_in_the_order_of_the_journal() -> None:
    records: list[Event] = [
        started_record(),
        improvement(1, 0.75),
        improvement(2, 0.5),
        Warned(message="first"),
        improvement(3, 0.25),
        Warned(message="second"),
    ]
    _, *rest = texts(*records)
    assert rest == [
        "epochs 1 to 2: 2 improvements, new best 0.5000",
        "first",
        "epoch 3: new best 0.2500, was 0.5000 at epoch 2",
        "second",
    ]


def test_a_line_bears_the_time_of_its_last_record() -> None:
    (line,) = told(improvement(1, 0.5), improvement(2, 0.25))
    assert line.time == epoch_record(2).time


# Patience.


def told_epochs(patience: int, *, epochs: int) -> list[int]:
    """The epochs after an improvement in epoch 1 that a line is about."""
    found = []
    for epoch in range(2, epochs + 2):
        found += [epoch - 1] * len(texts(no_improvement(epoch, best=1, patience=patience)))
    return found


def test_patience_is_told_of_at_its_half_and_at_its_last_epochs() -> None:
    assert told_epochs(10, epochs=10) == [5, 7, 8, 9]
    assert told_epochs(100, epochs=100) == [50, 97, 98, 99]


def test_a_rule_that_never_stops_says_nothing() -> None:
    assert told_epochs(0, epochs=50) == []


def test_a_line_about_patience_says_how_much_is_left_and_what_to_beat() -> None:
    assert texts(no_improvement(6, best=1)) == [
        "epoch 6: best 0.5000 at 1, 5 since, patience 5 of 10, to beat 0.5000"
    ]


def test_the_last_epochs_of_patience_are_warnings_its_half_is_not() -> None:
    def severity(epoch: int) -> Severity:
        (line,) = told(no_improvement(epoch, best=1))
        return line.severity

    assert [severity(epoch) for epoch in (6, 8, 9, 10)] == ["plain", *["warning"] * 3]


# Other records.


@pytest.mark.parametrize(
    ("record", "text", "severity"),
    [
        (Warned(message="the disk is full"), "the disk is full", "warning"),
        (
            LossNotFinite(epoch=3, step=21, which="train", value="-inf"),
            "train loss is -inf at epoch 3, step 21",
            "bad",
        ),
        (StopRequested(when="epoch"), "asked to stop after this epoch", "plain"),
        (StopRequested(when="now"), "asked to stop at the next step", "plain"),
        (Paused(epoch=3, step=45), "paused after epoch 3, step 45", "plain"),
        (RunResumed(epoch=4, pid=7), "resumed after epoch 4", "plain"),
        (RunResumed(epoch=4, message="went back"), "went back", "warning"),
    ],
)
def test_a_record_is_told_in_plain_words(record: Event, text: str, severity: Severity) -> None:
    (line,) = told(record)
    assert (line.time, line.text, line.severity) == (record.time, text, severity)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("time", []),
        ("request", ["saved last.pt (epoch 3, 2 KiB)"]),
        ("end", ["saved last.pt (epoch 3, 2 KiB)"]),
    ],
)
def test_checkpoints_are_told_of_unless_they_only_follow_the_clock(
    by: SavedBy, expected: list[str]
) -> None:
    saved = CheckpointSaved(kind="last", epoch=3, path="last.pt", bytes=2048, seconds=0.1, by=by)
    assert texts(saved) == expected


# Resumed.


def test_after_a_resume_a_new_best_beats_the_best_that_stands() -> None:
    records = [improvement(epoch, 1 / epoch) for epoch in range(1, 5)]
    resumed = RunResumed(epoch=2, pid=7)
    assert texts(*records, resumed, improvement(3, 0.25))[-1] == (
        "epoch 3: new best 0.2500, was 0.5000 at epoch 2"
    )


def test_after_a_resume_from_before_all_that_is_known_a_new_best_beats_nothing() -> None:
    records: list[Event] = [improvement(4, 0.25), RunResumed(epoch=2, pid=7), improvement(3, 0.3)]
    assert texts(*records, before=improved(3, 0.5))[-1] == "epoch 3: new best 0.3000"


@pytest.mark.parametrize(
    ("reason", "severity"),
    [
        ("completed", "good"),
        ("early_stopped", "good"),
        ("stopped", "good"),
        ("interrupted", "warning"),
        ("not_finite", "bad"),
        ("failed", "bad"),
    ],
)
def test_the_end_is_as_good_as_its_reason(reason: FinishReason, severity: Severity) -> None:
    (line,) = told(finished_record(reason, message="so it is"))
    assert line.severity == severity
    assert line.text.endswith(" after epoch 5: so it is")


# Lines that go on changing.


def at(record: EpochCompleted, time: float) -> EpochCompleted:
    return structs.replace(record, time=time)


def improving(epochs: int, *, a_second: float, first: int = 1) -> list[Event]:
    return [
        at(improvement(epoch, 1 / epoch), 1_000 + epoch / a_second)
        for epoch in range(first, first + epochs)
    ]


def test_improvements_that_come_one_by_one_share_a_line_that_changes() -> None:
    (line,) = log_of(improving(57, a_second=20))
    assert line.text == "epochs 1 to 57: 57 improvements, new best 0.01754"


def test_slow_epochs_have_a_line_each() -> None:
    assert len(log_of(improving(5, a_second=1 / 60))) == 5


def test_a_line_is_closed_after_half_a_minute_and_later_lines_last_longer() -> None:
    lines = log_of(improving(20_000, a_second=20), at_a_time=50)
    seconds = [after.time - before.time for before, after in pairwise(lines)]
    assert 29 < seconds[0] < 34
    assert max(seconds) > 100
    assert len(lines) < 20


@pytest.mark.parametrize(
    "event",
    [
        Warned(message="look here"),
        LossNotFinite(epoch=9, step=90, which="val", value="nan"),
        StopRequested(when="epoch"),
        Paused(epoch=9, step=90),
        CheckpointSaved(kind="last", epoch=9, path="last.pt", bytes=1, seconds=0.1, by="request"),
    ],
)
@pytest.mark.parametrize("at_a_time", [1, 7, 100])
def test_no_number_of_improvements_hides_another_event(event: Event, at_a_time: int) -> None:
    records = [*improving(9, a_second=20), event, *improving(9, a_second=20, first=10)]
    before, told, after = log_of(records, at_a_time=at_a_time)
    assert told.text == event_text(event)
    assert before.text.startswith("epochs 1 to 9: 9 improvements")
    assert after.text.startswith("epochs 10 to 18: 9 improvements")


def test_the_same_lines_come_however_the_records_arrive() -> None:
    records = [*improving(30, a_second=20), *drought(after=30, epochs=8, seconds=1.0)]
    one, many = log_of(records), log_of(records, at_a_time=1000)
    assert [(line.text, line.time) for line in one] == [(line.text, line.time) for line in many]


def drought(*, after: int, epochs: int, seconds: float) -> list[Event]:
    """Epochs without improvement, and then one with it; 10 epochs of patience."""
    start = 1_000 + after / 20
    waiting = [
        at(no_improvement(after + n, best=after), start + n * seconds) for n in range(1, epochs + 1)
    ]
    end = improvement(after + epochs + 1, 0.01)
    return [*waiting, at(end, start + (epochs + 1) * seconds)]


def test_a_best_after_a_drought_has_a_line_of_its_own() -> None:
    first, waited, best = log_of(
        [*improving(30, a_second=20), *drought(after=30, epochs=8, seconds=1.0)]
    )
    assert first.text.startswith("epochs 1 to 30")
    assert (waited.severity, "patience 2 of 10" in waited.text) == ("warning", True)
    assert best.text == "epoch 39: new best 0.01000, was 0.5000 at epoch 30"


def test_a_drought_too_short_to_be_seen_is_told_in_the_same_line() -> None:
    (line,) = log_of([*improving(30, a_second=20), *drought(after=30, epochs=8, seconds=0.05)])
    assert line.text == (
        "epochs 1 to 39: 31 improvements, new best 0.01000; patience was down to 2 of 10"
    )


def test_patience_that_runs_out_counts_down_in_one_line() -> None:
    first, waited = log_of(
        [*improving(30, a_second=20), *drought(after=30, epochs=9, seconds=1.0)[:-1]]
    )
    assert first.severity == "good"
    assert waited.text.startswith("epoch 39: best 0.5000 at 30, 9 since, patience 1 of 10")


def test_a_block_of_epochs_is_one_line() -> None:
    records = [
        record for record in improving(5_000, a_second=1) if isinstance(record, EpochCompleted)
    ]
    block = EpochBlock.of(records)
    lines, story = narrate([started_record(), block], Story())
    assert lines[-1].text.startswith("epochs 1 to 5000: 5000 improvements, new best")
    more, _ = narrate([at(improvement(5_001, 1e-5), 6_001)], story)
    assert more[-1].key != lines[-1].key  # the block's time is up


def test_what_is_said_again_and_again_is_counted() -> None:
    lines = log_of([Warned(message="full")] * 3 + [Warned(message="empty")])
    assert [line.text for line in lines] == ["full (3 times)", "empty"]


def test_losses_gone_wrong_between_improvements_share_a_line_after_the_first() -> None:
    records: list[Event] = []
    for epoch in range(1, 9):
        rule = stopping_state(best_loss=1 / epoch, best_epoch=epoch)
        wrong = LossNotFinite(epoch=epoch, step=epoch, which="train", value="nan")
        records += [structs.replace(wrong, time=float(epoch))]
        records += [epoch_record(epoch, time=float(epoch), stopping=rule)]
    told, _ = narrate(records)
    first, rest = told
    assert first.text == "train loss is nan at epoch 1, step 1"
    assert rest.text.startswith("epochs 1 to 8: 8 improvements")
    assert rest.text.endswith("; 7 more losses not finite")
    assert rest.severity == "bad"
