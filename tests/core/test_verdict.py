"""What a verdict says of curves that leave no doubt, and of those that do."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from epochtop.core.events import EpochCompleted, ValChange
from epochtop.core.verdict.curves import Curves, RowsCompared, Yardsticks, curves_of
from epochtop.core.verdict.evidence import scatter_of, window_means
from epochtop.core.verdict.judge import Verdict, judge
from epochtop.core.verdict.reference import half_way

Floats = NDArray[np.float64]
EPOCHS = 60
T = np.arange(1, EPOCHS + 1, dtype=np.float64)
BASELINE = 1.1


def noise(size: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, size, EPOCHS)


def curves(
    train: Floats,
    val: Floats,
    *,
    error: float | None = None,
    unlearnt: float | None = None,
    yardsticks: Yardsticks | None = None,
) -> Curves:
    """Curves whose last epoch the rows tell from others but for a standard error."""
    rows = RowsCompared(unlearnt_share=unlearnt)
    if error is not None:
        change = ValChange(since_epoch=half_way(len(val)), by=0.0, error=error)
        rows = RowsCompared(error, change, unlearnt)
    known = yardsticks or Yardsticks(BASELINE)
    return Curves(np.arange(1, len(val) + 1), train, val, known, rows)


def falling(to: float, pace: float = 6.0) -> Floats:
    """A loss that falls from the baseline to a floor."""
    return to + (BASELINE - to) * np.exp(-T / pace)


def test_a_high_and_level_loss_fits_where_all_that_the_inputs_tell_is_learnt() -> None:
    train, val = falling(0.85) + noise(0.002), falling(0.86) + noise(0.002, seed=1)
    names = [judge(curves(train, val, error=0.004, unlearnt=share)).name for share in (0.9, 0.02)]
    assert names == ["underfitting", "good_fit"]


@pytest.mark.parametrize(
    ("floor", "learnable", "name"), [(0.85, 0.05, "good_fit"), (1.0, 0.7, "underfitting")]
)
def test_a_high_and_level_loss_fits_where_a_plain_method_learns_no_more(
    floor: float, learnable: float, name: str
) -> None:
    train, val = falling(floor) + noise(0.002), falling(floor + 0.01) + noise(0.002, seed=1)

    def judged(learnable: float | None) -> Verdict:
        yardsticks = Yardsticks(BASELINE, BASELINE, learnable)
        return judge(curves(train, val, error=0.004, yardsticks=yardsticks))

    assert judged(learnable).name == name
    assert judged(learnable).confidence > judged(None).confidence + 0.1


def test_rows_that_are_harder_to_guess_are_no_gap() -> None:
    """A regression: train losses were compared with the constant's loss on validation rows."""
    train, val = falling(0.5), 2 * falling(0.5)
    evidence = judge(curves(train, val, yardsticks=Yardsticks(2 * BASELINE, BASELINE))).evidence
    assert evidence["gap"] == pytest.approx(0)
    assert evidence["train_learnt"] == pytest.approx(evidence["learnt"])


def test_training_targets_that_hardly_differ_are_no_measure() -> None:
    yardsticks = Yardsticks(BASELINE, 1e-8)
    assert judge(curves(falling(0.05), falling(0.5), yardsticks=yardsticks)).name == "good_fit"


def test_where_the_constant_calls_validation_rows_impossible_its_train_loss_has_to_do() -> None:
    """A regression: the loss of the first epoch had to do, which may be far above a constant's."""
    train = falling(0.5)
    train[0] *= 10
    for baseline in (None, math.inf):
        yardsticks = Yardsticks(baseline, BASELINE)
        evidence = judge(curves(train, train + 0.01, yardsticks=yardsticks)).evidence
        assert evidence["learnt"] == pytest.approx(1 - 0.51 / BASELINE, abs=0.01)


def test_a_validation_loss_that_rises_while_the_train_loss_falls_is_overfitting() -> None:
    val = falling(0.4) + 0.01 * np.maximum(0, T - 20)
    verdict = judge(curves(falling(0.01, 8.0), val, error=0.01))
    assert verdict.name == "overfitting"
    assert 12 <= verdict.since_epoch <= 26
    assert verdict.confidence > 0.9
    assert verdict.evidence["rise_share"] > 0.5


def test_a_gap_alone_is_not_overfitting() -> None:
    assert judge(curves(falling(0.05), falling(0.5) + noise(0.002))).name == "good_fit"


def test_a_validation_loss_below_the_train_loss_is_no_error() -> None:
    assert judge(curves(falling(0.5), falling(0.4) + noise(0.002))).name == "good_fit"


