import math

import pytest

from epochtop.core.events import EpochCompleted, RunResumed
from epochtop.tui.following.history import History
from epochtop.tui.following.state import RunState, reduce

from ..records import epoch_record


def history_of(*records: EpochCompleted) -> History:
    return reduce(RunState(), records).history


def test_an_empty_history_has_the_losses_and_no_values() -> None:
    history = History()
    assert history.names == ("train_loss", "val_loss")
    assert (len(history), len(history.epochs), len(history.steps), len(history.seconds)) == (0,) * 4
    assert len(history.column("val_loss")) == len(history.column("f1")) == 0


def test_all_columns_are_of_one_length_and_type() -> None:
    history = history_of(*(epoch_record(epoch, metrics={"f1": 0.5}) for epoch in range(1, 1001)))
    columns = [history.column(name) for name in (*history.names, "never measured")]
    assert {len(column) for column in (*columns, history.epochs, history.seconds)} == {1000}
    assert {column.dtype.name for column in columns} == {"float64"}
    assert (history.epochs.dtype.name, history.steps.dtype.name) == ("int64", "int64")
    assert list(history.steps[:3]) == [10, 20, 30]


def test_series_are_known_once_they_are_measured_and_metrics_come_last() -> None:
    first = epoch_record(1, train_loss_eval=None, penalty=None, metrics={"f1": None})
    history = history_of(first)
    assert history.names == ("train_loss", "val_loss", "lr", "f1")
    history = history_of(first, epoch_record(2, metrics={"auc": 0.5}, grad_norm=1.5))
    fixed = ("train_loss", "val_loss", "train_loss_eval", "penalty", "lr", "grad_norm")
    assert history.names == (*fixed, "f1", "auc")


def test_a_series_is_nan_where_it_was_not_measured() -> None:
    records = [epoch_record(1), epoch_record(2, metrics={"f1": 0.5}), epoch_record(3)]
    state = RunState()
    for record in records:
        state = reduce(state, [record])
    assert str(state.history.column("f1").tolist()) == "[nan, 0.5, nan]"
    assert str(state.history.column("never").tolist()) == "[nan, nan, nan]"


@pytest.mark.parametrize("loss", [None, math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_nan(loss: float | None) -> None:
    assert math.isnan(history_of(epoch_record(1, val_loss=loss)).column("val_loss")[0])


@pytest.mark.parametrize("name", ["val_loss", "never measured"])
def test_a_column_cannot_be_written_to(name: str) -> None:
    column = history_of(epoch_record(1)).column(name)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1.0


def test_a_column_in_somebodys_hands_stays_as_it_is_while_the_history_grows() -> None:
    state = reduce(RunState(), [epoch_record(epoch) for epoch in range(1, 251)])
    held = state.history.column("val_loss")
    before = held.tolist()
    later = reduce(state, [epoch_record(epoch) for epoch in range(251, 2001)])
    assert held.tolist() == before == later.history.column("val_loss")[:250].tolist()


def test_going_back_and_on_leaves_the_void_epochs_to_the_snapshot_that_had_them() -> None:
    state = reduce(RunState(), [epoch_record(epoch) for epoch in range(1, 6)])
    resumed = reduce(state, [RunResumed(epoch=2), epoch_record(3, val_loss=7.0)])
    assert list(resumed.history.epochs) == [1, 2, 3]
    assert list(resumed.history.column("val_loss")) == [2.0, 1.0, 7.0]
    assert list(state.history.epochs) == [1, 2, 3, 4, 5]


def test_the_speed_is_that_of_the_last_seconds_where_epochs_are_short() -> None:
    # fifty epochs of a millisecond are too few to tell a speed that stands still
    slow = [epoch_record(epoch, time=epoch / 100) for epoch in range(1, 2001)]
    fast = [epoch_record(2000 + n, time=20 + n / 1000) for n in range(1, 5001)]
    history = history_of(*slow, *fast[:2500])
    assert history.epochs_per_second == pytest.approx((250 + 2500) / 5, rel=0.01)
    assert history_of(*slow, *fast).epochs_per_second == pytest.approx(1000, rel=0.01)
