"""Every state of the screen as a text file that one can read: see CONTRIBUTING.md.

After a change that is meant, `make snapshots` writes the files anew; their diff is what to review.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from epochtop.core import Run
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    FinishReason,
    LossNotFinite,
    Paused,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.status import RunStatus, State
from epochtop.tui.following.messages import RecordsArrived, StatusChanged
from epochtop.tui.telemetry.gpus import Gpu
from epochtop.tui.telemetry.sampled import TelemetrySampled
from epochtop.tui.telemetry.telemetry import Sample, Telemetry
from epochtop.tui.terminal.terminal import Terminal

from ..records import finished_record, started_record, write_journal
from .app_driver import MEDIUM, NARROW, WIDE, Size
from .posing import (
    LIVE,
    epochs,
    overfitting,
    posing,
    posing_without_run,
    stopping_by,
)

pytestmark = pytest.mark.usefixtures("still_world")

GIB = 2**30
STARTED = started_record(epochs=60)
PLAIN, DECAYED = (
    started_record(settings=STARTED.settings | {"optim": {"weight_decay": decay}})
    for decay in (0.0, 0.01)
)
SAVED: list[Event] = [
    CheckpointSaved(
        time=1_039.0, kind=kind, epoch=30, path=f"{kind}.pt", bytes=75_000, seconds=0.1, by="end"
    )
    for kind in ("best", "last")
]


class ScreenFile(SingleFileSnapshotExtension):
    """A picture a file, as plain text."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def pictures(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(ScreenFile)


def check(pictures: SnapshotAssertion, taken: Mapping[str, str]) -> None:
    """Compare all pictures, so that one that has changed hides no other."""
    other = {name: text for name, text in taken.items() if f"{text}\n" != pictures(name=name)}
    shown = "\n".join(f"{name}:\n{text}" for name, text in other.items())
    assert not other, f"these look otherwise; if that is meant: make snapshots\n{shown}"


def ended(reason: FinishReason) -> RunStatus:
    return RunStatus("finished", reason)


