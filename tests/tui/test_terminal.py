"""The screen in a real terminal, from the first key to the end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from epochtop.core import Run, list_runs
from epochtop.core.events import EpochCompleted, Paused, Resumed, SettingChanged
from epochtop.core.run.control import Stop, send_command
from epochtop.core.run.status import run_status
from epochtop.core.settings.declaration import Settings
from epochtop.tui.form.draft import Draft
from epochtop.tui.form.outline import open_at_first, outline
from epochtop.tui.form.sheet import Sheet

from ..core.engines import ENDLESS, endings, events_of, wait_for_epoch
from ..core.forked_engines import Engine, EngineServer
from ..waiting import wait_for
from .terminal import Terminal, open_terminal

SIZES = [(120, 36), (80, 24), (40, 12)]
sizes = pytest.mark.parametrize(("columns", "rows"), SIZES, ids=str)


@pytest.fixture
def stops_runs(tmp_path: Path) -> Iterator[None]:
    """Whatever a test's screen has started is stopped in the end."""
    yield
    for run in list_runs(tmp_path / "runs"):
        if run_status(run).is_live:
            send_command(run, Stop("now"))


@pytest.fixture
def endless_run(tmp_path: Path, engines: EngineServer) -> Iterator[tuple[Run, Engine]]:
    """A run that trains until somebody ends it."""
    run, engine = engines.start_new(tmp_path / "runs", *ENDLESS)
    wait_for_epoch(run)
    yield run, engine
    engine.kill()


def tabs(here: str, there: str) -> list[str]:
    """The keys that lead from one setting of the form to another."""
    lines = outline(Sheet(Draft.of(Settings())), open_at_first(), 30)
    keys = [line.key for line in lines]
    return ["tab"] * (keys.index(there) - keys.index(here))


def start_endless_run(terminal: Terminal, runs: Path) -> Run:
    """Type settings that never end into the form and start."""
    terminal.wait_for("No run yet")
    to_epochs = tabs("data.source", "train.epochs")
    to_patience = tabs("train.epochs", "stopping.patience")
    terminal.press("e", *to_epochs, *"1000000", *to_patience, "0", "f5")
    terminal.wait_for("live", "┤")
    (run,) = list_runs(runs)
    wait_for_epoch(run)
    return run


def test_a_run_from_start_to_early_stop(tmp_path: Path) -> None:
    with open_terminal(columns=120, rows=36, cwd=tmp_path) as terminal:
        terminal.wait_for("epochtop", "No run yet", "Start")
        terminal.press("s")
        terminal.wait_for("stopped early", "◆", "┤")
        (run,) = list_runs(tmp_path / "runs")
        (finished,) = endings(run)
        assert finished.reason == "early_stopped"
        for columns, rows in SIZES:
            terminal.resize(columns, rows)
            terminal.wait_for(
                *("stopped early", "◆", "┤", f"epoch {finished.epoch}/200"),
                f"{finished.best_loss:.4g} at {finished.best_epoch}",
            )
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
    assert b"Traceback" not in terminal.raw
    assert b"stopped early after epoch" in terminal.raw


@sizes
def test_no_key_is_lost_however_fast_it_is_typed(columns: int, rows: int, tmp_path: Path) -> None:
    with open_terminal(columns=columns, rows=rows, cwd=tmp_path) as terminal:
        terminal.wait_for("No run yet")
        terminal.press("e", *"qsxl?cXe", *["backspace"] * 8, *"qsx-wine-12")
        terminal.wait_for("qsx-wine-12", "allowed: digits, iris")
        terminal.press(*["backspace"] * 11, *"wine", "f10")
        assert terminal.wait_for_exit() == 0

    assert list_runs(tmp_path / "runs") == []


@sizes
def test_all_three_panes_can_be_reached(columns: int, rows: int, tmp_path: Path) -> None:
    with open_terminal(columns=columns, rows=rows, cwd=tmp_path) as terminal:
        terminal.wait_for("No run yet")
        terminal.press("e")
        terminal.wait_for("Settings", "data.source A", "f5 Start")
        terminal.press("escape")
        terminal.wait_for("No run yet", "s Start")  # the footer's keys outside a field
        terminal.press("l")
        terminal.wait_for("Events")
        terminal.press("?")
        terminal.wait_for("Help", "Start a run")


