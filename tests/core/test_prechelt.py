"""Prechelt's measures, by examples worked by hand from the paper's formulas."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import Stopping
from epochtop.core.settings.declaration import StoppingSettings
from epochtop.core.stopping.prechelt import (
    Strips,
    generalisation_loss,
    progress_quotient,
    training_progress,
)
from epochtop.core.stopping.rules import EarlyStopping, EpochLosses, RuleState

finite = st.floats(allow_nan=False, allow_infinity=False)


def states(
    settings: StoppingSettings, val: Sequence[float], train: Sequence[float] | None = None
) -> list[RuleState]:
    """The state after each epoch; the train loss falls steadily unless it is given."""
    train = train or [1 / epoch for epoch in range(1, len(val) + 1)]
    epochs = range(1, len(val) + 1)
    return list(EarlyStopping(settings).replay(map(EpochLosses, epochs, train, val)))


def stop_epochs(
    settings: StoppingSettings, val: Sequence[float], train: Sequence[float] | None = None
) -> list[int]:
    """The epochs after which the run would stop if it were not stopped before."""
    rule = EarlyStopping(settings)
    return [state.epoch for state in states(settings, val, train) if rule.why_stop(state)]


def measures(
    settings: StoppingSettings, val: Sequence[float], train: Sequence[float] | None = None
) -> list[float | None]:
    return [state.stopping.measure for state in states(settings, val, train)]


def gl(alpha: float = 2.0) -> StoppingSettings:
    return StoppingSettings(rule="gl", alpha=alpha)


def pq(alpha: float = 2.0, k: int = 2) -> StoppingSettings:
    return StoppingSettings(rule="pq", alpha=alpha, strip_epochs=k)


def up(strips: int = 2, k: int = 2) -> StoppingSettings:
    return StoppingSettings(rule="up", strips=strips, strip_epochs=k)


@pytest.mark.parametrize(
    ("loss", "lowest", "percent"),
    [
        (1.0, 1.0, 0.0),
        (1.25, 1.0, 25.0),
        (0.75, 0.5, 50.0),
        (3.0, 1.0, 200.0),
        (-0.5, -1.0, 50.0),  # the paper's E_va/E_opt - 1 would be -50 %
        (0.5, -1.0, 150.0),
        (0.0, -2.0, 100.0),
        (0.0, 0.0, 0.0),
        (0.0, -0.0, 0.0),
        (1e-300, 0.0, math.inf),
    ],
)
def test_the_generalisation_loss_is_the_rise_over_the_lowest_loss_in_percent(
    loss: float, lowest: float, percent: float
) -> None:
    assert generalisation_loss(loss, lowest) == percent


@pytest.mark.parametrize(
    ("losses", "per_mille"),
    [
        ((2.0, 1.0), 500.0),  # mean 1.5
        ((1.0, 2.0), 500.0),  # falling or rising: the training moves
        ((1.25, 1.0, 1.0, 1.0, 1.0), 50.0),
        ((1.0, 1.0, 1.0), 0.0),
        ((0.7, 0.7, 0.7), 0.0),  # whose sum over three rounds to less than 0.7
        ((-1.0, -2.0), 250.0),  # mean -1.5, half above -2, over its size
        ((0.0, 0.0), 0.0),
        ((1.0, 0.0), math.inf),
    ],
)
def test_the_progress_is_how_far_the_mean_is_above_the_strips_minimum_in_per_mille(
    losses: tuple[float, ...], per_mille: float
) -> None:
    assert training_progress(losses) == per_mille


@given(loss=finite, times=st.integers(2, 30))
def test_a_training_that_stands_still_makes_no_progress_however_the_sum_rounds(
    loss: float, times: int
) -> None:
    assert training_progress((loss,) * times) == 0


@given(st.lists(finite, min_size=2, max_size=10))
def test_a_training_that_moves_makes_progress(losses: list[float]) -> None:
    assert (training_progress(tuple(losses)) > 0) == (len(set(losses)) > 1)


@pytest.mark.parametrize(
    ("loss", "progress", "quotient"),
    [
        (6.0, 3.0, 2.0),
        (0.0, 3.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, math.inf, 0.0),
        (1e-9, 0.0, math.inf),
        (math.inf, 3.0, math.inf),
        (math.inf, 0.0, math.inf),
        (6.0, math.inf, 0.0),
        (math.inf, math.inf, None),
        (None, 3.0, None),
        (6.0, None, None),
    ],
)
def test_the_quotient_is_infinite_where_training_stands_still_and_unknown_where_nothing_tells(
    loss: float | None, progress: float | None, quotient: float | None
) -> None:
    assert progress_quotient(loss, progress) == quotient


def test_strips_end_with_the_epochs_that_their_length_divides() -> None:
    strips = Strips(length=3)
    ends = []
    for epoch in range(1, 10):
        strips = strips.after(float(epoch), 1.0)
        ends += [epoch] if strips.at_end else []
        assert len(strips.train_losses) <= 3
    assert ends == [3, 6, 9]
    assert strips.train_losses == (7.0, 8.0, 9.0)


def test_a_strip_has_no_progress_before_its_end_or_with_a_train_loss_that_is_not_finite() -> None:
    strips = [Strips(length=2)]
    for loss in [2.0, 1.0, 2.0, None, None, 1.0, 3.0, 2.0]:
        strips.append(strips[-1].after(loss, 1.0))
    assert [strip.progress for strip in strips[1:]] == [
        *(None, 500.0),
        *(None, None),
        *(None, None),
        *(None, 250.0),
    ]


def test_gl_stops_as_soon_as_the_loss_is_more_than_alpha_percent_above_the_lowest() -> None:
    losses = [1.0, 0.5, 0.625, 0.75, 0.5, 0.75390625]
    assert measures(gl(alpha=50.0), losses) == [0.0, 0.0, 25.0, 50.0, 0.0, 50.78125]
    assert stop_epochs(gl(alpha=50.0), losses) == [6]
    assert stop_epochs(gl(alpha=25.0), losses) == [4, 6]


def test_gl_stops_a_run_of_negative_losses_that_rise() -> None:
    assert measures(gl(), [-1.0, -2.0, -1.75]) == [0.0, 0.0, 12.5]
    assert stop_epochs(gl(), [-1.0, -2.0, -1.75]) == [3]


def test_gl_stops_at_any_rise_above_a_lowest_loss_of_zero() -> None:
    assert stop_epochs(gl(alpha=1e6), [1.0, 0.0, 0.0, 1e-9]) == [4]
    assert measures(gl(), [1.0, 0.0, 1e-9]) == [0.0, 0.0, None]  # an infinite one is not shown


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_gl_says_nothing_of_a_loss_that_is_not_finite_and_goes_on_after_it(loss: float) -> None:
    losses = [loss, 1.0, loss, 2.0]
    assert measures(gl(), losses) == [None, 0.0, None, 100.0]
    assert stop_epochs(gl(), losses) == [4]


def test_pq_is_gl_over_progress_at_strip_ends_and_stays_on_show_between_them() -> None:
    val = [1.0, 1.5, 9.0, 3.0, 1.0, 1.0, 0.5]
    train = [2.0, 1.0, 1.0, 1.25, 3.0, 2.0, 1.0]
    # at 2: GL 50, P 500; at 4: GL 200, P 125; at 6: GL 0
    assert measures(pq(), val, train) == [None, 0.1, 0.1, 1.6, 1.6, 0.0, 0.0]
    assert stop_epochs(pq(alpha=1.0), val, train) == [4]
    assert stop_epochs(pq(alpha=0.09), val, train) == [2, 4]
    assert stop_epochs(pq(alpha=1.6), val, train) == []


def test_pq_stops_when_training_stands_still_while_the_loss_is_above_its_lowest() -> None:
    val, train = [1.0, 1.0, 0.5, 0.625], [0.7, 0.7, 0.7, 0.7]
    assert measures(pq(), val, train) == [None, 0.0, 0.0, None]  # an infinite one is not shown
    assert stop_epochs(pq(alpha=1e6), val, train) == [4]


def test_pq_goes_on_while_training_moves_fast() -> None:
    assert stop_epochs(pq(alpha=0.5), [1.0, 1.1, 1.0, 1.1], [8.0, 4.0, 2.0, 1.0]) == []
    assert stop_epochs(pq(alpha=0.5), [1.0, 1.1, 1.0, 1.1], [8.0, 4.0, 2.01, 2.0]) == [4]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_pq_says_nothing_of_a_strip_with_a_train_loss_that_is_not_finite(loss: float) -> None:
    val, train = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0], [1.0, 1.0, loss, 1.0, 1.0, 1.0]
    assert stop_epochs(pq(), val, train) == [2, 6]
    val, train = [1.0, 2.0, 2.0, loss], [2.0, 1.0, 2.0, 1.0]
    assert measures(pq(), val, train) == [None, 0.2, 0.2, None]


def test_up_stops_when_the_loss_rose_in_so_many_strips_in_a_row_whatever_lies_between() -> None:
    #      strip ends:  1.0       1.5       1.75       1.5       1.6       1.7       1.8
    val = [9.0, 1.0, 0.1, 1.5, 9.0, 1.75, 0.0, 1.5, 1.0, 1.6, 1.0, 1.7, 9.0, 1.8, 9.0]
    assert measures(up(), val) == [
        *(None, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 0.0),
        *(0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0),
    ]
    assert stop_epochs(up(strips=1), val) == [4, 6, 10, 12, 14]
    assert stop_epochs(up(strips=2), val) == [6, 12, 14]
    assert stop_epochs(up(strips=3), val) == [14]
    assert stop_epochs(up(strips=4), val) == []


def test_up_does_not_count_a_loss_that_stays_the_same() -> None:
    assert stop_epochs(up(strips=1), [1.0] * 20) == []


def test_up_has_nothing_to_compare_the_first_strip_with() -> None:
    assert stop_epochs(up(strips=1, k=5), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]) == [
        10
    ]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_up_counts_no_rise_from_or_to_a_loss_that_is_not_finite(loss: float) -> None:
    ends = [1.0, 2.0, loss, 3.0, 4.0, 5.0]
    val = [loss_at for end in ends for loss_at in (0.0, end)]
    shown = measures(up(), val)
    assert shown[1::2] == [0.0, 1.0, 0.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize("settings", [gl(), pq(), up()])
def test_patience_does_not_count_and_is_not_shown_beside_a_rule_of_prechelts(
    settings: StoppingSettings,
) -> None:
    impatient = StoppingSettings(
        rule=settings.rule, patience=1, min_delta=0.25, strip_epochs=2, strips=2
    )
    after = states(impatient, [1.0, 0.5, 0.5, 0.5])
    assert not stop_epochs(impatient, [1.0, 0.5, 0.5, 0.5])
    assert [state.stopping.patience for state in after] == [0] * 4
    assert [state.stopping.epochs_since_best for state in after] == [0, 0, 1, 2]
    assert after[-1].stopping.target == 0.25


def test_the_journal_shows_each_rules_name_and_limit_from_the_start() -> None:
    def shown(settings: StoppingSettings) -> Stopping:
        return EarlyStopping(settings).start().stopping

    rules = [gl(alpha=3.0), pq(alpha=0.5), up(strips=4), StoppingSettings()]
    assert [(shown(rule).rule, shown(rule).limit) for rule in rules] == [
        ("gl", 3.0),
        ("pq", 0.5),
        ("up", 4.0),
        ("patience", None),
    ]
    assert [shown(rule).measure for rule in rules] == [None] * 4


@pytest.mark.parametrize(
    ("settings", "val", "train", "sentence"),
    [
        (
            gl(alpha=50.0),
            [1.0, 0.5, 0.8],
            None,
            "a generalisation loss of 60 %, above alpha 50: the validation loss is 0.8, "
            "the lowest 0.5 of epoch 2",
        ),
        (
            gl(),
            [0.0, 0.25],
            None,
            "a generalisation loss of inf %, above alpha 2: the validation loss is 0.25, "
            "the lowest 0 of epoch 1",
        ),
        (
            pq(alpha=0.5),
            [1.0, 3.0],
            [1.25, 1.0],
            "generalisation loss over training progress is 1.6, above alpha 0.5: the validation "
            "loss is 3, the lowest 1 of epoch 1",
        ),
        (
            up(strips=2, k=2),
            [0.0, 1.0, 0.0, 2.0, 0.0, 3.0],
            None,
            "the validation loss rose in 2 strips of 2 epochs in a row",
        ),
    ],
)
def test_a_sentence_says_what_was_measured_against_what_limit(
    settings: StoppingSettings, val: list[float], train: list[float] | None, sentence: str
) -> None:
    last = states(settings, val, train)[-1]
    assert EarlyStopping(settings).why_stop(last) == sentence


def test_a_sentence_never_rounds_a_measure_to_its_limit() -> None:
    settings = gl(alpha=25.0)
    last = states(settings, [1.0, 1.2500000001])[-1]
    assert "of 25.00000001 %, above alpha 25:" in str(EarlyStopping(settings).why_stop(last))


@pytest.mark.parametrize("make", [gl, lambda alpha: pq(alpha / 50)])
def test_a_larger_alpha_never_stops_earlier(make: Callable[[float], StoppingSettings]) -> None:
    val = [1.0, 0.8, 0.9, 0.85, 0.95, 0.7, 0.9, 1.1, 1.3, 1.2, 1.5, 1.6]
    stops = [set(stop_epochs(make(alpha), val)) for alpha in (1.0, 5.0, 20.0, 80.0)]
    assert all(strict >= lax for strict, lax in pairwise(stops))
    assert len(stops[0]) > len(stops[-1])
