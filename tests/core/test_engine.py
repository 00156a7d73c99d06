import json
import signal
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epochtop.core import DataError, Run, Trainer, load_checkpoint, resolve_settings
from epochtop.core.checkpoint import checkpoints
from epochtop.core.checkpoint.file import save_atomically
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here, train_run
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    RunStarted,
    StopRequested,
    Warned,
)
from epochtop.core.run.control import Stop, send_command
from epochtop.core.run.directory import create_run
from epochtop.core.run.status import run_status
from epochtop.core.verdict import chances

from ..waiting import wait_for
from .engines import ENDLESS, endings, events_of, start_engine, wait_for_epoch
from .forked_engines import Engine, EngineServer


@pytest.fixture
def endless(tmp_path: Path, engines: EngineServer) -> Iterator[tuple[Run, Engine]]:
    run, engine = engines.start_new(tmp_path, *ENDLESS)
    yield run, engine
    engine.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_one_record_and_saves_the_weights(
    number: signal.Signals, endless: tuple[Run, Engine]
) -> None:
    run, engine = endless
    wait_for_epoch(run)

    engine.send_signal(number)

    assert engine.wait() == 128 + number
    (finished,) = endings(run)
    assert finished.reason == "interrupted"
    assert number.name in finished.message
    assert load_checkpoint(run.path / "last.pt")["epoch"] == finished.epoch
    assert load_checkpoint(run.path / "best.pt")["epoch"] == finished.best_epoch


def test_a_signal_while_torch_is_loading_is_said_in_the_journal_too(tmp_path: Path) -> None:
    run, engine = start_engine(tmp_path, *ENDLESS)
    wait_for(run.journal_path.exists, "the journal")

    engine.send_signal(signal.SIGTERM)

    assert engine.wait() == 128 + signal.SIGTERM
    assert [finished.reason for finished in endings(run)] == ["interrupted"]


def test_a_closed_terminal_does_not_end_the_run(
    endless: tuple[Run, Engine],
) -> None:
    run, engine = endless
    wait_for_epoch(run)

    engine.send_signal(signal.SIGHUP)
    before = max(e.epoch for e in events_of(run) if isinstance(e, EpochCompleted))
    wait_for_epoch(run, before + 5)

    assert engine.poll() is None
    assert endings(run) == []


@pytest.mark.parametrize("when", ["epoch", "now"])
def test_a_stop_command_ends_the_run_as_stopped(when: str, endless: tuple[Run, Engine]) -> None:
    run, engine = endless
    wait_for_epoch(run)

    send_command(run, Stop("epoch" if when == "epoch" else "now"))

    assert engine.wait() == 0
    assert [finished.reason for finished in endings(run)] == ["stopped"]
    (requested,) = (event for event in events_of(run) if isinstance(event, StopRequested))
    assert requested.when == when
    assert list(run.control_path.iterdir()) == []


def test_the_journal_holds_the_run_from_its_start_to_its_end(tmp_path: Path) -> None:
    run, engine = start_engine(tmp_path, "data.source=iris", "train.epochs=3", name="flowers")

    assert engine.wait() == 0
    lines = [json.loads(line) for line in run.journal_path.read_text().splitlines()]
    assert lines[0]["event"] == "run_started"
    assert lines[0]["run"] == run.name
    assert lines[0]["pid"] == engine.pid
    assert lines[0]["settings"]["train"]["epochs"] == 3
    assert lines[0]["num_train"] == 120
    assert lines[0]["num_val"] == 30
    assert lines[0]["schema"] == 1
    assert lines[0]["classes"] == ["setosa", "versicolor", "virginica"]
    assert lines[0]["num_parameters"] == 4 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3
    assert [line["epoch"] for line in lines if line["event"] == "epoch_completed"] == [1, 2, 3]
    assert lines[-1]["event"] == "run_finished"
    assert lines[-1]["reason"] == "completed"
    assert all("time" in line for line in lines)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert run_status(run).state == "finished"


def test_every_epoch_carries_the_fields_that_scripts_lean_on(tmp_path: Path) -> None:
    settings = resolve_settings(overrides=["data.source=diabetes", "train.epochs=1"])
    run = create_run(tmp_path, settings)
    train_run(run)

    (record,) = (
        json.loads(line)
        for line in run.journal_path.read_text().splitlines()
        if '"epoch_completed"' in line
    )
    assert set(record) >= {
        *("event", "time", "epoch", "step", "train_loss", "val_loss", "train_loss_eval"),
        *("penalty", "lr", "seconds", "metrics", "stopping"),
    }
    assert set(record["stopping"]) >= {
        *("best_loss", "best_epoch", "epochs_since_best", "patience", "target")
    }


def test_wrong_data_fail_with_one_message_in_the_journal_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("")
    settings = resolve_settings(overrides=[f"data.source={file}", "data.target=y"])
    run = create_run(tmp_path / "runs", settings)

    assert train_run(run).exit_code == 2
    (finished,) = endings(run)
    assert finished.reason == "failed"
    assert "empty.csv" in finished.message