@pytest.mark.usefixtures("stops_runs")
def test_closing_the_terminal_leaves_the_run_going_and_watch_shows_it_whole(
    tmp_path: Path,
) -> None:
    with open_terminal(columns=100, rows=30, cwd=tmp_path) as terminal:
        run = start_endless_run(terminal, tmp_path / "runs")
        terminal.wait_for("live", "epoch ")
        terminal.hang_up()
        assert terminal.wait_for_exit() == -signal.SIGHUP
    before = max(event.epoch for event in events_of(run) if isinstance(event, EpochCompleted))
    wait_for_epoch(run, before + 20)
    assert endings(run) == []

    with open_terminal("watch", columns=100, rows=30, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤", "/1,000,000")
        terminal.press("x")
        terminal.wait_for("stopped on request")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0
    (finished,) = endings(run)
    assert finished.reason == "stopped"
    assert finished.epoch > before


@pytest.mark.parametrize(
    ("key", "reasons"), [("l", []), ("t", ["stopped"])], ids=["leave it running", "stop it"]
)
def test_quitting_asks_what_becomes_of_a_live_run(
    key: str,
    reasons: list[str],
    endless_run: tuple[Run, Engine],
    tmp_path: Path,
) -> None:
    run, _ = endless_run
    with open_terminal("watch", columns=80, rows=24, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        terminal.press("q")
        terminal.wait_for("Leave it running", "Stop it and quit", "Stay")
        terminal.press(key)
        assert terminal.wait_for_exit() == 0

    assert [finished.reason for finished in endings(run)] == reasons
    assert run_status(run).is_live is not bool(reasons)
    assert (f"epochtop watch {run.name}".encode() in terminal.raw) is not bool(reasons)


@pytest.mark.parametrize(("columns", "rows"), [(120, 36), (40, 12)], ids=str)
def test_a_live_run_is_paused_tuned_goes_on_and_is_stopped(
    columns: int, rows: int, endless_run: tuple[Run, Engine], tmp_path: Path
) -> None:
    run, engine = endless_run
    with open_terminal("watch", columns=columns, rows=rows, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        terminal.press("p")
        terminal.wait_for("‖ paused")
        terminal.press("e", *"0.005")
        terminal.wait_for("0.005", "pending")
        terminal.press("enter", "f4")
        terminal.wait_for("optim.lr is 0.005 now, was")
        terminal.press("v", "p")
        terminal.wait_for("● live", "┤")
        terminal.press("x")
        terminal.wait_for("stopped on request", "┤")
        terminal.press("q")
        assert terminal.wait_for_exit() == 0

    assert engine.wait() == 0
    kinds = [type(event) for event in events_of(run)]
    assert [kinds.count(kind) for kind in (Paused, SettingChanged, Resumed)] == [1, 1, 1]
    assert [finished.reason for finished in endings(run)] == ["stopped"]


def test_sigterm_ends_the_screen_gives_the_terminal_back_and_leaves_the_run(
    endless_run: tuple[Run, Engine], tmp_path: Path
) -> None:
    run, _ = endless_run
    with open_terminal("watch", columns=80, rows=24, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_for_exit() == 143

    leave_alternate_screen, show_cursor = b"\x1b[?1049l", b"\x1b[?25h"
    assert leave_alternate_screen in terminal.raw
    assert show_cursor in terminal.raw[terminal.raw.rindex(leave_alternate_screen) :]
    assert run_status(run).is_live


@pytest.mark.usefixtures("endless_run")
def test_a_storm_of_resizes_leaves_a_whole_screen(tmp_path: Path) -> None:
    with open_terminal("watch", columns=80, rows=24, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        for columns in (20, 200, 41, 59, 60, 61, 99, 100, 101, 3, 120):
            for rows in (2, 60, 11, 12, 13, 36):
                terminal.resize(columns, rows)
        wait_for(lambda: terminal.text().split("\n")[35].endswith("q Quit"), "the last line")
        screen = terminal.wait_for("● live", "Settings", "Events", "┤", "q Quit")

        assert "Traceback" not in screen


def test_a_killed_engine_is_seen(endless_run: tuple[Run, Engine], tmp_path: Path) -> None:
    run, engine = endless_run
    with open_terminal("watch", columns=80, rows=24, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        engine.kill()
        terminal.wait_for("killed")

    assert run_status(run).state == "killed"


def test_demo_starts_the_default_run_by_itself(tmp_path: Path) -> None:
    with open_terminal("demo", columns=120, rows=36, cwd=tmp_path) as terminal:
        terminal.wait_for("stopped early", "digits-mlp")
        terminal.press("ctrl+c")
        assert terminal.wait_for_exit() == 0
