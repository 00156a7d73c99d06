"""Commands for runs that are live or were: pause, tune, checkpoint, stop and resume, on engines."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from epochtop.core import Run, load_checkpoint, resolve_settings
from epochtop.core.engine.launch import launch
from epochtop.core.events import (
    EpochCompleted,
    Event,
    Paused,
    Resumed,
    RunResumed,
    SettingChanged,
)
from epochtop.core.run.directory import create_run
from epochtop.core.run.status import read_engine_process, run_status
from epochtop.tui.asking import resumption

from ..core.engines import ENDLESS, endings, events_of, wait_for_epoch
from ..core.forked_engines import Engine, EngineServer
from ..records import epoch_record, started_record
from ..waiting import wait_for
from .app_driver import finished_run
from .command_line import epochtop, sets
from .conftest import InThisProcess

RUN = "a"
HOWS: list[tuple[str, ...]] = [(), ("--background",)]
# A first checkpoint as soon as there is something to save.
SOON = {"epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER": 0.0}


def of_kind(run: Run, *kinds: type[Event]) -> list[Event]:
    return [event for event in events_of(run) if isinstance(event, kinds)]


def last_epoch(run: Run) -> int:
    return max(event.epoch for event in events_of(run) if isinstance(event, EpochCompleted))


@pytest.fixture
def endless(tmp_path: Path, engines: EngineServer) -> Iterator[tuple[Run, Engine]]:
    """A run at work that only ends when somebody ends it."""
    run = create_run(tmp_path / "runs", resolve_settings(overrides=ENDLESS), RUN)
    engine = engines.start(run, patches=SOON)
    wait_for_epoch(run)
    yield run, engine
    engine.kill()


@pytest.fixture
def killed(endless: tuple[Run, Engine]) -> Run:
    """A run whose engine was killed after it had written a checkpoint."""
    run, engine = endless
    wait_for((run.path / "last.pt").exists, "a checkpoint")
    wait_for_epoch(run, last_epoch(run) + 1)
    engine.kill()
    return run


@pytest.fixture
def launches_at_once(monkeypatch: pytest.MonkeyPatch, engines: EngineServer) -> None:
    """A run in the background does not wait for its engine to load torch."""

    def launch_forked(run: Run, overrides: Iterable[str] = ()) -> Engine:
        return engines.start(run, *overrides)

    monkeypatch.setattr(resumption, "launch", launch_forked)


class TestALiveRun:
    def test_ends_as_stopped_after_its_epoch(
        self, endless: tuple[Run, Engine], in_this_process: InThisProcess
    ) -> None:
        run, engine = endless

        result = in_this_process("stop", RUN)

        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == f"{run.name}: asked to stop after this epoch\n"
        assert engine.wait() == 0
        assert [finished.reason for finished in endings(run)] == ["stopped"]

    def test_can_be_paused_and_stopped_while_it_is(
        self, endless: tuple[Run, Engine], in_this_process: InThisProcess
    ) -> None:
        run, engine = endless

        paused = in_this_process("pause", RUN)
        assert (paused.returncode, paused.stderr) == (0, "")
        assert paused.stdout.startswith(f"{run.name}: paused after epoch ")
        assert in_this_process("runs").stdout.splitlines()[1].split()[1] == "paused"
        assert [item["paused"] for item in json.loads(in_this_process("runs", "--json").stdout)]
        assert "paused at epoch" in in_this_process("show", RUN).stdout

        stopped = in_this_process("stop", RUN)
        assert (stopped.returncode, stopped.stderr) == (0, "")
        assert engine.wait() == 0
        (finished,) = endings(run)
        assert finished.reason == "stopped"
        assert "paused" not in in_this_process("runs").stdout

    def test_is_tuned_and_saved_while_paused_and_then_goes_on(
        self, endless: tuple[Run, Engine], in_this_process: InThisProcess
    ) -> None:
        run, _ = endless
        in_this_process("pause", RUN)

        tuned = in_this_process("tune", RUN, "optim.lr=0.005", "stopping.patience=900000")
        saved = in_this_process("checkpoint", RUN)
        going_on = in_this_process("resume", RUN, "--set", "optim.weight_decay=0.1")

        assert tuned.stdout.splitlines() == [
            f"{run.name}: optim.lr is 0.005 now, was 0.01 (on request)",
            f"{run.name}: stopping.patience is 900000 now, was 0 (on request)",
        ]
        assert saved.stdout.startswith(f"{run.name}: saved last.pt (epoch ")
        decayed, resumed = going_on.stdout.splitlines()
        assert decayed.endswith("optim.weight_decay is 0.1 now, was 0.0 (on request)")
        assert resumed.startswith(f"{run.name}: goes on after epoch ")
        assert [going_on.returncode, saved.returncode, tuned.returncode] == [0, 0, 0]
        kinds = [type(event) for event in of_kind(run, Paused, SettingChanged, Resumed)]
        assert kinds == [Paused, *[SettingChanged] * 3, Resumed]
        wait_for_epoch(run, last_epoch(run) + 1)

    def test_says_what_kept_it_from_writing_a_checkpoint(
        self, endless: tuple[Run, Engine], in_this_process: InThisProcess
    ) -> None:
        run, _ = endless
        in_this_process("pause", RUN)
        for name in ("best.pt", "last.pt"):
            (run.path / name).unlink(missing_ok=True)
            (run.path / name).mkdir()

        result = in_this_process("checkpoint", RUN)

        assert (result.returncode, result.stdout) == (1, "")
        assert ".pt was not saved: " in result.stderr

    def test_is_not_resumed_a_second_time(
        self, endless: tuple[Run, Engine], in_this_process: InThisProcess
    ) -> None:
        run, _ = endless
        for how in HOWS:
            result = in_this_process("resume", RUN, *how)
            assert (result.returncode, result.stdout) == (2, "")
            assert result.stderr == f"epochtop: run {run.name} is live already\n"

    def test_stays_the_one_that_is_known_when_a_second_engine_is_refused(
        self, endless: tuple[Run, Engine]
    ) -> None:
        run, engine = endless

        second = launch(run)

        assert second.wait() == 2
        assert f"process {engine.pid} on " in run.log_path.read_text()
        known = read_engine_process(run)
        assert known is not None
        assert known.pid == engine.pid
        assert run_status(run).state == "live"


class TestResume:
    def test_goes_on_with_a_killed_run_and_says_from_where_and_with_what(
        self, killed: Run, in_this_process: InThisProcess
    ) -> None:
        kept = load_checkpoint(killed.path / "last.pt")["epoch"]
        epochs = kept + 3

        result = in_this_process("resume", RUN, *sets(f"train.epochs={epochs}", "optim.lr=0.001"))

        assert (result.returncode, result.stderr) == (0, "")
        run, resumed, *lines = result.stdout.splitlines()
        assert run == f"run {killed.path}"
        assert resumed.startswith(f"resumed after epoch {kept}")
        assert resumed.endswith(": restored last.pt")
        assert lines[:2] == [
            f"train.epochs is {epochs} now, was 1000000 (on resume)",
            "optim.lr is 0.001 now, was 0.01 (on resume)",
        ]
        told = [line.split()[1] for line in lines if line.startswith("epoch ")]
        assert told == [f"{number}/{epochs}" for number in range(kept + 1, epochs + 1)]
        assert f"completed after epoch {epochs}: all {epochs} epochs are done" in lines
        assert any("┤" in line for line in lines)

        times = [event.time for event in of_kind(killed, RunResumed, SettingChanged)]
        assert times == sorted(times)

    def test_prints_the_records_that_it_adds_to_the_journal_as_json(
        self, killed: Run, in_this_process: InThisProcess
    ) -> None:
        before = killed.journal_path.read_text()
        epochs = load_checkpoint(killed.path / "last.pt")["epoch"] + 2

        result = in_this_process("resume", RUN, "--set", f"train.epochs={epochs}", "--json")

        assert (result.returncode, result.stderr) == (0, "")
        assert before + result.stdout == killed.journal_path.read_text()
        assert json.loads(result.stdout.splitlines()[0])["event"] == "run_resumed"

    def test_in_the_background_returns_once_the_run_goes_on(
        self, killed: Run, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        kept = load_checkpoint(killed.path / "last.pt")["epoch"]
        try:
            overrides = sets("optim.lr=0.001")
            result = epochtop("resume", RUN, "--background", *overrides, cwd=tmp_path)
            assert run_status(killed).state == "live"
            wait_for_epoch(killed, kept + 1)
        finally:
            in_this_process("stop", RUN, "--now")

        assert (result.returncode, result.stderr) == (0, "")
        resumed, changed = result.stdout.splitlines()
        assert resumed.startswith(f"{killed.name}: resumed after epoch {kept}")
        assert changed == f"{killed.name}: optim.lr is 0.001 now, was 0.01 (on resume)"
        wait_for(lambda: not run_status(killed).is_live, "the run's end")

    @pytest.mark.usefixtures("launches_at_once")
    def test_of_a_run_that_has_trained_all_says_how_it_would_go_on_and_is_no_error(
        self, tmp_path: Path, engines: EngineServer, in_this_process: InThisProcess
    ) -> None:
        run = create_run(tmp_path / "runs", resolve_settings(preset="basic"), RUN)
        assert engines.start(run).wait() == 0
        before = run.journal_path.read_text()

        results = [in_this_process("resume", RUN, *how) for how in HOWS]

        for result in results:
            assert (result.returncode, result.stdout) == (0, "")
            message, hint = result.stderr.splitlines()
            assert message == f"run {run.name} has nothing left to train: all 5 epochs are done"
            assert f"epochtop resume {run.name} --set train.epochs=N" in hint
        assert run.journal_path.read_text() == before

    @pytest.mark.usefixtures("launches_at_once")
    def test_in_the_background_says_what_the_engine_says_when_the_run_does_not_go_on(
        self, tmp_path: Path, engines: EngineServer, in_this_process: InThisProcess
    ) -> None:
        table = tmp_path / "data.csv"
        table.write_text("a,y\n" + "1.5,no\n2.5,yes\n" * 20)
        overrides = [f"data.source={table}", "data.target=y", "train.epochs=1"]
        run = create_run(tmp_path / "runs", resolve_settings(overrides=overrides), RUN)
        assert engines.start(run).wait() == 0
        table.unlink()
        before = run.journal_path.read_text()

        result = in_this_process("resume", RUN, "--background")

        assert (result.returncode, result.stdout) == (2, "")
        (message,) = result.stderr.splitlines()
        assert message.startswith("epochtop: ")
        assert "data.csv" in message
        assert run.journal_path.read_text() == before

    @pytest.mark.parametrize("how", HOWS, ids=str)
    @pytest.mark.parametrize(
        ("override", "names"),
        [
            ("model.hidden=3", ["model.hidden", "fixed", "train.epochs"]),
            ("train.epochs=0", ["train.epochs", '"0"', "from 1"]),
            ("optim.lrr=1", ["--set optim.lrr", "optim.lr (did you mean this?)"]),
        ],
    )
    def test_refuses_settings_that_cannot_change_before_anything_is_loaded(
        self,
        override: str,
        names: list[str],
        how: tuple[str, ...],
        tmp_path: Path,
        in_this_process: InThisProcess,
    ) -> None:
        run = finished_run(tmp_path / "runs", started_record(), epoch_record(1))

        result = in_this_process("resume", run.name, "--set", override, *how)

        assert (result.returncode, result.stdout) == (2, "")
        assert all(name in result.stderr for name in names), result.stderr
        assert len(result.stderr.splitlines()) == 1

    @pytest.mark.parametrize("how", HOWS, ids=str)
    def test_of_a_run_that_never_began_is_an_error(
        self, how: tuple[str, ...], tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        run = finished_run(tmp_path / "runs")

        result = in_this_process("resume", run.name, *how)

        assert (result.returncode, result.stdout) == (2, "")
        assert "a run that began" in result.stderr
