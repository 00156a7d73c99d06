"""What a live engine is asked for, it does between two steps of an epoch that never ends."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from epochtop.core import Run, load_checkpoint
from epochtop.core.engine.signals import SignalFlag, ending_signals
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    Paused,
    RequestSeen,
    Resumed,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.control import (
    Change,
    Command,
    Pause,
    SaveCheckpoint,
    Stop,
    Unpause,
    send_command,
)

from ..waiting import wait_for
from . import endless_epoch
from .engines import endings, events_of
from .forked_engines import CHECKPOINTS_ALL_THE_TIME, Engine, EngineServer

Kind = TypeVar("Kind", bound=Event)
SOON = {"epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER": 0.0}
ENDLESS_EPOCH = (f"task={endless_epoch.__file__}:build", "train.device=cpu", "optim.lr=0.001")


@pytest.fixture
def live(engines: EngineServer, tmp_path: Path) -> Iterator[tuple[Run, Engine]]:
    """A run in its first epoch, which never ends."""
    run, engine = engines.start_new(tmp_path, *ENDLESS_EPOCH, patches=SOON)
    # the record comes after the file, and must not surprise a test that compares journals
    wait_for(lambda: of_kind(run, CheckpointSaved), "the first step's checkpoint")
    yield run, engine
    assert not any(isinstance(event, EpochCompleted) for event in events_of(run))
    engine.kill()


def of_kind(run: Run, kind: type[Kind]) -> list[Kind]:
    return [event for event in events_of(run) if isinstance(event, kind)]


def answer(run: Run, command: Command, kind: type[Kind]) -> Kind:
    """Send a command and wait for its record."""
    before = len(of_kind(run, kind))
    send_command(run, command)
    return wait_for(lambda: of_kind(run, kind)[before:], f"the answer to {command}")[-1]


def saved_on_request(run: Run) -> list[CheckpointSaved]:
    saved = of_kind(run, CheckpointSaved)
    return [event for event in saved if (event.kind, event.by) == ("last", "request")]


def state_after(run: Run) -> int:
    """The step of a checkpoint that is asked for now."""
    before = len(saved_on_request(run))
    send_command(run, SaveCheckpoint())
    wait_for(lambda: saved_on_request(run)[before:], "a checkpoint")
    return int(load_checkpoint(run.path / "last.pt")["step"])


def test_a_paused_training_stands_still_until_it_is_to_go_on(live: tuple[Run, Engine]) -> None:
    run, _ = live
    paused = answer(run, Pause(), Paused)
    assert (paused.epoch, state_after(run)) == (0, paused.step)
    assert state_after(run) == paused.step

    resumed = answer(run, Unpause(), Resumed)

    assert (resumed.epoch, resumed.step) == (0, paused.step)
    wait_for(lambda: state_after(run) > paused.step, "another step")


def test_a_checkpoint_is_written_on_request_within_an_epoch(live: tuple[Run, Engine]) -> None:
    run, _ = live
    step = state_after(run)

    (saved,) = saved_on_request(run)
    assert (saved.epoch, saved.path) == (0, "last.pt")
    state = load_checkpoint(run.path / "last.pt")["state"]
    assert state["progress"]["batches"] == state["step"] >= step > 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("optim.lr", 0.5),
        ("optim.weight_decay", 0.25),
        ("stopping.patience", 3),
        ("stopping.min_delta", 0.125),
        ("train.epochs", 7),
    ],
)
def test_a_change_is_made_within_an_epoch(
    setting: str, value: float, live: tuple[Run, Engine]
) -> None:
    run, _ = live
    changed = answer(run, Change(setting, value), SettingChanged)

    assert (changed.setting, changed.after, changed.by) == (setting, value, "request")
    state_after(run)
    group = load_checkpoint(run.path / "last.pt")["state"]["optimizer"]["param_groups"][0]
    section, _, key = setting.partition(".")
    assert section != "optim" or group[key] == value
    assert load_checkpoint(run.path / "last.pt")["state"]["settings"][section][key] == value


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("model.hidden", [4], "model.hidden: found a setting that is fixed"),
        ("optim.lr", -1.0, "optim.lr"),
        ("optim.lr", "fast", "optim.lr"),
        ("optim.speed", 1, "optim.speed"),
        ("", None, "not changed: "),
    ],
)
def test_what_cannot_be_changed_is_said_and_training_goes_on(
    setting: str, value: object, message: str, live: tuple[Run, Engine]
) -> None:
    run, engine = live
    warned = answer(run, Change(setting, value), Warned)

    assert message in warned.message
    assert of_kind(run, SettingChanged) == []
    assert engine.poll() is None


def test_a_stop_after_the_epoch_is_answered_before_its_end(live: tuple[Run, Engine]) -> None:
    run, engine = live
    assert answer(run, Stop("epoch"), StopRequested).when == "epoch"
    assert answer(run, Stop("now"), StopRequested).when == "now"

    assert engine.wait() == 0
    assert [finished.reason for finished in endings(run)] == ["stopped"]
    assert load_checkpoint(run.path / "last.pt")["step"] > 0


def test_a_paused_training_can_be_stopped(live: tuple[Run, Engine]) -> None:
    run, engine = live
    answer(run, Pause(), Paused)
    send_command(run, Stop("now"))

    assert engine.wait() == 0
    assert [finished.reason for finished in endings(run)] == ["stopped"]


def test_a_paused_training_heeds_signals(live: tuple[Run, Engine]) -> None:
    run, engine = live
    paused = answer(run, Pause(), Paused)
    engine.send_signal(signal.SIGTERM)

    assert engine.wait() == 128 + signal.SIGTERM
    assert load_checkpoint(run.path / "last.pt")["step"] == paused.step


@pytest.mark.parametrize("how", [lambda e: e.send_signal(signal.SIGTERM), lambda e: e.kill()])
def test_a_run_that_ended_within_a_long_epoch_goes_on_there_with_what_was_changed(
    how: Callable[[Engine], object], live: tuple[Run, Engine], engines: EngineServer
) -> None:
    run, engine = live
    answer(run, Change("optim.lr", 0.5), SettingChanged)
    how(engine)
    engine.wait()
    step = load_checkpoint(run.path / "last.pt")["step"]

    again = engines.start(run)
    try:
        (resumed,) = wait_for(lambda: of_kind(run, RunResumed), "the resumed run")
        assert (resumed.epoch, resumed.step, resumed.batches_into_next_epoch) == (0, step, step)
        wait_for(lambda: state_after(run) > step, "another step")
        state = load_checkpoint(run.path / "last.pt")["state"]
        assert state["optimizer"]["param_groups"][0]["lr"] == 0.5
    finally:
        again.kill()


def test_changes_sent_to_a_killed_engine_are_made_by_the_next_one(
    live: tuple[Run, Engine], engines: EngineServer
) -> None:
    run, engine = live
    state_after(run)
    engine.kill()
    for command in (Stop("now"), Change("optim.lr", 0.5), Pause(), Change("train.epochs", 9)):
        send_command(run, command)

    again = engines.start(run)
    try:
        changed = wait_for(lambda: of_kind(run, SettingChanged)[1:], "the changes")
        assert changed[0].after == 9
        wait_for(lambda: of_kind(run, Warned)[1:], "two warnings")
        dropped = [event.message.rpartition(" ")[2] for event in of_kind(run, Warned)]
        assert dropped == ["Stop", "Pause"]
        assert state_after(run) > 0  # it trains
    finally:
        again.kill()


# A second engine, and a second signal.


def test_a_second_engine_leaves_a_live_run_alone(
    live: tuple[Run, Engine], engines: EngineServer
) -> None:
    run, engine = live
    before = run.journal_path.read_bytes(), run.engine_path.read_bytes()

    assert engines.start(run).wait() == 2

    log = run.log_path.read_text()
    assert f"process {engine.pid} on " in log
    assert "trains it; allowed: one engine a run" in log
    assert "Traceback" not in log
    assert (run.journal_path.read_bytes(), run.engine_path.read_bytes()) == before
    assert engine.poll() is None


STUCK = """
import sys, threading
from pathlib import Path
sys.path.insert(0, "{tests}")
from tests.core import endless_epoch

