"""Settings loaded from and saved to TOML files, from the screen."""

from pathlib import Path

import pytest
from textual.widgets import Input, Static

from epochtop.core import read_settings
from epochtop.tui.screens.settings_file import LoadPrompt, SavePrompt

from ..records import started_record
from .app_driver import OpenApp, live_run, open_app


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


async def open_prompt(screen: OpenApp, key: str, kind: type[LoadPrompt | SavePrompt]) -> Input:
    screen.press(key)
    await screen.until(lambda: isinstance(screen.app.screen, kind), "the prompt")
    field = screen.app.screen.query_one(Input)
    await screen.until(lambda: field.has_focus, "the field of the prompt")
    return field


async def type_path(screen: OpenApp, field: Input, path: Path) -> None:
    screen.press("end", "ctrl+u", *str(path))
    await screen.until(lambda: field.value == str(path), str(path))


async def until_said(screen: OpenApp, text: str) -> None:
    message = screen.app.screen.query_one("#message", Static)
    await screen.until(lambda: text in str(message.render()), text)


async def test_settings_are_loaded_from_a_file(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[optim]\nlr = 0.5\n")
    async with open_app(runs) as screen:
        field = await open_prompt(screen, "ctrl+o", LoadPrompt)
        await type_path(screen, field, file)
        screen.press("enter")
        await screen.until(lambda: screen.text("optim.lr") == "0.5", "the learning rate")
        await screen.until_log("settings loaded")


async def test_a_file_with_errors_is_said_with_its_lines_and_nothing_is_lost(
    runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bad[red].toml"
    file.write_text("[optim]\nlr = -1\nlrr = 1\n")
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "77")
        field = await open_prompt(screen, "ctrl+o", LoadPrompt)
        await type_path(screen, field, file)
        screen.press("enter")
        await until_said(screen, f"{file}:2: optim.lr: found -1")
        await until_said(screen, f"{file}:3: optim.lrr")
        assert field.value == str(file)
        screen.press("escape")
        await screen.until(lambda: screen.app.screen is screen.main, "the form again")
        assert screen.text("train.epochs") == "77"


async def test_a_path_is_completed_as_it_is_typed(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "alone.toml").write_text("[train]\nepochs = 9\n")
    async with open_app(runs) as screen:
        field = await open_prompt(screen, "ctrl+o", LoadPrompt)
        await type_path(screen, field, tmp_path / "al")
        await screen.until(lambda: "alone.toml" in screen.picture, "the only file")
        screen.press("tab", "enter")
        await screen.until(lambda: screen.text("train.epochs") == "9", "the file's epochs")


async def test_settings_are_saved_and_over_a_file_only_when_asked_twice(
    runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("old")
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "77")
        field = await open_prompt(screen, "ctrl+s", SavePrompt)
        await type_path(screen, field, file)
        screen.press("enter")
        await until_said(screen, "exists; press enter again")
        assert file.read_text() == "old"
        screen.press("enter")
        await screen.until_log("settings saved to")
    assert read_settings(file).train.epochs == 77
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.toml"]


async def test_a_place_that_cannot_be_written_is_said(runs: Path, tmp_path: Path) -> None:
    async with open_app(runs) as screen:
        field = await open_prompt(screen, "ctrl+s", SavePrompt)
        await type_path(screen, field, tmp_path / "none" / "x.toml")
        screen.press("enter")
        await until_said(screen, "not saved: No such file or directory")


async def test_wrong_settings_are_not_saved_and_a_live_runs_are_not_replaced(
    runs: Path,
) -> None:
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "x")
        screen.press("ctrl+s")
        await screen.until_log("not saved: train.epochs: allowed: a whole number")
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("ctrl+o")
        await screen.until_log("a run is live; its settings cannot be loaded anew")
