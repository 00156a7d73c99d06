"""Settings as they are typed: a text each, parsed when it changes and not again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec.structs import replace

from ...core.errors import SettingProblem, SettingsError
from ...core.settings.consistency import check_settings
from ...core.settings.data_source import check_source
from ...core.settings.declaration import Settings
from ...core.settings.fields import setting_field, setting_fields
from ...core.settings.toml_file import merge_layers


class Draft(msgspec.Struct, frozen=True, dict=True):
    """A text a setting, by dotted names: what it stands for, or what is wrong with it."""

    texts: Mapping[str, str]
    values: Mapping[str, object]
    wrong: Mapping[str, SettingProblem]

    @classmethod
    def of(cls, settings: Settings) -> Draft:
        """The texts that these settings are written as."""
        values = {field.path: field.value(settings) for field in setting_fields()}
        texts = {path: setting_field(path).format(value) for path, value in values.items()}
        return cls(texts, values, {})

    def typed(self, path: str, text: str) -> Draft:
        """The draft with another text for a setting."""
        values, wrong = dict(self.values), dict(self.wrong)
        wrong.pop(path, None)
        try:
            values[path] = setting_field(path).parse(text)
        except SettingsError as error:
            wrong[path] = replace(error.problems[0], where=path)
        return Draft({**self.texts, path: text}, values, wrong)

    @cached_property
    def settings(self) -> Settings | None:
        """The settings; None as long as a text is no value."""
        return None if self.wrong else merge_layers([self.values])

    @cached_property
    def clashes(self) -> Mapping[str, SettingProblem]:
        """Settings that do not fit together, by the names of those that are blamed."""
        problems = [] if self.settings is None else check_settings(self.settings)
        return {problem.where: problem for problem in problems}

    @cached_property
    def problems(self) -> Mapping[str, SettingProblem]:
        """All that stands between the draft and a run, at first sight."""
        if self.settings is None:
            return self.wrong
        source = {problem.where: problem for problem in check_source(self.settings)}
        return {**self.clashes, **source}
