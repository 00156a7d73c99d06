import math
import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import Event, FinishReason
from epochtop.core.status import RunStatus, State
from epochtop.tui.state import RunState, reduce
from epochtop.tui.wording import (
    duration_text,
    event_text,
    loss_text,
    new_best_text,
    patience_text,
    printable,
    reason_text,
    short_stopping_text,
    speed_text,
    status_text,
    stopping_text,
    summary_lines,
)
from tests.records import (
    epoch_record,
    finished_record,
    improved,
    started_record,
    stopping_state,
)

# Printable text.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("bell\a, back\b, return\r", "bell\\x07, back\\x08, return\\r"),
        ("\0", "\\x00"),
        ("\x7f", "\\x7f"),
        ("right\u202eleft", "right\\u202eleft"),
        ("caf\udce9", "caf\\udce9"),
        ("caf\xe9 \u2603 \U0001f600", "caf\xe9 \u2603 \U0001f600"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(text=st.text())
def test_no_text_reaches_the_terminal_with_a_control_character(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(char) for char in shown if char not in "\n\t"} & {
        "Cc",
        "Cf",
        "Cs",
    }
    assert printable(shown) == shown
    shown.encode()


# Losses.


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (None, "not finite"),
        (0.0, "0.000"),
        (0.5, "0.5000"),
        (2.302585, "2.303"),
        (12.34567, "12.35"),
        (1234.0, "1234"),
        (0.001, "0.001000"),
        (0.000999, "9.990e-04"),
        (1e-30, "1.000e-30"),
        (1e30, "1.000e+30"),
        (-0.25, "-0.2500"),
        (-1e-9, "-1.000e-09"),
    ],
)
def test_a_loss_has_four_digits_that_count(loss: float | None, text: str) -> None:
    assert loss_text(loss) == text


@given(loss=st.floats(-1e300, 1e300, allow_subnormal=False))
def test_a_loss_in_words_is_the_loss_to_four_digits_in_little_room(loss: float) -> None:
    text = loss_text(loss)
    assert float(text) == pytest.approx(loss, rel=0.5001e-3)
    assert len(text) <= 11


# Times.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "0:10"),
        (12, "0:12"),
        (59.6, "1:00"),
        (754, "12:34"),
        (3599.6, "1:00:00"),
        (3723, "1:02:03"),
        (100 * 3600, "100:00:00"),
        (-5, "0:00"),
    ],
)
def test_a_duration_is_in_seconds_minutes_or_hours(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("speed", "text"),
    [(123.4, "123 epochs/s"), (1.0, "1 epochs/s"), (0.5, "2 s/epoch"), (0.03, "33.3 s/epoch")],
)
def test_a_speed_is_in_the_unit_that_is_above_one(speed: float, text: str) -> None:
    assert speed_text(speed) == text


# States and reasons.


@pytest.mark.parametrize("reason", get_args(FinishReason))
def test_every_reason_has_words_of_its_own(reason: FinishReason) -> None:
    others = {reason_text(other) for other in get_args(FinishReason) if other != reason}
    assert reason_text(reason)
    assert reason_text(reason) not in others
    assert status_text(RunStatus("finished", reason)) == reason_text(reason)


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_a_word(state: State) -> None:
    assert status_text(RunStatus(state)) == state


# The stopping rule.


def test_the_rule_says_best_patience_and_target() -> None:
    state = stopping_state(
        best_loss=0.5, best_epoch=3, epochs_since_best=2, patience=10, target=0.4
    )
    assert stopping_text(state) == "best 0.5000 at 3, 2 since, patience 8 of 10, to beat 0.4000"
    assert short_stopping_text(state) == "best 0.5000 at 3, patience 8 of 10"


def test_the_rule_says_when_no_loss_was_finite_yet() -> None:
    state = stopping_state(epochs_since_best=2)
    assert stopping_text(state) == "no finite validation loss yet, 2 since, patience 8 of 10"


def test_patience_is_never_told_as_less_than_none() -> None:
    assert patience_text(stopping_state(patience=3, epochs_since_best=5)) == "patience 0 of 3"
    assert patience_text(stopping_state(patience=0, epochs_since_best=5)) == "never stops early"


def test_a_best_loss_of_zero_is_told_as_such() -> None:
    assert new_best_text(improved(2, -0.5), improved(1, 0.0)) == (
        "new best -0.5000, was 0.000 at epoch 1"
    )


# Events and summaries.


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (epoch_record(1), None),
        (finished_record(), "completed after epoch 5: all 5 epochs are done"),
        (
            finished_record("early_stopped", message="6 epochs in a row"),
            "stopped early after epoch 5: 6 epochs in a row",
        ),
    ],
)
def test_an_event_is_told_in_a_line(event: Event, text: str | None) -> None:
    assert event_text(event) == text


def test_a_summary_tells_start_end_best_last_and_time() -> None:
    state = reduce(
        RunState(),
        [
            started_record(time=100.0),
            epoch_record(5, train_loss=0.25, val_loss=None, metrics={"val_accuracy": 0.9}),
            finished_record(time=161.0),
        ],
    )
    assert summary_lines(state, RunStatus("finished", "completed"))[1:] == [
        "completed after epoch 5: all 5 epochs are done",
        "best validation loss 0.4000 at epoch 5 (a constant guess: 2.300)",
        "last epoch 5: train loss 0.2500, validation loss not finite, val_accuracy 0.9000",
        "1:01 of training",
    ]


def test_a_summary_of_a_killed_run_says_how_far_it_came() -> None:
    state = reduce(RunState(), [started_record(epochs=7), epoch_record(3)])
    assert summary_lines(state, RunStatus("killed"))[1] == "killed at epoch 3 of 7"


def test_a_summary_of_a_run_that_has_not_begun_is_its_state() -> None:
    assert summary_lines(RunState(), RunStatus("starting")) == ["starting"]


def test_a_summary_of_losses_that_were_never_finite_names_no_best() -> None:
    record = epoch_record(1, val_loss=None, train_loss=None, stopping=stopping_state())
    lines = summary_lines(reduce(RunState(), [started_record(), record]), RunStatus("killed"))
    assert not any("best" in line for line in lines)
    assert not any(str(math.nan) in line for line in lines)
