import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from epochtop.core.errors import SettingProblem, SettingsError
from epochtop.core.settings.consistency import check_settings
from epochtop.core.settings.declaration import (
    BUILT_IN_SOURCES,
    PRESETS,
    DataSettings,
    ModelSettings,
    OptimSettings,
    Settings,
    StoppingSettings,
    TrainSettings,
)
from epochtop.core.settings.fields import SettingField, setting_field, setting_fields
from epochtop.core.settings.toml_file import (
    check_layer,
    parse_overrides,
    read_layer,
    read_settings,
    resolve_settings,
    settings_to_toml,
    with_absolute_paths,
)

WriteToml = Callable[[str], Path]

each_field = pytest.mark.parametrize("field", setting_fields(), ids=lambda field: field.path)


@pytest.fixture
def write_toml(tmp_path: Path) -> WriteToml:
    def write(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems_of(call: Callable[[], object]) -> tuple[SettingProblem, ...]:
    with pytest.raises(SettingsError) as caught:
        call()
    return caught.value.problems


def only_problem(call: Callable[[], object]) -> SettingProblem:
    (problem,) = problems_of(call)
    return problem


# What a setting may be.

numbers = st.floats(allow_nan=False, allow_infinity=False)
seeds = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))
shares = st.floats(0, 1, exclude_max=True)
devices = st.sampled_from(["auto", "cpu", "mps", "cuda"]) | st.integers(0, 99).map("cuda:{}".format)

epochs = st.integers(0, 100_000_000)
factors = st.floats(0, 1, exclude_min=True, exclude_max=True)
not_negative = numbers.filter(lambda number: number >= 0)
positive = numbers.filter(lambda number: number > 0)

sections: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "": {"task": texts},
    "data": {
        "source": texts.filter(bool),
        "target": texts,
        "problem": st.sampled_from(["auto", "classification", "regression"]),
        "val_fraction": factors,
        "seed": seeds,
    },
    "model": {
        "kind": st.sampled_from(["mlp", "linear"]),
        "hidden": st.lists(st.integers(1, 65_536), min_size=1, max_size=64).map(tuple),
        "dropout": shares,
    },
    "optim": {
        "name": st.sampled_from(["adam", "adamw", "sgd"]),
        "lr": positive,
        "weight_decay": not_negative,
        "momentum": shares,
        "nesterov": st.booleans(),
        "schedule": st.sampled_from(["constant", "step", "cosine", "one_cycle", "plateau"]),
        "warmup_epochs": epochs,
        "step_epochs": st.integers(1, 100_000_000),
        "schedule_factor": factors,
        "schedule_patience": epochs,
        "clip_norm": not_negative,
        "accumulate": st.integers(1, 1_000_000),
    },
    "train": {
        "epochs": st.integers(1, 100_000_000),
        "batch_size": st.integers(1, 2**31 - 1),
        "seed": seeds,
        "device": devices,
        "precision": st.sampled_from(["float32", "bf16", "fp16"]),
        "compile": st.booleans(),
        "on_not_finite": st.sampled_from(["stop", "go_back"]),
        "go_back_factor": factors,
        "go_back_times": st.integers(1, 1000),
    },
    "stopping": {
        "rule": st.sampled_from(["patience", "gl", "pq", "up"]),
        "patience": epochs,
        "min_delta": not_negative,
        "min_delta_mode": st.sampled_from(["absolute", "relative"]),
        "min_epochs": epochs,
        "satisfied_below": st.none() | numbers,
        "diverged_above": st.none() | numbers,
        "alpha": positive,
        "strip_epochs": st.integers(2, 1000),
        "strips": st.integers(1, 1000),
        "restore_best": st.booleans(),
    },
}

any_settings = st.builds(
    Settings,
    **sections[""],
    data=st.builds(DataSettings, **sections["data"]),
    model=st.builds(ModelSettings, **sections["model"]),
    optim=st.builds(OptimSettings, **sections["optim"]),
    train=st.builds(TrainSettings, **sections["train"]),
    stopping=st.builds(StoppingSettings, **sections["stopping"]),
)


