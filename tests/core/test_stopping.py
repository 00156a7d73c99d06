import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.events import EpochCompleted, Stopping
from epochtop.core.run.journal import JournalReader, JournalWriter
from epochtop.core.settings.declaration import StoppingRuleName, StoppingSettings
from epochtop.core.stopping.rules import EarlyStopping, EpochLosses, RuleState
from tests.core import stopping_reference as reference
from tests.records import epoch_record

History = list[tuple[float, float]]

RULES: list[StoppingRuleName] = ["patience", "gl", "pq", "up"]
NOT_FINITE = [math.nan, math.inf, -math.inf]
# few different values, so that equal ones, zeros and slow rises come up, and none so small that
# a quotient overflows
losses = st.sampled_from([0.0, -0.0, -0.5, 0.5, 0.4999, 1.0, 1.25, *NOT_FINITE]) | st.floats(
    -2, 2
).map(lambda loss: round(loss, 9))
histories = st.lists(st.tuples(losses, losses), max_size=30)
wild_histories = st.lists(st.tuples(st.floats(), st.floats()), max_size=30)
deltas = st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 3)
thresholds = st.none() | st.sampled_from([-0.5, 0.0, 0.4999, 1.0])
all_settings = st.builds(
    StoppingSettings,
    rule=st.sampled_from(RULES),
    patience=st.integers(0, 5),
    min_delta=deltas,
    min_delta_mode=st.sampled_from(["absolute", "relative"]),
    min_epochs=st.integers(0, 12),
    satisfied_below=thresholds,
    diverged_above=thresholds,
    alpha=st.sampled_from([0.05, 0.5, 2.0, 50.0]),
    strip_epochs=st.integers(2, 4),
    strips=st.integers(1, 3),
)


def rule_of(patience: int = 0, min_delta: float = 0.0, **fields: Any) -> EarlyStopping:
    return EarlyStopping(StoppingSettings(patience=patience, min_delta=min_delta, **fields))


def epochs_of(history: History) -> Iterator[EpochLosses]:
    return (EpochLosses(epoch, *pair) for epoch, pair in enumerate(history, 1))


def states(rule: EarlyStopping, history: History) -> list[RuleState]:
    """The state before the first epoch, then after each."""
    return [rule.start(), *rule.replay(epochs_of(history))]


def replay(rule: EarlyStopping, val_losses: Iterable[float]) -> list[RuleState]:
    """The state after each epoch, for a rule that looks at no train loss."""
    return states(rule, [(1.0, loss) for loss in val_losses])[1:]


def views(rule: EarlyStopping, val_losses: Iterable[float]) -> list[Stopping]:
    return [state.stopping for state in replay(rule, val_losses)]


def stop_epochs(rule: EarlyStopping, val_losses: Iterable[float]) -> list[int]:
    """The epochs after which the run would stop if it were not stopped before."""
    return [state.epoch for state in replay(rule, val_losses) if rule.why_stop(state)]


def why_stopped(rule: EarlyStopping, val_losses: Iterable[float]) -> str | None:
    return rule.why_stop(replay(rule, val_losses)[-1])


def through_a_checkpoint(state: RuleState) -> RuleState:
    return msgspec.convert(msgspec.to_builtins(state), RuleState)


def through_json(state: RuleState) -> RuleState:
    return msgspec.json.decode(msgspec.json.encode(state), type=RuleState)