def wait(*_):
    if any(Path("{stuck}").parent.glob("*/last.previous.pt")):
        Path("{stuck}").touch()
        threading.Event().wait()

def build(settings):
    task = endless_epoch.build(settings)
    task.model.register_forward_hook(wait)
    return task
"""


def test_one_more_signal_after_a_moment_ends_at_once_and_harms_no_file(
    engines: EngineServer, tmp_path: Path
) -> None:
    """The engine is in a step that takes for ever."""
    stuck, task = tmp_path / "stuck", tmp_path / "task.py"
    task.write_text(STUCK.format(tests=Path(endless_epoch.__file__).parents[2], stuck=stuck))
    patches = {**CHECKPOINTS_ALL_THE_TIME, "epochtop.core.engine.signals._GRACE_SECONDS": 0.3}
    run, engine = engines.start_new(tmp_path, f"task={task}:build", patches=patches)
    wait_for(stuck.exists, "the step that takes for ever")

    def ends() -> bool:
        engine.send_signal(signal.SIGINT)
        return engine.poll() is not None

    wait_for(ends, "the end after one more signal")

    assert engine.wait() == -signal.SIGINT
    assert endings(run) == []
    for name in ("last.pt", "last.previous.pt"):
        assert load_checkpoint(run.path / name)["step"] > 0


def test_only_a_signal_after_the_grace_is_another_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("epochtop.core.engine.signals.time.monotonic", lambda: now)
    raised: list[int] = []
    monkeypatch.setattr("epochtop.core.engine.signals.signal.raise_signal", raised.append)
    monkeypatch.setattr("epochtop.core.engine.signals.signal.signal", lambda *_: None)
    flag = SignalFlag()

    flag(signal.SIGTERM, None)
    now = 100.9
    flag(signal.SIGINT, None)
    assert (flag.received, raised) == (signal.SIGTERM, [])

    now = 101.1
    flag(signal.SIGINT, None)
    assert (flag.received, raised) == (signal.SIGTERM, [signal.SIGINT])


def test_a_closed_terminal_ends_nothing_and_handlers_are_handed_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with ending_signals() as flag:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        assert flag.received == signal.SIGTERM
    with ending_signals() as flag:
        assert flag.received is None
    assert [signal.getsignal(number) for number in numbers] == before


LONG_STEP = """
import time
from pathlib import Path
import torch
from torch import nn
from epochtop.core import Task

