"""The form's lines: what folds, what is offered while one types, and how one walks through."""

import threading
from pathlib import Path

import pytest

from epochtop.core.settings.declaration import FileChoice, Settings
from epochtop.tui.form.columns import Columns, read_columns
from epochtop.tui.form.completion import completions
from epochtop.tui.form.draft import Draft
from epochtop.tui.form.lookup import Lookup
from epochtop.tui.form.outline import Line, open_at_first, outline
from epochtop.tui.form.sheet import Sheet

from ..records import finished_record, started_record, write_journal
from ..waiting import wait_for
from .app_driver import MEDIUM, OpenApp, live_run, open_app

DATA = FileChoice((".csv",), ("iris", "wine"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def lines_of(sheet: Sheet, *opened: str) -> dict[str, Line]:
    return {line.key: line for line in outline(sheet, opened, 60)}


def test_a_folded_section_says_what_differs_from_the_defaults_and_what_is_wrong() -> None:
    sheet = Sheet(Draft.of(Settings()))
    assert lines_of(sheet)["optim"].text == ""
    sheet = sheet.typed("optim.lr", "0.001").typed("optim.schedule", "cosine")
    assert lines_of(sheet)["optim"].text == "lr 0.001, schedule cosine"
    sheet = sheet.typed("optim.momentum", "2")
    assert lines_of(sheet)["optim"].text == "wrong: momentum, lr 0.001, schedule cosine"
    assert lines_of(sheet, "optim")["optim.more"].text == "wrong: momentum"
    assert lines_of(sheet)["optim"].sign == "wrong"


def test_a_folded_section_has_no_rows() -> None:
    lines = lines_of(Sheet(Draft.of(Settings())))
    assert list(lines) == ["preset", "task", "data", "model", "optim", "train", "stopping"]
    assert "optim.lr" in lines_of(Sheet(Draft.of(Settings())), *open_at_first())


async def test_a_fold_stays_as_it_is_through_a_run_and_loses_no_text(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        await screen.type_into("optim.lr", "0.7")
        screen.press("up", "up", "enter")
        await screen.until(lambda: screen.at == "optim" and not screen.form.lines.line.is_open, "")
        await screen.until(lambda: "pending: lr" in screen.picture, "what waits in it")
        write_journal(run, finished_record())
        await screen.until_status("completed")
        assert not screen.form.lines.line.is_open
        screen.press("right")
        await screen.until(lambda: screen.form.lines.line.is_open, "the open section")
        assert screen.text("optim.lr") == "0.7"


async def test_a_burst_of_tabs_goes_through_every_line_and_back(runs: Path) -> None:
    async with open_app(runs, size=MEDIUM) as screen:
        screen.press("e")
        await screen.until(lambda: screen.is_typing_into("data.source"), "the first field")
        count = sum(line.takes_focus for line in outline(screen.form.sheet, open_at_first(), 30))
        screen.press("home", *["up"] * 3, *["tab"] * (count - 1))
        await screen.until(lambda: screen.at == "stopping.more", "the last line")
        screen.press("tab")
        await screen.until(lambda: screen.main.query_one("#start").has_focus, "the button")
        screen.press("shift+tab", *["shift+tab"] * (count - 1))
        await screen.until(lambda: screen.at == "preset", "the first line")


async def typed_path(screen: OpenApp, path: str) -> None:
    await screen.type_into("data.source", path)


async def test_a_path_is_offered_and_taken_and_its_columns_after_it(
    runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "[red]dir").mkdir()
    (tmp_path / "[red]dir" / "table.csv").write_text("width,species\n1,a\n2,b\n")
    async with open_app(runs) as screen:
        await typed_path(screen, f"{tmp_path}/[")
        await screen.until(lambda: "[red]dir/" in screen.picture, "the directory")
        screen.press("tab")
        await screen.until(lambda: "table.csv" in screen.picture, "the file in it")
        screen.press("enter")
        file = f"{tmp_path}/[red]dir/table.csv"
        await screen.until(lambda: screen.text("data.source") == file, file)
        await screen.until(lambda: screen.form.sheet.columns is not None, "the columns")
        await screen.type_into("data.target", "widht")
        await screen.until_problem("data.target", "found 'widht' (did you mean 'width'?)")
        await screen.type_into("data.target", "spe")
        screen.press("tab")
        await screen.until(lambda: screen.text("data.target") == "species", "the column")
        await screen.until(lambda: screen.is_enabled("start"), "no problem")


async def test_what_is_offered_does_not_hold_up_tab_when_it_is_already_typed(runs: Path) -> None:
    async with open_app(runs) as screen:
        await typed_path(screen, "wine")
        screen.press("tab")
        await screen.until(lambda: screen.is_typing_into("data.target"), "the next field")
        assert screen.text("data.source") == "wine"


def test_completion_offers_names_directories_and_files_but_hidden_ones_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("it.csv", "it.txt", ".hidden.csv", "bad\x1b[31m.csv"):
        (tmp_path / name).touch()
    (tmp_path / "items").mkdir()
    assert completions("i", DATA) == ("iris", "items/", "it.csv")
    assert completions("~/i", DATA) == ("~/items/", "~/it.csv")
    assert completions("", DATA) == ("iris", "wine", "items/", "it.csv")
    assert completions(".", DATA) == (".hidden.csv",)
    assert completions("none/x", DATA) == ()
    assert completions("bad", DATA) == ()


def test_a_task_is_completed_to_the_functions_of_its_file_which_is_not_run(tmp_path: Path) -> None:
    task = tmp_path / "task.py"
    task.write_text("raise SystemExit\ndef build(settings): ...\ndef _other(): ...\nbound = 1\n")
    choice = FileChoice((".py",), function=True)
    assert completions(f"{tmp_path}/t", choice) == (f"{task}:",)
    assert completions(f"{task}:", choice) == (f"{task}:build", f"{task}:_other")
    assert completions(f"{task}:b", choice) == (f"{task}:build",)
    task.write_text("def broken(:")
    assert completions(f"{task}:", choice) == ()


def test_a_file_without_a_readable_header_is_said_at_the_source(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,a\n1,2\n")
    columns = read_columns(str(file))
    assert columns.holds == {}
    assert "the name 'a' for columns 1 and 2" in columns.error


def test_columns_are_completed_by_how_they_begin_and_then_by_what_is_in_them() -> None:
    columns = Columns("t.csv", {"width": "numbers", "old_width": "numbers", "name": "text"})
    assert columns.completions("W") == ("width", "old_width")
    assert columns.completions("") == ("width", "old_width", "name")


def test_a_lookup_that_hangs_holds_nobody_up_and_only_the_newest_question_waits() -> None:
    answers: list[str] = []
    is_asked, may_go_on = threading.Event(), threading.Event()

    def slow() -> str:
        is_asked.set()
        may_go_on.wait()
        return "slow"

    lookup: Lookup[str] = Lookup(answers.append)
    lookup.ask(slow)
    is_asked.wait()
    lookup.ask(lambda: "never asked")
    lookup.ask(lambda: "newest")
    may_go_on.set()
    wait_for(lambda: len(answers) == 2, "two answers")
    assert answers == ["slow", "newest"]