def values_of(field: SettingField) -> st.SearchStrategy[Any]:
    return sections[field.section][field.key]


# Layers.


def test_without_anything_said_the_settings_are_the_defaults_of_the_contract() -> None:
    assert resolve_settings() == Settings(
        data=DataSettings(source="digits", target="", problem="auto", val_fraction=0.2, seed=0),
        model=ModelSettings(kind="mlp", hidden=(64, 64), dropout=0.0),
        optim=OptimSettings(
            name="adam", lr=0.01, weight_decay=0.0, momentum=0.0, schedule="constant"
        ),
        train=TrainSettings(epochs=200, batch_size=32, seed=0, device="auto"),
        stopping=StoppingSettings(patience=10, min_delta=0.0, restore_best=True),
    )


def test_a_file_lies_over_the_preset_and_set_lies_over_the_file(write_toml: WriteToml) -> None:
    file = write_toml("[train]\nepochs = 7\nbatch_size = 16\n")

    settings = resolve_settings(
        preset="early-stopping", file=file, overrides=["train.batch_size=8", "optim.lr=0.5"]
    )

    assert settings.stopping.patience == 6  # the preset's
    assert settings.train.epochs == 7  # the file's, over the preset's 100
    assert settings.train.batch_size == 8  # said last
    assert settings.optim.lr == 0.5
    assert settings.optim.name == "adam"  # the default


def test_layers_leave_the_presets_as_they_were(write_toml: WriteToml) -> None:
    file = write_toml("[train]\nepochs = 7\n[model]\nkind = 'mlp'\n")
    resolve_settings(preset="basic", file=file, overrides=["data.source=iris"])
    assert resolve_settings(preset="basic").train.epochs == 5
    assert resolve_settings(preset="basic").model.kind == "linear"
    assert resolve_settings(preset="basic").data.source == "synthetic"


def test_a_task_is_a_layers_setting_like_any_other(write_toml: WriteToml) -> None:
    file = write_toml("task = 'a.py:build'\n[train]\nepochs = 3\n")
    assert resolve_settings(file=file).task == "a.py:build"
    assert resolve_settings(file=file, overrides=["task=b.py:make"]).task == "b.py:make"
    assert resolve_settings(file=file, preset="basic").task == "a.py:build"
    assert resolve_settings(file=file, overrides=["task="]).task == ""


def test_settings_that_do_not_fit_together_are_refused_whatever_layers_they_come_from(
    write_toml: WriteToml,
) -> None:
    file = write_toml("[optim]\nname = 'sgd'\nnesterov = true\n")
    problem = only_problem(lambda: resolve_settings(file=file))
    assert problem.where == "optim.nesterov"
    assert resolve_settings(file=file, overrides=["optim.momentum=0.9"]).optim.nesterov


def test_the_last_override_of_a_setting_wins() -> None:
    assert resolve_settings(overrides=["train.epochs=3", "train.epochs=4"]).train.epochs == 4


def test_spaces_around_an_overrides_name_and_value_do_not_count() -> None:
    assert resolve_settings(overrides=[" train.epochs = 3 "]).train.epochs == 3


def test_an_overrides_value_may_hold_equals_signs() -> None:
    assert resolve_settings(overrides=["data.target=a=b"]).data.target == "a=b"


# The three programs.


def test_preset_basic_is_the_first_program() -> None:
    assert resolve_settings(preset="basic") == Settings(
        data=DataSettings(source="synthetic"),
        model=ModelSettings(kind="linear"),
        train=TrainSettings(epochs=5),
        stopping=StoppingSettings(patience=0, restore_best=False),
    )


def test_preset_early_stopping_stops_at_six_epochs_without_improvement() -> None:
    assert resolve_settings(preset="early-stopping") == Settings(
        data=DataSettings(source="synthetic"),
        model=ModelSettings(kind="linear"),
        train=TrainSettings(epochs=100),
        stopping=StoppingSettings(patience=6, min_delta=0.0, restore_best=True),
    )