def plain_values(value: object) -> Iterator[object]:
    """All leaves of builtin containers."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from plain_values(item)
    else:
        yield value


@given(settings=all_settings, history=histories)
def test_the_bests_are_what_the_definition_says(
    settings: StoppingSettings, history: History
) -> None:
    val = [loss for _, loss in history]
    for state in states(EarlyStopping(settings), history)[1:]:
        shown, so_far = state.stopping, val[: state.epoch]
        counted = reference.improvements(so_far, settings)
        lowest = reference.lowest_epoch(so_far)
        assert shown.best_epoch == (counted[-1] if counted else None)
        assert shown.best_loss == (val[counted[-1] - 1] if counted else None)
        assert shown.epochs_since_best == state.epoch - (counted[-1] if counted else 0)
        assert shown.lowest_epoch == lowest
        assert shown.lowest_loss == (None if lowest is None else val[lowest - 1])
        assert shown.patience == (settings.patience if settings.rule == "patience" else 0)
        best = shown.best_loss
        assert shown.target == (None if best is None else reference.target(best, settings))


@given(settings=all_settings, history=histories)
def test_every_rule_stops_when_its_definition_over_the_whole_history_says_so(
    settings: StoppingSettings, history: History
) -> None:
    rule = EarlyStopping(settings)
    for state in states(rule, history)[1:]:
        train, val = zip(*history[: state.epoch], strict=True)
        if not too_close_to_tell(train, val, settings):
            stops = reference.stops(train, val, settings)
            assert (rule.why_stop(state) is not None) == stops


@given(settings=all_settings, history=histories)
def test_the_measure_of_gl_and_pq_is_the_exact_one_to_the_last_digits(
    settings: StoppingSettings, history: History
) -> None:
    for state in states(EarlyStopping(settings), history)[1:]:
        train, val = zip(*history[: state.epoch], strict=True)
        if settings.rule == "gl" or (settings.rule == "pq" and state.strips.at_end):
            exact = reference.measure(train, val, settings)
            if exact is None or exact == math.inf:
                assert state.stopping.measure is None
            else:
                assert state.stopping.measure == pytest.approx(float(exact), rel=1e-12)


def too_close_to_tell(
    train: Sequence[float], val: Sequence[float], settings: StoppingSettings
) -> bool:
    """Whether rounding may put GL or PQ on either side of alpha."""
    if settings.rule not in ("gl", "pq"):
        return False
    exact = reference.measure(train, val, settings)
    return exact is not None and math.isclose(exact, settings.alpha)


@given(settings=all_settings, history=histories, cut=st.integers(0, 30))
def test_a_state_that_went_through_a_checkpoint_or_json_goes_on_the_same(
    settings: StoppingSettings, history: History, cut: int
) -> None:
    rule = EarlyStopping(settings)
    expected = states(rule, history)
    for keep in (through_a_checkpoint, through_json):
        state = keep(expected[min(cut, len(history))])
        for epoch in list(epochs_of(history))[cut:]:
            state = keep(rule.update(state, epoch))
        assert state == expected[-1]
        assert rule.why_stop(state) == rule.why_stop(expected[-1])


@given(settings=all_settings, history=histories, later=histories)
def test_no_state_depends_on_what_comes_later(
    settings: StoppingSettings, history: History, later: History
) -> None:
    rule = EarlyStopping(settings)
    assert states(rule, history + later)[: len(history) + 1] == states(rule, history)


def test_a_replay_yields_each_state_before_it_reads_the_next_epoch() -> None:
    read: list[int] = []

    def history() -> Iterator[EpochLosses]:
        for epoch in epochs_of([(1.0, 1.0)] * 3):
            read.append(epoch.epoch)
            yield epoch

    for state in rule_of().replay(history()):
        assert read[-1] == state.epoch
    assert read == [1, 2, 3]


@given(settings=all_settings, history=wild_histories)
def test_a_state_holds_nothing_but_plain_values_and_finite_numbers_whatever_the_losses(
    settings: StoppingSettings, history: History
) -> None:
    rule = EarlyStopping(settings)
    for state in states(rule, history):
        for value in plain_values(msgspec.to_builtins(state)):
            assert isinstance(value, int | float | str | None)
            assert not isinstance(value, float) or math.isfinite(value)
        assert rule.why_stop(state) is None or state.epoch > 0


@pytest.mark.parametrize("name", RULES)
def test_a_state_does_not_grow_with_the_run(name: StoppingRuleName) -> None:
    rule = rule_of(rule=name, strip_epochs=4)
    sizes = [
        len(msgspec.json.encode(state)) for state in states(rule, [(0.5, 0.25), (0.25, 0.5)] * 500)
    ]
    assert max(sizes[-8:]) <= max(sizes[:16]) + 20  # a few digits more of an epoch


@given(settings=all_settings, history=histories)
def test_a_run_is_replayed_from_the_records_of_its_journal(
    settings: StoppingSettings, history: History
) -> None:
    rule = EarlyStopping(settings)
    lines = [
        msgspec.json.encode(
            epoch_record(
                state.epoch,
                train_loss=train if math.isfinite(train) else None,
                val_loss=val if math.isfinite(val) else None,
                stopping=state.stopping,
            )
        )
        for state, (train, val) in zip(states(rule, history)[1:], history, strict=True)
    ]
    records = [msgspec.json.decode(line, type=EpochCompleted) for line in lines]
    replayed = list(rule.replay(map(EpochLosses.of, records)))
    assert [state.stopping for state in replayed] == [record.stopping for record in records]
    assert replayed == states(rule, history)[1:]


def test_another_rule_can_be_tried_on_the_journal_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalWriter(path) as journal:
        for epoch, loss in enumerate([1.0, 0.5, None, 0.5, 0.5, 0.75], 1):
            journal.append(epoch_record(epoch, val_loss=loss))
    records = [event for event in JournalReader(path).read() if isinstance(event, EpochCompleted)]

    def first_stop(rule: EarlyStopping) -> int:
        after = rule.replay(map(EpochLosses.of, records))
        return next(state.epoch for state in after if rule.why_stop(state))

    assert first_stop(rule_of(patience=2)) == 4
    assert first_stop(rule_of(rule="gl")) == 6
    assert first_stop(rule_of(satisfied_below=0.75)) == 2


@pytest.mark.parametrize("epoch", [0, 1, 2, 4])
def test_an_epoch_that_does_not_follow_the_last_one_is_refused(epoch: int) -> None:
    after = replay(rule_of(), [1.0, 1.0])[-1]
    with pytest.raises(ValueError, match=f"^epoch {epoch} does not follow epoch 2$"):
        rule_of().update(after, EpochLosses(epoch, 1.0, 1.0))


@pytest.mark.parametrize("patience", [1, 2, 6])
def test_patience_stops_exactly_when_so_many_epochs_in_a_row_brought_nothing(
    patience: int,
) -> None:
    rule = rule_of(patience)
    val_losses = [1.0, 0.5, *[0.5] * patience]
    assert stop_epochs(rule, val_losses) == [patience + 2]
    assert views(rule, val_losses)[-1].epochs_since_best == patience


def test_an_improvement_at_the_last_moment_starts_the_count_anew() -> None:
    val_losses = [1.0, 1.0, 0.9, 0.9, 0.9]
    assert [shown.epochs_since_best for shown in views(rule_of(2), val_losses)] == [0, 1, 0, 1, 2]
    assert stop_epochs(rule_of(2), val_losses) == [5]


def test_patience_zero_never_stops() -> None:
    assert stop_epochs(rule_of(0), [1.0] * 1000) == []


@pytest.mark.parametrize("name", RULES)
def test_no_rule_stops_before_the_first_epoch(name: StoppingRuleName) -> None:
    rule = rule_of(1, rule=name, satisfied_below=1e9, diverged_above=-1e9)
    assert rule.why_stop(rule.start()) is None


def test_an_equal_loss_is_no_improvement() -> None:
    assert [shown.best_epoch for shown in views(rule_of(), [0.5, 0.5])] == [1, 1]


def test_a_best_loss_of_zero_is_a_best_loss() -> None:
    last = views(rule_of(), [0.0, 0.1, -0.0])[-1]
    assert (last.best_epoch, last.best_loss, last.target) == (1, 0.0, 0.0)
    assert last.epochs_since_best == 2


def test_negative_losses_improve_downwards() -> None:
    shown = views(rule_of(min_delta=0.1), [-1.0, -1.05, -1.2, -1.15])
    assert [state.best_epoch for state in shown] == [1, 1, 3, 3]
    assert [state.lowest_epoch for state in shown] == [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("val_losses", "best_epochs", "last_target"),
    [
        ([8.0, 6.0, 5.5, 4.0], [1, 1, 3, 4], 3.0),
        # -2 * (1 - 0.25) = -1.5 would make each of these an improvement
        ([-2.0, -1.75, -2.25, -2.5, -2.75], [1, 1, 1, 1, 5], -3.4375),
        ([0.0, 0.0, -0.001], [1, 1, 3], -0.00125),
    ],
)
def test_a_relative_min_delta_is_a_share_of_the_bests_size_whatever_its_sign(
    val_losses: list[float], best_epochs: list[int], last_target: float
) -> None:
    shown = views(rule_of(min_delta=0.25, min_delta_mode="relative"), val_losses)
    assert [state.best_epoch for state in shown] == best_epochs
    assert shown[-1].target == last_target


@pytest.mark.parametrize("loss", NOT_FINITE)
def test_a_loss_that_is_not_finite_never_improves_and_counts_as_an_epoch_without(
    loss: float,
) -> None:
    rule = rule_of(2)
    first, second = views(rule, [loss, loss])
    assert (first.best_epoch, first.lowest_epoch, first.target) == (None, None, None)
    assert second.epochs_since_best == 2
    assert why_stopped(rule, [loss, loss]) == ("2 epochs in a row without a finite validation loss")


def test_an_epoch_after_nan_improves_on_the_best_before_it_only() -> None:
    shown = views(rule_of(), [0.5, math.nan, 0.6, 0.4])
    assert [state.best_epoch for state in shown] == [1, 1, 1, 4]


def test_the_weights_kept_are_those_of_the_minimum_though_min_delta_did_not_count_it() -> None:
    last = views(rule_of(min_delta=0.1), [1.0, 0.95, 0.93, 0.94])[-1]
    assert (last.best_epoch, last.best_loss) == (1, 1.0)
    assert (last.lowest_epoch, last.lowest_loss) == (3, 0.93)
    assert last.target == 0.9
    assert last.epochs_since_best == 3


def test_slow_progress_adds_up_until_it_beats_the_best_by_more_than_min_delta() -> None:
    shown = views(rule_of(min_delta=0.25), [1.0, 0.875, 0.75, 0.625])
    assert [state.best_epoch for state in shown] == [1, 1, 1, 4]


def test_a_target_beyond_all_numbers_is_none_and_nothing_improves_on_it() -> None:
    rule = rule_of(2, 1e308)
    val_losses = [-1e308, -1.5e308, -1.7e308]
    last = replay(rule, val_losses)[-1]
    assert (last.stopping.best_epoch, last.stopping.target) == (1, None)
    assert last.stopping.lowest_epoch == 3
    assert stop_epochs(rule, val_losses) == [3]


@pytest.mark.parametrize(
    ("rule", "val_losses", "sentence"),
    [
        (
            rule_of(2),
            [0.7, 0.69314718, 0.7, 0.7],
            "2 epochs in a row without a validation loss below 0.693147, the best of epoch 2",
        ),
        (
            rule_of(3, 0.01),
            [0.7031, 0.7, 0.7, 0.7],
            "3 epochs in a row without a validation loss below 0.6931, the best of epoch 1 "
            "less min_delta 0.01",
        ),
        (
            rule_of(2, 0.5, min_delta_mode="relative"),
            [-1.0, -1.25, -1.25],
            "2 epochs in a row without a validation loss below -1.5, the best of epoch 1 "
            "less relative min_delta 0.5",
        ),
        (
            rule_of(satisfied_below=0.1),
            [0.1, 0.0625],
            "the validation loss 0.0625 is below satisfied_below 0.1",
        ),
        (
            rule_of(satisfied_below=0.1),
            [0.0999999912345],
            "the validation loss 0.09999999 is below satisfied_below 0.1",
        ),
        (
            rule_of(diverged_above=10.0),
            [10.0, 12.5],
            "the validation loss 12.5 is above diverged_above 10",
        ),
    ],
)
def test_a_sentence_says_why_with_the_numbers(
    rule: EarlyStopping, val_losses: list[float], sentence: str
) -> None:
    assert why_stopped(rule, val_losses) == sentence


@pytest.mark.parametrize("name", RULES)
def test_the_thresholds_act_beside_every_rule_and_only_beyond_them(name: StoppingRuleName) -> None:
    rule = rule_of(rule=name, alpha=1e9, strips=99, satisfied_below=0.25, diverged_above=1.0)
    assert stop_epochs(rule, [1.0, 1.5, 0.5, 0.25, 0.125, 0.5, 2.0]) == [2, 5, 7]


@pytest.mark.parametrize("loss", NOT_FINITE)
def test_a_loss_that_is_not_finite_crosses_no_threshold(loss: float) -> None:
    assert stop_epochs(rule_of(satisfied_below=0.25, diverged_above=1.0), [0.5, loss]) == []


@pytest.mark.parametrize(
    "rule",
    [
        rule_of(1, min_epochs=6),
        rule_of(rule="gl", min_epochs=6),
        rule_of(rule="pq", strip_epochs=2, min_epochs=6),
        rule_of(rule="up", strip_epochs=2, strips=1, min_epochs=6),
        rule_of(satisfied_below=9.0, min_epochs=6),
    ],
    ids=[*RULES, "satisfied"],
)
def test_no_rule_stops_before_min_epochs_but_each_has_watched_until_then(
    rule: EarlyStopping,
) -> None:
    val_losses = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    at_once = EarlyStopping(msgspec.structs.replace(rule.settings, min_epochs=0))
    assert min(stop_epochs(at_once, val_losses)) < 6
    assert stop_epochs(rule, val_losses) == [6]
    assert replay(rule, val_losses) == replay(at_once, val_losses)


def test_up_and_pq_stop_at_a_strips_end_though_min_epochs_is_none() -> None:
    rising = [float(epoch) for epoch in range(1, 13)]
    for name in ("up", "pq"):
        rule = rule_of(rule=name, strip_epochs=4, strips=1, min_epochs=9)
        assert stop_epochs(rule, rising) == [12]


def test_a_diverged_run_stops_at_once_whatever_min_epochs_says() -> None:
    rule = rule_of(1, min_epochs=100, diverged_above=10.0)
    assert stop_epochs(rule, [1.0, 1.0, 11.0]) == [3]


def test_more_patience_lets_a_stopped_run_go_on_and_less_stops_it() -> None:
    stopped = replay(rule_of(2), [1.0, 1.0, 1.0])[-1]
    assert rule_of(2).why_stop(rule_of(2).adopt(stopped))  # none more unasked on resume
    assert rule_of(3).why_stop(rule_of(3).adopt(stopped)) is None
    assert rule_of(3).adopt(stopped).stopping.patience == 3
    assert rule_of(1).why_stop(rule_of(1).adopt(replay(rule_of(3), [1.0, 1.0])[-1]))


def test_another_min_delta_moves_the_target_and_forgets_no_improvement() -> None:
    before = replay(rule_of(9), [1.0, 0.875, 0.9])[-1]
    after = rule_of(9, 0.25).adopt(before).stopping
    assert (after.best_loss, after.best_epoch, after.epochs_since_best) == (0.875, 2, 1)
    assert after.target == 0.625


def test_a_smaller_min_delta_counts_the_lowest_loss_that_the_larger_one_did_not() -> None:
    before = replay(rule_of(9, 0.5), [1.0, 0.75, 0.625, 0.7, 0.7])[-1]
    assert before.stopping.best_epoch == 1
    after = rule_of(9, 0.125).adopt(before).stopping
    assert (after.best_loss, after.best_epoch, after.epochs_since_best) == (0.625, 3, 2)
    assert after.target == 0.5


@given(settings=all_settings, history=histories)
def test_a_state_adopted_under_the_same_settings_is_the_same(
    settings: StoppingSettings, history: History
) -> None:
    rule = EarlyStopping(settings)
    for state in states(rule, history):
        assert rule.adopt(state) == state


@given(settings=all_settings, patience=st.integers(0, 5), min_delta=deltas, history=histories)
def test_after_a_change_no_loss_seen_so_far_would_improve(
    settings: StoppingSettings, patience: int, min_delta: float, history: History
) -> None:
    changed = msgspec.structs.replace(settings, patience=patience, min_delta=min_delta)
    rule = EarlyStopping(changed)
    adopted = rule.adopt(states(EarlyStopping(settings), history)[-1])
    again = rule.adopt(adopted)
    shown = adopted.stopping
    assert again == adopted
    assert shown.patience == (patience if settings.rule == "patience" else 0)
    assert shown.epochs_since_best == adopted.epoch - (shown.best_epoch or 0)
    if shown.target is not None and shown.lowest_loss is not None:
        assert shown.lowest_loss >= shown.target


@given(settings=all_settings, history=histories)
def test_without_min_delta_any_longer_the_past_is_that_of_a_run_without_it(
    settings: StoppingSettings, history: History
) -> None:
    without = EarlyStopping(msgspec.structs.replace(settings, min_delta=0.0))
    adopted = without.adopt(states(EarlyStopping(settings), history)[-1])
    assert adopted == states(without, history)[-1]


def test_a_changed_alpha_or_threshold_holds_for_the_epoch_that_is_over() -> None:
    before = replay(rule_of(rule="gl", alpha=50.0), [1.0, 1.25])[-1]
    stricter = rule_of(rule="gl", alpha=20.0)
    assert stricter.why_stop(stricter.adopt(before))
    assert stricter.adopt(before).stopping.limit == 20.0


def test_a_state_of_another_rule_keeps_its_bests_and_drops_its_measure() -> None:
    before = replay(rule_of(rule="gl"), [1.0, 0.5, 0.75])[-1]
    after = rule_of(3).adopt(before).stopping
    assert (after.rule, after.patience, after.measure, after.limit) == ("patience", 3, None, None)
    assert (after.best_epoch, after.epochs_since_best) == (2, 1)
