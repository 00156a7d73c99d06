"""The settings form: checked as it is typed, and what a start makes of it."""

import re
from functools import partial
from pathlib import Path

import pytest

from epochtop.core import Run, list_runs, read_settings, resolve_settings
from epochtop.core.settings.declaration import PRESETS, Settings
from epochtop.core.settings.fields import setting_field, setting_fields
from epochtop.tui.form.outline import sections
from epochtop.tui.form.sheet import PRESET_SETTINGS
from epochtop.tui.widgets.event_log import EventLog
from epochtop.tui.widgets.help_line import HelpLine

from ..records import epoch_record, finished_record, started_record, write_journal
from .app_driver import (
    MEDIUM,
    NARROW,
    WIDE,
    FakeEngines,
    OpenApp,
    Size,
    finished_run,
    live_run,
    open_app,
)

PATHS = [field.path for field in setting_fields()]
LIVE = [field.path for field in setting_fields() if field.live]


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> FakeEngines:
    """What the app starts in this test is noted and not trained."""
    fake = FakeEngines()
    monkeypatch.setattr("epochtop.core.engine.launch.launch", fake.launch)
    return fake


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def texts(screen: OpenApp) -> dict[str, str]:
    return {path: screen.text(path) for path in PATHS}


def texts_of(settings: Settings) -> dict[str, str]:
    return {field.path: field.format(field.value(settings)) for field in setting_fields()}


async def until_texts(screen: OpenApp, expected: dict[str, str]) -> None:
    await screen.until(lambda: texts(screen) == expected, f"{expected} in the form")


def is_fixed(screen: OpenApp, path: str) -> bool:
    return screen.sign(path) == "fixed"


async def choose(screen: OpenApp, path: str, option: str) -> None:
    """Open a choice and take an option of it, by keys alone."""
    await screen.go_to_setting(path)
    line = screen.form.lines.line
    by = line.options.index(option) - line.options.index(line.text)
    screen.press("enter", *["down" if by > 0 else "up"] * abs(by), "enter")
    await screen.until(lambda: screen.text(path) == option, option)


async def choose_preset(screen: OpenApp, name: str) -> None:
    screen.main.set_focus(screen.form.lines.go_to("preset"))
    screen.press("enter", "pageup", *["down"] * [*PRESET_SETTINGS].index(name), "enter")
    await until_texts(screen, texts_of(PRESET_SETTINGS[name]))


async def start(screen: OpenApp, engines: FakeEngines, key: str = "s") -> Run:
    """Start from the form; the new run, once it is shown."""
    known = len(engines.runs)
    screen.press("escape", key)
    await screen.until(lambda: len(engines.runs) > known, f"a run\n{screen.log}")
    await screen.until_status("live")
    return engines.runs[-1]


async def test_the_form_has_every_declared_setting_with_its_default(runs: Path) -> None:
    async with open_app(runs, size=(120, 80)) as screen:
        assert texts(screen) == texts_of(Settings())
        assert screen.is_enabled("start")
        assert not screen.is_enabled("stop")
        for section in sections():
            if section.more:
                await screen.go_to_setting(section.more[0].path)  # which opens the fold
        await screen.until(lambda: "9 more" in screen.picture, "the folds")
        for field in setting_fields():
            assert re.search(rf"│{field.key} +\S", screen.picture) or not screen.text(field.path)


async def test_the_first_frame_has_the_settings_that_people_begin_with(runs: Path) -> None:
    async with open_app(runs) as screen:
        for name in ("source", "hidden", "lr", "epochs", "patience", "min_delta"):
            assert re.search(rf"│{name} +\S", screen.picture), name


async def test_the_setting_in_focus_is_explained(runs: Path) -> None:
    async with open_app(runs) as screen:
        await screen.go_to_setting("stopping.min_delta")
        await screen.until(
            lambda: screen.help.startswith("stopping.min_delta An improvement beats"),
            "the help of the setting",
        )


