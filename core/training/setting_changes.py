"""Settings that change while a run is live, or when it is resumed."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from ..errors import SettingProblem, SettingsError
from ..events import Event, SettingChanged
from ..settings.consistency import require_consistent
from ..settings.declaration import Settings
from ..settings.fields import SettingField, setting_field, setting_fields
from ..stopping.rules import EarlyStopping

if TYPE_CHECKING:
    from .trainer import Trainer

ChangedBy = Literal["request", "resume", "go_back"]


def apply_setting(trainer: "Trainer", setting: str, value: Any, by: ChangedBy) -> SettingChanged:
    """Make a trainer go on with another value of a live setting.

    Raises:
        SettingsError: there is no such setting, it does not take the value, or the value does not
            fit the other settings.
    """
    field = setting_field(setting)
    value, before = field.check(value), field.value(trainer.settings)
    trainer.settings = require_consistent(field.replaced(trainer.settings, value))
    match setting:
        case "optim.lr":
            trainer.schedule.set_lr(value)
        case "optim.weight_decay":
            for group in trainer.optimizer.param_groups:
                group["weight_decay"] = value
        case "train.epochs":
            trainer.schedule.set_epochs(value)
        case _ if field.section == "stopping":
            trainer.rule = EarlyStopping(trainer.settings.stopping)
            trainer.rule_state = trainer.rule.adopt(trainer.rule_state)
        case _:
            pass
    return SettingChanged(setting=setting, before=before, after=value, by=by)


def live_fields() -> list[SettingField]:
    """The settings that may be changed while a run is live, and when it is resumed."""
    return [field for field in setting_fields() if field.live]


def check_live(setting: str, value: Any) -> Any:
    """A new value for a setting of a live run, as the setting's own type.

    Raises:
        SettingsError: there is no such setting, it is fixed while a run is live, or it does not
            take the value.
    """
    field = setting_field(setting)
    if not field.live:
        allowed = f"only {', '.join(live.path for live in live_fields())} can be changed in a run"
        raise SettingsError([SettingProblem(setting, "a setting that is fixed", allowed)])
    return field.check(value)


def with_changes(settings: Settings, events: Iterable[Event]) -> Settings:
    """The settings after the changes that a journal records."""
    for event in events:
        if isinstance(event, SettingChanged):
            with suppress(SettingsError):  # a setting of a later version, which this one ignores
                field = setting_field(event.setting)
                settings = field.replaced(settings, field.check(event.after))
    return settings
