"""All that a settings form shows: a frozen snapshot, changed by what one types and the run does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

import msgspec
from msgspec.structs import replace

from ...core.events import Event
from ...core.run.control import Change
from ...core.settings.declaration import PRESETS, Settings
from ...core.settings.fields import SettingField, fields_by_path, setting_field, setting_fields
from ...core.settings.toml_file import merge_layers, preset_layer
from .columns import Columns
from .draft import Draft
from .tuning import Tuning

DEFAULTS, CUSTOM = "defaults", "custom"
PRESET_SETTINGS = {DEFAULTS: Settings()} | {
    name: merge_layers([preset_layer(name)]) for name in PRESETS
}
Sign = Literal["", "wrong", "pending", "asked", "fixed"]


class Sheet(msgspec.Struct, frozen=True, dict=True):
    """The draft of the next run, or a live run's settings in its place.

    `run` are the settings of the run on the screen as they are now, and what was typed for them;
    `columns` those of the file that the draft names, once somebody has looked.
    """

    draft: Draft
    run: Tuning | None = None
    is_live: bool = False
    columns: Columns | None = None

    @property
    def _tuning(self) -> Tuning | None:
        return self.run if self.is_live else None

    @property
    def shown(self) -> Draft:
        """The texts on the screen."""
        return self._tuning.draft if self._tuning else self.draft

    def is_editable(self, field: SettingField) -> bool:
        """Whether a setting may be changed now."""
        return not self.is_live or (field.live and self.run is not None)

    def sign(self, field: SettingField) -> Sign:
        """What a row says of its setting besides the value."""
        if field.path in self.problems:
            return "wrong"
        if not self.is_editable(field):
            return "fixed"
        if self._tuning and field.path in self._tuning.asked:
            return "asked"
        return "pending" if self._tuning and field.path in self._tuning.pending else ""

    @cached_property
    def problems(self) -> Mapping[str, str]:
        """What is wrong, by dotted names; in the order of the form."""
        if self.is_live:
            found = {**self.run.refused, **self.run.problems} if self.run else {}
        else:
            found = {path: f"allowed: {why.allowed}" for path, why in self.draft.problems.items()}
            if self.columns is not None and self.draft.settings is not None and not found:
                found = self.columns.problems(self.draft.settings)
        return {path: found[path] for path in fields_by_path() if path in found}

    @property
    def settings(self) -> Settings | None:
        """The settings of the next run, or of the live one; None while something is wrong."""
        if self.is_live and self.run is not None:
            return self.run.now
        return None if self.problems else self.draft.settings

    @property
    def preset(self) -> str:
        """The preset that the texts are, or that they are none."""
        settings = self.shown.settings
        return next((name for name, of in PRESET_SETTINGS.items() if of == settings), CUSTOM)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What to ask a live run's engine for."""
        return self._tuning.changes if self._tuning else ()

    def typed(self, path: str, text: str) -> Sheet:
        """After somebody has typed, ticked or chosen something."""
        if self.is_live:
            can_change = self.run is not None and setting_field(path).live
            return replace(self, run=self.run.typed(path, text)) if can_change else self  # type: ignore[union-attr]
        return replace(self, draft=self.draft.typed(path, text))

    def filled(self, settings: Settings) -> Sheet:
        """With these settings as the next run's."""
        return self if self.is_live else replace(self, draft=Draft.of(settings))

    def of_run(self, settings: Settings) -> Sheet:
        """With the settings of the run that is shown from now on."""
        return replace(self, draft=Draft.of(settings), run=Tuning.of(settings))

    def with_columns(self, columns: Columns) -> Sheet:
        """Once somebody has looked at the data file."""
        return replace(self, columns=columns)

    def asking(self, changes: tuple[Change, ...]) -> Sheet:
        """Once the engine has been asked for these."""
        return replace(self, run=self.run.asking(changes)) if self.run else self

    def forgetting(self) -> Sheet:
        """When the engine could not be asked."""
        return replace(self, run=replace(self.run, asked={})) if self.run else self

    def after(self, events: Iterable[Event]) -> Sheet:
        """After records of the run's journal; what was not edited follows the run."""
        run, draft = self.run, self.draft
        for event in events:
            before, run = run, run.after(event) if run else None
            if before and run and before.now is not run.now:
                draft = _following(draft, before.now, run.now)
        return replace(self, run=run, draft=draft) if run is not self.run else self

    def live(self, is_live: bool) -> Sheet:
        """When the run has begun, or ended: what was typed for it and not done stays typed."""
        if is_live == self.is_live:
            return self
        if is_live or self.run is None:
            return replace(self, is_live=is_live)
        draft = self.draft
        for path in self.run.pending:
            draft = draft.typed(path, self.run.draft.texts[path])
        return replace(self, is_live=False, draft=draft, run=Tuning.of(self.run.now))


def _following(draft: Draft, before: Settings, now: Settings) -> Draft:
    """A draft that follows a change of the run's settings where it was as the run was."""
    for field in setting_fields():
        old, new = field.value(before), field.value(now)
        if old != new and draft.texts[field.path] == field.format(old):
            draft = draft.typed(field.path, field.format(new))
    return draft