async def test_a_live_run(pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing() as app:
        show = partial(app.show, STARTED)
        taken["starting"] = await app.show(status=RunStatus("starting"))
        taken["loading"] = await show(*epochs(21), loading=0.42)
        taken["live"] = await show(*epochs(30))
        taken["stalled"] = await show(*epochs(30), silence=95.0)
        taken["patience half"] = await show(*epochs(25, overfitting))
        taken["patience nearly used up"] = await show(*epochs(28, overfitting))
        taken["stop requested"] = await show(*epochs(30), StopRequested(time=1_030.5, when="epoch"))
        taken["paused"] = await show(*epochs(30), Paused(time=1_030.5, epoch=30, step=303))
        taken["resumed"] = await show(
            *epochs(30), RunResumed(time=1_035.0, epoch=20, message="restored last.pt", pid=7)
        )
        changed = SettingChanged(
            time=1_030.5, setting="optim.lr", before=0.01, after=0.002, by="request"
        )
        taken["setting changed"] = await show(
            *epochs(30), changed, Warned(time=1_031.0, message="[red]odd[/] \x1b[31m")
        )
        *most, last = epochs(30, overfitting)
        prechelt = {"rule": "gl", "measure": 4.1, "limit": 5.0, "patience": 0}
        taken["rule of Prechelt"] = await show(*most, stopping_by(last, **prechelt))
        taken["asked to pause"] = await app.press("p")
    check(pictures, taken)


async def test_a_loss_that_is_not_finite(pictures: SnapshotAssertion) -> None:
    odd = LossNotFinite(time=1_020.5, epoch=21, step=207, which="train", value="nan")
    lost = epochs(25, lambda n: None if n > 20 else overfitting(n), train_loss=_until_20)
    taken = {}
    async with posing() as app:
        taken["live"] = await app.show(STARTED, *lost[:20], odd, *lost[20:])
        taken["ended"] = await app.show(
            STARTED,
            *lost[:20],
            odd,
            lost[20],
            finished_record(
                "not_finite", time=1_021.0, epoch=21, best_epoch=20, best_loss=0.5059,
                message="the train loss is nan",
            ),
            status=ended("not_finite"),
        )  # fmt: skip
    check(pictures, taken)


def _until_20(epoch: int) -> float | None:
    return None if epoch > 20 else 2.0 / epoch


ENDS: dict[str, tuple[FinishReason, str]] = {
    "completed": ("completed", "all 60 epochs are done"),
    "stopped early": ("early_stopped", "no improvement for 10 epochs"),
    "stopped": ("stopped", "asked for by the screen"),
    "failed": ("failed", "the disk is full"),
    "interrupted": ("interrupted", "SIGTERM"),
}


async def test_a_run_that_has_ended(pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing() as app:
        for name, (reason, message) in ENDS.items():
            finished = finished_record(
                reason, time=1_039.5, epoch=30, best_epoch=20, best_loss=0.5059, message=message
            )
            taken[name] = await app.show(
                STARTED, *epochs(30, overfitting), *SAVED, finished, status=ended(reason)
            )
        gone: tuple[State, ...] = ("killed", "lost")
        for state in gone:
            taken[state] = await app.show(
                STARTED, *epochs(30, overfitting), status=RunStatus(state)
            )
        failed = finished_record(
            "failed", time=1_001.0, epoch=0, best_epoch=None, best_loss=None, message="no column"
        )
        taken["failed before the first epoch"] = await app.show(failed, status=ended("failed"))
        taken["a single epoch"] = await app.show(STARTED, *epochs(1), status=RunStatus("killed"))
    check(pictures, taken)


async def test_the_curve_looked_at_in_other_ways(pictures: SnapshotAssertion) -> None:
    noisy = epochs(
        60, lambda n: overfitting(n) + (0.2 if n % 7 == 0 else 0) + (40 if n == 33 else 0)
    )
    taken = {}
    async with posing() as app:
        await app.show(started_record(epochs=100), *noisy)
        ways = {
            "outlier clipped": [],
            "outlier as it is": ["o"],
            "smoothed": ["o", *["right_square_bracket"] * 3],
            "cursor": ["left", "left", "left"],
            "cursor at the best": ["b"],
            "zoomed": ["plus", "plus", "comma"],
            "by step": ["0", "t"],
            "by time": ["t"],
            "learning rate on the right": ["0", "m"],
            "accuracy on the right": ["m", "m"],
            "penalty and evaluation": ["0", "3", "4", "5"],
            "nothing shown": ["0", "1", "2"],
            "maximised": ["0", "z"],
        }  # fmt: skip
        for name, keys in ways.items():
            taken[name] = await app.press(*keys)
        await app.press("z")
        odd = epochs(30, lambda n: {7: 0.0, 8: -0.5, 9: -3.0}.get(n, 10.0 ** (3 - n / 4)))
        await app.show(STARTED, *odd)
        taken["logarithmic with a zero and negatives"] = await app.press("y")
        taken["the log maximised"] = await app.press("l", "z")
    check(pictures, taken)


FLAT: dict[str, float | None] = {
    "nan": None,
    "zero": 0.0,
    "constant": 0.7,
    "huge": 1e30,
    "tiny": 1e-30,
    "negative": -2.5,
}


def constant(value: float | None) -> Sequence[EpochCompleted]:
    return epochs(8, lambda _: value, train_loss=lambda _: value)


@pytest.mark.parametrize("is_log", [False, True], ids=["linear", "log"])
async def test_losses_that_are_all_alike(is_log: bool, pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing(size=MEDIUM) as app:
        if is_log:
            await app.press("y")
        for name, value in FLAT.items():
            taken[name] = await app.show(STARTED, *constant(value))
    check(pictures, taken)


@pytest.mark.parametrize(
    "size", [(120, 36), MEDIUM, (40, 12)], ids=lambda size: "{}x{}".format(*size)
)
async def test_other_stopping_rules(size: Size, pictures: SnapshotAssertion) -> None:
    started = started_record(settings={"stopping": {"patience": 5}, "train": {"epochs": 60}})
    async with posing(size=size) as app:
        await app.show(started, *epochs(40, overfitting))
        taken = {"what if": await app.press("w")}
    check(pictures, taken)


async def test_before_a_run(pictures: SnapshotAssertion) -> None:
    Path("wrong.toml").write_text("[optim]\nlr = -1\n[trian]\n")
    taken = {}
    async with posing_without_run() as app:
        taken["empty"] = await app.settled()
        taken["help"] = await app.press("question_mark")
        await app.press("escape")
        taken["palette"] = await app.press("ctrl+p", *"theme")
        await app.press("escape")
        taken["load prompt with an error"] = await app.press("ctrl+o", *"wrong.toml", "enter")
        await app.press("escape")
        await app.screen.type_into("optim.lr", "-1")
        taken["a wrong value"] = await app.settled()
        await app.screen.go_to_setting("optim.schedule")
        taken["choices"] = await app.press("enter")
        await app.press("escape")
        app.screen.main.set_focus(app.screen.form.go_to("data"))
        taken["folded"] = await app.press("enter")
    check(pictures, taken)


async def test_the_form_of_a_live_run(pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing() as app:
        await app.show(STARTED, *epochs(30))
        await app.screen.type_into("optim.lr", "0.005")
        taken["pending"] = await app.settled()
        await app.screen.type_into("stopping.patience", "-1")
        taken["pending and wrong"] = await app.settled()
        taken["maximised"] = await app.press("f11")
        await app.press("f11", "escape")
        taken["quit"] = await app.press("q")
    check(pictures, taken)


SMALL: dict[Size, dict[str, list[str]]] = {
    MEDIUM: {"curve": [], "form": ["e"], "log": ["f4"], "help": ["f1"], "quit": ["f10"]},
    NARROW: {"curve": [], "form": ["e"], "log": ["f4"], "help": ["f1"], "quit": ["f10"]},
    (200, 24): {"curve": []},
    (28, 20): {"numbers": []},
    (80, 6): {"numbers": []},
    (29, 7): {"numbers": []},
    (8, 2): {"numbers": []},
}


@pytest.mark.parametrize("size", SMALL, ids=lambda size: "{}x{}".format(*size))
async def test_other_sizes(size: Size, pictures: SnapshotAssertion) -> None:
    taken = {}
    finished = finished_record("early_stopped", time=1_039.5, epoch=30, message="no improvement")
    async with posing(size=size) as app:
        records: list[Event] = [STARTED, *epochs(30, overfitting)]
        await app.show(*records)
        for name, keys in SMALL[size].items():
            taken[name] = await app.press(*keys)
            if name in ("help", "quit"):
                await app.press("escape")
        await app.press("f3")
        taken["stopped early"] = await app.show(
            *records, *SAVED, finished, status=ended("early_stopped")
        )
    check(pictures, taken)


@pytest.mark.parametrize("size", [MEDIUM, NARROW], ids=lambda size: "{}x{}".format(*size))
async def test_before_a_run_in_other_sizes(size: Size, pictures: SnapshotAssertion) -> None:
    async with posing_without_run(size=size) as app:
        taken = {"empty": await app.settled(), "form": await app.press("e")}
    check(pictures, taken)


@pytest.mark.parametrize("size", [(120, 36), MEDIUM], ids=lambda size: "{}x{}".format(*size))
async def test_in_ascii(size: Size, pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing(size=size, terminal=Terminal(ascii=True, coloured=False)) as app:
        taken["live"] = await app.show(STARTED, *epochs(28, overfitting))
        taken["form"] = await app.press("e")
    assert all(picture.isascii() for picture in taken.values())
    check(pictures, taken)


async def test_the_machine(pictures: SnapshotAssertion) -> None:
    async with posing() as app:
        await app.show(STARTED, *epochs(30), status=LIVE)
        gpus = tuple(Gpu(n, utilisation=90 + n, memory=12 * GIB, total=80 * GIB) for n in (0, 1))
        sample = Sample(
            engine_cpu=97.0, engine_memory=GIB, machine_cpu=55.0, machine_memory=40.0, gpus=gpus
        )
        telemetry = Telemetry().with_sample(sample)
        app.screen.app.post_message(TelemetrySampled(app.run, telemetry))
        check(pictures, {"two GPUs": await app.settled()})


def another_run() -> Run:
    """A run that has ended, beside the one on the screen."""
    run = Run(Path("runs", "20261122-090000-weight-decay").absolute())
    run.path.mkdir(parents=True)
    end = finished_record(epoch=60, best_epoch=20, best_loss=0.5059)
    write_journal(run, DECAYED, *epochs(60, overfitting), end)
    return run


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW], ids=lambda size: "{}x{}".format(*size))
async def test_runs_compared(size: Size, pictures: SnapshotAssertion) -> None:
    taken = {}
    async with posing(size=size) as app:
        await app.show(STARTED, *epochs(30))
        other = another_run()
        await app.press("k")
        await app.screen.until(lambda: "0.5059" in app.screen.picture, "the other run")
        taken["choosing"] = await app.press("w")
        await app.press("enter")
        taken["no epoch yet"] = await app.settled()
        comparison = app.screen.app.screen
        plain: list[Event] = [PLAIN, *epochs(30)]
        decayed: list[Event] = [DECAYED, *epochs(60, overfitting)]
        for run, records in ((app.run, plain), (other, decayed)):
            for message in (StatusChanged(run, LIVE), RecordsArrived(run, records)):
                comparison.post_message(message)
                taken["both"] = await app.settled()  # axes are kept from picture to picture
        taken["log y"] = await app.press("y", "pagedown")
    check(pictures, taken)
