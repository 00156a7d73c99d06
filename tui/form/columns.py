"""The columns of a data file as the form knows them, and what that says of the target."""

from collections.abc import Mapping

import msgspec

from ...core.settings.data_source import is_data_file
from ...core.settings.declaration import Settings
from ...core.wording import listed, unknown

_MOST_CHOICES = 200


class Columns(msgspec.Struct, frozen=True):
    """What was found at the top of a file: columns and what they hold, or why there are none."""

    source: str
    holds: Mapping[str, str]
    error: str = ""

    def problems(self, settings: Settings) -> dict[str, str]:
        """What an engine would say of this file and its target; nothing about another file."""
        data = settings.data
        if settings.task or data.source != self.source:
            return {}
        if self.error:
            return {"data.source": self.error}
        if data.target in self.holds:
            return {}
        found = unknown(data.target, self.holds)
        return {"data.target": f"found {found}; allowed: a column: {listed(list(self.holds))}"}

    def completions(self, text: str) -> tuple[str, ...]:
        """The columns that begin so, in any case; then those that hold the text elsewhere."""
        wanted = text.lower()
        starts = [name for name in self.holds if name.lower().startswith(wanted)]
        inside = [name for name in self.holds if wanted in name.lower()[1:] and name not in starts]
        return tuple((starts + inside)[:_MOST_CHOICES])


def read_columns(source: str) -> Columns:
    """Look at the top of a file; may take as long as the disk and importing polars do."""
    from ...core.data.header import read_header
    from ...core.errors import DataError

    try:
        return Columns(source, read_header(source))
    except DataError as error:
        return Columns(source, {}, str(error))


def has_columns(settings: Settings | None) -> bool:
    """Whether there is a file to look at."""
    return settings is not None and not settings.task and is_data_file(settings.data.source)
