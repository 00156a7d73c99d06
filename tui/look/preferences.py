"""What a user has chosen once and wants again: the theme, the view, what tells of a run's end.

A file of the user's own that may be edited, be damaged, or be of another version: what cannot be
read is as if it had never been chosen.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs


class Preferences(msgspec.Struct, frozen=True):
    """What is remembered.

    Attributes:
        theme: its name.
        bell: ring when a run ends that is watched.
        notify: have the terminal show a notification then.
        view: how the curve is looked at, as the view itself writes it down.
    """

    theme: str = "dark"
    bell: bool = False
    notify: bool = False
    view: Mapping[str, Any] = msgspec.field(default_factory=dict)


class PreferencesFile:
    """Preferences on the disk, or without a path in memory only.

    Args:
        path: need not be there yet.

    Attributes:
        problem: what went wrong with the file the last time, if something did.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._last_known = Preferences()
        self.problem: str | None = None

    def read(self) -> Preferences:
        """What is remembered."""
        self.problem = None
        if self._path is not None and self._path.exists():
            import tomllib

            try:
                document = tomllib.loads(self._path.read_text("utf-8"))
            except (OSError, ValueError) as error:
                self.problem = f"preferences not read: {self._path}: {error}"
            else:
                self._last_known, strange = _from_document(document)
                if strange:
                    self.problem = f"{self._path}: not understood: {', '.join(strange)}"
        return self._last_known

    def change(self, **changes: Any) -> Preferences:
        """Remember some values and leave the others as they are, as another screen left them."""
        self._last_known = structs.replace(self.read(), **changes)
        self._write()
        return self._last_known

    def reset(self) -> Preferences:
        """Forget everything."""
        self._last_known = Preferences()
        self._write()
        return self._last_known

    def _write(self) -> None:
        """Replace the file as a whole, so that nobody ever reads a part of it."""
        self.problem = None
        if self._path is None:
            return
        import tomli_w

        unfinished = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(tomli_w.dumps(structs.asdict(self._last_known)), "utf-8")
            unfinished.replace(self._path)
        except (OSError, ValueError, TypeError) as error:
            self.problem = f"preferences not kept: {self._path}: {error}"


def users_own_file() -> PreferencesFile:
    """Where the platform keeps a user's settings."""
    from platformdirs import user_config_path

    return PreferencesFile(user_config_path("epochtop", appauthor=False) / "preferences.toml")


def _from_document(document: Mapping[str, Any]) -> tuple[Preferences, list[str]]:
    """What a document says, and the names of the values that are of another kind."""
    defaults = Preferences()
    known = {name: document[name] for name in Preferences.__struct_fields__ if name in document}
    strange = [
        name for name, value in known.items() if type(value) is not type(getattr(defaults, name))
    ]
    good = {name: value for name, value in known.items() if name not in strange}
    return Preferences(**good), strange