def test_three_rises_in_a_row_are_noise_where_the_curve_is_noisy() -> None:
    val = falling(0.4) + noise(0.02)
    val[-4:] = [0.38, 0.39, 0.40, 0.41]
    assert judge(curves(falling(0.3), val, error=0.02)).name != "overfitting"


def test_a_small_rise_that_the_rows_do_not_bear_out_is_not_called_overfitting() -> None:
    val = falling(0.4) + 0.0006 * np.maximum(0, T - 20)
    assert judge(curves(falling(0.2), val, error=0.03)).name in {"inconclusive", "good_fit"}
    bigger = falling(0.4) + 0.002 * np.maximum(0, T - 20)
    assert judge(curves(falling(0.1), bigger, error=0.004)).name == "overfitting"


def test_a_rise_that_reverses_takes_the_verdict_back() -> None:
    train, val = falling(0.01, 10.0), falling(0.4) + 0.3 * np.exp(-(((T - 30) / 6) ** 2))
    assert judge(curves(train[:32], val[:32], error=0.01)).name == "overfitting"
    assert judge(curves(train, val, error=0.01)).name != "overfitting"


def test_losses_near_a_constants_are_underfitting() -> None:
    flat = np.full(EPOCHS, BASELINE - 0.01) + noise(0.002)
    assert judge(curves(flat, flat + 0.005)).name == "underfitting"


def test_a_constants_loss_below_zero_is_underfitting_too() -> None:
    """A regression: of losses below 0, as of densities, the share that is gone had no sign."""
    flat = np.full(EPOCHS, -1.0) + noise(0.002)
    verdict = judge(Curves(np.arange(1, EPOCHS + 1), flat, flat + 0.005, Yardsticks(-0.99)))
    assert verdict.name == "underfitting"
    assert abs(verdict.evidence["learnt"]) < 0.05


def test_a_loss_that_still_falls_is_improving() -> None:
    line = BASELINE - 0.01 * T
    verdict = judge(curves(line, line + noise(0.002)))
    assert verdict.name == "improving"
    assert verdict.evidence["gain"] > 0.1


def test_a_train_loss_that_rises_is_diverging() -> None:
    train = falling(0.2) + 0.05 * np.maximum(0, T - 30)
    verdict = judge(curves(train, train + 0.1))
    assert verdict.name == "diverging"
    assert verdict.since_epoch >= 25


def test_a_train_loss_that_jumps_about_far_above_a_constants_is_diverging() -> None:
    """It was called overfitting, as by so much scatter no rise is sure."""
    train = falling(0.8) + np.where(T > 30, np.where(T % 2, 0.2, 1.6), 0.0)
    assert judge(curves(train, train + 0.1)).name == "diverging"


def test_a_val_loss_far_above_a_constants_is_overfitting_where_the_train_loss_fell() -> None:
    """It was called diverging from six times a constant's on, whatever the train loss did."""
    val = BASELINE * (0.8 + 0.2 * np.maximum(0, T - 10)) + noise(0.01)
    verdict = judge(curves(falling(0.001, 5.0), val, error=0.02))
    assert verdict.evidence["learnt"] < -5
    assert verdict.name == "overfitting"


def test_a_val_loss_far_above_a_constants_is_diverging_where_training_learnt_nothing() -> None:
    val = BASELINE * (0.8 + 0.2 * np.maximum(0, T - 10)) + noise(0.01)
    assert judge(curves(BASELINE * np.ones_like(T) + 0.01, val)).name == "diverging"


def test_a_train_loss_that_jumps_about_below_a_constants_is_not_diverging() -> None:
    train = falling(0.4) + noise(0.15)
    assert judge(curves(train, falling(0.4) + noise(0.02))).name != "diverging"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_diverging_since_then(bad: float) -> None:
    val = falling(0.4)
    val[50:] = bad
    verdict = judge(curves(falling(0.3), val))
    assert (verdict.name, verdict.since_epoch) == ("diverging", 51)


def test_one_loss_that_was_no_number_long_ago_changes_nothing() -> None:
    val = falling(0.4) + noise(0.002)
    val[10] = math.nan
    assert judge(curves(falling(0.3), val)).name == "good_fit"


def test_a_loss_beyond_all_others_in_the_first_epochs_hides_nothing() -> None:
    val = falling(0.4) + 0.01 * np.maximum(0, T - 20)
    val[0] = 1e20
    assert judge(curves(falling(0.01, 8.0), val, error=0.01)).name == "overfitting"


