from pathlib import Path

import pytest

from epochtop.core.settings.data_source import check_data, check_source
from epochtop.core.settings.declaration import (
    BUILT_IN_SOURCES,
    FILE_SUFFIXES,
    DataSettings,
    Settings,
)


def found_problems(source: str | Path, target: str = "") -> list[str]:
    return [str(problem) for problem in check_data(DataSettings(source=str(source), target=target))]


@pytest.fixture(params=FILE_SUFFIXES)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"table{request.param}"
    path.touch()
    return path


@pytest.mark.parametrize("source", BUILT_IN_SOURCES)
def test_a_built_in_set_needs_no_target(source: str) -> None:
    assert found_problems(source) == []


@pytest.mark.parametrize("source", BUILT_IN_SOURCES)
def test_a_built_in_set_takes_no_target(source: str) -> None:
    assert found_problems(source, "y") == [
        'data.target: found "y"; allowed: nothing, for a built-in set'
    ]


def test_a_file_with_a_target_is_fine(table: Path) -> None:
    assert found_problems(table, "y") == []


def test_a_file_needs_a_target(table: Path) -> None:
    assert found_problems(table) == [
        f'data.target: found ""; allowed: the name of a column of {table.name}'
    ]


def test_a_suffix_in_capitals_will_do(tmp_path: Path) -> None:
    path = tmp_path / "TABLE.CSV"
    path.touch()
    assert found_problems(path, "y") == []


def test_a_file_in_the_home_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.csv").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert found_problems("~/table.csv", "y") == []


def test_a_file_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    (problem,) = check_data(DataSettings(source=str(tmp_path / "none.csv"), target="y"))
    assert (problem.where, problem.allowed) == ("data.source", "a file that exists")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    directory = tmp_path / "table.csv"
    directory.mkdir()
    (problem,) = check_data(DataSettings(source=str(directory), target="y"))
    assert problem.where == "data.source"


@pytest.mark.parametrize("source", ["digit", "table.xlsx", "table", "./table.csv.gz", "."])
def test_any_other_source_is_told_what_there_is(source: str) -> None:
    (problem,) = check_data(DataSettings(source=source))
    assert problem.where == "data.source"
    assert all(known in problem.allowed for known in (*BUILT_IN_SOURCES, *FILE_SUFFIXES))


@pytest.mark.parametrize(
    "source",
    ["~nobody-is-called-so/table.csv", "~nobody-is-called-so", "x" * 300 + ".csv", "a\0.csv"],
    ids=["home of nobody", "home of nobody alone", "name too long", "a zero byte"],
)
def test_whatever_is_typed_is_answered_and_never_raises(source: str) -> None:
    (problem,) = check_data(DataSettings(source=source, target="y"))
    assert problem.where == "data.source"


# A task.


@pytest.fixture
def task_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "task.py"
    path.write_text("raise RuntimeError('nobody asked to run this')")
    return path


def task_problems(task: str) -> list[str]:
    return [str(problem) for problem in check_source(Settings(task=task))]


def test_a_task_is_the_function_of_a_file_that_exists(task_file: Path) -> None:
    assert task_problems(f"{task_file}:build") == []
    assert task_problems("task.py:build") == []
    assert task_problems("./task.py:build") == []


def test_a_task_in_the_home_directory_is_found(
    task_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(task_file.parent))
    monkeypatch.chdir(tmp_path.parent)
    assert task_problems("~/task.py:build") == []


@pytest.mark.usefixtures("task_file")
def test_with_a_task_the_data_settings_do_not_count() -> None:
    data = DataSettings(source="none.csv", target="y")
    assert check_source(Settings(data=data))
    assert check_source(Settings(data=data, task="task.py:build")) == []


@pytest.mark.parametrize(
    "task", ["task.py", "task.py:", ":build", "task:build", "task.py:2", "task.py:a b", "a.txt:b"]
)
@pytest.mark.usefixtures("task_file")
def test_a_task_of_another_form_is_told_the_form(task: str) -> None:
    assert task_problems(task) == [
        f'task: found "{task}"; allowed: FILE.py:FUNCTION, such as task.py:build'
    ]


@pytest.mark.parametrize("file", ["none.py", "~nobody-is-called-so/task.py", "a\0.py", "x" * 300])
@pytest.mark.usefixtures("task_file")
def test_a_task_whose_file_is_missing_is_said_to_be(file: str) -> None:
    (problem,) = check_source(Settings(task=f"{file.removesuffix('.py')}.py:build"))
    assert (problem.where, problem.allowed) == ("task", "the function of a file that exists")
