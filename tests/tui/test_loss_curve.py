"""The curve's pane: what it says, and what keys and mouse do to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region

from epochtop.core.events import Event, LossNotFinite
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.keys import CURVE_KEYS, spell
from epochtop.tui.look.palette import palette_named
from epochtop.tui.look.view import View
from epochtop.tui.widgets.loss_curve import LossCurve

from ..records import epoch_record, started_record, stopping_state
from ..waiting import LIMIT_SECONDS

Mouse = TypeVar("Mouse", bound=events.MouseEvent)
LOSSES = [2.0, 1.0, 0.5, 0.25, 0.5, 0.75, 0.8, 0.85, 0.9, 0.95]


class CurveApp(App[None]):
    """Nothing but a curve; it keeps what the curve tells it."""

    def __init__(self) -> None:
        super().__init__()
        self.views: list[View] = []
        self.escapes = 0
        self.missed: list[str] = []

    BINDINGS = [("escape", "note", "")]  # noqa: RUF012 - as Textual declares it

    def compose(self) -> ComposeResult:
        yield LossCurve()

    def on_loss_curve_view_changed(self, message: LossCurve.ViewChanged) -> None:
        self.views.append(message.view)

    def on_curve_actions_not_measured(self, message: LossCurve.NotMeasured) -> None:
        self.missed.append(message.name)

    def action_note(self) -> None:
        self.escapes += 1


class OpenCurve:
    """What a person in front of the curve does."""

    def __init__(self, app: CurveApp) -> None:
        self.app = app
        self.curve = app.query_one(LossCurve)

    @property
    def lines(self) -> list[str]:
        return [self.curve.render_line(y).text for y in range(self.curve.size.height)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS / 3
        while not condition():
            assert time.monotonic() < deadline, f"it did not come: {what}\n{self.text}"
            await asyncio.sleep(0.01)

    async def until_text(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts), str(texts))

    async def press(self, *keys: str) -> View:
        """Press keys one after the other, and the view after them."""
        for key in keys:
            character = key if len(key) == 1 else None
            self.app.post_message(events.Key(key, character))
        await _handled(self.app)
        await _handled(self.curve)
        return self.curve.view


async def _handled(pump: App[None] | LossCurve) -> None:
    done = asyncio.Event()
    pump.call_later(done.set)
    await asyncio.wait_for(done.wait(), LIMIT_SECONDS)
    again = asyncio.Event()
    pump.call_later(again.set)
    await asyncio.wait_for(again.wait(), LIMIT_SECONDS)


def state_of(val: Sequence[float | None], *others: Event) -> RunState:
    """The state of a run with these validation losses."""
    finite = [(loss, epoch) for epoch, loss in enumerate(val, 1) if loss is not None]
    lowest, best = min(finite, default=(None, None))
    stopping = stopping_state(
        best_loss=lowest, best_epoch=best, lowest_loss=lowest, lowest_epoch=best, target=lowest
    )
    records = [
        epoch_record(epoch, train_loss=loss, val_loss=loss, stopping=stopping)
        for epoch, loss in enumerate(val, 1)
    ]
    return reduce(RunState(), [started_record(), *records, *others])


@asynccontextmanager
async def open_curve(
    val: Sequence[float | None] = LOSSES, *others: Event, size: tuple[int, int] = (90, 24)
) -> AsyncIterator[OpenCurve]:
    app = CurveApp()
    async with app.run_test(size=size):
        screen = OpenCurve(app)
        screen.curve.focus()
        if val:
            screen.curve.state = state_of(val, *others)
            await screen.until_text("0.95" if val is LOSSES else "")
        yield screen


async def test_every_key_can_be_pressed_before_the_first_epoch() -> None:
    async with open_curve([]) as screen:
        for key in CURVE_KEYS:
            await screen.press(*key.keys.split(","))
        assert "No run yet" in screen.text


async def test_the_legend_tells_the_newest_values_and_the_best() -> None:
    async with open_curve() as screen:
        assert "train 0.9500" in screen.lines[0]
        assert "val 0.9500" in screen.lines[0]
        assert "best 0.2500 at 4" in screen.lines[0]
        assert "patience ends at 20" in screen.lines[1]
        assert "┤" in screen.text


async def test_the_cursor_reads_out_every_series_and_escape_hides_it() -> None:
    async with open_curve() as screen:
        assert (await screen.press("left")).cursor == 10
        assert (await screen.press("left", "left")).cursor == 8
        await screen.until_text("epoch 8, ", "train 0.8500", "val 0.8500")
        assert (await screen.press("home")).cursor == 1
        assert (await screen.press("left")).cursor == 1
        assert (await screen.press("b")).cursor == 4
        await screen.until_text("epoch 4, ", "val 0.2500")
        assert (await screen.press("end", "right")).cursor == 10
        assert (await screen.press("escape")).cursor is None
        assert screen.app.escapes == 0
        await screen.press("escape")
        await screen.until(lambda: screen.app.escapes == 1, "the app's own escape")


async def test_keys_change_the_view_and_the_app_is_told() -> None:
    async with open_curve() as screen:
        view = await screen.press("y", "right_square_bracket", "o", "t", "3", "2", "m")
        await screen.until_text("log y", "x: step", "EMA 0.5", "unclipped")
        await screen.until(lambda: screen.app.views[-1:] == [view], "the message")
        assert view.shown == ("train_loss", "train_loss_eval")
        assert (await screen.press("0")) == View()
        await screen.until(lambda: "log y" not in screen.text, "the view as at first")


async def test_zooming_panning_and_following() -> None:
    async with open_curve() as screen:
        zoomed = await screen.press("plus", "equals_sign")
        assert zoomed.window is not None
        assert zoomed.follows
        await screen.until_text("follows")
        panned = await screen.press("shift+left")
        assert panned.window is not None
        assert panned.window[0] < zoomed.window[0]
        assert not panned.follows
        cursor = await screen.press("home")
        assert cursor.window is not None
        assert cursor.window[0] <= 1
        assert (await screen.press("f")).follows
        assert not (await screen.press("f")).follows
        assert (await screen.press("minus", "minus", "minus")).window is None
        assert (await screen.press("plus", "a")).window is None


async def test_the_window_is_carried_over_to_the_other_axis() -> None:
    async with open_curve() as screen:
        window = (await screen.press("plus")).window
        assert window is not None
        in_steps = (await screen.press("t")).window
        assert in_steps is not None
        await screen.press("t", "t")
        back = screen.curve.view.window
        assert back is not None
        assert abs(back[0] - window[0]) + abs(back[1] - window[1]) < 1e-6


async def test_another_run_is_seen_whole_and_in_the_same_way() -> None:
    async with open_curve() as screen:
        await screen.press("y", "plus", "left")
        screen.curve.state = RunState()
        assert screen.curve.view == View(scale="log")
        screen.curve.state = state_of([1.0, 0.5])
        await screen.until_text("log y", "val 0.5000")


async def test_a_series_that_this_run_lacks_is_back_where_another_one_has_it() -> None:
    with_accuracy = epoch_record(11, train_loss=0.95, val_loss=0.95, metrics={"val_accuracy": 0.5})
    async with open_curve(LOSSES, with_accuracy) as screen:
        view = await screen.press("m", "m", "4")
        assert view.right == "val_accuracy"
        await screen.until_text("val accuracy (right) 0.5000", "penalty 0")
        of_loop = [epoch_record(1, train_loss_eval=None, penalty=None, lr=None)]
        screen.curve.state = RunState()
        screen.curve.state = reduce(RunState(), of_loop)
        await screen.until_text("val 2.000")
        assert "accuracy" not in screen.text
        assert "penalty" not in screen.text
        assert screen.curve.view == view
        screen.curve.state = RunState()
        screen.curve.state = state_of(LOSSES, with_accuracy)
        await screen.until_text("val accuracy (right) 0.5000", "penalty 0")


async def test_a_run_that_counts_no_steps_is_shown_by_epoch() -> None:
    async with open_curve() as screen:
        await screen.press("t")
        await screen.until_text("x: step", "100")
        screen.curve.state = RunState()
        screen.curve.state = reduce(RunState(), [epoch_record(each, step=0) for each in (1, 2)])
        await screen.until(lambda: "x: step" not in screen.text and "val 1.000" in screen.text, "")
        assert len(set(screen.lines[-1].split())) > 2, "ticks for the epochs"
        assert (await screen.press("t")).x_axis == "time"


async def test_a_key_for_a_series_that_the_run_lacks_tells_so_and_keeps_the_view() -> None:
    async with open_curve([]) as screen:
        screen.curve.state = reduce(RunState(), [epoch_record(1, penalty=None)])
        await screen.until_text("val 2.000")
        assert await screen.press("4") == View()
        await screen.until(lambda: screen.app.missed == ["penalty"], "the message")


def mouse(kind: type[Mouse], x: int, *, shift: bool = False) -> Mouse:
    return kind(None, x, 10, 0, 0, 1, shift, False, False, x, 10)


def window_of(curve: LossCurve) -> tuple[float, float]:
    assert curve.view.window is not None
    return curve.view.window


async def test_the_mouse_zooms_pans_and_reads_out() -> None:
    async with open_curve() as screen:
        curve = screen.curve
        curve.on_mouse_scroll_up(mouse(events.MouseScrollUp, 20))
        window = window_of(curve)
        assert not curve.view.follows
        curve.on_mouse_scroll_down(mouse(events.MouseScrollDown, 60, shift=True))
        assert window_of(curve)[0] > window[0]
        curve.on_mouse_scroll_down(mouse(events.MouseScrollDown, 20))
        assert curve.view == View()

        curve.on_mouse_down(mouse(events.MouseDown, 87))
        curve.on_mouse_up(mouse(events.MouseUp, 87))
        assert curve.view.cursor == 10

        curve.on_mouse_scroll_up(mouse(events.MouseScrollUp, 45))
        before = window_of(curve)
        curve.on_mouse_down(mouse(events.MouseDown, 40))
        curve.on_mouse_move(mouse(events.MouseMove, 60))
        curve.on_mouse_up(mouse(events.MouseUp, 60))
        assert window_of(curve)[0] < before[0]
        assert curve.view.cursor == 10


async def test_a_loss_that_is_no_number_is_told_over_the_picture() -> None:
    bad = LossNotFinite(epoch=3, step=25, which="train", value="nan")
    async with open_curve([1.0, 0.5, None, None, 0.5], bad) as screen:
        await screen.until_text("train loss nan at epoch 3, step 25", "2 epochs without")
        assert "×" in screen.lines[-2]  # noqa: RUF001 - the mark on the x axis


@pytest.mark.parametrize("size", [(40, 12), (47, 14), (90, 24)], ids=str)
async def test_a_narrow_pane_tells_of_a_loss_that_is_no_number_and_of_clipped_values(
    size: tuple[int, int],
) -> None:
    """At 47 columns, as of 80x24, the one pushed the other out."""
    bad = LossNotFinite(epoch=30, step=3_000, which="train", value="nan")
    losses = [*[1.0, 1.01, 1.02] * 10, None, None, 1e9, *[1.0, 1.01, 1.02] * 10]
    async with open_curve(losses, bad, size=size) as screen:
        await screen.until_text("nan at ", "▲ 2")


@pytest.mark.parametrize("size", [(40, 10), (47, 14), (80, 18)], ids=str)
async def test_what_the_picture_leaves_out_is_said_however_much_else_there_is_to_say(
    size: tuple[int, int],
) -> None:
    async with open_curve([0.5, 0.4, *[0.5] * 40, 1e9], size=size) as screen:
        await screen.press("bracketright", "3", "4", "5", "left")
        await screen.until_text("▲ ", "clipped")


async def test_series_that_find_no_room_over_the_picture_leave_a_sign_and_the_best_stays() -> None:
    async with open_curve(size=(60, 12)) as screen:
        await screen.press("bracketright", "3", "4", "5")
        await screen.until_text("◆ best", " …")


async def test_clipped_values_are_counted_over_the_picture() -> None:
    level = [1 + 0.01 * (epoch % 5) for epoch in range(40)]
    async with open_curve([*level, 1e6, *level]) as screen:
        await screen.until_text("▲ 2 clipped")
        await screen.press("o")
        await screen.until(lambda: "clipped" not in screen.text.replace("unclipped", ""), "all")


async def test_where_there_is_no_room_for_a_picture_there_are_the_numbers() -> None:
    async with open_curve(size=(29, 9)) as screen:
        assert "epoch 10 train 0.9500" in screen.text
        assert "best 0.2500 at 4" in screen.text
        assert "┤" not in screen.text
        await screen.press("left", "plus")
        screen.curve.on_mouse_down(mouse(events.MouseDown, 5))


async def test_another_palette_draws_in_other_characters() -> None:
    async with open_curve() as screen:
        screen.curve.palette = palette_named("plain", is_ascii=True)
        await screen.until(lambda: all(map(str.isascii, screen.lines)), "only ASCII")


async def test_nothing_is_sent_while_nothing_changes() -> None:
    async with open_curve() as screen:
        curve, asked = screen.curve, []
        refresh = curve.refresh

        def note(*regions: Region, **options: bool) -> LossCurve:
            asked.append(regions)
            return refresh(*regions, **options)

        curve.refresh = note  # type: ignore[method-assign] # to see what it is asked for
        curve.state = reduce(curve.state, [])
        curve.repaint()
        curve.view = View()
        assert asked == []
        curve.state = state_of([*LOSSES, 0.97])
        await screen.until_text("train 0.9700")
        assert sum(region.area for regions in asked for region in regions) < 90 * 24 / 3


def test_every_key_of_the_curve_is_told_once() -> None:
    names = [name for key in CURVE_KEYS for name in key.keys.split(",")]
    assert len(set(names)) == len(names)
    assert "[" in [spell(key) for key in CURVE_KEYS]
