from typing import Any

import pytest

from epochtop.core.errors import SettingsError
from epochtop.core.settings.consistency import check_settings, require_consistent, settings_warnings
from epochtop.core.settings.declaration import Settings
from epochtop.core.settings.fields import setting_field


def settings_of(**values: Any) -> Settings:
    """Settings of `section__key=value`."""
    settings = Settings()
    for name, value in values.items():
        settings = setting_field(name.replace("__", ".")).replaced(settings, value)
    return settings


def problems_of(**values: Any) -> list[str]:
    return [str(problem) for problem in check_settings(settings_of(**values))]


def test_the_defaults_fit_together_and_are_no_reason_to_warn() -> None:
    assert check_settings(Settings()) == []
    assert settings_warnings(Settings()) == []
    assert require_consistent(Settings()) == Settings()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"optim__nesterov": True, "optim__momentum": 0.9},
            "optim.nesterov: found true with optim.name = adam; "
            "allowed: false, or sgd as optim.name",
        ),
        (
            {"optim__nesterov": True, "optim__name": "sgd"},
            "optim.nesterov: found true with optim.momentum = 0.0; "
            "allowed: false, or an optim.momentum greater than 0",
        ),
        (
            {"optim__warmup_epochs": 2, "optim__schedule": "one_cycle"},
            "optim.warmup_epochs: found 2 with optim.schedule = one_cycle; "
            "allowed: 0 with the optim.schedule one_cycle, which has a warm-up of its own",
        ),
        (
            {"optim__warmup_epochs": 6, "train__epochs": 5},
            "optim.warmup_epochs: found 6 with train.epochs = 5; allowed: at most train.epochs, 5",
        ),
        (
            {"stopping__satisfied_below": 0.5, "stopping__diverged_above": 0.25},
            "stopping.satisfied_below: found 0.5 with stopping.diverged_above = 0.25; "
            "allowed: a number less than stopping.diverged_above, 0.25, or off",
        ),
        (
            {"stopping__min_delta": 1.0, "stopping__min_delta_mode": "relative"},
            "stopping.min_delta: found 1.0 with stopping.min_delta_mode = relative; "
            "allowed: a number less than 1 with the stopping.min_delta_mode relative",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value.partition(";")[0],
)
def test_two_settings_that_contradict_each_other_are_both_named(
    values: dict[str, Any], problem: str
) -> None:
    assert problems_of(**values) == [problem]


@pytest.mark.parametrize(
    "values",
    [
        {"optim__nesterov": True, "optim__name": "sgd", "optim__momentum": 0.1},
        {"optim__momentum": 0.9},  # of adam: it does nothing
        {"optim__warmup_epochs": 5, "train__epochs": 5},
        {"optim__schedule": "one_cycle"},
        {"optim__schedule": "cosine", "optim__warmup_epochs": 5},
        {"stopping__satisfied_below": 0.1, "stopping__diverged_above": 0.2},
        {"stopping__satisfied_below": 0.0},
        {"stopping__diverged_above": 0.0},
        {"stopping__min_delta": 0.99, "stopping__min_delta_mode": "relative"},
        {"stopping__min_delta": 5.0},
    ],
    ids=str,
)
def test_what_is_next_to_a_contradiction_is_none(values: dict[str, Any]) -> None:
    assert problems_of(**values) == []


def test_thresholds_of_0_and_equal_ones_are_compared_like_any_other() -> None:
    assert problems_of(stopping__satisfied_below=0.0, stopping__diverged_above=0.0)
    assert problems_of(stopping__satisfied_below=0.0, stopping__diverged_above=-1.0)


def test_a_setting_with_two_contradictions_is_told_the_first() -> None:
    (problem,) = problems_of(optim__nesterov=True)
    assert "optim.name" in problem


def test_all_contradictions_are_reported_together() -> None:
    settings = settings_of(
        optim__nesterov=True,
        optim__warmup_epochs=300,
        stopping__min_delta=2.0,
        stopping__min_delta_mode="relative",
    )
    with pytest.raises(SettingsError) as caught:
        require_consistent(settings)
    assert [problem.where for problem in caught.value.problems] == [
        "optim.nesterov",
        "optim.warmup_epochs",
        "stopping.min_delta",
    ]


# Patience and the plateau schedule.


def plateau_warnings(**values: Any) -> list[str]:
    return settings_warnings(settings_of(optim__schedule="plateau", **values))


def test_a_patience_that_ends_the_run_before_the_rate_falls_is_warned_of() -> None:
    (warning,) = plateau_warnings(stopping__patience=6, optim__schedule_patience=5)
    assert "stopping.patience = 6" in warning
    assert "optim.schedule_patience = 5" in warning
    assert "at least 7 would" in warning


def test_a_patience_of_one_epoch_at_the_lower_rate_is_enough() -> None:
    assert plateau_warnings(stopping__patience=7, optim__schedule_patience=5) == []


def test_where_patience_does_not_end_the_run_there_is_no_warning() -> None:
    assert plateau_warnings(stopping__patience=0) == []
    assert plateau_warnings(stopping__patience=3, stopping__rule="gl") == []
    assert settings_warnings(settings_of(stopping__patience=3, optim__schedule="step")) == []


def test_the_rate_falls_as_late_as_the_warning_says_it_does() -> None:
    """Torch's own schedule: which epoch without improvement is the first at the lower rate."""
    import torch
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = ReduceLROnPlateau(optimizer, patience=3)
    schedule.step(1.0)  # the best
    rates = []
    for _ in range(8):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step(1.0)
    first_lower = next(epoch for epoch, rate in enumerate(rates, 1) if rate < 1.0)

    assert plateau_warnings(stopping__patience=first_lower - 1, optim__schedule_patience=3)
    assert not plateau_warnings(stopping__patience=first_lower, optim__schedule_patience=3)