def test_preset_weight_decay_is_basic_for_fifty_epochs_with_decay() -> None:
    assert resolve_settings(preset="weight-decay") == Settings(
        data=DataSettings(source="synthetic"),
        model=ModelSettings(kind="linear"),
        optim=OptimSettings(weight_decay=1e-5),
        train=TrainSettings(epochs=50),
        stopping=StoppingSettings(patience=0, restore_best=False),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_all_programs_take_adam_at_a_hundredth_in_batches_of_32_on_an_80_20_split(
    preset: str,
) -> None:
    settings = resolve_settings(preset=preset)
    assert (settings.optim.name, settings.optim.lr) == ("adam", 0.01)
    assert (settings.train.batch_size, settings.data.val_fraction) == (32, 0.2)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_holds_only_settings_that_are_allowed(preset: str) -> None:
    layer = check_layer(PRESETS[preset])
    assert layer == {
        f"{section}.{key}": value
        for section, keys in PRESETS[preset].items()
        for key, value in keys.items()
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_the_settings_of_every_preset_fit_together(preset: str) -> None:
    assert check_settings(resolve_settings(preset=preset)) == []


def test_a_misspelt_preset_is_told_the_nearest() -> None:
    problem = only_problem(lambda: resolve_settings(preset="early-stoping"))
    assert str(problem) == (
        'preset: found "early-stoping"; allowed: early-stopping (did you mean this?)'
    )


def test_an_unknown_preset_is_told_all_of_them() -> None:
    problem = only_problem(lambda: resolve_settings(preset="qqq"))
    assert problem.allowed == "one of basic, early-stopping, weight-decay"


# What is wrong with a file.


def test_all_problems_of_a_file_are_reported_together_with_their_lines(
    write_toml: WriteToml,
) -> None:
    path = write_toml(
        "# a run\n"
        "[optim]\n"
        "lr = -1\n"
        'name = "adm"\n'
        "\n"
        "[train]\n"
        "epochs = 0\n"
        "epoch = 3\n"
        "[trian]\n"
        "epochs = 3\n"
    )

    with pytest.raises(SettingsError) as caught:
        read_layer(path)

    assert str(caught.value).splitlines() == [
        f"{path}:3: optim.lr: found -1; allowed: a number greater than 0",
        f'{path}:4: optim.name: found "adm"; allowed: one of adam, adamw, sgd',
        f"{path}:7: train.epochs: found 0; allowed: a whole number from 1 to 100000000",
        f"{path}:8: train.epoch: found an unknown setting; "
        "allowed: train.epochs (did you mean this?)",
        f"{path}:9: trian: found an unknown section; allowed: train (did you mean this?)",
    ]


def test_the_same_key_is_found_on_the_line_of_its_own_section(write_toml: WriteToml) -> None:
    path = write_toml("[data]\nseed = 1\n\n[train]\nseed = -1\n")
    assert only_problem(lambda: read_layer(path)).where == f"{path}:5: train.seed"


def test_a_dotted_key_is_found_on_its_line(write_toml: WriteToml) -> None:
    path = write_toml("data.seed = 1\ntrain.seed = -1\n")
    assert only_problem(lambda: read_layer(path)).where == f"{path}:2: train.seed"


def test_a_key_whose_line_cannot_be_told_is_reported_without_one(write_toml: WriteToml) -> None:
    path = write_toml("train = { seed = -1 }\n")
    assert only_problem(lambda: read_layer(path)).where == f"{path}: train.seed"


def test_a_line_separator_in_a_comment_does_not_shift_the_lines(write_toml: WriteToml) -> None:
    path = write_toml("# one line\u2028still the same\n[train]\nseed = -1\n")
    assert only_problem(lambda: read_layer(path)).where == f"{path}:3: train.seed"


def test_a_key_outside_a_section_is_told_where_it_belongs(write_toml: WriteToml) -> None:
    path = write_toml("epochs = 5\n")
    assert str(only_problem(lambda: read_layer(path))) == (
        f"{path}:1: epochs: found a key outside a section; "
        "allowed: train.epochs (did you mean this?)"
    )


def test_a_section_that_is_no_section_is_told_to_be_one(write_toml: WriteToml) -> None:
    path = write_toml("train = 5\n")
    assert str(only_problem(lambda: read_layer(path))) == (
        f"{path}:1: train: found 5; allowed: a section, [train]"
    )


def test_an_unknown_key_unlike_any_other_is_told_all_of_its_section(write_toml: WriteToml) -> None:
    path = write_toml("[model]\nzzz = 5\n")
    assert only_problem(lambda: read_layer(path)).allowed == (
        "model.kind, model.hidden, model.dropout"
    )


def test_a_key_unlike_any_other_is_told_all_sections_and_what_stands_above_them() -> None:
    assert only_problem(lambda: check_layer({"zzz": 5})).allowed == (
        "task, data.*, model.*, optim.*, train.*, stopping.*"
    )


def test_a_task_of_another_type_is_found_on_its_line(write_toml: WriteToml) -> None:
    path = write_toml("# mine\ntask = 5\n[train]\nepochs = 3\n")
    assert str(only_problem(lambda: read_layer(path))) == (
        f"{path}:2: task: found 5; allowed: text"
    )


def test_a_section_of_the_tasks_name_is_refused_on_its_line(write_toml: WriteToml) -> None:
    path = write_toml("[train]\nepochs = 3\n[task]\nfile = 'a.py'\n")
    assert str(only_problem(lambda: read_layer(path))) == (
        f"{path}:3: task: found a table of keys; allowed: text"
    )


def test_a_task_within_a_section_is_told_where_it_belongs(write_toml: WriteToml) -> None:
    path = write_toml("[data]\ntask = 'a.py:build'\n")
    assert str(only_problem(lambda: read_layer(path))) == (
        f"{path}:2: data.task: found an unknown setting; allowed: task (did you mean this?)"
    )


def test_a_dotted_name_in_quotes_is_no_key_of_a_section(write_toml: WriteToml) -> None:
    path = write_toml("'train.epochs' = 3\n")
    assert only_problem(lambda: read_layer(path)).found == "a key outside a section"


def test_a_long_value_is_cut_in_the_message(write_toml: WriteToml) -> None:
    path = write_toml(f'[model]\nkind = "{"x" * 1000}"\n')
    assert len(only_problem(lambda: read_layer(path)).found) <= 80


def test_a_syntax_error_names_the_file_and_the_line(write_toml: WriteToml) -> None:
    path = write_toml("[train]\nepochs = = 3\n")
    problem = only_problem(lambda: read_layer(path))
    assert problem.where == str(path)
    assert "line 2" in problem.found


def test_a_number_too_long_to_read_is_no_traceback(write_toml: WriteToml) -> None:
    path = write_toml(f"[train]\nepochs = {'1' * 5000}\n")
    assert str(path) in only_problem(lambda: read_layer(path)).where


def test_brackets_too_deep_to_read_are_no_traceback(write_toml: WriteToml) -> None:
    path = write_toml(f"[model]\nhidden = {'[' * 20_000}\n")
    assert str(path) in only_problem(lambda: read_layer(path)).where


def test_bytes_that_are_not_utf8_are_named_with_their_offset(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"[data]\nsource = '\xff.csv'\n")
    problem = only_problem(lambda: read_layer(path))
    assert problem.where == str(path)
    assert problem.found == "bytes that are not UTF-8 at offset 17"


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf[train]\r\nepochs = 3\r\n")
    assert read_settings(path).train.epochs == 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    problem = only_problem(lambda: read_layer(path))
    assert (problem.where, problem.found) == (str(path), "No such file or directory")


def test_a_directory_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    assert only_problem(lambda: read_layer(tmp_path)).where == str(tmp_path)


def test_an_empty_file_gives_the_defaults(write_toml: WriteToml) -> None:
    assert read_settings(write_toml("")) == Settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optim.lr", "nan"),
        ("optim.lr", "inf"),
        ("optim.weight_decay", "inf"),
        ("optim.weight_decay", "nan"),
        ("stopping.min_delta", "nan"),
        ("stopping.min_delta", "inf"),
        ("data.val_fraction", "nan"),
        ("data.val_fraction", "0.0"),
        ("data.val_fraction", "1"),
        ("model.dropout", "1.0"),
        ("model.dropout", "-0.1"),
        ("model.hidden", "[]"),
        ("model.hidden", "[0]"),
        ("model.hidden", "[64, 64.0]"),
        ("model.hidden", "64"),
        ("optim.momentum", "1"),
        ("optim.lr", "true"),
        ("optim.lr", "'0.1'"),
        ("optim.lr", "1" + "0" * 400),
        ("train.epochs", "true"),
        ("train.epochs", "5.0"),
        ("train.epochs", "'5'"),
        ("train.epochs", "100_000_001"),
        ("train.batch_size", "0"),
        ("train.seed", "-1"),
        ("train.seed", "4294967296"),
        ("train.device", "'tpu'"),
        ("train.device", "'cuda:'"),
        ("stopping.patience", "-1"),
        ("stopping.restore_best", "1"),
        ("stopping.restore_best", "'true'"),
        ("data.source", "''"),
        ("data.source", "1"),
        ("data.seed", "1979-05-27"),
        ("data.problem", "'Auto'"),
        ("task", "true"),
        ("stopping.satisfied_below", "nan"),
        ("stopping.satisfied_below", "inf"),
        ("stopping.satisfied_below", "'0.1'"),
        ("stopping.diverged_above", "true"),
        ("stopping.diverged_above", "false"),
        ("stopping.diverged_above", "''"),
        ("stopping.diverged_above", "1" + "0" * 400),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(
    write_toml: WriteToml, key: str, value: str
) -> None:
    path = write_toml(f"{key} = {value}\n")
    problem = only_problem(lambda: read_layer(path))
    assert problem.where == f"{path}:1: {key}"
    assert problem.found
    assert problem.allowed == setting_field(key).allowed


def test_a_whole_number_will_do_where_any_number_is_asked_for(write_toml: WriteToml) -> None:
    lr = read_settings(write_toml("optim.lr = 1\n")).optim.lr
    assert (lr, type(lr)) == (1.0, float)


# What is wrong with an override.


def test_all_problems_of_the_overrides_are_reported_together() -> None:
    problems = problems_of(
        lambda: parse_overrides(["train.epochs", "optim.lrr=1", "epochs=3", "optim.lr=nan"])
    )
    assert [str(problem) for problem in problems] == [
        '--set: found "train.epochs"; allowed: section.key=value',
        "--set optim.lrr: found an unknown setting; allowed: optim.lr (did you mean this?)",
        "--set epochs: found an unknown setting; allowed: train.epochs (did you mean this?)",
        'optim.lr: found "nan"; allowed: a number greater than 0',
    ]


def test_a_section_alone_is_told_its_keys() -> None:
    allowed = only_problem(lambda: parse_overrides(["stopping=3"])).allowed
    assert "stopping.patience" in allowed


@pytest.mark.parametrize("key", ["", "=", ".", "train.", ".epochs", "train.epochs.x", "a.b"])
def test_a_strange_override_is_answered_with_a_sentence(key: str) -> None:
    assert only_problem(lambda: parse_overrides([f"{key}=1"])).allowed


# Text to value and back.


@each_field
def test_every_field_has_a_help_and_says_what_is_allowed(field: SettingField) -> None:
    assert field.help
    assert field.allowed


def test_the_fields_are_all_settings_in_their_order() -> None:
    keys = [(field.section, field.key) for field in setting_fields()]
    assert keys == [(section, key) for section, known in sections.items() for key in known]


@each_field
def test_a_fields_default_reads_back_as_a_person_would_type_it(field: SettingField) -> None:
    assert field.parse(field.format(field.default)) == field.default
    assert type(field.parse(field.format(field.default))) is type(field.default)


@each_field
def test_a_choice_lists_every_value_that_it_takes(field: SettingField) -> None:
    assert all(field.parse(choice) == choice for choice in field.choices)
    assert all(choice in field.allowed for choice in field.choices)


@each_field
@given(data=st.data())
@hypothesis_settings(deadline=None, max_examples=12)
def test_what_a_person_would_type_reads_back_as_the_value(
    field: SettingField, data: st.DataObject
) -> None:
    value = data.draw(values_of(field))
    assume(not isinstance(value, str) or value == value.strip("\"'").strip())
    assert field.parse(field.format(value)) == value


@each_field
@given(data=st.data())
@hypothesis_settings(deadline=None, max_examples=5)
def test_a_fields_value_is_taken_from_settings_and_replaced_in_them(
    field: SettingField, data: st.DataObject
) -> None:
    value = data.draw(values_of(field))
    replaced = field.replaced(Settings(), value)
    assert field.value(replaced) == value
    assert field.replaced(replaced, field.default) == Settings()


@pytest.mark.parametrize("text", ["off", "OFF", "none", "", " off ", " "])
def test_a_threshold_is_off_in_all_the_ways_that_people_say_it(text: str) -> None:
    assert setting_field("stopping.satisfied_below").parse(text) is None


def test_a_threshold_that_is_off_is_written_off_and_says_that_it_may_be() -> None:
    field = setting_field("stopping.diverged_above")
    assert field.format(None) == "off"
    assert field.format(0.0) == "0.0"  # a threshold of 0 is one
    assert field.allowed == "a number, or off"
    assert only_problem(lambda: field.parse("of")).allowed == "a number, or off"


def test_only_a_setting_that_may_be_nothing_is_ever_off() -> None:
    optional = {field.path for field in setting_fields() if field.optional}
    assert optional == {"stopping.satisfied_below", "stopping.diverged_above"}
    for field in setting_fields():
        assert (field.allowed.endswith(", or off")) == field.optional
    assert only_problem(lambda: setting_field("optim.clip_norm").parse("off")).found == '"off"'


def test_what_may_change_while_a_run_is_live_is_marked() -> None:
    assert {field.path for field in setting_fields() if field.live} == {
        "optim.lr",
        "optim.weight_decay",
        "train.epochs",
        "stopping.patience",
        "stopping.min_delta",
    }


@pytest.mark.parametrize("text", [" a.csv", "a.csv ", '"a.csv"', "'", '""'])
def test_text_with_quotes_or_spaces_around_it_reads_back_as_it_is(text: str) -> None:
    field = setting_field("data.target")
    assert field.parse(field.format(text)) == text


@each_field
@given(text=texts)
@hypothesis_settings(deadline=None, max_examples=12)
def test_any_text_is_read_or_refused_with_a_sentence(field: SettingField, text: str) -> None:
    try:
        value = field.parse(text)
    except SettingsError as error:
        (problem,) = error.problems
        assert (problem.where, problem.allowed) == (field.path, field.allowed)
    else:
        assert field.check(value) == value


@pytest.mark.parametrize("text", ["[8, 16]", "8, 16", "8,16", " [8,16,] "])
def test_a_list_is_read_with_and_without_its_brackets(text: str) -> None:
    assert setting_field("model.hidden").parse(text) == (8, 16)


def test_a_single_width_is_a_list_of_one() -> None:
    assert setting_field("model.hidden").parse("8") == (8,)


@pytest.mark.parametrize("text", ["'iris'", '"iris"', "iris", " iris "])
def test_text_is_read_with_and_without_its_quotes(text: str) -> None:
    assert setting_field("data.source").parse(text) == "iris"


@pytest.mark.parametrize("text", ["1e-3", "0.001", ".001", "1E-03"])
def test_a_small_number_is_read_however_it_is_written(text: str) -> None:
    assert setting_field("optim.lr").parse(text) == 0.001


def test_a_second_line_is_not_dropped_but_refused() -> None:
    problem = only_problem(lambda: setting_field("train.epochs").parse("5\nseed = 3"))
    assert problem.where == "train.epochs"


def test_a_number_too_long_to_read_is_refused() -> None:
    problem = only_problem(lambda: setting_field("train.epochs").parse("1" * 5000))
    assert problem.where == "train.epochs"


def test_every_built_in_source_is_an_allowed_source() -> None:
    assert [setting_field("data.source").check(name) for name in BUILT_IN_SOURCES] == list(
        BUILT_IN_SOURCES
    )


# TOML out and in.


@given(settings=any_settings)
@hypothesis_settings(deadline=None, max_examples=50)
def test_settings_written_as_toml_read_back_the_same(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.toml"
    path.write_text(settings_to_toml(settings), encoding="utf-8")
    assert read_settings(path) == settings


def test_written_toml_holds_every_setting_that_is_something() -> None:
    content = tomllib.loads(settings_to_toml(Settings()))
    assert list(content) == ["task", "data", "model", "optim", "train", "stopping"]
    for field in setting_fields():
        keys = content[field.section] if field.section else content
        assert (field.key in keys) == (field.default is not None)


def test_what_is_left_out_of_a_file_because_it_is_off_is_off_by_default() -> None:
    assert all(field.default is None for field in setting_fields() if field.optional)


def test_a_file_can_say_that_a_threshold_is_off(write_toml: WriteToml) -> None:
    file = write_toml("[stopping]\nsatisfied_below = 'off'\ndiverged_above = 3\n")
    stopping = read_settings(file).stopping
    assert stopping.satisfied_below is None
    assert (stopping.diverged_above, type(stopping.diverged_above)) == (3.0, float)


# The paths of data and task.


def test_a_tasks_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = with_absolute_paths(Settings(task="some/task.py:build"))
    assert settings == Settings(task=f"{tmp_path}/some/task.py:build")


def test_a_task_in_the_home_directory_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert with_absolute_paths(Settings(task="~/task.py:build")).task == (
        f"{tmp_path}/task.py:build"
    )


@pytest.mark.parametrize("task", ["", "/a/task.py:build", "task.py", "task.py:"])
def test_a_task_that_is_absolute_or_none_stays(task: str) -> None:
    assert with_absolute_paths(Settings(task=task)) == Settings(task=task)


def test_a_data_files_path_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = with_absolute_paths(Settings(data=DataSettings(source="some/table.csv")))
    assert settings.data.source == str(tmp_path / "some/table.csv")


def test_a_data_file_in_the_home_directory_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = with_absolute_paths(Settings(data=DataSettings(source="~/table.csv")))
    assert settings.data.source == str(tmp_path / "table.csv")


def test_a_home_directory_of_nobody_is_no_traceback() -> None:
    settings = Settings(data=DataSettings(source="~nobody-is-called-so/table.csv"))
    assert with_absolute_paths(settings).data.source.endswith("table.csv")


@pytest.mark.parametrize("source", BUILT_IN_SOURCES)
def test_a_built_in_sources_name_stays(source: str) -> None:
    settings = Settings(data=DataSettings(source=source, seed=3))
    assert with_absolute_paths(settings) == settings


def test_an_absolute_source_changes_nothing_but_the_source() -> None:
    settings = resolve_settings(overrides=["data.source=/a/b.csv", "data.seed=3"])
    assert with_absolute_paths(settings) == settings
    assert math.isclose(settings.data.val_fraction, 0.2)


@pytest.mark.parametrize("text", ["a\x1b[31m.csv", "a\x00.csv", "a\n.csv", "caf\udce9.csv"])
def test_control_characters_are_refused_for_they_would_reach_the_terminal(text: str) -> None:
    problem = only_problem(lambda: setting_field("data.source").check(text))
    assert problem.allowed == "text without control characters, in UTF-8"
