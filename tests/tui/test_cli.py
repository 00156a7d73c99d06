"""The command line: what it prints and how it ends, as a process where that matters."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from epochtop.core import find_run, list_runs, resolve_settings
from epochtop.core.engine.process import train_here
from epochtop.core.run.status import run_status

from ..core.engines import ENDLESS, endings, wait_for_epoch
from ..records import epoch_record, finished_record, started_record
from ..waiting import wait_for
from .app_driver import finished_run
from .command_line import EPOCHTOP, epochtop, sets
from .conftest import InThisProcess

MESSY_CSV = """\ufeffname,"city, country",age,income,bought
"Smith, John","Paris, France",34,"50,000",yes
Ann,"Rome, Italy",,41000,no
"O""Neil","Paris, France",51,NA,yes
Zoë,,29,38000,no
Bob,"Oslo, Norway",44,61000,yes
Eve,"Rome, Italy",38,,no
"""


@pytest.fixture
def messy_csv(tmp_path: Path) -> Path:
    header, *rows = MESSY_CSV.splitlines(keepends=True)
    path = tmp_path / "messy.csv"
    path.write_text(header + "".join(rows) * 10, encoding="utf-8")
    return path


class TestTrain:
    def test_prints_a_line_an_epoch_a_curve_and_a_summary(self, tmp_path: Path) -> None:
        result = epochtop("train", "--preset", "basic", cwd=tmp_path)

        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        epochs = [line for line in lines if line.startswith("epoch ")]
        assert [line.split()[1] for line in epochs] == [f"{epoch}/5" for epoch in range(1, 6)]
        assert "completed after epoch 5" in result.stdout
        assert ". train loss   x validation loss   O best" in lines
        assert any("┤" in line for line in lines)
        assert "\x1b" not in result.stdout
        (run,) = list_runs(tmp_path / "runs")
        assert str(run.path / "best.pt") in result.stdout

    def test_prints_the_journals_own_records_as_json_and_nothing_else(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("train", "--preset", "early-stopping", "--json")

        (run,) = list_runs(tmp_path / "runs")
        assert result.stdout == run.journal_path.read_text()
        events = [json.loads(line)["event"] for line in result.stdout.splitlines()]
        assert events[0] == "run_started"
        assert events[-1] == "run_finished"
        assert events.count("run_finished") == 1

    def test_layers_a_file_over_a_preset_and_what_is_set_over_both(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        (tmp_path / "s.toml").write_text("[train]\nepochs = 3\n[optim]\nlr = 0.5\n")

        result = in_this_process(
            *("train", "s.toml", "--preset", "basic", "--json"),
            *sets("optim.lr=0.25", "train.seed=7"),
        )

        settings = json.loads(result.stdout.splitlines()[0])["settings"]
        assert settings["data"]["source"] == "synthetic"
        train = settings["train"]
        assert (train["epochs"], train["batch_size"], train["seed"]) == (3, 32, 7)
        assert settings["optim"]["lr"] == 0.25

    def test_a_run_can_be_repeated_from_its_own_settings_file(
        self,
        tmp_path: Path,
        messy_csv: Path,
        in_this_process: InThisProcess,
    ) -> None:
        common = ("--data", messy_csv.name, "--target", "bought", "--json", *sets("train.epochs=3"))
        first = in_this_process("train", *common)
        (run,) = list_runs(tmp_path / "runs")
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()

        second = in_this_process("train", str(run.settings_path), "--json", cwd=elsewhere)

        assert second.returncode == 0, second.stderr
        assert losses(first.stdout) == losses(second.stdout)

    def test_trains_on_a_csv_with_text_gaps_quoted_commas_and_a_byte_order_mark(
        self, messy_csv: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process(
            *("train", "--data", str(messy_csv), "--target", "bought", "--json"),
            *sets("train.epochs=30", "stopping.patience=0"),
        )

        assert result.returncode == 0, result.stderr
        started, *_ = map(json.loads, result.stdout.splitlines())
        assert (started["num_train"], started["num_val"]) == (48, 12)
        assert started["classes"] == ["no", "yes"]
        assert started["problem"] == "classification"
        train_losses = losses(result.stdout)
        assert train_losses[-1] < train_losses[0] / 4

    def test_names_the_run(self, tmp_path: Path, in_this_process: InThisProcess) -> None:
        in_this_process("train", "--preset", "basic", "--name", "first-try")

        assert find_run("first-try", tmp_path / "runs").name.endswith("-first-try")

    @pytest.mark.parametrize(
        ("content", "target", "names"),
        [
            (None, "y", ["missing.csv"]),
            (b"", "y", ["data.csv", "empty"]),
            (b"a,y\n1,0\n2,1\n3,0\n", "z", ["data.csv", "'z'", "'y'"]),
            (b"a,y\n1,5\n2,5\n3,5\n", "y", ["data.csv", "'y'"]),
            (b"a,y\n1,0\n2,\n3,1\n", "y", ["data.csv", "'y'", "line 3"]),
            (b"a,y\n1,0\n2,1,9\n3,1\n", "y", ["data.csv", "line 3", "3 cells"]),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "y", ["data.csv"]),
        ],
        ids=[
            *("no such file", "an empty file", "no such column", "a column of one value"),
            *("a target with missing cells", "rows of unequal length", "a binary file"),
        ],
    )
    def test_wrong_data_are_one_message_exit_code_2_and_no_run(
        self,
        content: bytes | None,
        target: str,
        names: list[str],
        tmp_path: Path,
        in_this_process: InThisProcess,
    ) -> None:
        name = "missing.csv"
        if content is not None:
            name = "data.csv"
            (tmp_path / name).write_bytes(content)

        result = in_this_process("train", "--data", name, "--target", target)

        assert result.returncode == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
        for expected in names:
            assert expected in result.stderr
        assert not (tmp_path / "runs").exists()

    def test_all_wrong_settings_of_a_file_are_reported_at_once(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        (tmp_path / "s.toml").write_text("[optim]\nlr = -1\n[trian]\n[model]\nkindd = 'mlp'\n")

        result = in_this_process("train", "s.toml")

        assert result.returncode == 2
        assert "s.toml:2: optim.lr: found -1; allowed: a number greater than 0" in result.stderr
        assert "s.toml:3: trian: found an unknown section" in result.stderr
        assert "s.toml:5: model.kindd: found an unknown setting" in result.stderr
        assert "model.kind (did you mean this?)" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--set", "optim.lr=fast"),
            ("--set", "nonsense"),
            ("--preset", "none"),
            ("--name", "../up"),
            ("no-such-file.toml",),
            ("data.csv",),
            ("--set", "train.device=cuda:99"),
            ("--no-such-option",),
        ],
    )
    def test_a_wrong_command_ends_with_code_2_and_no_traceback(
        self, arguments: tuple[str, ...], tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("train", *arguments)

        assert result.returncode == 2
        assert result.stderr
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "runs").exists()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it_with_the_signals_code_and_a_saved_run(
        self, number: signal.Signals, tmp_path: Path
    ) -> None:
        with subprocess.Popen(
            [*EPOCHTOP, "train", *sets(*ENDLESS)],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            wait_for(lambda: list_runs(tmp_path / "runs"), "a run")
            (run,) = list_runs(tmp_path / "runs")
            wait_for_epoch(run)
            process.send_signal(number)
            _, errors = process.communicate()

        assert process.returncode == 128 + number
        assert b"Traceback" not in errors
        assert [finished.reason for finished in endings(run)] == ["interrupted"]
        assert (run.path / "best.pt").exists()

    def test_goes_on_when_nobody_reads_what_it_prints(self, tmp_path: Path) -> None:
        read, write = os.pipe()
        with subprocess.Popen(
            [*EPOCHTOP, "train", "--preset", "early-stopping"],
            cwd=tmp_path,
            stdout=write,
            stderr=subprocess.PIPE,
        ) as process:
            os.close(write)
            os.close(read)
            _, errors = process.communicate()

        assert (process.returncode, errors) == (0, b"")
        (run,) = list_runs(tmp_path / "runs")
        assert [finished.reason for finished in endings(run)] == ["early_stopped"]


class TestDemo:
    def test_without_a_terminal_it_trains_the_default_run_and_prints(
        self, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("demo")

        assert result.returncode == 0, result.stderr
        assert "digits: 1,437 training and 360 validation rows" in result.stdout
        assert "stopped early after epoch" in result.stdout


class TestStart:
    def test_prints_the_directory_of_a_run_that_goes_on(self, tmp_path: Path) -> None:
        result = epochtop("start", *sets(*ENDLESS), cwd=tmp_path)

        (run,) = list_runs(tmp_path / "runs")
        try:
            assert result.returncode == 0, result.stderr
            assert Path(result.stdout.strip()) == run.path
            assert run_status(run).is_live
        finally:
            stopped = epochtop("stop", run.name, "--now", cwd=tmp_path)
        assert stopped.returncode == 0
        wait_for(lambda: not run_status(run).is_live, "the run's end")
        assert [finished.reason for finished in endings(run)] == ["stopped"]

    def test_wrong_data_are_said_at_once_and_leave_nothing(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        (tmp_path / "data.csv").write_text("a,y\n1,0\n2,1,1\n")

        result = in_this_process("start", "--data", "data.csv", "--target", "y")

        assert result.returncode == 2
        assert result.stdout == ""
        assert "line 3" in result.stderr
        assert list_runs(tmp_path / "runs") == []


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a completed run and a killed one."""
    home = tmp_path_factory.mktemp("home")
    train_here(resolve_settings(preset="basic"), home / "runs", "done", lambda _: lambda _: None)
    finished_run(home / "runs", started_record(), epoch_record(1), name="dead")
    return home


