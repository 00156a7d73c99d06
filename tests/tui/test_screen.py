"""Around the panes: footer, command palette, sizes, preferences, and what tells of a run's end."""

from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandList
from textual.containers import VerticalScroll

from epochtop.core import Run
from epochtop.core.events import Paused
from epochtop.core.run.control import Command, Stop, take_commands
from epochtop.core.run.status import RunStatus
from epochtop.tui.app import EpochtopApp
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.look.preferences import Preferences, PreferencesFile
from epochtop.tui.screens.command_screen import CommandScreen
from epochtop.tui.telemetry.gpus import Gpu
from epochtop.tui.telemetry.sampled import TelemetrySampled
from epochtop.tui.telemetry.sampler import TelemetrySampler
from epochtop.tui.telemetry.telemetry import Sample, Telemetry
from epochtop.tui.terminal.terminal import Terminal
from epochtop.tui.widgets.key_line import KeyLine
from epochtop.tui.widgets.numbers_line import NumbersLine, number_parts
from epochtop.tui.widgets.telemetry_line import TelemetryLine

from ..records import epoch_record, finished_record, started_record, write_journal
from .app_driver import MEDIUM, NARROW, WIDE, OpenApp, Size, finished_run, live_run, open_app


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def run(runs: Path) -> Run:
    """A live run with two epochs."""
    return live_run(runs, started_record(), epoch_record(1), epoch_record(2))


def footer(screen: OpenApp) -> str:
    line = screen.main.query_one(KeyLine)
    return "".join(line.render_line(0).text).strip()


def commands(screen: OpenApp) -> set[str]:
    return {command.title for command in screen.app.get_system_commands(screen.main)}


async def test_the_footer_tells_what_can_be_done_with_the_run_as_it_stands(
    runs: Path, run: Run
) -> None:
    async with open_app(runs, size=WIDE) as screen:
        await screen.until(lambda: "s Start  e Settings" in footer(screen), "no run's keys")
        assert "Stop" not in footer(screen)
    async with open_app(runs, run, size=WIDE) as screen:
        await screen.until(lambda: footer(screen).startswith("x Stop  p Pause"), "a live run's")
        write_journal(run, Paused(time=1_010.0, epoch=2, step=20))
        await screen.until(lambda: footer(screen).startswith("x Stop  p Go on"), "a paused one's")
        write_journal(run, finished_record("stopped", epoch=2))
        await screen.until(lambda: footer(screen).startswith("s Start  r Resume"), "an ended one's")
        screen.press("e")
        await screen.until(lambda: footer(screen).startswith("f5 Start"), "the keys in a field")


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW, (30, 10)])
async def test_at_any_width_the_footer_tells_of_help_and_the_end(
    size: Size, runs: Path, run: Run
) -> None:
    async with open_app(runs, run, size=size) as screen:
        await screen.until(lambda: footer(screen).endswith("? Help  q Quit"), "help and quit")


async def test_a_click_in_the_footer_presses_the_key(runs: Path, run: Run) -> None:
    async with open_app(runs, run) as screen:
        await screen.until(lambda: "p Pause" in footer(screen), "the key")
        await screen.pilot.click(KeyLine, offset=(1 + footer(screen).index("Pause"), 0))
        await screen.until(lambda: list(take_commands(run)) != [], "the request")


async def test_the_help_comes_to_rest_where_there_is_next_to_no_room(runs: Path) -> None:
    async with open_app(runs, size=(5, 48)) as screen:
        screen.press("question_mark")
        await screen.until(lambda: screen.app.screen is not screen.main, "the help")
        panel = screen.app.screen.query_one(VerticalScroll)
        await screen.until(lambda: panel.size.area, "its size")
        shown = set()
        for _ in range(20):  # its scroll bar came and went without end
            await screen.pilot.pause()
            shown.add(panel.show_vertical_scrollbar)
        assert shown == {True}


