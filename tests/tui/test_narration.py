from collections.abc import Iterable

import pytest

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
from epochtop.tui.narration import Line, Severity, Story, narrate
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