@pytest.mark.parametrize("num_epochs", [0, 1, 5])
def test_few_epochs_say_nothing(num_epochs: int) -> None:
    few = curves(falling(0.2)[:num_epochs], falling(0.3)[:num_epochs])
    assert judge(few).name == "warming_up"


def test_the_train_loss_of_a_loop_that_measures_no_other_has_to_do() -> None:
    losses = [(1.0 - 0.01 * n, 0.8 - 0.01 * n) for n in range(30)]
    records = [
        EpochCompleted(epoch=number, train_loss=train, val_loss=val)
        for number, (train, val) in enumerate(losses, 1)
    ]
    found = curves_of(records)
    assert found.train[0] == 1.0
    assert found.rows == RowsCompared()
    assert judge(found).name == "improving"


@given(
    losses=st.lists(
        st.tuples(*[st.floats(allow_subnormal=True) | st.sampled_from([0.0, 1e30, -1e30])] * 2),
        max_size=40,
    ),
    constants=st.tuples(*[st.none() | st.floats(1e-30, 1e30)] * 2),
    shares=st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(-1, 9)),
)
@example(losses=[(0.0, 0.0)] * 12, constants=(None, None), shares=(None, None))  # was 0 / 0
def test_there_is_a_verdict_on_any_losses(
    losses: Sequence[tuple[float, float]],
    constants: tuple[float | None, float | None],
    shares: tuple[float | None, float | None],
) -> None:
    train, val = (
        (np.array(each, np.float64) for each in zip(*losses, strict=True))
        if losses
        else (
            np.empty(0),
            np.empty(0),
        )
    )
    epochs = np.arange(1, len(losses) + 1)
    yardsticks, rows = Yardsticks(*constants, shares[0]), RowsCompared(unlearnt_share=shares[1])
    verdict = judge(Curves(epochs, train, val, yardsticks, rows))
    assert isinstance(verdict, Verdict)
    assert 0 <= verdict.confidence <= 1
    assert all(math.isfinite(number) for number in verdict.evidence.values())


@given(
    scale=st.floats(1e-6, 1e6),
    seed=st.integers(0, 100),
    rise=st.floats(0, 0.01),
)
def test_the_unit_of_the_loss_does_not_matter(scale: float, seed: int, rise: float) -> None:
    val = falling(0.4) + noise(0.01, seed) + rise * np.maximum(0, T - 20)
    train = falling(0.1)
    once = judge(curves(train, val))
    epochs = np.arange(1, EPOCHS + 1)
    scaled = judge(Curves(epochs, train * scale, val * scale, Yardsticks(BASELINE * scale)))
    assert (scaled.name, scaled.since_epoch) == (once.name, once.since_epoch)


@pytest.mark.parametrize("num_epochs", [30, 1000, 20_000])
@pytest.mark.parametrize(
    ("expected", "train", "val", "rise"),
    [
        ("overfitting", (0.01, 0.15), (0.4, 0.1), 0.3),
        ("good_fit", (0.35, 0.1), (0.4, 0.1), 0.0),
        ("improving", (0.1, 0.6), (0.15, 0.6), 0.0),
        ("underfitting", (1.08, 0.1), (1.09, 0.1), 0.0),
    ],
)
def test_how_many_epochs_a_run_has_does_not_matter(
    num_epochs: int,
    expected: str,
    train: tuple[float, float],
    val: tuple[float, float],
    rise: float,
) -> None:
    """Each curve falls at a pace that is a share of the run; the trees grew on 12 to 200 epochs."""
    at = np.arange(1, num_epochs + 1) / num_epochs
    generator = np.random.default_rng(1)

    def losses(to: float, pace: float) -> Floats:
        falls = to + (BASELINE - to) * np.exp(-at / pace)
        noisy: Floats = falls + generator.normal(0, 0.003, num_epochs)
        return noisy

    risen = losses(*val) + rise * np.maximum(0, at - 0.35)
    verdict = judge(curves(losses(*train), risen, error=0.004))
    assert verdict.name == expected
    assert verdict.confidence > 0.9


def test_scatter_is_the_noise_about_a_line_whatever_its_slope() -> None:
    values = np.random.default_rng(1).normal(0, 0.3, 4000) + 5 * np.arange(4000)
    assert scatter_of(values) == pytest.approx(0.3, rel=0.1)


def test_means_over_a_window_are_each_their_own() -> None:
    values = np.array([1e20, 1.0, 2.0, 3.0])
    assert window_means(values, 2).tolist() == [5e19, 1.5, 2.5]
