"""What is remembered comes back, and a damaged file costs nobody anything but what was in it."""

import os
import tomllib
from pathlib import Path

import pytest

from epochtop.tui.look.preferences import Preferences, PreferencesFile, users_own_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "preferences.toml"


def test_what_was_chosen_is_there_the_next_time(path: Path) -> None:
    PreferencesFile(path).change(theme="light", view={"y_scale": "log", "smoothing": 0.6})
    again = PreferencesFile(path)
    assert again.read() == Preferences(theme="light", view={"y_scale": "log", "smoothing": 0.6})
    assert again.problem is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_two_screens_do_not_take_each_others_choices_back(path: Path) -> None:
    one, other = PreferencesFile(path), PreferencesFile(path)
    one.read(), other.read()
    one.change(theme="light")
    other.change(bell=True)
    assert one.read() == Preferences(theme="light", bell=True)


@pytest.mark.parametrize("text", ["theme = ", "\x00\x01", "theme = 'a'\ntheme = 'b'"])
def test_a_damaged_file_counts_as_none_and_is_told_of(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    preferences = PreferencesFile(path)
    assert preferences.read() == Preferences()
    assert preferences.problem is not None
    assert str(path) in preferences.problem


def test_of_a_file_of_another_version_what_can_be_understood_counts(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("theme = 'light'\nbell = 'loud'\nfuture = 1\n[view]\ny = 'log'\n")
    preferences = PreferencesFile(path)
    assert preferences.read() == Preferences(theme="light", view={"y": "log"})
    assert preferences.problem == f"{path}: not understood: bell"


def test_what_cannot_be_written_is_told_of_and_holds_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    preferences = PreferencesFile(tmp_path / "file" / "preferences.toml")
    preferences.change(theme="light")
    assert preferences.problem is not None
    assert "not kept" in preferences.problem
    assert preferences.read().theme == "light"


def test_a_reset_forgets_everything(path: Path) -> None:
    preferences = PreferencesFile(path)
    preferences.change(theme="light", bell=True)
    assert preferences.reset() == Preferences()
    assert tomllib.loads(path.read_text())["theme"] == "dark"


def test_the_users_own_file_is_where_the_platform_keeps_such(tmp_path: Path) -> None:
    users_own_file().change(theme="light")
    (written,) = tmp_path.rglob("preferences.toml")
    assert os.environ["XDG_CONFIG_HOME"] in str(written)