def test_a_failure_of_our_own_is_one_record_and_its_traceback_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Trainer) -> None:
        raise ZeroDivisionError("from the middle of training")

    monkeypatch.setattr(Trainer, "run", fail)
    outcome = train_here(resolve_settings(preset="basic"), tmp_path, None, lambda _: lambda _: None)

    assert isinstance(outcome, Outcome)
    assert outcome.exit_code == 1
    assert [finished.reason for finished in endings(outcome.run)] == ["failed"]
    assert "ZeroDivisionError: from the middle of training" in outcome.finished.message
    assert "Traceback" in outcome.run.log_path.read_text()


def test_a_verdict_that_cannot_be_given_costs_a_warning_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the file with the trees is gone."""
    monkeypatch.setattr(chances, "FITTED", tmp_path / "gone.json")
    chances.model.cache_clear()
    settings = resolve_settings(preset="early-stopping")
    outcome = train_here(settings, tmp_path / "runs", None, lambda _: lambda _: None)

    assert isinstance(outcome, Outcome)
    assert (outcome.exit_code, outcome.finished.reason) == (0, "early_stopped")
    told = [event.message for event in events_of(outcome.run) if isinstance(event, Warned)]
    assert len(told) == 1
    assert told[0].startswith("no more verdicts: FileNotFoundError")


def test_a_diverging_run_ends_as_not_finite_with_exit_code_1(tmp_path: Path) -> None:
    settings = resolve_settings(
        overrides=["data.source=diabetes", "optim.name=sgd", "optim.lr=1e30", "model.kind=linear"]
    )

    outcome = train_here(settings, tmp_path, None, lambda _: lambda _: None)

    assert isinstance(outcome, Outcome)
    assert (outcome.exit_code, outcome.finished.reason) == (1, "not_finite")
    assert '"train_loss":null' in outcome.run.journal_path.read_text()


def test_what_python_warns_of_while_training_is_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warn(self: Trainer) -> EpochCompleted:
        warnings.warn("the roof is leaking", RuntimeWarning, stacklevel=2)
        return original(self)

    original = Trainer.run_epoch
    monkeypatch.setattr(Trainer, "run_epoch", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        outcome = train_here(
            resolve_settings(preset="basic"), tmp_path, None, lambda _: lambda _: None
        )

    assert isinstance(outcome, Outcome)
    assert "RuntimeWarning: the roof is leaking" in outcome.run.journal_path.read_text()


def test_wrong_data_leave_no_run_behind_when_training_in_the_foreground(tmp_path: Path) -> None:
    settings = resolve_settings(overrides=["data.source=missing.csv", "data.target=y"])

    with pytest.raises(DataError, match=r"missing\.csv"):
        train_here(settings, tmp_path / "runs", None, lambda _: lambda _: None)
    assert not (tmp_path / "runs").exists()


def test_a_directory_that_cannot_be_written_costs_a_warning_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_atomically", refuse)
    outcome = train_here(resolve_settings(preset="basic"), tmp_path, None, lambda _: lambda _: None)

    assert isinstance(outcome, Outcome)
    assert outcome.finished.reason == "completed"
    assert "best.pt was not saved" in outcome.run.journal_path.read_text()


def test_a_checkpoint_taken_away_as_soon_as_it_is_saved_costs_a_warning_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_and_lose(content: dict[str, Any], path: Path, keep: Path | None) -> None:
        save_atomically(content, path, keep)
        path.unlink()

    monkeypatch.setattr(checkpoints, "save_atomically", save_and_lose)
    outcome = train_here(resolve_settings(preset="basic"), tmp_path, None, lambda _: lambda _: None)

    assert isinstance(outcome, Outcome)
    assert outcome.finished.reason == "completed"
    assert "last.pt was not saved" in outcome.run.journal_path.read_text()


def test_checkpoints_are_announced_with_their_true_size(tmp_path: Path) -> None:
    run = create_run(tmp_path, resolve_settings(preset="basic"))
    train_run(run)

    saved = [event for event in events_of(run) if isinstance(event, CheckpointSaved)]
    assert {event.kind for event in saved} == {"best", "last"}
    newest = {event.path: event.bytes for event in saved}  # on a slow machine there are several
    assert newest == {path: (run.path / path).stat().st_size for path in newest}


def test_signals_are_handed_back_to_the_caller(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert threading.current_thread() is threading.main_thread()

    train_here(resolve_settings(preset="basic"), tmp_path, None, lambda _: lambda _: None)

    assert signal.getsignal(signal.SIGINT) == before


def test_the_device_of_the_run_is_in_its_first_record(tmp_path: Path) -> None:
    outcome = train_here(
        resolve_settings(preset="basic", overrides=["train.device=cpu"]),
        tmp_path,
        None,
        lambda _: lambda _: None,
    )

    assert isinstance(outcome, Outcome)
    first = events_of(outcome.run)[0]
    assert isinstance(first, RunStarted)
    assert first.device == "cpu"