async def test_a_page_in_the_palette_before_its_list_has_a_size_is_no_mistake(runs: Path) -> None:
    async with open_app(runs) as screen:
        screen.press("ctrl+p")
        await screen.until(lambda: isinstance(screen.app.screen, CommandScreen), "the palette")
        commands = screen.app.screen.query_one(CommandList)
        await screen.until(lambda: commands.option_count > 2, "its commands")
        commands.highlighted = 2
        commands.styles.display = "none"
        await screen.until(lambda: not commands.scrollable_content_region, "no size")
        commands._line_cache.clear()  # noqa: SLF001 - as when its options have just changed
        screen.press("pagedown", "escape")
        await screen.until(lambda: screen.app.screen is screen.main, "the panes")


async def test_the_palette_knows_every_key_that_does_something_and_every_theme(
    runs: Path, run: Run
) -> None:
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        found = commands(screen)
        assert {"Stop", "Stop now", "Pause", "Checkpoint", "Settings", "Log", "Help"} <= found
        assert {"Theme: light", "Theme: colour-blind", "Turn on drawing in ASCII only"} <= found
        assert not {"Start", "Resume", "Back", "Theme", "Screenshot", "Keys"} & found

        screen.press("ctrl+p")
        await screen.until(lambda: "Search for commands" in screen.picture, "the palette")
        screen.press(*"stop now")
        await screen.until(lambda: "Stop the live run at its next step" in screen.picture, "a hit")
        screen.press("enter")
        asked: list[Command | str] = []

        def take() -> bool:
            asked.extend(take_commands(run))
            return bool(asked)

        await screen.until(take, "the request")
        assert asked == [Stop("now")]


async def test_a_theme_is_worn_at_once_and_the_next_time(tmp_path: Path, runs: Path) -> None:
    file = tmp_path / "preferences.toml"
    async with open_app(runs, preferences=PreferencesFile(file)) as screen:
        before = screen.app.screen.styles.background
        screen.app.choose_theme("light")
        await screen.until(lambda: screen.app.screen.styles.background != before, "light")
        assert screen.app.palette == "light"
    async with open_app(runs, preferences=PreferencesFile(file)) as screen:
        assert screen.app.theme == "light"
        screen.app.reset_preferences()
        assert screen.app.theme == "dark"
    assert PreferencesFile(file).read() == Preferences()


async def test_damaged_preferences_are_told_of_and_start_over(tmp_path: Path, runs: Path) -> None:
    file = tmp_path / "preferences.toml"
    file.write_text("theme = 7\nbell = true")
    async with open_app(runs, preferences=PreferencesFile(file)) as screen:
        await screen.until_log("not understood: theme")
        assert screen.app.theme == "dark"
        assert screen.app.preferences.bell


async def test_without_colours_there_is_one_theme(runs: Path) -> None:
    async with open_app(runs, terminal=Terminal(coloured=False)) as screen:
        screen.app.choose_theme("light")
        assert screen.app.theme == "plain"
        assert screen.app.palette == "plain"
        assert screen.app.preferences.theme == "light"


async def test_ascii_can_be_had_and_left_while_the_screen_is_open(runs: Path) -> None:
    async with open_app(runs) as screen:
        screen.app.action_toggle_ascii()
        await screen.until(lambda: max(screen.picture) <= "~", "ASCII alone")
        screen.app.action_toggle_ascii()
        await screen.until(lambda: max(screen.picture) > "~", "all characters")


MAXIMISED = {
    "e": {"SettingsForm"},
    "v": {"LossCurve", "StoppingPane"},
    "l": {"EventLog"},
}


@pytest.mark.parametrize("key", MAXIMISED)
async def test_a_pane_gets_the_whole_screen_and_gives_it_back(
    key: str, runs: Path, run: Run
) -> None:
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        everything = screen.panes
        maximise = "f11" if key == "e" else "z"  # a letter would be typed into the field there
        screen.press(key, maximise)
        await screen.until_panes(MAXIMISED[key], f"{key} and {maximise}")
        screen.press(maximise)
        await screen.until_panes(everything, f"{maximise} once more")
        screen.press(maximise, "f4" if key != "l" else "v")
        await screen.until_panes(everything, "another pane")


