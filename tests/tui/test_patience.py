"""How loudly early stopping is shown, and when it ends a run."""

from typing import Any

import pytest

from epochtop.core.events import Event, Paused, SettingChanged, Stopping
from epochtop.tui.curve.marks import Patience, marks_of
from epochtop.tui.following import pulse
from epochtop.tui.following.patience import Alarm, Outlook, alarm, share_left
from epochtop.tui.following.pulse import Pulse
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.words.stopping_wording import early_end_text, latest_end_text
from tests.records import epoch_record, started_record, stopping_state


def waiting(since: int, patience: int = 20, **fields: Any) -> Stopping:
    return stopping_state(
        best_loss=0.5, best_epoch=1, epochs_since_best=since, patience=patience, **fields
    )


def after(*events: Event, **started: Any) -> RunState:
    return reduce(RunState(), [started_record(**started), *events])


def waited(last: int, *, patience: int = 20, **started: Any) -> RunState:
    """A run, a second an epoch, that was best in its first."""
    records = [
        epoch_record(epoch, stopping=waiting(epoch - 1, patience)) for epoch in range(1, last + 1)
    ]
    return after(*records, **started)


@pytest.mark.parametrize(
    ("since", "loud"),
    [(0, "none"), (9, "none"), (10, "half"), (15, "quarter"), (17, "quarter"), (18, "last")],
)
def test_the_alarm_grows_as_patience_runs_low(since: int, loud: Alarm) -> None:
    assert alarm(waiting(since)) == loud


def test_a_patience_of_two_is_no_alarm_as_long_as_losses_improve() -> None:
    assert alarm(waiting(0, patience=2)) == "none"
    assert alarm(waiting(1, patience=2)) == "last"


def test_patience_that_cannot_end_the_run_yet_is_no_alarm() -> None:
    assert alarm(waiting(20), waits=60) == "none"
    assert alarm(waiting(20), waits=5) == "quarter"
    assert alarm(waiting(20), waits=1) == "last"
    near = waiting(1, patience=0, rule="gl", measure=1.8, limit=2.0)
    assert alarm(near, waits=60) == "none"


def test_without_a_rule_nothing_is_left_to_run_out() -> None:
    assert share_left(waiting(7, patience=0)) is None
    assert alarm(waiting(7, patience=0)) == "none"


def test_a_measure_of_prechelts_runs_to_its_limit() -> None:
    near = waiting(1, patience=0, rule="gl", measure=1.8, limit=2.0)
    assert share_left(near) == pytest.approx(0.1)
    assert alarm(near) == "quarter"
    assert share_left(waiting(1, patience=0, rule="pq", measure=-3.0, limit=2.0)) == 1


def test_the_outlook_tells_both_ends() -> None:
    outlook = Outlook.of(waited(5, patience=20))
    assert (outlook.last_epoch, outlook.stop_epoch) == (200, 21)
    assert outlook.seconds_at_most == pytest.approx(195)
    assert outlook.seconds_to_stop == pytest.approx(16)
    assert outlook.stops_early


def test_time_runs_on_between_epochs_but_not_past_one() -> None:
    state = waited(5, patience=20)
    assert Outlook.of(state, 0.5).seconds_to_stop == pytest.approx(15.5)
    assert Outlook.of(state, 60.0).seconds_to_stop == pytest.approx(15)


def test_min_epochs_put_the_stop_off() -> None:
    settings = {"train": {"epochs": 200}, "stopping": {"min_epochs": 50}}
    outlook = Outlook.of(waited(5, patience=20, settings=settings))
    assert (outlook.stop_epoch, outlook.waits_for) == (50, 50)
    state = waited(30, patience=20, settings=settings)
    assert marks_of(state).patience == Patience(1, 50)
    text = early_end_text(outlook, waiting(4))
    assert text == "stops at epoch 50 if nothing improves, in 0:45; not before epoch 50"


def test_a_patience_changed_while_the_run_is_live_counts_at_once() -> None:
    changed = SettingChanged(setting="stopping.patience", before=20, after=7, by="request")
    state = reduce(waited(5), [changed])
    assert Outlook.of(state).stop_epoch == 8
    assert state.stopping is not None
    assert state.stopping.patience == 7  # as all lines of the screen tell it
    assert marks_of(state).patience == Patience(1, 8)


def test_a_run_whose_last_epoch_comes_first_says_so() -> None:
    outlook = Outlook.of(waited(5, patience=20, epochs=10))
    assert not outlook.stops_early
    assert early_end_text(outlook, waiting(4)) == "the last epoch comes before patience runs out"
    assert latest_end_text(outlook) == "at most until epoch 10, in 0:05"


def test_while_paused_nothing_is_said_of_time() -> None:
    state = reduce(waited(5), [Paused(epoch=5, step=50, time=1_006.0)])
    outlook = Outlook.of(state)
    assert outlook.seconds_at_most is None
    assert early_end_text(outlook, waiting(4)) == "stops at epoch 21 if nothing improves"


# Silence.


def test_a_run_is_stalled_after_ten_of_its_epochs_and_not_before_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 10.0)
    state = waited(5)
    assert not Pulse(heard=0, now=9).is_stalled(state)
    assert Pulse(heard=0, now=11).is_stalled(state)
    slow = after(*(epoch_record(n, time=1_000.0 + 60 * n, seconds=60.0) for n in range(1, 4)))
    assert not Pulse(heard=0, now=599).is_stalled(slow)
    assert Pulse(heard=0, now=601).is_stalled(slow)


def test_a_run_that_is_paused_or_has_no_epoch_yet_is_not_stalled() -> None:
    late = Pulse(heard=0, now=1e6)
    assert not late.is_stalled(after())
    assert not late.is_stalled(reduce(waited(5), [Paused(epoch=5, step=50)]))


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"epochs_since_best": 10**30, "patience": 10}, 0.0),
        ({"epochs_since_best": -(10**30), "patience": 10}, 1.0),
        ({"patience": -3}, None),
        ({"rule": "gl", "limit": 0.0, "measure": 1.0}, None),
        ({"rule": "gl", "limit": -2.0, "measure": 1.0}, None),
        ({"rule": "gl", "limit": 1e-300, "measure": 1e300}, 0.0),
    ],
)
def test_of_a_rule_that_no_engine_has_no_more_than_all_and_no_less_than_nothing_is_left(
    fields: dict[str, Any], left: float | None
) -> None:
    assert share_left(stopping_state(**fields)) == left
