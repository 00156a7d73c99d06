"""Status line, early stopping, events and buttons in the app, as one uses them."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from textual import events

from epochtop.core.events import CheckpointSaved, Event, Paused, Resumed, Warned
from epochtop.core.run.control import Pause, SaveCheckpoint, Unpause, take_commands
from epochtop.core.run.status import RunStatus
from epochtop.tui import following_app
from epochtop.tui.asking import pending
from epochtop.tui.following import pulse
from epochtop.tui.following.messages import RecordsArrived
from epochtop.tui.following.pulse import Pulse
from epochtop.tui.following.state import RunState
from epochtop.tui.widgets.event_log import MAX_LINES, EventLog
from epochtop.tui.widgets.numbers_line import number_parts
from epochtop.tui.widgets.painted import Painted
from epochtop.tui.widgets.run_buttons import RunButtons
from epochtop.tui.widgets.stopping_pane import StoppingPane
from epochtop.tui.words.narration import Line

from ..records import epoch_record, finished_record, started_record, stopping_state, write_journal
from .app_driver import MEDIUM, NARROW, WIDE, OpenApp, Size, finished_run, live_run, open_app


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def waiting(since: int, patience: int = 20) -> Event:
    rule = stopping_state(
        best_loss=0.5,
        best_epoch=1,
        epochs_since_best=since,
        patience=patience,
        target=0.5,
        lowest_loss=0.5,
        lowest_epoch=1,
    )
    return epoch_record(since + 1, stopping=rule)


def numbered(count: int) -> list[Line]:
    return [Line(1_000.0 + n, f"line {n}") for n in range(count)]


def says(screen: OpenApp, text: str) -> bool:
    return text in screen.stopping_line


async def log_with(screen: OpenApp, count: int) -> EventLog:
    log = screen.main.query_one(EventLog)
    await screen.until(lambda: log.size.area > 0, "the log")
    log.tell(numbered(count))
    await screen.go_to(log)
    return log


# --- the event log


async def test_the_log_scrolls_back_stays_there_and_says_what_is_new_below(runs: Path) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, 50)
        assert "line 49" in log.text
        screen.press("up", "up", "up")
        await screen.until(lambda: "more below" in log.text, "older lines")
        shown = log.text.splitlines()[:-1]

        log.tell([Line(2_000.0, "news"), Line(2_001.0, "more news")])
        assert log.text.splitlines()[:-1] == shown
        assert "2 new below; end shows the newest" in log.text
        screen.press("home")
        await screen.until(lambda: "line 0" in log.text, "the first line")
        assert "2 new below" in log.text
        screen.press("end")
        await screen.until(lambda: "more news" in log.text, "the last line")
        assert "below" not in log.text


async def test_a_line_that_is_withdrawn_moves_nothing_for_one_who_has_scrolled_back(
    runs: Path,
) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, 10)
        log.tell([Line(1_000.0, "asking ...", key="request")])
        log.tell(numbered(30))
        screen.press("up", "up", "up")
        await screen.until(lambda: "more below" in log.text, "older lines")
        shown = log.text
        log.withdraw("request")
        assert log.text == shown
        assert "asking" not in screen.log


async def test_the_log_scrolls_by_pages_and_with_the_wheel_and_follows_again_at_its_end(
    runs: Path,
) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, 50)
        screen.press("pageup")
        await screen.until(lambda: "below" in log.text, "a page back")
        screen.press("pagedown")
        await screen.until(lambda: "below" not in log.text, "the end")
        wheel: Callable[..., events.Event] = events.MouseScrollUp
        log.post_message(wheel(log, 5, 5, 0, -1, 0, shift=False, meta=False, ctrl=False))
        await screen.until(lambda: "below" in log.text, "three rows back")
        log.action_scroll_rows(3)
        log.tell([Line(2_000.0, "news")])
        assert "news" in log.text


async def test_a_short_log_does_not_scroll(runs: Path) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, 3)
        screen.press("up", "home", "pageup", "l")
        await screen.until(lambda: screen.app.focused is log, "the last key's doing")
        assert "below" not in log.text


async def test_a_line_with_a_key_takes_the_place_of_the_one_before(runs: Path) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, 1)
        log.tell([Line(1.0, "5 improvements", key="a"), Line(2.0, "a warning", "warning")])
        log.tell([Line(3.0, "6 improvements", key="a")])
        assert [line.text for line in log.lines] == ["line 0", "6 improvements", "a warning"]
        log.withdraw("a")
        assert [line.text for line in log.lines] == ["line 0", "a warning"]


async def test_the_log_is_bounded_and_stays_where_one_reads(runs: Path) -> None:
    async with open_app(runs) as screen:
        log = await log_with(screen, MAX_LINES)
        log.action_scroll_rows(-30)
        shown = log.text.splitlines()[:-1]
        log.tell([Line(9_000.0, "one too many")])
        assert len(log.lines) <= MAX_LINES
        assert log.text.splitlines()[:-1] == shown
        log.action_scroll_to_start()
        assert "line 0" not in log.text


async def test_long_lines_wrap_behind_the_time_and_anew_at_another_width(runs: Path) -> None:
    async with open_app(runs) as screen:
        log = screen.main.query_one(EventLog)
        log.tell([Line(1_000.0, "word " * 40, "warning")])
        await screen.until(lambda: "! word" in log.text, "the line")
        first, second, *_ = log.text.splitlines()
        assert first.index("word") == second.index("word")
        await screen.pilot.resize_terminal(*MEDIUM)
        await screen.until(lambda: len(log.text.splitlines()) > 3, "more rows")
        assert log.text.count("word") <= 40


# --- early stopping


@pytest.mark.parametrize(("size", "height"), [(WIDE, 4), (MEDIUM, 2), (NARROW, 1)], ids=str)
async def test_the_early_stopping_pane_is_as_high_whatever_it_says(
    size: Size, height: int, runs: Path
) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run, size=size) as screen:
        pane = screen.main.query_one(StoppingPane)
        await screen.until_status("live")
        await screen.until(lambda: pane.size.height == height, "the layout")
        for since in range(0, 20, 4):
            write_journal(run, waiting(since))
        await screen.until(lambda: "patience 4 of 20" in screen.stopping_line, "patience")
        assert pane.size.height == height
        write_journal(run, finished_record())
        await screen.until_status("completed")
        assert pane.size.height == height


@pytest.mark.parametrize("size", [WIDE, (100, 30), MEDIUM, NARROW], ids=str)
async def test_no_number_of_the_early_stopping_pane_is_cut(size: Size, runs: Path) -> None:
    rule = stopping_state(
        best_loss=1.814e-05,
        best_epoch=1_234_567,
        epochs_since_best=12_345,
        patience=100_000,
        target=1.814e-05,
        lowest_loss=1.814e-05,
        lowest_epoch=1_234_567,
    )
    parts = "patience 87655 of 100000, best 1.814e-05 at 1234567, 12345 since, to beat 1.814e-05"
    run = live_run(runs, started_record(), epoch_record(1_246_912, stopping=rule))
    async with open_app(runs, run, size=size) as screen:
        await screen.until(partial(says, screen, "patience"), "the rule")
        first = screen.stopping_line.splitlines()[0].strip(" █░")
        told = [part for part in first.replace("   ", ", ").split(", ") if part.strip()]
        assert [part.strip() for part in told] == parts.split(", ")[: len(told)]


async def test_patience_that_runs_low_is_seen_without_colours(runs: Path) -> None:
    run = live_run(runs, started_record(), waiting(0))
    async with open_app(runs, run) as screen:
        for since, sign in ((5, " patience 15"), (10, "· patience 10"), (16, "! patience 4")):
            write_journal(run, waiting(since))
            await screen.until(partial(says, screen, sign), sign)
        write_journal(run, waiting(18))
        await screen.until(lambda: "!! patience 2 of 20" in screen.stopping_line, "the last two")
        pane = screen.main.query_one(StoppingPane)
        styles = [segment.style for segment in pane.render_line(0) if "patience" in segment.text]
        assert all(style is not None and style.reverse for style in styles)
        assert "stops at epoch 21 if nothing improves" in screen.stopping_line


async def test_the_end_says_what_was_reached_where_it_is_and_how_to_go_on(runs: Path) -> None:
    saved: list[Event] = [
        CheckpointSaved(kind=kind, epoch=5, path=f"{kind}.pt", bytes=1, seconds=0.1, by="end")
        for kind in ("best", "last")
    ]
    run = finished_run(
        runs, started_record(), epoch_record(5), *saved, finished_record("early_stopped")
    )
    async with open_app(runs, run) as screen:
        await screen.until_log(
            f"best weights (epoch 5): {run.path / 'best.pt'}",
            f"to go on: epochtop resume {run.name} --set stopping.patience=N",
        )
        assert "stopped early after epoch 5" in screen.stopping_line
        assert "best validation loss 0.4000 at epoch 5; 5 epochs in" in screen.stopping_line
        *_, weights, verdict = screen.stopping_line.splitlines()
        assert weights.endswith("/best.pt")  # what is cut is the path's beginning
        assert verdict == "  too early for a verdict"
        screen.press("q")
        await screen.until_exit()
    farewell = "\n".join(screen.app.farewell())
    assert str(run.path / "best.pt") in farewell
    assert "epochtop resume" in farewell


# --- requests


async def test_a_request_is_shown_at_once_and_until_the_journal_answers_it(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("p")
        await screen.until_status("pausing …")
        await screen.until_log("asking the engine to pause")
        write_journal(run, Paused(epoch=0, step=3))
        await screen.until_status("‖ paused")
        await screen.until_log("paused after epoch 0")
        assert "pausing" not in screen.status_line
        assert "asking the engine" not in screen.log


async def test_p_twice_before_the_engine_answers_asks_to_pause_and_to_go_on(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("p", "p")
        await screen.until_status("going on …")
        assert list(take_commands(run)) == [Pause(), Unpause()]
        write_journal(run, Paused(epoch=0, step=3), Resumed(epoch=0, step=3))
        await screen.until(lambda: "going on" not in screen.status_line, "the answers")


async def test_an_engine_that_does_not_answer_is_told_of(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "SECONDS_TO_ANSWER", 0.0)
    monkeypatch.setattr(following_app, "_SECONDS_BETWEEN_TICKS", 0.05)
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("c")
        await screen.until_log("! asking the engine for a checkpoint ... no answer yet")
        await screen.until_status("no answer: saving?")
        write_journal(run, Warned(message="it waits"))
        await screen.until_log("it waits")
        assert "no answer" in screen.status_line  # the engine has not even taken the request
        list(take_commands(run))
        write_journal(run, Warned(message="last.pt was not saved"))
        await screen.until(lambda: "no answer" not in screen.status_line, "the answer")


# --- status


async def test_a_live_run_whose_journal_is_silent_for_long_is_stalled(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 60.0)
    run = live_run(runs, started_record(), *(epoch_record(n) for n in range(1, 4)))
    async with open_app(runs, run) as screen:
        await screen.until_status("● live")
        now = time.time()
        screen.main.show_pulse(Pulse(heard=now - 75, now=now))
        await screen.until_status("! stalled: no news for 1:")
        write_journal(run, epoch_record(4))
        await screen.until_status("● live")


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW, (30, 8)], ids=str)
async def test_the_status_line_drops_what_does_not_fit_from_its_end(size: Size, runs: Path) -> None:
    run = live_run(runs, started_record(), *(epoch_record(n) for n in range(1, 4)))
    async with open_app(runs, run, size=size) as screen:
        await screen.until_status("● live", "epoch 3/200")
        assert len(screen.status_line) <= size[0] - 2
        assert ("samples/s" in screen.status_line) is (size == WIDE)


# --- buttons


async def test_buttons_do_what_keys_do_and_only_what_the_run_allows(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        buttons = screen.main.query_one(RunButtons)

        async def click(label: str) -> None:
            await screen.pilot.click(RunButtons, offset=(buttons.text.index(label) + 3, 0))

        await click("Resume")
        await click("Checkpoint")
        await screen.until_status("saving …")
        assert list(take_commands(run)) == [SaveCheckpoint()]
        await click("Pause")
        await screen.until_status("pausing …")
        assert list(take_commands(run)) == [Pause()]
        write_journal(run, Paused(epoch=0, step=3))
        await screen.until(lambda: "Go on" in buttons.text, "the other label")
        assert "the run is live" not in screen.log


async def test_while_a_journal_is_read_nothing_is_estimated_and_no_button_may_be_pressed(
    runs: Path,
) -> None:
    run = live_run(runs, started_record(), waiting(3))
    async with open_app(runs, run) as screen:
        await screen.until(lambda: says(screen, "best"), "the rule's state")
        screen.app.post_message(RecordsArrived(run, [], loading=0.4))
        await screen.until(lambda: says(screen, "reading the journal"), "that it is read")
        assert "best" not in screen.stopping_line
        buttons = screen.main.query_one(RunButtons)
        assert not any(button.is_enabled for button in buttons.buttons)
        half_read = RunState(started=started_record(), loading=0.4)
        assert number_parts(half_read, RunStatus("live"))[1:] == ["reading the journal 40%"]


@pytest.mark.usefixtures("still_world")
async def test_what_can_be_asked_waits_until_the_journal_is_read_and_says_so(
    tmp_path: Path,
) -> None:
    """A stop for a run that had long ended was left for nobody while its journal was read."""
    run = finished_run(tmp_path / "runs", started_record(), waiting(3))
    async with open_app(run.path.parent, run) as screen:
        screen.app.post_message(RecordsArrived(run, [started_record()], loading=0.4))
        await screen.until(lambda: says(screen, "reading the journal"), "that it is read")
        screen.press("x", "r", "s", "n")
        await screen.until(lambda: screen.log.count("the journal is being read (40%)") == 4, "why")
        assert not run.control_path.exists() or not list(take_commands(run))
        assert "Stop" not in {command.title for command in screen.commands()}
        screen.press("w")
        await screen.until(lambda: "The journal is being read: 40%" in screen.picture, "w waits")
        screen.press("escape", "q")
        await screen.until_exit()
        assert "was not read to the end" in screen.app.farewell()[0]


# --- bytes


async def test_nothing_is_drawn_while_nothing_changes_and_little_when_a_digit_does(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = live_run(runs, started_record(), waiting(0), Paused(epoch=1, step=10))
    async with open_app(runs, run) as screen:
        await screen.until_status("paused")
        drawn: list[int] = []

        def note(self: Painted, *regions: object, **_: bool) -> Painted:
            drawn.append(sum(getattr(region, "area", 10_000) for region in regions) or 10_000)
            return self

        monkeypatch.setattr(Painted, "refresh", note)
        screen.main.show_pulse(Pulse(heard=time.time(), now=time.time()))
        screen.main.show_status(screen.app._status)  # noqa: SLF001 - the same once more
        assert drawn == []
        screen.main.query_one(EventLog).tell([Line(1_000.0, "epoch 12", key="x")])
        drawn.clear()
        screen.main.query_one(EventLog).tell([Line(1_000.0, "epoch 13", key="x")])
        assert drawn == [1]