class TestRunsAndShow:
    def test_runs_lists_each_with_its_state(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        lines = in_this_process("runs", cwd=two_runs).stdout.splitlines()

        assert len(lines) == 3
        assert "completed" in lines[1]
        assert "5/5" in lines[1]
        assert "killed" in lines[2]

    def test_runs_as_json_is_one_list(self, two_runs: Path, in_this_process: InThisProcess) -> None:
        done, dead = json.loads(in_this_process("runs", "--json", cwd=two_runs).stdout)

        assert (done["state"], done["reason"], done["epoch"]) == ("finished", "completed", 5)
        assert (dead["state"], dead["reason"]) == ("killed", None)

    def test_runs_without_any_says_how_to_start_one(self, in_this_process: InThisProcess) -> None:
        result = in_this_process("runs")

        assert result.returncode == 0
        assert "epochtop demo" in result.stdout

    def test_runs_as_json_without_any_is_an_empty_list(
        self, in_this_process: InThisProcess
    ) -> None:
        assert json.loads(in_this_process("runs", "--json").stdout) == []

    def test_show_prints_the_summary_and_the_curve(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("show", "done", cwd=two_runs)

        assert "completed after epoch 5" in result.stdout
        assert "best validation loss" in result.stdout
        assert "┤" in result.stdout

    def test_show_as_json_agrees_with_the_journal(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        run = find_run("done", two_runs / "runs")
        shown = json.loads(in_this_process("show", "done", "--json", cwd=two_runs).stdout)

        (finished,) = endings(run)
        assert shown["run"] == run.name
        assert (shown["best_loss"], shown["best_epoch"]) == (
            finished.best_loss,
            finished.best_epoch,
        )
        assert shown["settings"]["data"]["source"] == "synthetic"

    def test_show_of_an_unknown_run_names_what_there_is(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("show", "nothing", cwd=two_runs)

        assert result.returncode == 2
        assert "-done" in result.stderr

    def test_watch_without_a_terminal_prints_the_run(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        result = in_this_process("watch", "done", cwd=two_runs)

        assert result.returncode == 0
        assert "epoch 5/5" in result.stdout
        assert "completed after epoch 5" in result.stdout

    def test_the_place_of_the_runs_is_an_option_of_the_program_and_of_each_command(
        self, two_runs: Path, in_this_process: InThisProcess
    ) -> None:
        runs = str(two_runs / "runs")

        before = in_this_process("--runs", runs, "runs")
        after = in_this_process("runs", "--runs", runs)

        assert before.stdout == after.stdout
        assert "completed" in after.stdout

    def test_the_place_of_the_runs_comes_from_the_environment(
        self, two_runs: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: InThisProcess
    ) -> None:
        monkeypatch.setenv("EPOCHTOP_RUNS", str(two_runs / "runs"))

        assert "completed" in in_this_process("runs").stdout


class TestTheScreen:
    def test_without_a_terminal_is_refused_with_what_to_do_instead(self, tmp_path: Path) -> None:
        result = epochtop(cwd=tmp_path)

        assert result.returncode == 2
        assert "epochtop train" in result.stderr


class TestHelp:
    def test_names_every_command(self, in_this_process: InThisProcess) -> None:
        text = in_this_process("--help").stdout

        training = ("demo", "train", "start", "resume", "lr-find")
        control = ("stop", "pause", "checkpoint", "tune")
        for command in (*training, *control, "watch", "runs", "show"):
            assert f"\n  {command} " in text

    def test_of_train_names_every_setting(self, in_this_process: InThisProcess) -> None:
        from epochtop.core.settings.fields import setting_fields

        text = in_this_process("train", "--help").stdout

        for field in setting_fields():
            assert field.path in text


def losses(json_lines: str) -> list[float]:
    records = map(json.loads, json_lines.splitlines())
    return [record["train_loss"] for record in records if record["event"] == "epoch_completed"]


class TestOddStreams:
    def test_json_is_ascii_whatever_the_data_are_called(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        rows = "".join(f"{n},{'p­q' if n % 2 else 'é'}\n" for n in range(20))
        (tmp_path / "é.csv").write_text(f"a,y\n{rows}", encoding="utf-8")

        result = in_this_process(
            *("train", "--data", "é.csv", "--target", "y", "--json"), *sets("train.epochs=1")
        )

        assert result.stdout.isascii()
        assert json.loads(result.stdout.splitlines()[0])["classes"] == ["p\u00adq", "é"]

    def test_a_stdout_without_unicode_gets_the_text_spelled_out(
        self, two_runs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")

        result = epochtop("show", "done", cwd=two_runs)

        assert result.returncode == 0, result.stderr
        assert "completed after epoch 5" in result.stdout

    def test_a_stdout_that_is_closed_from_the_start_costs_nothing(self, tmp_path: Path) -> None:
        result = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&-', "sh", *EPOCHTOP, "train", "--preset", "basic"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

        assert (result.returncode, result.stderr) == (0, "")
        (run,) = list_runs(tmp_path / "runs")
        assert [finished.reason for finished in endings(run)] == ["completed"]

    def test_a_full_stdout_is_an_error(self, two_runs: Path) -> None:
        with Path("/dev/full").open("w") as full:
            result = subprocess.run(
                [*EPOCHTOP, "show", "done"],
                cwd=two_runs,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )

        assert result.returncode == 1
        assert "No space left" in result.stderr
        assert "Traceback" not in result.stderr


class TestOddRuns:
    @pytest.mark.parametrize(
        "journal",
        [
            b'{"event":"run_started","time":1e300,"run":"x","settings":{},"num_train":1,'
            b'"num_val":1,"num_parameters":1,"baseline_loss":null,"device":"cpu","host":"h",'
            b'"pid":1,"process_started":0,"versions":{},"problem":"p","num_features":1}\n',
            b"\x00\xff\n{}\n[]\n",
            None,
        ],
        ids=["of no settings and no date", "garbage", "a directory"],
    )
    def test_a_journal_that_says_nothing_sensible_hides_no_other_run(
        self, journal: bytes | None, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        odd = tmp_path / "runs" / "20200101-000000-odd"
        odd.mkdir(parents=True)
        (odd / "settings.toml").write_text("")
        if journal is None:
            (odd / "journal.jsonl").mkdir()
        else:
            (odd / "journal.jsonl").write_bytes(journal)
        finished_run(tmp_path / "runs", started_record(), finished_record(), name="good")

        listed = in_this_process("runs")
        shown = in_this_process("show", "odd")

        assert listed.returncode == 0, listed.stderr
        assert "odd" in listed.stdout
        assert "good" in listed.stdout
        assert shown.returncode == 0, shown.stderr

    def test_two_runs_of_one_name_are_not_taken_for_each_other(
        self, tmp_path: Path, in_this_process: InThisProcess
    ) -> None:
        for second in ("20200101-000000-twin", "20200101-000000-twin~2"):
            directory = tmp_path / "runs" / second
            directory.mkdir(parents=True)
            (directory / "settings.toml").write_text("")

        result = in_this_process("show", "twin")

        assert result.returncode == 2
        assert "which one?" in result.stderr
