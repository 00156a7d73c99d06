import re
import time
from pathlib import Path

import pytest

from epochtop.core.errors import EpochtopError, RunError
from epochtop.core.run.directory import Run, create_run, default_label, find_run, list_runs
from epochtop.core.settings.declaration import DataSettings, ModelSettings, Settings, TrainSettings
from epochtop.core.settings.toml_file import read_settings


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs of the test are created in the same second."""
    second = time.strptime("2026-11-23 14:05:01", "%Y-%m-%d %H:%M:%S")
    strftime = time.strftime
    monkeypatch.setattr(
        "epochtop.core.run.directory.time.strftime", lambda format_, *_: strftime(format_, second)
    )


def make_run(runs: Path, name: str) -> Run:
    """A run's directory of just this name."""
    run = Run(runs / name)
    run.path.mkdir(parents=True)
    run.journal_path.touch()
    return run


def refusal(text: str, runs: Path) -> str:
    with pytest.raises(RunError) as caught:
        find_run(text, runs)
    return str(caught.value)


# Create.


def test_a_new_runs_settings_read_back_the_same(runs: Path) -> None:
    settings = Settings(train=TrainSettings(epochs=7), model=ModelSettings(hidden=(3,)))
    assert read_settings(create_run(runs, settings).settings_path) == settings


def test_a_new_run_has_its_control_directory(runs: Path) -> None:
    assert create_run(runs, Settings()).control_path.is_dir()


def test_a_new_run_is_called_after_its_time_its_data_and_its_model(runs: Path) -> None:
    run = create_run(runs, Settings())
    assert re.fullmatch(r"\d{8}-\d{6}-digits-mlp", run.name)
    assert run.label == "digits-mlp"
    assert run.path.parent == runs


def test_a_new_run_of_a_name_is_called_so(runs: Path) -> None:
    assert create_run(runs, Settings(), "my.try_2").label == "my.try_2"


def test_the_runs_directory_is_made_with_those_above_it(tmp_path: Path) -> None:
    run = create_run(tmp_path / "a" / "b", Settings())
    assert list_runs(tmp_path / "a" / "b") == [run]


def test_a_runs_path_is_absolute_and_so_is_its_data_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = create_run(Path("runs"), Settings(data=DataSettings(source="table.csv", target="y")))
    assert run.path.is_absolute()
    assert read_settings(run.settings_path).data.source == str(tmp_path / "table.csv")


@pytest.mark.usefixtures("one_second")
def test_runs_of_one_second_get_directories_of_their_own_and_sort_as_they_were_made(
    runs: Path,
) -> None:
    made = [create_run(runs, Settings()) for _ in range(12)]
    assert len({run.path for run in made}) == 12
    assert list_runs(runs) == made


@pytest.mark.usefixtures("one_second")
def test_runs_of_one_second_and_different_names_sort_as_they_were_made(runs: Path) -> None:
    made = [create_run(runs, Settings(), name) for name in ("b", "a", "b", "c", "a")]
    assert list_runs(runs) == made


def test_runs_of_different_seconds_sort_by_time_whatever_they_are_called(runs: Path) -> None:
    later = make_run(runs, "20261123-140502-a")
    earlier = make_run(runs, "20261123-140501-b~2")
    unstamped = make_run(runs, "c")
    assert list_runs(runs) == [unstamped, earlier, later]


@pytest.mark.parametrize("name", ["a", "A1", "_x", "lr=0.1,wd=0", "v1.0+b=2", "x" * 100])
def test_a_name_may_hold_letters_digits_and_some_signs(runs: Path, name: str) -> None:
    assert create_run(runs, Settings(), name).name.endswith(f"-{name}")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", ".x", "a/b", "../a", "a b", "a\n", "\x1b[31m", "\0", "x" * 101]
)
def test_any_other_name_is_refused_and_leaves_nothing_behind(runs: Path, name: str) -> None:
    with pytest.raises(RunError, match=r"--name: found (?s:.*); allowed: 1 to 100 letters"):
        create_run(runs, Settings(), name)
    assert not runs.exists()


def test_a_file_in_the_place_of_the_runs_directory_is_named(runs: Path) -> None:
    runs.touch()
    with pytest.raises(RunError, match=re.escape(str(runs))):
        create_run(runs, Settings())


