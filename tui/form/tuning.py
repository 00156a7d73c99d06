"""A live run's settings: as they are, what was typed for them, and what became of it.

typed -> pending -> asked -> the journal's `setting_changed` (done) or `warning` (refused)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec.structs import replace

from ...core.errors import SettingsError
from ...core.events import Event, SettingChanged, Warned
from ...core.run.control import Change
from ...core.settings.declaration import Settings
from ...core.settings.fields import setting_field
from .draft import Draft

_REFUSED = "not changed: "
_DROPPED = "not training yet; dropped: Change"


class Tuning(msgspec.Struct, frozen=True, dict=True):
    """Changes of a live run's settings, by dotted names.

    `draft` is the run's settings with what was typed over them; `asked` the values that the
    engine has not answered for yet; `refused` its reasons.
    """

    now: Settings
    draft: Draft
    asked: Mapping[str, object] = msgspec.field(default_factory=dict)
    refused: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Tuning:
        """A run's settings, with nothing typed yet."""
        return cls(settings, Draft.of(settings))

    def typed(self, path: str, text: str) -> Tuning:
        """The tuning after somebody has typed a value."""
        refused = {where: why for where, why in self.refused.items() if where != path}
        return replace(self, draft=self.draft.typed(path, text), refused=refused)

    @cached_property
    def pending(self) -> tuple[str, ...]:
        """What was typed and differs from what the run does, asked for or not."""
        return tuple(path for path in self.draft.texts if self._differs(path))

    @cached_property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with what was typed, at the setting that was typed."""
        found = self.draft.wrong or self.draft.clashes
        return {
            self._blamed(where, str(problem)): f"allowed: {problem.allowed}"
            for where, problem in found.items()
        }

    @property
    def changes(self) -> tuple[Change, ...]:
        """What to ask the engine for: nothing while something is wrong, nothing twice."""
        values = {} if self.problems else {path: self.draft.values[path] for path in self.pending}
        return tuple(
            Change(path, value)
            for path, value in values.items()
            if path not in self.asked or self.asked[path] != value
        )

    def asking(self, changes: tuple[Change, ...]) -> Tuning:
        """The tuning once the engine has been asked for these."""
        new = {change.setting: change.value for change in changes}
        refused = {path: why for path, why in self.refused.items() if path not in new}
        return replace(self, asked={**self.asked, **new}, refused=refused)

    def after(self, event: Event) -> Tuning:
        """The tuning after a record of the journal."""
        match event:
            case SettingChanged():
                return self._changed(event)
            case Warned(message=message) if message.startswith(_REFUSED):
                why = message.removeprefix(_REFUSED)
                return self._not_done([path for path in self.asked if path in why], why)
            case Warned(message=message) if message == _DROPPED:
                return self._not_done(list(self.asked), "the run does not train yet; ask again")
            case _:
                return self

    def _changed(self, event: SettingChanged) -> Tuning:
        try:
            setting = setting_field(event.setting)
            value = setting.check(event.after)
        except SettingsError:  # a setting of a later version
            return self
        is_edited = event.setting in self.pending
        now = setting.replaced(self.now, value)
        draft = self.draft
        if not is_edited:
            draft = draft.typed(event.setting, setting.format(value))
        asked = {path: wanted for path, wanted in self.asked.items() if path != event.setting}
        return replace(self, now=now, draft=draft, asked=asked)

    def _not_done(self, paths: list[str], why: str) -> Tuning:
        asked = {path: value for path, value in self.asked.items() if path not in paths}
        refused = {**self.refused, **dict.fromkeys(paths, f"not changed: {why}")}
        return replace(self, asked=asked, refused=refused)

    def _differs(self, path: str) -> bool:
        before: object = setting_field(path).value(self.now)
        return path in self.draft.wrong or bool(self.draft.values[path] != before)

    def _blamed(self, where: str, problem: str) -> str:
        """The setting that was typed, where one that is fixed is said not to fit it."""
        if where in self.pending:
            return where
        return next((path for path in self.pending if path in problem), where)
