"""Runs compared in the app: choosing the other one, seeing both, live ones as well."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from epochtop.core.events import EpochCompleted, Event
from epochtop.core.run.comparison import MOST_RUNS
from epochtop.core.run.directory import Run
from epochtop.tui.screens.comparison_screen import ComparisonScreen
from epochtop.tui.screens.main_screen import MainScreen
from epochtop.tui.screens.run_chooser import RunChooser
from epochtop.tui.terminal.terminal import Terminal
from epochtop.tui.widgets.comparison_table import ComparisonTable
from epochtop.tui.widgets.overlay_curve import OverlayCurve
from epochtop.tui.widgets.painted import Painted
from epochtop.tui.widgets.run_list import RunList

from ..records import epoch_record, finished_record, started_record, write_journal
from .app_driver import MEDIUM, NARROW, OpenApp, finished_run, live_run, open_app

PLAIN = started_record(settings={"optim": {"weight_decay": 0.0}, "train": {"epochs": 5}})
DECAYED = started_record(settings={"optim": {"weight_decay": 0.01}, "train": {"epochs": 5}})


def five_epochs() -> list[Event]:
    return [*(epoch_record(epoch) for epoch in range(1, 6)), finished_record()]


def shown_by(kind: type[Painted], screen: OpenApp) -> str:
    """What a widget shows; nothing before it is there."""
    found = screen.app.screen.query(kind)
    return found.first().text if found else ""


def chosen_from(screen: OpenApp) -> str:
    return shown_by(RunList, screen)


def table(screen: OpenApp) -> str:
    return shown_by(ComparisonTable, screen)


def curves(screen: OpenApp) -> str:
    return shown_by(OverlayCurve, screen)


async def until_chooser(screen: OpenApp, *texts: str) -> None:
    await screen.until(lambda: isinstance(screen.app.screen, RunChooser), "the runs")
    await screen.until(lambda: all(text in chosen_from(screen) for text in texts), str(texts))


async def until_compared(screen: OpenApp, *texts: str) -> None:
    await screen.until(lambda: isinstance(screen.app.screen, ComparisonScreen), "the comparison")
    await screen.until(lambda: all(text in table(screen) for text in texts), str(texts))


@pytest.fixture
async def screen(tmp_path: Path) -> AsyncIterator[OpenApp]:
    """The app on a finished run beside which there are two others."""
    finished_run(tmp_path, PLAIN, *five_epochs(), name="plain")
    run = finished_run(tmp_path, DECAYED, *five_epochs(), name="decayed")
    finished_run(tmp_path, name="empty", overrides=("train.epochs=5",))
    async with open_app(tmp_path, run) as app:
        await app.until_status("completed")
        yield app


class TestChoosing:
    async def test_offers_the_other_runs_newest_first_with_state_and_best(
        self, screen: OpenApp
    ) -> None:
        screen.press("k")
        await until_chooser(screen, "empty", "plain")
        first, second = (line.split() for line in chosen_from(screen).splitlines())
        assert first[0].endswith("-empty")
        assert first[1:] == ["killed", "no", "epoch"]
        assert second[0].endswith("-plain")
        assert second[1:] == ["completed", "0.4000"]

    async def test_narrows_them_to_what_is_typed(self, screen: OpenApp) -> None:
        screen.press("k")
        await until_chooser(screen, "empty", "plain")
        screen.press(*"KILL")
        await screen.until(lambda: "plain" not in chosen_from(screen), "the killed run alone")
        assert "empty" in chosen_from(screen)
        screen.press(*"xyz")
        await until_chooser(screen, "no run is called KILLxyz")
        screen.press("enter", "escape")
        await screen.until(lambda: isinstance(screen.app.screen, MainScreen), "the panes")

    async def test_says_when_there_is_no_other_run(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path / "alone", PLAIN, *five_epochs())
        async with open_app(tmp_path / "alone", run) as screen:
            await screen.until_status("completed")
            screen.press("k")
            await until_chooser(screen, "there is no other run in")

    async def test_tells_the_best_of_a_run_whose_journal_notes_none(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, PLAIN, *five_epochs())
        foreign = Run(tmp_path / "foreign")
        foreign.path.mkdir()
        epochs = (EpochCompleted(epoch=n, train_loss=1.0, val_loss=0.5 / n) for n in (1, 2))
        write_journal(foreign, *epochs)
        async with open_app(tmp_path, run) as screen:
            await screen.until_status("completed")
            screen.press("k")
            await until_chooser(screen, "foreign", "0.2500")

    async def test_tells_runs_apart_in_forty_columns_whatever_their_states(
        self, tmp_path: Path
    ) -> None:
        run = finished_run(tmp_path, PLAIN, *five_epochs())
        for name in ("one", "two"):
            end = finished_record("not_finite")
            finished_run(tmp_path, PLAIN, epoch_record(1), end, name=name)
        async with open_app(tmp_path, run, size=NARROW) as screen:
            await screen.until_status("completed")
            screen.press("k")
            await until_chooser(screen, "-one", "-two")

    async def test_says_when_there_is_no_run_to_compare(self, tmp_path: Path) -> None:
        async with open_app(tmp_path) as screen:
            screen.press("k")
            await screen.until_log("there is no run yet to compare with another")


class TestComparison:
    async def test_shows_settings_results_and_curves_of_both(self, screen: OpenApp) -> None:
        screen.press("k", *"plain")
        await until_chooser(screen, "plain")
        screen.press("enter")
        await until_compared(screen, "optim.weight_decay       0.01       0.0", "0.4000")
        await screen.until(lambda: "┤" in curves(screen), "the curves")
        assert curves(screen).splitlines()[0] == "──── decayed  ──── plain"

    async def test_takes_one_more_run_and_goes_back_by_escape(self, screen: OpenApp) -> None:
        screen.press("k", *"plain")
        await until_chooser(screen, "plain")
        screen.press("enter")
        await until_compared(screen, "0.4000")
        screen.press("k")
        await until_chooser(screen, "empty")
        assert "plain" not in chosen_from(screen)
        screen.press("enter")
        await until_compared(screen, "empty", "killed")
        assert "empty (no epoch yet)" in curves(screen)
        screen.press("escape")
        await screen.until(lambda: isinstance(screen.app.screen, MainScreen), "the panes")
        assert screen.status_line.count("completed") == 1

    async def test_changes_scale_and_axis_by_key(self, screen: OpenApp) -> None:
        screen.press("k", *"plain")
        await until_chooser(screen, "plain")
        screen.press("enter")
        await until_compared(screen, "0.4000")
        await screen.until(lambda: "┤" in curves(screen), "the curves")
        assert "log y" not in curves(screen)
        screen.press("y", "t", "t")
        await screen.until(lambda: "log y  x: time" in curves(screen), "the other view")

    async def test_follows_a_live_run(self, tmp_path: Path) -> None:
        other = finished_run(tmp_path, PLAIN, *five_epochs(), name="plain")
        run = live_run(tmp_path, DECAYED, epoch_record(1))
        async with open_app(tmp_path, run) as screen:
            await screen.until_status("live")
            screen.press("k")
            await until_chooser(screen, other.name)
            screen.press("enter")
            await until_compared(screen, "1/5", "live")
            write_journal(run, epoch_record(2))
            await until_compared(screen, "2/5", "1.000")
            screen.press("escape")
            await screen.until_status("epoch 2/5")

    @pytest.mark.parametrize("size", [MEDIUM, NARROW, (25, 8), (200, 60)])
    async def test_fits_into_any_terminal(self, size: tuple[int, int], tmp_path: Path) -> None:
        runs = [
            finished_run(tmp_path, DECAYED, *five_epochs(), name=f"run-{number}")
            for number in range(MOST_RUNS)
        ]
        async with open_app(tmp_path, runs[0], size=size, terminal=Terminal(ascii=True)) as screen:
            palette = screen.main.curve.palette
            screen.app.push_screen(ComparisonScreen(tmp_path, runs, palette))
            await until_compared(screen, "run-0")
            await screen.until(lambda: "Back" in screen.picture, "the keys")
            assert "Add a run" not in screen.picture
            assert len(screen.picture.splitlines()) == size[1]
            before = table(screen)
            screen.press("pagedown")
            if "up, down" in before:
                await screen.until(lambda: table(screen) != before, "other lines")
