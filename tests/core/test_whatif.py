"""What other stopping rules would have made of a recorded run."""

import math

import pytest

from epochtop.core.settings.declaration import StoppingSettings
from epochtop.core.stopping.rules import EpochLosses
from epochtop.core.stopping.whatif import each_once, rule_of, usual_rules, varied, what_if

# Lowest at 3, then a plateau, and lower still at 8.
LOSSES = [5.0, 4.0, 3.0, 3.5, 3.5, 3.5, 3.5, 2.0, 2.5, 2.5]


def history(losses: list[float], numbers: list[int] | None = None) -> list[EpochLosses]:
    numbers = numbers or list(range(1, len(losses) + 1))
    return [
        EpochLosses(epoch, 1 / index, loss)
        for index, (epoch, loss) in enumerate(zip(numbers, losses, strict=True), 1)
    ]


def patience(*values: int) -> list[StoppingSettings]:
    return [StoppingSettings(patience=value) for value in values]


def test_a_rule_tells_where_it_stops_what_it_keeps_saves_and_loses() -> None:
    outcome = what_if(history(LOSSES), patience(2)).outcomes[0]
    assert (outcome.stop_epoch, outcome.best_epoch, outcome.best_loss) == (5, 3, 3.0)
    assert (outcome.epochs_saved, outcome.regret, outcome.relative_regret) == (5, 1.0, 0.5)


def test_a_rule_that_stops_after_the_best_epoch_of_all_loses_nothing() -> None:
    outcome = what_if(history([*LOSSES, 2.5, 2.5, 2.5]), patience(5)).outcomes[0]
    assert (outcome.stop_epoch, outcome.regret, outcome.epochs_saved) == (13, 0.0, 0)


def test_a_rule_that_does_not_stop_within_the_recording_cannot_be_judged() -> None:
    found = what_if(history(LOSSES), patience(20))
    assert (found.outcomes[0].stop_epoch, found.outcomes[0].regret) == (None, None)
    assert found.best is None


def test_with_all_of_the_epochs_recorded_a_rule_that_never_stops_loses_nothing() -> None:
    found = what_if(history(LOSSES), patience(2, 20), has_all_epochs=True)
    assert (found.outcomes[1].stop_epoch, found.outcomes[1].regret) == (None, 0.0)
    assert found.best is found.outcomes[1]


def test_of_rules_that_lose_the_same_the_one_that_saves_more_is_the_best() -> None:
    found = what_if(history([3.0, 2.0, 2.1, 2.2, 2.3, 2.4]), patience(4, 2, 3))
    assert found.best is found.outcomes[1]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_improves_nothing_and_is_no_best(bad: float) -> None:
    found = what_if(history([2.0, bad, bad, 1.0]), patience(2))
    assert (found.best_epoch, found.outcomes[0].stop_epoch) == (4, 3)
    assert found.outcomes[0].regret == 1.0


def test_without_a_finite_loss_there_is_a_stop_and_nothing_else() -> None:
    outcome = what_if(history([math.nan] * 4), patience(3)).outcomes[0]
    assert (outcome.stop_epoch, outcome.best_loss, outcome.regret) == (3, None, None)


@pytest.mark.parametrize("losses", [[], [1.0]])
def test_nothing_and_a_single_epoch_stop_no_rule(losses: list[float]) -> None:
    found = what_if(history(losses), usual_rules(None))
    assert {outcome.stop_epoch for outcome in found.outcomes} == {None}


def test_where_the_recording_leaves_epochs_out_those_that_are_there_count() -> None:
    found = what_if(history([2.0, 1.0, 1.5, 1.5], [10, 20, 30, 40]), patience(2))
    assert found.is_numbered_anew
    outcome = found.outcomes[0]
    assert (outcome.stop_epoch, outcome.best_epoch, outcome.epochs_saved) == (40, 20, 0)


def test_why_a_rule_stops_is_told_by_the_numbers_of_the_recording() -> None:
    """A regression: it named epoch 2 of a recording that has only every tenth."""
    rules = [*patience(2), StoppingSettings(rule="gl")]
    found = what_if(history([2.0, 1.0, 1.5, 1.5], [10, 20, 30, 40]), rules)
    for outcome in found.outcomes:
        assert outcome.why is not None
        assert "of epoch 20" in outcome.why


def test_the_regret_of_negative_losses_is_a_share_of_their_size() -> None:
    outcome = what_if(history([-1.0, 0.0, 0.0, -2.0]), patience(2)).outcomes[0]
    assert (outcome.regret, outcome.relative_regret) == (1.0, 0.5)


def test_the_usual_rules_keep_what_else_the_runs_own_rule_says() -> None:
    own = StoppingSettings(rule="gl", alpha=9.0, min_epochs=7, min_delta=0.1)
    rules = usual_rules(own)
    assert [rule.rule for rule in rules] == ["patience"] * 4 + ["gl", "pq", "up"]
    assert {(rule.min_epochs, rule.min_delta) for rule in rules} == {(7, 0.1)}
    assert rules[4].alpha == StoppingSettings().alpha


def test_the_runs_own_rule_comes_first_and_no_rule_twice() -> None:
    own = StoppingSettings(patience=10, alpha=5.0)
    rules = each_once(own, usual_rules(own))
    assert rules[0] is own
    assert [rule.patience for rule in rules if rule.rule == "patience"] == [10, 3, 5, 20]


def test_what_an_improvement_is_makes_no_other_rule_of_one_without_patience() -> None:
    rules = [StoppingSettings(patience=0, min_delta=delta) for delta in (0.0, 0.1)]
    assert each_once(None, rules) == rules[:1]


def test_rules_are_varied_by_every_pair_of_values() -> None:
    rules = varied(patience(3), [0.0, 0.1], [5])
    assert [(rule.min_delta, rule.min_epochs) for rule in rules] == [(0.0, 5), (0.1, 5)]
    assert varied(patience(3), [], []) == patience(3)


@pytest.mark.parametrize("settings", [{}, {"stopping": 3}, {"stopping": {"patience": "many"}}])
def test_a_journal_that_does_not_tell_its_rule_has_none(settings: dict[str, object]) -> None:
    assert rule_of(settings) is None
