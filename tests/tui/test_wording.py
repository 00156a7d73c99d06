import math
import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import FinishReason
from epochtop.core.run.status import RunStatus, State
from epochtop.tui.words.wording import (
    clock_text,
    duration_text,
    loss_text,
    printable,
    reason_text,
    speed_text,
    status_text,
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


def test_a_live_run_that_stands_still_is_paused_and_one_that_has_ended_is_not() -> None:
    assert status_text(RunStatus("live"), paused=True) == "paused"
    assert status_text(RunStatus("killed"), paused=True) == "killed"
    assert status_text(RunStatus("finished", "stopped"), paused=True) == "stopped on request"


@pytest.mark.parametrize("seconds", [math.inf, math.nan, 1e300, 4e7])
def test_a_time_that_a_broken_clock_makes_up_is_told_in_years(seconds: float) -> None:
    assert duration_text(seconds) == clock_text(seconds) == "years"