def test_a_file_above_the_runs_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot create a run here: Not a directory"):
        create_run(tmp_path / "file" / "runs", Settings())


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("iris", "iris-mlp"),
        ("/data/my table (1).csv", "my_table_1_-mlp"),
        ("b.parquet", "b-mlp"),
        ("../data.v2.npz", "data.v2-mlp"),
        ("\N{SNOWMAN}.csv", "_-mlp"),
    ],
)
def test_a_run_without_a_name_is_called_after_its_data(source: str, label: str) -> None:
    assert default_label(Settings(data=DataSettings(source=source))) == label


def test_a_data_file_of_the_longest_name_gives_a_run_all_the_same(runs: Path) -> None:
    source = f"/data/{'x' * 251}.csv"
    assert create_run(runs, Settings(data=DataSettings(source=source))).settings_path.is_file()


def test_a_data_file_whose_name_is_not_utf8_is_taken_or_refused_in_a_sentence(runs: Path) -> None:
    # Python spells a byte that is not UTF-8 in a path as a lone surrogate.
    settings = Settings(data=DataSettings(source="/data/caf\udce9.csv"))
    try:
        run = create_run(runs, settings)
    except EpochtopError as error:
        assert "data.source" in str(error)  # noqa: PT017 - either way will do
        assert list_runs(runs) == []
    else:
        assert read_settings(run.settings_path) == settings


# Find.


def test_a_run_is_found_by_its_directory(runs: Path, tmp_path: Path) -> None:
    run = create_run(runs, Settings())
    assert find_run(str(run.path), tmp_path / "elsewhere") == run


def test_a_run_is_found_by_a_relative_directory(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(runs, Settings())
    monkeypatch.chdir(tmp_path)
    assert find_run(f"runs/{run.name}", Path("elsewhere")) == run


@pytest.mark.parametrize(
    "text", ["20261123-140501-digits-mlp", "digits-mlp", "20261123-1405", "digits"]
)
def test_a_run_is_found_by_its_name_its_label_and_the_start_of_either(
    runs: Path, text: str
) -> None:
    run = make_run(runs, "20261123-140501-digits-mlp")
    make_run(runs, "20261124-140501-iris-mlp")
    assert find_run(text, runs) == run


def test_a_whole_name_goes_before_the_start_of_a_longer_one(runs: Path) -> None:
    longer = make_run(runs, "20261123-140501-digits-mlp~2")
    run = make_run(runs, "20261123-140501-digits-mlp")
    assert find_run(run.name, runs) == run
    assert find_run(longer.name, runs) == longer


def test_a_whole_label_goes_before_the_start_of_a_longer_one(runs: Path) -> None:
    run = make_run(runs, "20261123-140501-try")
    make_run(runs, "20261123-140502-try2")
    assert find_run("try", runs) == run


def test_an_ambiguous_text_is_answered_with_the_runs_it_may_mean(runs: Path) -> None:
    first = make_run(runs, "20261123-140501-digits-mlp")
    second = make_run(runs, "20261123-140502-digits-mlp")
    other = make_run(runs, "20261123-140503-iris-mlp")

    message = refusal("digits-mlp", runs)

    assert message.splitlines() == [
        'run "digits-mlp": 2 runs are called so; which one?',
        f"  {first.name}",
        f"  {second.name}",
    ]
    assert other.name not in message


def test_a_missing_run_is_answered_with_the_newest_ones(runs: Path) -> None:
    made = [make_run(runs, f"20261123-1405{second:02}-digits-mlp") for second in range(12)]
    message = refusal("wine", runs)
    assert message.startswith(f'run "wine": not found in {runs}')
    assert message.splitlines()[1:] == [f"  {run.name}" for run in made[2:]]


def test_a_missing_run_among_none_is_answered_so(runs: Path) -> None:
    assert refusal("wine", runs) == f'run "wine": there is no run in {runs}'


@pytest.mark.parametrize("text", ["", "x" * 300, "a\0b", "a/b", "*", "["])
def test_any_text_is_answered_with_a_sentence(runs: Path, text: str) -> None:
    make_run(runs, "20261123-140501-digits-mlp")
    make_run(runs, "20261123-140502-digits-mlp")
    assert refusal(text, runs)


# List.


def test_there_are_no_runs_in_a_missing_directory(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []


def test_there_are_no_runs_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert list_runs(tmp_path / "file") == []


def test_other_directories_and_files_are_no_runs(runs: Path) -> None:
    run = make_run(runs, "20261123-140501-digits-mlp")
    (runs / "20261123-140502-notes").mkdir()
    (runs / "20261123-140503-file").touch()
    assert list_runs(runs) == [run]
