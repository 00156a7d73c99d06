"""The app posing for a picture: shown records by hand, in a world where time stands still."""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from textual.message_pump import MessagePump
from textual.widget import Widget

from epochtop.core import Run, resolve_settings
from epochtop.core.events import EpochCompleted, Event
from epochtop.core.run.directory import create_run
from epochtop.core.run.status import RunStatus
from epochtop.tui import following_app
from epochtop.tui.following import pulse
from epochtop.tui.following.epoch_block import EpochBlock
from epochtop.tui.following.messages import RecordsArrived, StatusChanged
from epochtop.tui.following.pulse import Pulse
from epochtop.tui.screens import comparison_screen
from epochtop.tui.terminal.terminal import Terminal
from epochtop.tui.widgets import loss_curve

from ..records import epoch_record, stopping_state
from .app_driver import WIDE, OpenApp, Size, open_app

NOW = 1_040.0
LIVE = RunStatus("live")
_LOOKS_ALIKE = 2


class NobodyFollows:
    """In the place of the follower and the sampler: what is shown comes from the test."""

    def __init__(self, *_: object) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.fixture
def still_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A clock that stands, in UTC; a run of one name in one place; nobody who follows it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(following_app, "time", SimpleNamespace(time=lambda: NOW))
    monkeypatch.setattr(following_app, "_SECONDS_BETWEEN_TICKS", 1e6)
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 10.0)
    monkeypatch.setattr("epochtop.tui.following.follower.Follower", NobodyFollows)
    monkeypatch.setattr("epochtop.tui.telemetry.sampler.TelemetrySampler", NobodyFollows)
    monkeypatch.setattr(loss_curve, "_SECONDS_BETWEEN_DATA", 0.0)
    monkeypatch.setattr(loss_curve, "_SECONDS_BETWEEN_KEYS", 0.0)
    monkeypatch.setattr(comparison_screen, "_SECONDS_BETWEEN_DRAWINGS", 0.0)
    yield
    monkeypatch.undo()
    time.tzset()


def a_run() -> Run:
    """A run whose name and place are always the same; no engine and no journal."""
    place = Path("runs", "20261123-140501-digits-mlp")
    if place.exists():
        return Run(place)
    created = create_run(Path("runs"), resolve_settings(overrides=["train.epochs=60"]))
    return Run(created.path.rename(place))


@dataclass
class Posing:
    """The app, and a run that it is shown."""

    screen: OpenApp
    run: Run

    async def show(
        self,
        *records: Event | EpochBlock,
        status: RunStatus = LIVE,
        silence: float = 0.0,
        loading: float | None = None,
    ) -> str:
        """Show a run that has had these records and stands so; the picture."""
        app = self.screen.app
        app.post_message(RecordsArrived(self.run, records, loading=loading, starts_over=True))
        app.post_message(StatusChanged(self.run, status))
        if silence:
            await self.settled()
            self.screen.main.show_pulse(Pulse(heard=NOW - silence, now=NOW))
        return await self.settled()

    async def press(self, *keys: str) -> str:
        """Press keys; the picture after the last."""
        for key in keys:
            self.screen.press(key)
        return await self.settled()

    @property
    def has_ended(self) -> bool:
        """Whether somebody has left the app, or a mistake has ended it."""
        app = self.screen.app
        return app.return_code is not None or app.failure is not None or not app.is_running

    async def settled(self) -> str:
        """The picture, once every widget has done what it had to and nothing changes."""
        alike, before = 0, ""
        while alike < _LOOKS_ALIKE:
            await self._handled_all()
            picture = self.screen.picture
            alike = alike + 1 if picture == before else 0
            before = picture
        return before

    async def _handled_all(self) -> None:
        """Wait until each widget has done what it was asked for before now."""
        app, answered = self.screen.app, asyncio.Event()
        waited_for: set[MessagePump] = {app, *app.screen.walk_children(with_self=True)}

        def answer(pump: MessagePump) -> None:
            waited_for.discard(pump)
            if not waited_for:
                answered.set()

        for pump in tuple(waited_for):
            if not pump.call_later(answer, pump):
                answer(pump)
        await self.screen.until(
            lambda: self.has_ended or (answered.is_set() and self._is_drawn), "all answers"
        )

    @property
    def _is_drawn(self) -> bool:
        """Whether no key, layout or change of a widget waits for its turn."""
        screen = self.screen.app.screen
        waits = [widget._layout_required for widget in screen.walk_children(Widget, with_self=True)]  # noqa: SLF001 - nothing public tells
        waits += [bool(screen._dirty_widgets), self.screen.app.is_typed_ahead]  # noqa: SLF001 - as above
        return not any(waits)


@asynccontextmanager
async def posing(size: Size = WIDE, terminal: Terminal = Terminal()) -> AsyncIterator[Posing]:  # noqa: B008 - it is frozen
    """The app on a run that nobody trains."""
    run = a_run()
    async with open_app(run.path.parent, run, size=size, terminal=terminal) as screen:
        yield Posing(screen, run)


@asynccontextmanager
async def posing_without_run(size: Size = WIDE) -> AsyncIterator[Posing]:
    """The app as a newcomer sees it."""
    async with open_app(Path("runs"), size=size) as screen:
        yield Posing(screen, Run(Path(os.devnull)))


def falling(epoch: int) -> float:
    """A validation loss that falls and goes on falling."""
    return 0.3 + 1.9 * math.exp(-epoch / 9)


def overfitting(epoch: int) -> float:
    """A validation loss that is lowest at epoch 20."""
    return falling(min(epoch, 20)) + 0.012 * max(0, epoch - 20)


def epochs(
    last: int,
    val: Callable[[int], float | None] = falling,
    *,
    first: int = 1,
    patience: int = 10,
    **fields: Any,
) -> Sequence[EpochCompleted]:
    """Epochs with losses by a formula, and the stopping rule as the engine would keep it."""
    records, lowest, lowest_epoch = [], math.inf, 0
    for epoch in range(first, last + 1):
        loss = val(epoch)
        if loss is not None and loss < lowest:
            lowest, lowest_epoch = loss, epoch
        best = lowest if lowest < math.inf else None
        rule = stopping_state(
            best_loss=best,
            best_epoch=lowest_epoch or None,
            epochs_since_best=epoch - lowest_epoch,
            patience=patience,
            target=best,
            lowest_loss=best,
            lowest_epoch=lowest_epoch or None,
        )
        record = epoch_record(
            epoch,
            train_loss=2.2 * math.exp(-epoch / 8) + 0.1,
            train_loss_eval=2.0 * math.exp(-epoch / 8) + 0.1,
            val_loss=loss,
            penalty=0.01 * epoch / (epoch + 5),
            lr=0.01 * 0.95**epoch,
            grad_norm=3.0 / epoch,
            metrics={"accuracy": 1 - 0.9 * math.exp(-epoch / 6)},
            stopping=rule,
        )
        records.append(_with(record, fields))
    return records


def _with(record: EpochCompleted, fields: dict[str, Any]) -> EpochCompleted:
    """The record with some fields by formula."""
    found = {name: value(record.epoch) for name, value in fields.items()}
    return msgspec.structs.replace(record, **found)


def stopping_by(record: EpochCompleted, **fields: Any) -> EpochCompleted:
    """The record with its stopping rule in another state."""
    rule = msgspec.structs.replace(record.stopping, **fields)
    return msgspec.structs.replace(record, stopping=rule)