class UntilTold(nn.MSELoss):
    def forward(self, outputs, targets):
        if outputs.requires_grad:
            Path("{directory}/began").touch()
            while not Path("{directory}/end").exists():
                time.sleep(0.01)
        return super().forward(outputs, targets)

def build(settings):
    data = torch.ones(8, 4), torch.ones(8, 1)
    return Task(nn.Linear(4, 1), UntilTold(), train=data, val=data)
"""


def test_a_request_that_has_to_wait_for_a_long_step_is_acknowledged_meanwhile(
    engines: EngineServer, tmp_path: Path
) -> None:
    task = tmp_path / "task.py"
    task.write_text(LONG_STEP.replace("{directory}", str(tmp_path)))
    run, engine = engines.start_new(tmp_path, f"task={task}:build", "train.epochs=100000")
    wait_for((tmp_path / "began").exists, "the first step")

    for command, request in ((Change("optim.lr", 0.5), "change optim.lr"), (Pause(), "pause")):
        seen = answer(run, command, RequestSeen)
        assert seen.request == request
    assert not of_kind(run, Paused)

    (tmp_path / "end").touch()
    wait_for(lambda: of_kind(run, Paused), "the pause")
    assert [change.after for change in of_kind(run, SettingChanged)] == [0.5]
    assert len(of_kind(run, RequestSeen)) == 2
    engine.kill()
