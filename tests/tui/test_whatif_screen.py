"""What other stopping rules would have done, on the screen."""

from pathlib import Path

import pytest

from epochtop.core import Run
from epochtop.core.events import RunResumed
from epochtop.tui.screens.whatif_screen import WhatIfScreen
from epochtop.tui.widgets import whatif_pane
from epochtop.tui.widgets.whatif_pane import WhatIfPane

from ..records import epoch_record, started_record, write_journal
from .app_driver import MEDIUM, NARROW, WIDE, OpenApp, Size, live_run, open_app
from .posing import epochs, overfitting


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return live_run(tmp_path / "runs", started_record(), *epochs(30, overfitting))


def shown(screen: OpenApp) -> str:
    panes = screen.app.screen.query(WhatIfPane)
    return panes.first().text if panes else ""


async def opened(screen: OpenApp) -> None:
    await screen.until(lambda: "30" in screen.status_line, "the run")
    screen.press("w")
    await screen.until(lambda: "patience 3" in shown(screen), "the table")


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW, (40, 12), (20, 5)])
async def test_a_key_shows_the_rules_and_escape_goes_back(size: Size, run: Run) -> None:
    async with open_app(run.path.parent, run, size=size) as screen:
        await screen.until(lambda: screen.main.curve.columns is not None, "the run")
        screen.press("w")
        await screen.until(lambda: "patience 3" in shown(screen), "the table")
        screen.press("escape")
        await screen.until(lambda: screen.app.screen is screen.main, "the panes")


async def test_it_says_what_its_lines_and_letters_are(run: Run) -> None:
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await opened(screen)
        assert "where rule a stops" in shown(screen).splitlines()[0]


async def test_it_counts_what_its_picture_leaves_out(tmp_path: Path) -> None:
    records = [epoch_record(each, val_loss=1e9 if each == 2 else 1.0) for each in range(1, 41)]
    run = live_run(tmp_path / "runs", started_record(), *records)
    async with open_app(run.path.parent, run, size=MEDIUM) as screen:
        await screen.until(lambda: "40" in screen.status_line, "the run")
        screen.press("w")
        await screen.until(lambda: "▲ 1 clipped" in shown(screen), "the count")


async def test_it_follows_the_run_and_forgets_what_is_void(run: Run) -> None:
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await opened(screen)
        assert "by epoch 30" in shown(screen)
        write_journal(run, *epochs(32, overfitting, first=31))
        await screen.until(lambda: "by epoch 32" in shown(screen), "the new epochs")
        write_journal(run, RunResumed(epoch=12))
        await screen.until(lambda: "by epoch 12" in shown(screen), "the epochs that stand")


async def test_a_long_run_is_replayed_beside_the_screen(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whatif_pane, "_FEW_EPOCHS", 10)
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await opened(screen)


async def test_the_text_scrolls_where_it_has_no_room(run: Run) -> None:
    async with open_app(run.path.parent, run, size=(40, 12)) as screen:
        await screen.until(lambda: screen.main.curve.columns is not None, "the run")
        screen.press("w")
        await screen.until(lambda: "patience 3" in shown(screen), "the table")
        screen.press(*["pagedown"] * 5)
        await screen.until(lambda: "cannot be" in shown(screen), "the last sentence")


async def test_without_a_run_there_is_nothing_to_replay(tmp_path: Path) -> None:
    async with open_app(tmp_path, size=WIDE) as screen:
        screen.press("w")
        await screen.until(lambda: "nothing to replay" in shown(screen), "the sentence")


async def test_the_command_palette_finds_it(run: Run) -> None:
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until(lambda: screen.main.curve.columns is not None, "the run")
        listed = {each.title: each for each in screen.app.get_system_commands(screen.main)}
        listed["What if"].callback()
        await screen.until(lambda: isinstance(screen.app.screen, WhatIfScreen), "the screen")
