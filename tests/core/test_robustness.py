"""What once lost a run, or ended it without a word."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from epochtop.core import Run, Trainer, load_checkpoint, resolve_settings
from epochtop.core.checkpoint import checkpoints
from epochtop.core.checkpoint import file as checkpoint_file
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here, train_run
from epochtop.core.errors import SettingsError
from epochtop.core.events import RunFinished, Warned
from epochtop.core.run.directory import create_run
from epochtop.core.run.journal import JournalReader, JournalWriter

from ..records import epoch_record
from ..waiting import wait_for
from .disks import files_of_at_most
from .engines import ENDLESS, endings, events_of, wait_for_epoch
from .forked_engines import Engine, EngineServer
from .resumptions import resume, save_at_every_ask, train


@pytest.fixture
def endless(tmp_path: Path, engines: EngineServer) -> Iterator[tuple[Run, Engine]]:
    run, engine = engines.start_new(tmp_path, *ENDLESS)
    wait_for_epoch(run)
    yield run, engine
    engine.kill()


def train_basic(runs: Path) -> Outcome:
    outcome = train_here(resolve_settings(preset="basic"), runs, None, lambda _: lambda _: None)
    assert isinstance(outcome, Outcome)
    return outcome


def test_two_signals_at_once_are_one_wish(
    endless: tuple[Run, Engine],
) -> None:
    run, engine = endless

    engine.send_signal(signal.SIGTERM)
    engine.send_signal(signal.SIGTERM)

    assert engine.wait() == 128 + signal.SIGTERM
    assert [finished.reason for finished in endings(run)] == ["interrupted"]
    assert (run.path / "last.pt").exists()


def test_an_engine_whose_directory_is_gone_ends(
    endless: tuple[Run, Engine],
) -> None:
    run, engine = endless

    def remove() -> bool:
        shutil.rmtree(run.path, ignore_errors=True)  # the engine may write a file meanwhile
        return not run.path.exists()

    wait_for(remove, "the end of the directory")

    assert engine.wait() != 0


def test_a_control_directory_that_is_none_does_not_end_the_run(
    endless: tuple[Run, Engine],
) -> None:
    run, engine = endless
    before = events_of(run)[-1]

    shutil.rmtree(run.control_path)
    run.control_path.write_text("in the way")

    wait_for_epoch(run, getattr(before, "epoch", 1) + 20)
    assert engine.poll() is None


def test_weights_that_cannot_be_saved_do_not_cost_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(checkpoints, "on_cpu", fail)
    outcome = train_basic(tmp_path)

    assert outcome.finished.reason == "completed"
    assert len(endings(outcome.run)) == 1
    assert any(
        isinstance(event, Warned) and "illegal memory access" in event.message
        for event in events_of(outcome.run)
    )


def test_a_trainer_that_cannot_be_built_ends_in_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("not enough")

    monkeypatch.setattr(Trainer, "__init__", fail)
    outcome = train_run(create_run(tmp_path, resolve_settings(preset="basic")))

    assert (outcome.finished.reason, outcome.exit_code) == ("failed", 1)
    assert isinstance(events_of(outcome.run)[-1], RunFinished)


def test_a_listener_that_fails_does_not_end_the_training(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise UnicodeEncodeError("ascii", "é", 0, 1, "not in range")

    outcome = train_here(resolve_settings(preset="basic"), tmp_path, None, lambda _: fail)

    assert isinstance(outcome, Outcome)
    assert outcome.finished.reason == "completed"


def test_the_last_checkpoint_says_how_far_it_is_beyond_its_epoch(
    endless: tuple[Run, Engine],
) -> None:
    run, engine = endless

    engine.send_signal(signal.SIGTERM)
    engine.wait()

    last = load_checkpoint(run.path / "last.pt")
    batches = last["state"]["progress"]["batches"]
    assert last["step"] == 25 * last["epoch"] + batches
    assert 0 <= batches <= 25


def fills_up(_run: Run) -> AbstractContextManager[object]:
    return files_of_at_most(12_000)


@contextmanager
def cannot_be_written(run: Run) -> Iterator[None]:
    """Who is root may write everywhere, but not into a directory as if it were a file."""
    in_the_way = run.path / ".last.pt.tmp"
    in_the_way.mkdir()
    yield
    in_the_way.rmdir()


def damages_what_is_written(_run: Run) -> AbstractContextManager[object]:
    def damage_and_check(path: Path) -> None:
        if path.name.endswith(".tmp"):
            path.write_bytes(path.read_bytes()[:1000] + b"damaged" + path.read_bytes()[1007:])
        check_sum(path)

    check_sum = checkpoint_file.check_sum
    return patch.object(checkpoint_file, "check_sum", damage_and_check)


@pytest.mark.parametrize("disk", [fills_up, cannot_be_written, damages_what_is_written])
def test_a_disk_that_fails_costs_a_warning_and_not_the_checkpoints_that_are_there(
    disk: Callable[[Run], AbstractContextManager[object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_at_every_ask(monkeypatch)
    run = train(tmp_path, "train.epochs=3", "model.hidden=64")
    good = {name: (run.path / name).read_bytes() for name in ("last.pt", "last.previous.pt")}

    with disk(run):
        outcome = resume(run, "train.epochs=6")

    assert (outcome.exit_code, outcome.finished.reason) == (0, "completed")
    warned = [event.message for event in events_of(run) if isinstance(event, Warned)]
    assert all(".pt was not saved: " in text for text in warned)
    assert "last.pt was not saved: " in warned[-1]
    assert len(warned) <= 4  # not one at every try
    assert {name: (run.path / name).read_bytes() for name in good} == good

    resume(run, "train.epochs=7")  # the disk is well again
    assert load_checkpoint(run.path / "last.pt")["epoch"] == 7


def test_a_journal_that_a_full_disk_refuses_is_written_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    room = [0, 10, 10_000, 10_000]
    real_write = os.write

    def write(file: int, data: bytes) -> int:
        allowed = room.pop(0) if room else len(data)
        if allowed == 0:
            raise OSError(28, "No space left on device")
        return real_write(file, data[:allowed])

    with JournalWriter(path) as journal:
        monkeypatch.setattr(os, "write", write)
        journal.append(epoch_record(1))  # no room at all
        assert journal.num_waiting == 1
        journal.append(epoch_record(2))  # room for a part of a line, then for whole ones
        journal.append(epoch_record(3))
        monkeypatch.undo()

    assert JournalReader(path).read() == [epoch_record(epoch) for epoch in (1, 2, 3)]


def test_a_disk_that_stays_full_does_not_end_the_training(tmp_path: Path) -> None:
    script = (
        "import resource, signal\n"
        "from epochtop.tui.cli import run_command\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "raise SystemExit(run_command(['train', '--preset', 'early-stopping', '--json']))\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    read, write = os.pipe()
    with os.fdopen(read) as records:
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=tmp_path, stdout=write, stderr=subprocess.PIPE
        )
        os.close(write)
        events = [json.loads(line) for line in records]
        _, errors = process.communicate()

    assert process.returncode == 0, errors.decode()
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["reason"] == "early_stopped"
    assert b"the journal cannot be written" in errors
    assert b"Traceback" not in errors


FULL = (
    "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB of "
    "which 1.13 GiB is free. Process 8 has 77.95 GiB memory in use. See documentation for Memory "
    "Management  (https://pytorch.org/docs/stable/notes/cuda.html)"
)
SHORTLY = FULL.partition(" Process")[0]


def fill_the_gpu(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError(FULL)


def test_a_gpu_that_is_full_ends_the_run_with_what_is_there_and_what_needs_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a paragraph about torch's allocator."""
    monkeypatch.setattr(Trainer, "train_step", fill_the_gpu)

    outcome = train_basic(tmp_path)

    assert (outcome.finished.reason, outcome.exit_code) == ("failed", 1)
    assert outcome.finished.message == (
        f"OutOfMemoryError: {SHORTLY} A smaller train.batch_size needs less (see engine.log)"
    )
    assert "Memory Management" in outcome.run.log_path.read_text()


def test_a_gpu_without_room_for_model_and_rows_is_a_setting_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was called a mistake of the program."""
    monkeypatch.setattr("epochtop.core.batches.rows.Rows.__init__", fill_the_gpu)

    with pytest.raises(SettingsError) as raised:
        train_basic(tmp_path)

    assert str(raised.value) == (
        "train.device: found cpu, on which there is no room for the model and the rows "
        f"({SHORTLY}); allowed: a device with more memory; a task's DataLoader takes only its "
        "batches there"
    )
    assert not list(tmp_path.glob("*synthetic*"))
