"""Whatever a journal holds, whatever is pressed and however large the terminal is: it goes on.

EPOCHTOP_EXAMPLES=3000 looks for longer than CI does.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual import events
from textual.geometry import Size

from epochtop.core import JournalReader
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    Paused,
    Resumed,
    RunFinished,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.journal import encode
from epochtop.core.run.status import RunStatus
from epochtop.tui.asking import resumption
from epochtop.tui.following.journal_parts import new_parts
from epochtop.tui.following.messages import RecordsArrived, StatusChanged
from epochtop.tui.keys import KEY_GROUPS
from epochtop.tui.terminal.terminal import Terminal

from ..records import epoch_record, finished_record, started_record, stopping_state
from .app_driver import FakeEngines, open_app
from .posing import Posing, a_run

EXAMPLES = int(os.environ.get("EPOCHTOP_EXAMPLES", "12"))
Step = Callable[[Posing], None]

# --- journals

odd_numbers = st.sampled_from(
    [None, 0.0, -0.0, -1.0, 1e30, -1e30, 1e-30, 1.7e308, -1.7e308, 5e-324, 1.0, 1.0, 1.0]
)
losses = odd_numbers | st.floats(-1e6, 1e6) | st.floats(allow_nan=True, allow_infinity=True)
times = st.floats(0, 2_000) | st.sampled_from([-1.0, 0.0, 1e9, 1e12, 1e18, 1e300])
counts = st.integers(0, 60) | st.sampled_from([10**6, 2**31, 2**53])
texts = st.sampled_from(["", "m", "[red]x[/]", "\x1b[31m", "a\nb", "é\u202e漢字" * 20]) | st.text()

rules = st.builds(
    stopping_state,
    best_loss=losses,
    best_epoch=st.none() | counts,
    epochs_since_best=counts,
    patience=counts,
    target=losses,
    lowest_loss=losses,
    lowest_epoch=st.none() | counts,
    rule=st.sampled_from(["patience", "gl", "pq", "up"]),
    measure=losses,
    limit=losses,
)
epoch_fields: dict[str, st.SearchStrategy[Any]] = {
    "time": times,
    "step": counts,
    "train_loss": losses,
    "val_loss": losses,
    "train_loss_eval": losses,
    "penalty": losses,
    "lr": st.floats(-1, 1e30),
    "seconds": st.sampled_from([0.0, 1e-9, 1.0, -1.0, 1e12]),
    "grad_norm": losses,
    "metrics": st.dictionaries(texts, losses, max_size=3),
    "stopping": rules,
}
epoch_records = st.builds(
    lambda epoch, fields: epoch_record(epoch, **fields),
    counts.filter(bool),
    st.fixed_dictionaries({}, optional=epoch_fields),
)
run_settings = st.sampled_from(
    [
        {},
        {"data": {"source": "digits"}, "train": {"epochs": 0}},
        {"data": 3, "train": {"epochs": "many"}},
        {"train": {"epochs": 10**9}, "stopping": {"patience": -3, "min_epochs": 10**12}},
        {"task": "[red].py:build", "model": {"kind": None}},
    ]
)
other_records = st.one_of(
    st.builds(partial(started_record), time=times, settings=run_settings, device=texts),
    st.builds(started_record, time=times, num_train=st.none() | counts, baseline_loss=losses),
    st.builds(RunResumed, time=times, epoch=counts, message=texts, pid=st.integers(0, 9)),
    st.builds(Paused, time=times, epoch=counts, step=counts),
    st.builds(Resumed, time=times, epoch=counts, step=counts),
    st.builds(
        SettingChanged,
        time=times,
        setting=st.sampled_from(["train.epochs", "optim.lr", "stopping.patience", "no.such", ""]),
        before=losses,
        after=losses | counts | texts,
        by=st.sampled_from(["request", "resume", "go_back"]),
    ),
    st.builds(
        LossNotFinite,
        time=times,
        epoch=counts,
        step=counts,
        which=st.sampled_from(["train", "val"]),
        value=st.sampled_from(["nan", "inf", "-inf"]),
    ),
    st.builds(StopRequested, time=times, when=st.sampled_from(["now", "epoch"])),
    st.builds(Warned, time=times, message=texts),
    st.builds(
        CheckpointSaved,
        time=times,
        kind=st.sampled_from(["best", "last"]),
        epoch=counts,
        path=texts,
        bytes=counts,
        seconds=st.floats(0, 9),
        by=st.sampled_from(["time", "end", "request"]),
    ),
    st.builds(
        RunFinished,
        time=times,
        reason=st.sampled_from(["completed", "early_stopped", "failed", "not_finite", "stopped"]),
        epoch=counts,
        best_epoch=st.none() | counts,
        best_loss=losses,
        message=texts,
    ),
    st.just(finished_record()),
)


def in_order(records: list[EpochCompleted]) -> list[EpochCompleted]:
    """The same losses as a run would have written them, one epoch after the other."""
    return [
        msgspec.structs.replace(record, epoch=n, step=10 * n, time=1_000.0 + n)
        for n, record in enumerate(records, start=1)
    ]


def lines_of(records: Sequence[Event]) -> bytes:
    return b"".join(encode(record) + b"\n" for record in records)


damage = st.sampled_from(
    [
        b'{"event":"unknown","time":1}\n',
        b'{"event":"epoch_completed"}\n',
        b"null\n[]\n\n\x00\xff\n",
        encode(epoch_record(3))[:90],  # a torn line, which the next one goes on with
        encode(epoch_record(4)) + b" ",
    ]
)
journal_pieces = st.one_of(
    st.lists(epoch_records, max_size=20).map(in_order).map(lines_of),
    st.lists(epoch_records | other_records, max_size=8).map(lines_of),
    damage,
)
journals = st.lists(journal_pieces, max_size=4).map(b"".join)

# --- what a person does

KEYS = sorted(
    {name for _, group in KEY_GROUPS for key in group for name in key.keys.split(",")}
    | {"enter", "tab", "shift+tab", "up", "down", "space", "backspace", "delete", "pageup"}
    | {"pagedown", "ctrl+u", "n", "d", "w", "7", "9", "slash"}
)
MICE = (events.MouseDown, events.MouseMove, events.MouseUp, events.MouseScrollUp)
WHEELS = (events.MouseScrollDown, events.MouseScrollLeft, events.MouseScrollRight)
STATUSES = [
    RunStatus("starting"),
    RunStatus("live"),
    RunStatus("live"),
    RunStatus("killed"),
    RunStatus("lost"),
    RunStatus("finished", "completed"),
    RunStatus("finished", "early_stopped"),
    RunStatus("finished"),
]


def press(keys: list[str], app: Posing) -> None:
    app.screen.press(*keys)


def point(kind: Any, x: int, y: int, shift: bool, app: Posing) -> None:
    button = 0 if "Scroll" in kind.__name__ else 1
    moved = (0, 0, button, shift, False, False)
    app.screen.app.post_message(kind(None, x, y, *moved, screen_x=x, screen_y=y))


def resize(columns: int, rows: int, app: Posing) -> None:
    size = Size(columns, rows)
    app.screen.app._driver._size = size  # type: ignore[union-attr]  # noqa: SLF001 - as the pilot
    app.screen.app.post_message(events.Resize(size, size))


def read(journal: bytes, starts_over: bool, app: Posing) -> None:
    path = app.run.journal_path
    path.write_bytes(journal)
    for part in new_parts(JournalReader(path, chunk_bytes=256), lambda: True):
        message = RecordsArrived(app.run, part.arrivals, starts_over=starts_over)
        app.screen.app.post_message(message)


def stand(status: RunStatus, app: Posing) -> None:
    app.screen.app.post_message(StatusChanged(app.run, status))


sizes = st.tuples(st.integers(1, 200), st.integers(1, 60))
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(partial, st.just(read), journals, st.booleans()),
    st.builds(partial, st.just(press), st.lists(st.sampled_from(KEYS), min_size=1, max_size=8)),
    st.builds(partial, st.just(press), st.text("qsxl?-0.9ea/", max_size=4).map(list)),
    st.builds(
        partial,
        st.just(point),
        st.sampled_from(MICE + WHEELS),
        st.integers(0, 199),
        st.integers(0, 59),
        st.booleans(),
    ),
    sizes.map(lambda size: partial(resize, *size)),
    st.sampled_from(STATUSES).map(lambda status: partial(stand, status)),
)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here trains, whatever key is pressed."""
    fake = FakeEngines()
    monkeypatch.setattr("epochtop.core.engine.launch.launch", fake.launch)
    monkeypatch.setattr(resumption, "launch", fake.launch)


async def walk_through(
    journal: bytes, size: tuple[int, int], terminal: Terminal, then: list[Step]
) -> None:
    run = a_run()
    async with open_app(Path("runs"), run, size=size, terminal=terminal) as screen:
        app = Posing(screen, run)
        first: list[Step] = [partial(read, journal, True), partial(stand, RunStatus("live"))]
        for step in [*first, *then]:
            step(app)
            if app.has_ended:
                return
        picture = await app.settled()
        if app.has_ended:
            return
        assert len(picture.split("\n")) == screen.app.size.height
        assert "\x1b" not in picture


@pytest.mark.usefixtures("still_world", "engines")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    journal=journals,
    size=sizes,
    terminal=st.builds(Terminal, ascii=st.booleans(), coloured=st.booleans()),
    then=st.lists(steps, max_size=12),
)
def test_nothing_that_is_read_or_pressed_ends_the_screen(
    journal: bytes, size: tuple[int, int], terminal: Terminal, then: list[Step]
) -> None:
    asyncio.run(walk_through(journal, size, terminal, then))
