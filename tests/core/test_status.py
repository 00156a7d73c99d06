import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from epochtop.core.events import FinishReason, RunResumed, Warned
from epochtop.core.run.directory import Run, create_run
from epochtop.core.run.status import (
    EngineProcess,
    engine_process,
    run_status,
    summarise,
    write_engine_process,
)
from epochtop.core.settings.declaration import Settings
from tests.records import epoch_record, finished_record, started_record, write_journal

Process = subprocess.Popen[bytes]

ANOTHER_HOST = "a-host-that-is-not-this-one"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", Settings())


@pytest.fixture
def process() -> Iterator[Process]:
    """A process that does nothing until it is killed."""
    command = [sys.executable, "-IS", "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def kill(process: Process) -> None:
    """Kill a process and wait until it is dead, but leave it unreaped: a zombie."""
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def make_older(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


# Live, or about to be.


def test_a_run_that_was_just_created_is_starting(run: Run) -> None:
    assert run_status(run).state == "starting"
    assert run_status(run).is_live


def test_a_run_whose_engine_has_not_appeared_in_time_is_killed(run: Run) -> None:
    make_older(run.path, 60)
    assert run_status(run).state == "killed"
    assert not run_status(run).is_live


def test_a_run_whose_engine_loads_for_long_is_starting(run: Run, process: Process) -> None:
    write_engine_process(run, engine_process(process.pid))
    make_older(run.path, 3600)
    assert run_status(run).state == "starting"


def test_a_run_whose_engine_trains_is_live(run: Run, process: Process) -> None:
    write_engine_process(run, engine_process(process.pid))
    write_journal(run, started_record(), epoch_record(1))
    assert run_status(run).state == "live"
    assert run_status(run).is_live


def test_a_run_whose_engine_has_long_been_silent_is_live_as_long_as_it_is_there(
    run: Run, process: Process
) -> None:
    write_engine_process(run, engine_process(process.pid))
    write_journal(run, started_record())
    make_older(run.journal_path, 3600)
    assert run_status(run).state == "live"


def test_this_very_process_is_alive() -> None:
    assert engine_process().pid == os.getpid()
    assert engine_process().is_alive()


# Ended.


@pytest.mark.parametrize("reason", ["completed", "early_stopped", "interrupted", "failed"])
def test_a_run_that_said_why_it_ended_is_finished(run: Run, reason: FinishReason) -> None:
    write_engine_process(run, engine_process())
    write_journal(run, started_record(), epoch_record(1), finished_record(reason))
    status = run_status(run)
    assert (status.state, status.reason) == ("finished", reason)
    assert not status.is_live


def test_a_run_that_failed_before_it_began_is_finished(run: Run) -> None:
    write_journal(run, finished_record("failed"))
    assert run_status(run).reason == "failed"


def test_records_after_the_last_one_do_not_bring_a_run_back(run: Run) -> None:
    write_journal(run, started_record(), finished_record(), Warned(message="late"))
    assert run_status(run).state == "finished"


# Killed.


@pytest.mark.parametrize("started", [True, False])
def test_a_run_whose_engine_was_killed_is_killed_even_before_it_is_reaped(
    run: Run, process: Process, started: bool
) -> None:
    write_engine_process(run, engine_process(process.pid))
    write_journal(run, *[started_record()] * started)

    kill(process)
    assert run_status(run).state == "killed"
    process.wait()
    assert run_status(run).state == "killed"


def test_a_run_whose_pid_is_another_processs_by_now_is_killed(run: Run, process: Process) -> None:
    mine = engine_process(process.pid)
    long_ago = msgspec.structs.replace(mine, process_started=mine.process_started - 3600)
    write_engine_process(run, long_ago)
    write_journal(run, started_record())
    assert run_status(run).state == "killed"


def test_a_process_that_was_never_there_is_not_alive() -> None:
    assert not engine_process(2**30).is_alive()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "1"}'])
def test_a_started_run_whose_engine_cannot_be_told_is_killed(run: Run, content: bytes) -> None:
    run.engine_path.write_bytes(content)
    write_journal(run, started_record())
    assert run_status(run).state == "killed"


# Another host.


@pytest.fixture
def run_elsewhere(run: Run) -> Run:
    engine = EngineProcess(pid=os.getpid(), process_started=0.0, host=ANOTHER_HOST)
    write_engine_process(run, engine)
    write_journal(run, started_record(host=ANOTHER_HOST), epoch_record(1))
    return run


def test_a_run_of_another_host_is_live_as_long_as_its_journal_moves(run_elsewhere: Run) -> None:
    assert run_status(run_elsewhere).state == "live"


def test_a_run_of_another_host_whose_journal_is_silent_is_lost(run_elsewhere: Run) -> None:
    make_older(run_elsewhere.journal_path, 3600)
    assert run_status(run_elsewhere).state == "lost"
    assert not run_status(run_elsewhere).is_live


def test_a_run_that_finished_on_another_host_is_finished(run_elsewhere: Run) -> None:
    write_journal(run_elsewhere, finished_record())
    make_older(run_elsewhere.journal_path, 3600)
    assert run_status(run_elsewhere).state == "finished"


def test_the_engines_file_says_which_process_of_which_host_it_is(
    run: Run, process: Process
) -> None:
    write_engine_process(run, engine_process(process.pid))
    written = msgspec.json.decode(run.engine_path.read_bytes())
    assert written["pid"] == process.pid
    assert written["host"] == socket.gethostname()
    assert {path.name for path in run.path.iterdir()} == {
        "settings.toml",
        "control",
        "engine.json",
    }


# Resumed.


def test_a_run_that_was_resumed_after_its_end_is_not_finished(run: Run) -> None:
    write_engine_process(run, engine_process())
    write_journal(run, started_record(), epoch_record(1), finished_record("stopped"))
    write_journal(run, RunResumed(epoch=1))
    assert run_status(run).state == "live"
    write_journal(run, epoch_record(2))
    assert run_status(run).state == "live"


def test_a_run_that_was_resumed_and_ended_again_is_finished_for_the_last_reason(run: Run) -> None:
    write_journal(
        run,
        started_record(),
        epoch_record(1),
        finished_record("stopped"),
        RunResumed(epoch=1),
        finished_record("failed"),
    )
    assert run_status(run).reason == "failed"


def test_epochs_that_resuming_made_void_are_not_the_last(run: Run) -> None:
    write_journal(run, started_record(), *(epoch_record(epoch) for epoch in range(1, 6)))
    write_journal(run, RunResumed(epoch=3))
    assert summarise(run).last_epoch == epoch_record(3)


# Summaries.


def test_a_summary_holds_the_first_and_last_records(run: Run) -> None:
    epochs = [epoch_record(epoch) for epoch in range(1, 1001)]
    write_journal(run, started_record(), *epochs, Warned(message="m"), finished_record())

    summary = summarise(run)

    assert summary.run == run
    assert summary.started == started_record()
    assert summary.last_epoch == epochs[-1]
    assert summary.finished == finished_record()


def test_a_summary_of_a_run_that_has_written_nothing_is_empty(run: Run) -> None:
    summary = summarise(run)
    assert (summary.started, summary.last_epoch, summary.finished) == (None, None, None)


def test_a_summary_of_a_torn_journal_is_that_of_its_whole_lines(run: Run) -> None:
    write_journal(run, started_record(), epoch_record(1))
    with run.journal_path.open("ab") as journal:
        journal.write(b'{"event":"epoch_completed","epo')
    assert summarise(run).last_epoch == epoch_record(1)
