"""Settings that are each allowed but do not fit together."""

from collections.abc import Iterator

from ..errors import SettingProblem, SettingsError
from .declaration import Settings
from .fields import setting_field


def check_settings(settings: Settings) -> list[SettingProblem]:
    """Every pair of settings that contradict each other; at most one problem a setting."""
    first: dict[str, SettingProblem] = {}
    for problem in _problems(settings):
        first.setdefault(problem.where, problem)
    return list(first.values())


def require_consistent(settings: Settings) -> Settings:
    """Return settings that fit together.

    Raises:
        SettingsError: with every pair that does not.
    """
    if problems := check_settings(settings):
        raise SettingsError(problems)
    return settings


def settings_warnings(settings: Settings) -> list[str]:
    """What a person should know of settings that are allowed but may not do what they want."""
    optim, stopping = settings.optim, settings.stopping
    # torch's ReduceLROnPlateau lowers the rate at the end of epoch `schedule_patience` + 1
    # without improvement; the one after that is the first to learn at the lower rate.
    needed = optim.schedule_patience + 2
    waits = stopping.rule == "patience" and stopping.patience > 0
    if optim.schedule == "plateau" and waits and stopping.patience < needed:
        return [
            f"stopping.patience = {stopping.patience} ends the run before the plateau schedule can "
            f"help: with optim.schedule_patience = {optim.schedule_patience} the first epoch at a "
            f"lower rate is number {needed} without improvement; at least {needed} would let it"
        ]
    return []


def _problems(settings: Settings) -> Iterator[SettingProblem]:
    yield from _momentum(settings)
    yield from _warmup(settings)
    yield from _thresholds(settings)


def _momentum(settings: Settings) -> Iterator[SettingProblem]:
    optim = settings.optim
    if optim.nesterov and optim.name != "sgd":
        yield _clash(settings, "optim.nesterov", "optim.name", "false, or sgd as optim.name")
    if optim.nesterov and not optim.momentum:
        allowed = "false, or an optim.momentum greater than 0"
        yield _clash(settings, "optim.nesterov", "optim.momentum", allowed)


def _warmup(settings: Settings) -> Iterator[SettingProblem]:
    warmup, epochs = settings.optim.warmup_epochs, settings.train.epochs
    if warmup and settings.optim.schedule == "one_cycle":
        allowed = "0 with the optim.schedule one_cycle, which has a warm-up of its own"
        yield _clash(settings, "optim.warmup_epochs", "optim.schedule", allowed)
    if warmup > epochs:
        allowed = f"at most train.epochs, {epochs}"
        yield _clash(settings, "optim.warmup_epochs", "train.epochs", allowed)


def _thresholds(settings: Settings) -> Iterator[SettingProblem]:
    stopping = settings.stopping
    if stopping.min_delta_mode == "relative" and stopping.min_delta >= 1:
        allowed = "a number less than 1 with the stopping.min_delta_mode relative"
        yield _clash(settings, "stopping.min_delta", "stopping.min_delta_mode", allowed)
    low, high = stopping.satisfied_below, stopping.diverged_above
    if low is not None and high is not None and low >= high:
        allowed = f"a number less than stopping.diverged_above, {high:g}, or off"
        yield _clash(settings, "stopping.satisfied_below", "stopping.diverged_above", allowed)


def _clash(settings: Settings, path: str, other: str, allowed: str) -> SettingProblem:
    found, beside = (_said(settings, name) for name in (path, other))
    return SettingProblem(path, f"{found} with {other} = {beside}", allowed)


def _said(settings: Settings, path: str) -> str:
    field = setting_field(path)
    return field.format(field.value(settings))