@pytest.mark.parametrize("size", [(100, 24), (200, 24), (65, 20), (64, 20), (40, 12)])
async def test_a_terminal_of_few_lines_has_room_for_a_picture(
    size: Size, runs: Path, run: Run
) -> None:
    async with open_app(runs, run, size=size) as screen:
        await screen.until(lambda: "┤" in screen.curve, "a picture")


@pytest.mark.parametrize("size", [(28, 20), (80, 6), (12, 3)])
async def test_a_terminal_that_is_too_small_for_a_picture_gets_numbers(
    size: Size, runs: Path, run: Run
) -> None:
    async with open_app(runs, run, size=size) as screen:
        line = screen.main.query_one(NumbersLine)
        await screen.until(lambda: "2/200" in line.render_line(0).text, "the epoch")
        assert screen.panes == set()
        assert screen.picture.strip().startswith("2/200")


def test_the_numbers_are_epoch_losses_best_and_what_patience_is_left() -> None:
    state = reduce(RunState(), [started_record(), epoch_record(1), epoch_record(2)])
    parts = number_parts(state, RunStatus("live"))
    assert parts == ["2/200", "train 0.5000", "val 1.000", "best 1.000 at 2", "left 10"]
    assert number_parts(state, RunStatus("killed"))[-1] == "killed"
    assert number_parts(RunState(), RunStatus("finished")) == ["epochtop:", "no run yet"]


def announced_by(app: EpochtopApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the app has the terminal tell, from now on."""
    told: list[str] = []
    monkeypatch.setattr(app, "bell", lambda: told.append("bell"))
    monkeypatch.setattr(app, "send_notification", told.append)
    return told


@pytest.mark.parametrize(
    ("chosen", "told_of"),
    [
        ({}, []),
        ({"bell": True}, ["bell"]),
        ({"notify": True}, ["digits-mlp stopped early, best 1.000 at epoch 2"]),
    ],
)
async def test_the_end_of_a_watched_run_is_told_of_once_as_the_user_wants(
    chosen: dict[str, Any],
    told_of: list[str],
    runs: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    preferences = PreferencesFile()
    preferences.change(**chosen)
    async with open_app(runs, run, preferences=preferences) as screen:
        told = announced_by(screen.app, monkeypatch)
        await screen.until_status("live")
        write_journal(run, finished_record("early_stopped"))
        await screen.until_status("stopped early")
        assert told == told_of


async def test_the_end_of_a_run_that_was_over_before_is_not_told_of(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(runs, started_record(), epoch_record(1), finished_record())
    preferences = PreferencesFile()
    preferences.change(bell=True)
    async with open_app(runs, run, preferences=preferences) as screen:
        told = announced_by(screen.app, monkeypatch)
        await screen.until_status("completed")
        assert told == []


@pytest.mark.parametrize(("size", "is_shown"), [(WIDE, True), (MEDIUM, False), (NARROW, False)])
async def test_the_machine_is_shown_where_there_is_room(
    size: Size, is_shown: bool, runs: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine's own samples would come over the one that is shown here.
    monkeypatch.setattr(TelemetrySampler, "start", lambda _: None)
    telemetry = Telemetry().with_sample(Sample(gpus=(Gpu(0, utilisation=90),)))
    async with open_app(runs, run, size=size) as screen:
        await screen.until_status("live")
        screen.app.post_message(TelemetrySampled(run, telemetry))
        line = screen.main.query_one(TelemetryLine)
        await screen.until(lambda: line.is_known, "the sample")
        await screen.until(lambda: bool(line.region.area) is is_shown, "the line")
        await screen.until(lambda: ("GPU 0 90%" in screen.picture) is is_shown, "the sample's text")
