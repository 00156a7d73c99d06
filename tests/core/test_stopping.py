import math
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import Stopping
from epochtop.core.stopping import Patience

losses_of_a_run = st.lists(
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.5, 0.5, 0.4999])
    | st.floats(-2, 2)
    | st.floats(),
    max_size=30,
)
deltas = st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 3)


def replay(rule: Patience, losses: Iterable[float]) -> list[Stopping]:
    """The rule's state after each epoch."""
    states = [rule.start()]
    for epoch, loss in enumerate(losses, 1):
        states.append(rule.update(states[-1], epoch, loss))
    return states[1:]


def improvements(losses: Sequence[float], min_delta: float) -> list[int]:
    """The epochs that count as improvements, by the definition."""
    epochs: list[int] = []
    for epoch, loss in enumerate(losses, 1):
        if math.isfinite(loss) and (not epochs or loss < losses[epochs[-1] - 1] - min_delta):
            epochs.append(epoch)
    return epochs


@given(losses=losses_of_a_run, patience=st.integers(0, 5), min_delta=deltas)
def test_the_state_is_what_the_definition_says(
    losses: list[float], patience: int, min_delta: float
) -> None:
    rule = Patience(patience, min_delta)
    for epoch, state in enumerate(replay(rule, losses), 1):
        improved = improvements(losses[:epoch], min_delta)
        best_epoch = improved[-1] if improved else None
        best_loss = losses[improved[-1] - 1] if improved else None
        assert (state.best_epoch, state.best_loss) == (best_epoch, best_loss)
        assert state.epochs_since_best == epoch - (best_epoch or 0)
        assert state.patience == patience
        assert state.target == (None if best_loss is None else best_loss - min_delta)
        assert rule.is_exhausted(state) == (patience > 0 and epoch - (best_epoch or 0) >= patience)


@given(losses=losses_of_a_run, min_delta=deltas)
def test_the_lowest_loss_is_the_first_strict_minimum_whatever_min_delta_is(
    losses: list[float], min_delta: float
) -> None:
    for epoch, state in enumerate(replay(Patience(3, min_delta), losses), 1):
        finite = [loss for loss in losses[:epoch] if math.isfinite(loss)]
        lowest = min(finite, default=None)
        assert state.lowest_loss == lowest
        assert state.lowest_epoch == (None if lowest is None else losses.index(lowest) + 1)


@given(losses=losses_of_a_run, patience=st.integers(0, 5))
def test_without_min_delta_the_best_is_the_lowest(losses: list[float], patience: int) -> None:
    for state in replay(Patience(patience), losses):
        assert (state.best_epoch, state.best_loss) == (state.lowest_epoch, state.lowest_loss)


@given(losses=losses_of_a_run, patience=st.integers(0, 5), min_delta=deltas, cut=st.integers(0, 30))
def test_a_replay_can_go_on_from_any_state(
    losses: list[float], patience: int, min_delta: float, cut: int
) -> None:
    rule = Patience(patience, min_delta)
    state = [rule.start(), *replay(rule, losses[:cut])][-1]
    for epoch, loss in enumerate(losses[cut:], len(losses[:cut]) + 1):
        state = rule.update(state, epoch, loss)
    assert state == [rule.start(), *replay(rule, losses)][-1]


@pytest.mark.parametrize("patience", [1, 2, 6])
def test_it_stops_exactly_when_so_many_epochs_in_a_row_brought_nothing(patience: int) -> None:
    rule = Patience(patience)
    states = replay(rule, [1.0, 0.5, *[0.5] * patience])
    assert [rule.is_exhausted(state) for state in states] == [False] * (patience + 1) + [True]
    assert states[-1].epochs_since_best == patience


def test_an_improvement_at_the_last_moment_starts_the_count_anew() -> None:
    rule = Patience(2)
    states = replay(rule, [1.0, 1.0, 0.9, 0.9, 0.9])
    assert [state.epochs_since_best for state in states] == [0, 1, 0, 1, 2]
    assert [rule.is_exhausted(state) for state in states] == [False, False, False, False, True]


def test_patience_zero_never_stops() -> None:
    rule = Patience(0)
    assert not any(rule.is_exhausted(state) for state in replay(rule, [1.0] * 1000))


def test_an_equal_loss_is_no_improvement() -> None:
    assert [state.best_epoch for state in replay(Patience(5), [0.5, 0.5])] == [1, 1]


def test_a_best_loss_of_zero_is_a_best_loss() -> None:
    last = replay(Patience(5), [0.0, 0.1, -0.0])[-1]
    assert (last.best_epoch, last.best_loss, last.target) == (1, 0.0, 0.0)
    assert last.epochs_since_best == 2


def test_negative_losses_improve_downwards() -> None:
    states = replay(Patience(5, min_delta=0.1), [-1.0, -1.05, -1.2, -1.15])
    assert [state.best_epoch for state in states] == [1, 1, 3, 3]
    assert [state.lowest_epoch for state in states] == [1, 2, 3, 3]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_never_improves(loss: float) -> None:
    rule = Patience(2)
    first, second = replay(rule, [loss, loss])
    assert (first.best_epoch, first.lowest_epoch, first.target) == (None, None, None)
    assert second.epochs_since_best == 2
    assert rule.is_exhausted(second)


def test_an_epoch_after_nan_improves_on_the_best_before_it_only() -> None:
    states = replay(Patience(5), [0.5, math.nan, 0.6, 0.4])
    assert [state.best_epoch for state in states] == [1, 1, 1, 4]


def test_the_weights_kept_are_those_of_the_minimum_though_min_delta_did_not_count_it() -> None:
    last = replay(Patience(5, min_delta=0.1), [1.0, 0.95, 0.93, 0.94])[-1]
    assert (last.best_epoch, last.best_loss) == (1, 1.0)
    assert (last.lowest_epoch, last.lowest_loss) == (3, 0.93)
    assert last.target == 0.9
    assert last.epochs_since_best == 3


def test_slow_progress_adds_up_until_it_beats_the_best_by_more_than_min_delta() -> None:
    states = replay(Patience(9, min_delta=0.25), [1.0, 0.875, 0.75, 0.625])
    assert [state.best_epoch for state in states] == [1, 1, 1, 4]