WRONG_VALUES = [
    ("data.source", "", "allowed: text, not empty"),
    ("data.source", "digit", "allowed: digits, iris, wine"),
    ("data.target", "species", "allowed: nothing, for a built-in set"),
    ("data.val_fraction", "1", "allowed: a number greater than 0 and less than 1"),
    ("model.hidden", "64, 0", "allowed: a list of at least one item"),
    ("optim.lr", "nan", "allowed: a number greater than 0"),
    ("train.epochs", "2.5", "allowed: a whole number"),
    ("train.device", "gpu", "allowed: auto, cpu, cuda, cuda:1 (any index) or mps"),
    ("optim.warmup_epochs", "201", "allowed: at most train.epochs, 200"),
    ("stopping.satisfied_below", "of", "allowed: a number, or off"),
    ("task", "task.py", "allowed: FILE.py:FUNCTION"),
    ("task", "none.py:build", "allowed: the function of a file that exists"),
]


async def test_a_wrong_value_is_answered_as_it_is_typed_and_cannot_be_started(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        for path, wrong, allowed in WRONG_VALUES:
            right = screen.text(path)
            await screen.type_into(path, wrong)
            await screen.until_problem(path, allowed)
            assert not screen.is_enabled("start")
            assert [other for other in PATHS if screen.problem(other)] == [path]
            await screen.type_into(path, right)
            await screen.until(lambda: screen.is_enabled("start"), "no problem any more")
            assert not screen.problem(path)
    assert engines.runs == []


async def test_settings_that_do_not_fit_together_are_said_at_the_row_of_one_of_them(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        await screen.type_into("optim.warmup_epochs", "10")
        await screen.type_into("train.epochs", "9")
        await screen.until_problem("optim.warmup_epochs", "allowed: at most train.epochs, 9")
        assert not screen.is_enabled("start")

        await screen.type_into("stopping.satisfied_below", "0.5")
        await screen.type_into("stopping.diverged_above", "0.25")
        await screen.until_problem("stopping.satisfied_below", "allowed: a number less than")
        assert screen.problem("optim.warmup_epochs")

        await screen.type_into("train.epochs", "10")
        await screen.type_into("stopping.diverged_above", "off")
        await screen.until(lambda: screen.is_enabled("start"), "no problem any more")
        run = await start(screen, engines)
    settings = read_settings(run.settings_path)
    assert settings.optim.warmup_epochs == settings.train.epochs == 10
    assert settings.stopping.satisfied_below == 0.5
    assert settings.stopping.diverged_above is None


async def test_with_a_task_the_data_do_not_count_and_the_task_is_what_e_goes_to(
    runs: Path, tmp_path: Path, engines: FakeEngines
) -> None:
    task = tmp_path / "mine.py"
    task.touch()
    async with open_app(runs) as screen:
        await screen.type_into("data.source", "none.csv")
        await screen.until_problem("data.source", "allowed: a file that exists")
        await screen.type_into("task", f"{task}:build")
        await screen.until(lambda: screen.is_enabled("start"), "no problem any more")
        assert not screen.problem("data.source")

        screen.press("escape", "e")
        await screen.until(lambda: screen.is_typing_into("task"), "the field of the task")
        run = await start(screen, engines)
    assert run.label == "mine-build"
    assert read_settings(run.settings_path).task == f"{task}:build"


async def test_without_a_task_e_goes_to_the_data(runs: Path, engines: FakeEngines) -> None:
    async with open_app(runs) as screen:
        screen.press("e", "end", "ctrl+u", *"wine")
        await screen.until(lambda: screen.text("data.source") == "wine", "the name of the data")
        assert screen.text("task") == ""
        run = await start(screen, engines)
    assert run.label == "wine-mlp"


@pytest.mark.parametrize("size", [WIDE, MEDIUM, NARROW], ids=str)
async def test_the_setting_in_focus_is_in_sight_and_has_its_whole_name_and_help(
    size: Size, runs: Path
) -> None:
    async with open_app(runs, size=size) as screen:
        screen.press("e")
        await screen.until(lambda: screen.is_typing_into("data.source"), "the first field")
        for field in setting_fields():
            await screen.go_to_setting(field.path)
            await screen.until(partial(is_explained, screen, field.path), field.path)


def is_explained(screen: OpenApp, path: str) -> bool:
    """Whether a setting's row is in sight, and its help: all of it where there is room."""
    field, lines = setting_field(path), screen.form.lines
    rows = [strip for strip in lines.shown if strip.text.startswith(f"{field.key} ")]
    drawn = " ".join(strip.text.strip() for strip in screen.main.query_one(HelpLine).shown).strip()
    is_narrow = screen.app.size.width < WIDE[0]
    explained = f"{path} {field.help}"
    return bool(rows) and explained.startswith(drawn[:-1]) if is_narrow else drawn == explained


async def test_starting_with_a_wrong_value_says_why_and_goes_to_it(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "2.5")
        screen.press("escape")
        await screen.until(lambda: not screen.is_typing_into("train.epochs"), "the curve")
        screen.press("s")
        await screen.until_log("not started: train.epochs: allowed: a whole number")

        await screen.until(lambda: screen.is_typing_into("train.epochs"), "the wrong field")
        assert screen.text("train.epochs") == "2.5"
    assert engines.runs == []
    assert list_runs(runs) == []


async def test_a_problem_is_seen_below_its_row(runs: Path) -> None:
    async with open_app(runs, size=(120, 60)) as screen:
        await screen.type_into("optim.lr", "-1")
        await screen.until(lambda: "allowed: a number greater" in screen.picture, "the problem")
        lines = screen.picture.splitlines()
        (row,) = (number for number, line in enumerate(lines) if "│lr " in line)

        assert "allowed: a number greater" in lines[row + 1]


async def test_a_start_names_every_wrong_setting_and_goes_to_the_first(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        await screen.type_into("stopping.patience", "x")
        await screen.type_into("optim.lr", "y")
        screen.press("f5")
        await screen.until_log("optim.lr: allowed: a number", "stopping.patience: allowed")

        await screen.until(lambda: screen.is_typing_into("optim.lr"), "the first wrong field")
    assert engines.runs == []


async def test_what_is_wrong_and_started_in_one_burst_is_said_too(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        screen.press("e", *["backspace"] * 8, *"digitz", "f5")
        await screen.until_log("not started: data.source: allowed: digits")

        assert screen.text("data.source") == "digitz"
    assert engines.runs == []


async def test_a_file_has_to_exist_and_needs_a_target(
    runs: Path, tmp_path: Path, engines: FakeEngines
) -> None:
    table = tmp_path / "table.csv"
    async with open_app(runs) as screen:
        await screen.type_into("data.source", str(table))
        await screen.until_problem("data.source", "allowed: a file that exists")
        table.write_text("a,b\n1,2\n")
        await screen.type_into("data.source", "digits")
        await screen.type_into("data.source", str(table))
        await screen.until_problem("data.target", "allowed: the name of a column of table.csv")
        assert screen.problem("data.source") == ""
        assert not screen.is_enabled("start")

        await screen.type_into("data.target", "b")
        await screen.until(lambda: screen.is_enabled("start"), "no problem any more")
        run = await start(screen, engines)
    settings = read_settings(run.settings_path)
    assert (settings.data.source, settings.data.target) == (str(table), "b")


async def test_starting_from_a_preset_gives_exactly_its_settings(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        for name in PRESETS:
            await screen.type_into("train.batch_size", "7")  # a preset says all settings, this too
            await choose_preset(screen, name)
            run = await start(screen, engines)
            assert read_settings(run.settings_path) == resolve_settings(preset=name)
            write_journal(run, finished_record())
            await screen.until_status("completed")

        await choose_preset(screen, "defaults")


async def test_a_start_takes_what_was_typed_chosen_and_ticked(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        await screen.type_into("data.source", "wine")
        await screen.type_into("train.epochs", "7")
        await screen.type_into("optim.lr", "1e-3")
        await screen.type_into("model.hidden", "32, 16")
        await choose(screen, "optim.name", "sgd")
        await screen.go_to_setting("stopping.restore_best")
        screen.press("space")
        await screen.until(lambda: screen.text("stopping.restore_best") == "false", "no tick")
        run = await start(screen, engines)

    assert run.label == "wine-mlp"
    assert read_settings(run.settings_path) == resolve_settings(
        overrides=[
            "data.source=wine",
            "train.epochs=7",
            "optim.lr=0.001",
            "model.hidden=[32, 16]",
            "optim.name=sgd",
            "stopping.restore_best=false",
        ]
    )


async def test_the_start_button_starts(runs: Path, engines: FakeEngines) -> None:
    async with open_app(runs) as screen:
        await screen.pilot.click("#start")
        await screen.until_status("live")

    (run,) = engines.runs
    assert list_runs(runs) == [run]


async def test_a_start_key_pressed_again_in_haste_starts_one_run(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        screen.press("s", "f5", "s")
        await screen.until_status("live")
        await screen.until_log("a run is live; stop it first")

    assert len(engines.runs) == 1


async def test_the_start_button_pressed_again_in_haste_starts_one_run(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        await screen.go_to(screen.main.query_one("#start"))
        screen.press("enter", "enter", "enter", "l")
        await screen.until_status("live")
        await screen.until(lambda: isinstance(screen.app.focused, EventLog), "the last key's doing")

    assert len(engines.runs) == 1


async def test_the_form_shows_a_live_runs_settings_and_is_locked_until_its_end(
    runs: Path, engines: FakeEngines
) -> None:
    overrides = ("data.source=iris", "optim.name=sgd", "stopping.restore_best=false")
    run = live_run(runs, started_record(), overrides=overrides)
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        expected = texts_of(resolve_settings(overrides=overrides))
        await until_texts(screen, expected)
        assert [path for path in PATHS if not is_fixed(screen, path)] == LIVE
        assert not screen.is_enabled("start")
        assert screen.is_enabled("stop")

        screen.press("f5")
        await screen.until_log("a run is live; stop it first")
        assert texts(screen) == expected

        write_journal(run, epoch_record(1), finished_record())
        await screen.until_status("completed")
        await screen.until(lambda: not is_fixed(screen, "data.source"), "an open form")
        assert screen.is_enabled("start")
        assert not screen.is_enabled("stop")
        assert texts(screen) == expected
    assert engines.runs == []


async def test_the_form_shows_a_finished_runs_settings_and_can_start_another(
    runs: Path, engines: FakeEngines
) -> None:
    before = finished_run(runs, started_record(), finished_record(), overrides=("optim.lr=0.5",))
    async with open_app(runs, before) as screen:
        await screen.until_status("completed")
        assert screen.text("optim.lr") == "0.5"
        assert not is_fixed(screen, "data.source")
        run = await start(screen, engines)

    assert run != before
    assert read_settings(run.settings_path) == read_settings(before.settings_path)


async def test_the_next_run_is_shown_from_its_first_record_on(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        first = await start(screen, engines)
        epochs = [epoch_record(number) for number in range(1, 6)]
        write_journal(first, *epochs, finished_record("early_stopped"))
        await screen.until_status("stopped early", "epoch 5/")
        await screen.until_log("stopped early")

        await screen.type_into("train.seed", "1")
        await start(screen, engines)
        await screen.until_log("1,437 training")
        assert "stopped early" not in screen.log
        assert "epoch 0/200" in screen.status_line
        assert "nothing measured yet" in screen.stopping_line
        assert "train " not in screen.curve_title

        write_journal(engines.runs[1], epoch_record(1, train_loss=9.0))
        await screen.until_status("epoch 1/200")
        assert "train 9.000" in screen.curve_title
        write_journal(first, epoch_record(77))  # of the run that was left
        write_journal(engines.runs[1], epoch_record(2))
        await screen.until_status("epoch 2/200")
    assert len(list_runs(runs)) == 2


async def test_an_engine_that_cannot_be_started_is_said_and_loses_nothing(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launch(run: Run) -> None:
        raise OSError(11, "Resource temporarily unavailable [bold]", str(run.path))

    monkeypatch.setattr("epochtop.core.engine.launch.launch", launch)
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "77")
        screen.press("f5")
        await screen.until_log("the run was not started", "Resource temporarily unavailable [bold]")

        assert screen.text("train.epochs") == "77"
        assert not is_fixed(screen, "data.source")
        assert screen.is_enabled("start")
        assert "no run yet" in screen.status_line


async def test_a_runs_directory_that_is_a_file_is_said_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "a-file"
    runs.write_text("")
    engines = FakeEngines()
    monkeypatch.setattr("epochtop.core.engine.launch.launch", engines.launch)
    async with open_app(runs) as screen:
        await screen.type_into("train.epochs", "77")
        screen.press("f5")
        await screen.until_log("the run was not started", "cannot create a run here")
        assert screen.text("train.epochs") == "77"
        assert screen.is_enabled("start")

        runs.unlink()  # and once there is room for it, the same form starts
        await start(screen, engines)
    (run,) = engines.runs
    assert read_settings(run.settings_path).train.epochs == 77
