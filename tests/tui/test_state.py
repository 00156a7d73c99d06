import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import (
    CheckpointSaved,
    Event,
    LossNotFinite,
    Paused,
    Resumed,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.tui.following.patience import Outlook
from epochtop.tui.following.state import RunState, reduce
from tests.records import (
    epoch_record,
    finished_record,
    improved,
    started_record,
    stopping_state,
)

from .journals import epoch_records, journals, other_records, snapshot_of, starts


def epochs_of(state: RunState) -> list[int]:
    return [int(epoch) for epoch in state.history.epochs]


def after(*events: Event) -> RunState:
    return reduce(RunState(), events)


def seconds_to_stop(state: RunState) -> float | None:
    return Outlook.of(state).seconds_to_stop


# Batches.


@given(
    events=st.lists(epoch_records | other_records | starts, max_size=25),
    ends=st.lists(st.integers(0, 25), max_size=5),
)
def test_reducing_batch_after_batch_is_reducing_at_once(
    events: list[Event], ends: list[int]
) -> None:
    state = RunState()
    start = 0
    for end in [*sorted(ends), len(events)]:
        state = reduce(state, events[start:end])
        start = max(start, end)
    assert snapshot_of(state) == snapshot_of(reduce(RunState(), events))


@given(before=journals, then=journals, instead=journals)
def test_a_snapshot_stays_as_it_is_whatever_comes_after(
    before: Sequence[Event], then: Sequence[Event], instead: Sequence[Event]
) -> None:
    snapshot = reduce(RunState(), before)
    said = snapshot_of(snapshot)

    one = reduce(snapshot, then)
    said_by_one = snapshot_of(one)
    other = reduce(snapshot, instead)

    assert snapshot_of(snapshot) == said
    assert snapshot_of(one) == said_by_one == snapshot_of(reduce(RunState(), [*before, *then]))
    assert snapshot_of(other) == snapshot_of(reduce(RunState(), [*before, *instead]))


def test_two_runs_share_nothing() -> None:
    one, other = RunState(), RunState()
    reduce(one, [epoch_record(1)])
    assert epochs_of(reduce(other, [epoch_record(7)])) == [7]


# What a state holds.


def test_before_the_first_record_there_is_nothing() -> None:
    state = RunState()
    assert (state.num_epochs, state.stopping, state.seconds, state.seconds_left) == (None,) * 4
    assert seconds_to_stop(state) is None
    assert len(state.history) == 0


def test_a_history_holds_each_epochs_losses() -> None:
    state = after(
        started_record(epochs=7),
        epoch_record(1, train_loss=0.5, val_loss=0.25),
        epoch_record(2, train_loss=0.125, val_loss=0.0),
    )
    assert epochs_of(state) == [1, 2]
    assert list(state.history.column("train_loss")) == [0.5, 0.125]
    assert list(state.history.column("val_loss")) == [0.25, 0.0]
    assert state.num_epochs == 7


def test_a_loss_that_was_not_finite_is_nan() -> None:
    state = after(epoch_record(1, train_loss=None, val_loss=None), epoch_record(2))
    assert math.isnan(state.history.column("train_loss")[0])
    assert math.isnan(state.history.column("val_loss")[0])
    assert state.history.column("train_loss")[1] == 0.5


def test_the_stopping_rule_is_that_of_the_last_epoch() -> None:
    rule = stopping_state(epochs_since_best=3)
    assert after(epoch_record(1), epoch_record(2, stopping=rule)).stopping == rule


def test_the_first_loss_that_was_not_finite_is_the_one_to_tell_of() -> None:
    first = LossNotFinite(epoch=2, step=20, which="train", value="inf")
    second = LossNotFinite(epoch=2, step=29, which="val", value="nan")
    assert after(first, second).not_finite == first


def test_a_request_to_stop_and_the_end_are_kept() -> None:
    state = after(StopRequested(when="epoch"), StopRequested(when="now"), finished_record())
    assert (state.stop_requested, state.finished) == ("now", finished_record())


# Resumed.


def test_resuming_makes_later_epochs_void() -> None:
    state = after(*(epoch_record(epoch) for epoch in range(1, 6)), RunResumed(epoch=3))
    assert epochs_of(state) == [1, 2, 3]
    assert epochs_of(reduce(state, [epoch_record(4)])) == [1, 2, 3, 4]


def test_after_resuming_the_last_epoch_is_the_last_that_stands() -> None:
    state = after(*(epoch_record(epoch) for epoch in range(1, 6)), RunResumed(epoch=3))
    assert (state.epoch, state.last_epoch) == (3, epoch_record(3))


def test_after_resuming_from_long_ago_the_epoch_is_known_though_its_record_is_not() -> None:
    state = after(*(epoch_record(epoch) for epoch in range(1, 5001)), RunResumed(epoch=3))
    assert (state.epoch, state.last_epoch) == (3, None)
    assert reduce(state, [epoch_record(4)]).last_epoch == epoch_record(4)


def test_after_resuming_from_the_start_there_is_no_epoch() -> None:
    state = after(epoch_record(1), RunResumed(epoch=0))
    assert len(state.history) == 0
    assert (state.epoch, state.last_epoch) == (0, None)


def test_a_resumed_run_has_not_ended_and_nobody_has_asked_it_to() -> None:
    state = after(
        StopRequested(when="now"),
        LossNotFinite(epoch=1, step=3, which="train", value="nan"),
        finished_record("not_finite"),
        RunResumed(epoch=0),
    )
    assert (state.finished, state.stop_requested, state.not_finite) == (None, None, None)


# Paused, and changed.


def test_a_run_is_paused_until_it_goes_on() -> None:
    paused = after(started_record(), epoch_record(1), Paused(epoch=1, step=14))
    assert paused.paused
    assert not reduce(paused, [Resumed(epoch=1, step=14)]).paused


@pytest.mark.parametrize(
    "event",
    [StopRequested(when="epoch"), RunResumed(epoch=1, pid=7), finished_record("interrupted")],
)
def test_a_pause_ends_with_a_request_to_stop_another_engine_and_the_end(event: Event) -> None:
    assert not after(started_record(), Paused(epoch=0, step=14), event).paused


def test_a_pause_outlasts_what_an_engine_does_while_it_stands_still() -> None:
    state = after(
        Paused(epoch=0, step=14),
        SettingChanged(setting="optim.lr", before=0.1, after=0.2, by="request"),
        CheckpointSaved(kind="last", epoch=0, path="last.pt", bytes=1, seconds=0.1),
        Warned(message="m"),
    )
    assert state.paused


def test_the_most_epochs_follow_a_change_of_them_and_survive_a_resume() -> None:
    more = SettingChanged(setting="train.epochs", before=7, after=20, by="request")
    other = SettingChanged(setting="stopping.patience", before=7, after=3, by="request")
    state = after(started_record(epochs=7), more, other, RunResumed(epoch=0, pid=7))
    assert state.num_epochs == 20


def test_a_change_to_no_number_of_epochs_is_left_out() -> None:
    odd = SettingChanged(setting="train.epochs", before=7, after="many", by="request")
    assert after(started_record(epochs=7), odd).num_epochs == 7


def test_the_settings_are_those_of_the_start_with_the_changes_since() -> None:
    started = started_record(epochs=7)
    state = after(
        started,
        SettingChanged(setting="optim.lr", before=0.1, after=0.2, by="request"),
        SettingChanged(setting="train.epochs", before=7, after=20, by="resume"),
        SettingChanged(setting="optim.lr", before=0.2, after=0.05, by="go_back"),
    )
    assert state.setting("train", "epochs") == state.settings["train"]["epochs"] == 20
    assert state.setting("optim", "lr") == state.settings["optim"]["lr"] == 0.05
    assert state.setting("data", "source") == state.settings["data"]["source"] == "digits"
    assert state.setting("data", "target") is None
    assert started.settings["train"] == {"epochs": 7}


def test_before_the_first_record_there_are_no_settings() -> None:
    assert (RunState().settings, RunState().setting("optim", "lr")) == ({}, None)


# Marks.


def not_finite(epoch: int, step: int) -> LossNotFinite:
    return LossNotFinite(epoch=epoch, step=step, which="train", value="nan")


def test_the_first_loss_that_was_not_finite_is_kept_of_every_epoch_that_stands() -> None:
    losses = [not_finite(2, 20), not_finite(2, 21), not_finite(3, 30), not_finite(5, 50)]
    state = after(*losses)
    assert state.losses_not_finite == (losses[0], losses[2], losses[3])
    resumed = reduce(state, [RunResumed(epoch=4)])
    assert resumed.losses_not_finite == (losses[0], losses[2])


def test_of_very_many_losses_that_were_not_finite_the_last_are_kept() -> None:
    losses = [not_finite(epoch, epoch) for epoch in range(1, 5001)]
    kept = after(*losses).losses_not_finite
    assert len(kept) <= 1000
    assert kept[-1] == losses[-1]


def test_the_epochs_that_a_run_went_on_from_are_those_that_still_stand() -> None:
    resumed = [RunResumed(epoch=epoch, pid=7) for epoch in (3, 8, 8, 5)]
    assert after(*resumed[:3]).resumptions == (3, 8)
    assert after(*resumed).resumptions == (3, 5)


def test_an_early_stop_has_an_epoch_and_another_end_has_none() -> None:
    assert after(epoch_record(5), finished_record("early_stopped")).stopped_at == 5
    assert after(epoch_record(5), finished_record("completed")).stopped_at is None
    assert after(epoch_record(5)).stopped_at is None
    assert after(finished_record("early_stopped"), RunResumed(epoch=5)).stopped_at is None


# Times.


def test_the_speed_is_that_between_the_last_epochs() -> None:
    state = after(epoch_record(1, time=10.0), epoch_record(2, time=10.5), epoch_record(3, time=11))
    assert state.history.epochs_per_second == 2.0


def test_the_speed_follows_the_last_epochs_not_the_first() -> None:
    slow = [epoch_record(epoch, time=100.0 * epoch) for epoch in range(1, 11)]
    fast = [epoch_record(epoch, time=1000.0 + 0.1 * (epoch - 10)) for epoch in range(11, 111)]
    assert after(*slow, *fast).history.epochs_per_second == pytest.approx(10)


def test_there_is_no_speed_before_the_first_epoch() -> None:
    state = after(started_record())
    assert (state.epochs_per_second, state.samples_per_second) == (None, None)
    assert (state.seconds_left, seconds_to_stop(state)) == (None, None)


@pytest.mark.parametrize("times", [[10.0], [10.0, 10.0], [10.0, 9.0]])
def test_until_time_has_passed_between_epochs_the_speed_is_the_engines_own(
    times: list[float],
) -> None:
    events = [epoch_record(epoch, time=t, seconds=0.25) for epoch, t in enumerate(times, 1)]
    state = after(started_record(epochs=22), *events)
    assert state.history.epochs_per_second is None
    assert state.epochs_per_second == 4.0
    assert state.seconds_left == (22 - len(times)) / 4


def test_time_is_counted_from_the_start_to_the_last_record() -> None:
    started = started_record(time=100.0)
    assert after(started).seconds == 0.0
    assert after(started, epoch_record(1, time=104.0)).seconds == 4.0
    assert after(started, epoch_record(1, time=104.0), finished_record(time=105.0)).seconds == 5.0


def test_the_time_left_is_that_of_the_epochs_left_at_the_present_speed() -> None:
    state = after(
        started_record(epochs=10),
        epoch_record(1, time=10.0),
        epoch_record(2, time=12.0, stopping=stopping_state(epochs_since_best=1, patience=4)),
    )
    assert state.seconds_left == 16.0
    assert seconds_to_stop(state) == 6.0


def test_a_slow_epoch_counts_whole_from_the_first_on_its_validation_included() -> None:
    first = epoch_record(1, time=5_000.0, seconds=600.0, stopping=stopping_state(patience=3))
    state = after(started_record(epochs=10), first)
    assert state.seconds_left == pytest.approx(9 * 600.0)
    assert seconds_to_stop(state) == pytest.approx(3 * 600.0)


def test_a_changed_patience_counts_at_once() -> None:
    rule = stopping_state(epochs_since_best=1, patience=4)
    less = SettingChanged(setting="stopping.patience", before=4, after=2, by="request")
    never = SettingChanged(setting="stopping.patience", before=4, after=0, by="request")
    state = after(started_record(epochs=10), epoch_record(1), epoch_record(2, stopping=rule))
    assert seconds_to_stop(state) == 3.0
    assert seconds_to_stop(reduce(state, [less])) == 1.0
    assert reduce(state, [less]).patience == 2
    assert seconds_to_stop(reduce(state, [never])) is None


def test_the_time_left_if_nothing_improves_ends_with_the_epochs_and_not_before_the_fewest() -> None:
    rule = stopping_state(epochs_since_best=1, patience=8)
    fewest = {"train": {"epochs": 100}, "stopping": {"min_epochs": 50}}
    epochs = [epoch_record(1), epoch_record(2, stopping=rule)]
    assert seconds_to_stop(after(started_record(epochs=4), *epochs)) == 2.0
    started = started_record(settings=fewest)
    assert seconds_to_stop(after(started, *epochs)) == 48.0


def test_fewer_epochs_than_are_done_leave_no_time() -> None:
    fewer = SettingChanged(setting="train.epochs", before=200, after=1, by="request")
    assert after(started_record(), epoch_record(1), epoch_record(2), fewer).seconds_left == 0.0


def test_the_samples_a_second_are_the_training_rows_of_the_epochs() -> None:
    epochs = [epoch_record(1), epoch_record(2)]
    assert after(started_record(num_train=500), *epochs).samples_per_second == 500.0
    assert after(started_record(num_train=None), *epochs).samples_per_second is None


def test_after_a_clock_that_was_put_back_time_counts_on() -> None:
    epochs = [epoch_record(epoch, time=time) for epoch, time in enumerate([1001, 501, 502, 503], 1)]
    state = after(started_record(time=1000.0), *epochs)
    assert state.seconds == 3.0
    assert list(state.history.seconds) == [1.0, 1.0, 2.0, 3.0]


def test_a_run_that_never_stops_early_has_no_time_left_to_improve() -> None:
    never = stopping_state(patience=0)
    state = after(started_record(), epoch_record(1), epoch_record(2, stopping=never))
    assert state.seconds_left is not None
    assert seconds_to_stop(state) is None


def test_the_pause_before_resuming_does_not_count_as_slow_training() -> None:
    before = [epoch_record(epoch, time=float(epoch)) for epoch in range(1, 4)]
    day_later = [epoch_record(epoch, time=86_400.0 + epoch) for epoch in range(4, 7)]
    state = after(started_record(), *before, RunResumed(time=86_403.0, epoch=3), *day_later)
    assert state.history.epochs_per_second == pytest.approx(1.0, rel=0.5)


def test_a_pause_does_not_count_as_slow_training() -> None:
    before = [epoch_record(epoch, time=1000.0 + epoch) for epoch in range(1, 4)]
    pause: list[Event] = [
        Paused(time=1003.5, epoch=3, step=35),
        Resumed(time=9000.5, epoch=3, step=35),
    ]
    first = epoch_record(4, time=9001.0)
    state = after(started_record(), *before, *pause, first)
    assert state.epochs_per_second == 1.0
    assert list(state.history.seconds) == [1.0, 2.0, 3.0, 4.0]
    assert reduce(state, [epoch_record(5, time=9002.0)]).epochs_per_second == 1.0


def test_a_request_to_stop_a_run_that_trains_leaves_its_speed() -> None:
    state = after(epoch_record(1), epoch_record(2), StopRequested(when="epoch"))
    assert state.history.epochs_per_second == 1.0


def test_the_time_left_counts_from_the_epoch_that_stands_to_the_changed_last_one() -> None:
    more = SettingChanged(setting="train.epochs", before=10, after=20, by="request")
    epochs = [epoch_record(1, time=10.0), epoch_record(2, time=12.0)]
    assert after(started_record(epochs=10), *epochs, more).seconds_left == 36.0


def test_pauses_are_no_training_time() -> None:
    paused = after(started_record(time=100.0), Paused(time=104.0, epoch=0, step=4))
    assert paused.seconds == 4.0
    warned = reduce(paused, [Warned(time=150.0, message="m")])
    assert warned.seconds == 4.0
    going_on = reduce(warned, [Resumed(time=200.0, epoch=0, step=4), epoch_record(1, time=201.0)])
    assert going_on.seconds == 5.0


def test_the_time_between_two_engines_is_no_training_time() -> None:
    killed = after(started_record(time=100.0), epoch_record(1, time=104.0))
    resumed = reduce(killed, [RunResumed(time=9_000.0, epoch=0, pid=7)])
    assert resumed.seconds == 4.0
    assert reduce(resumed, [epoch_record(1, time=9_003.0)]).seconds == 7.0


def test_the_time_after_an_end_that_was_gone_on_from_is_no_training_time() -> None:
    ended = after(started_record(time=100.0), finished_record("stopped", time=104.0))
    late = reduce(ended, [Warned(time=150.0, message="late")])
    assert late.seconds == 4.0
    resumed: list[Event] = [RunResumed(time=9_000.0, epoch=0, pid=7), epoch_record(1, time=9_003.0)]
    assert reduce(late, resumed).seconds == 7.0


def test_going_back_within_an_engine_takes_no_time_away() -> None:
    state = after(
        started_record(time=100.0),
        epoch_record(1, time=104.0),
        RunResumed(time=106.0, epoch=0, message="went back"),
        epoch_record(1, time=109.0),
    )
    assert state.seconds == 9.0


def test_a_computers_clock_that_is_put_back_takes_no_time_away() -> None:
    state = after(
        started_record(time=100.0),
        Paused(time=104.0, epoch=0, step=4),
        Resumed(time=50.0, epoch=0, step=4),
        epoch_record(1, time=40.0),
    )
    assert state.seconds == 4.0


def test_two_ways_on_from_one_snapshot_are_timed_from_the_same_resume() -> None:
    # a copy of the columns once forgot where the run was resumed, and timed its pause as well
    resumed = after(epoch_record(1), RunResumed(time=2.0, epoch=3))
    reduce(resumed, [epoch_record(2)])
    assert reduce(resumed, [epoch_record(3)]).history.epochs_per_second is None


def test_a_run_that_goes_on_from_far_back_shows_the_stopping_rule_of_there_at_once() -> None:
    """Only the last records are kept; what the rule knew 200 epochs ago the engine says."""
    before = [epoch_record(epoch) for epoch in range(1, 401)]
    there = improved(180, 0.25)
    state = after(started_record(), *before, RunResumed(epoch=200, pid=7, stopping=there))
    assert (state.epoch, state.stopping) == (200, there)
    assert after(started_record(), *before, RunResumed(epoch=200, pid=7)).stopping is None


def test_the_speed_is_that_of_the_last_epochs_where_they_are_long() -> None:
    """At 50 epochs of a minute each an estimate would lag behind by most of an hour."""
    times = [float(epoch) for epoch in range(1, 101)]
    times += [times[-1] + 10.0 * epoch for epoch in range(1, 11)]
    records = [epoch_record(epoch, time=time) for epoch, time in enumerate(times, 1)]
    speed = after(started_record(time=0.0), *records).epochs_per_second
    assert speed == pytest.approx(0.1, rel=0.15)
