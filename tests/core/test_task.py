import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from torchmetrics.classification import MulticlassAccuracy

from epochtop.core.data import Split
from epochtop.core.errors import DataError, TaskError
from epochtop.core.loss.metrics import accuracy
from epochtop.core.settings.declaration import DataSettings, Settings, TrainSettings
from epochtop.core.task.task import Task, load_task

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_task.py"
INPUTS, TARGETS = torch.randn(6, 4), torch.arange(6)
PAIR = (INPUTS, TARGETS)

BEGINNING = """
import torch
from torch import nn
from epochtop.core import Task

PAIR = (torch.zeros(6, 4), torch.zeros(6, dtype=torch.int64))
"""
BUILD = """
def build(settings):
    return Task(nn.Linear(4, 2), nn.CrossEntropyLoss(), train=PAIR, val=PAIR)
"""
WHOLE = BEGINNING + BUILD


class Rows(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return INPUTS[row], TARGETS[row]


class Unmeasured(Dataset[Tensor]):
    def __getitem__(self, row: int) -> Tensor:
        return INPUTS[row]


class Stream(IterableDataset[tuple[Tensor, Tensor]]):
    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(zip(INPUTS, TARGETS, strict=True))


class LikeADataset:
    """As Hugging Face's data sets: of no class of torch's."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return INPUTS[row], TARGETS[row]


def task(**parts: Any) -> Task:
    usual: dict[str, Any] = {
        "model": nn.Linear(4, 6),
        "loss": nn.CrossEntropyLoss(),
        "train": PAIR,
        "val": PAIR,
    }
    return Task(**{**usual, **parts})


@pytest.fixture(autouse=True)
def modules_and_paths_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a task's file imports must not be there for the next test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("epochtop.core.task.file.") or name in ("beside", "unheard_of"):
            del sys.modules[name]


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a Python file; the path of it."""

    def to_file(source: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source))
        return path

    return to_file


def load(path: Path, function: str = "build", settings: Settings | None = None) -> Task:
    return load_task(f"{path}:{function}", settings or Settings())


def message_of(path: Path, function: str = "build") -> str:
    with pytest.raises(TaskError) as caught:
        load(path, function)
    return str(caught.value)


# What a task is made of.


@pytest.mark.parametrize(
    "data",
    [
        PAIR,
        Split(*PAIR),
        TensorDataset(*PAIR),
        Rows(6),
        Stream(),
        LikeADataset(),
        DataLoader(Rows(6), batch_size=4, shuffle=True),
        DataLoader(Stream(), batch_size=4),
        DataLoader(Rows(6), batch_size=None),
    ],
)
def test_data_may_be_of_any_of_these_kinds(data: Any) -> None:
    assert task(train=data).train is data
    assert task(val=data).val is data


def test_rows_of_any_shape_and_type_are_data() -> None:
    images = torch.zeros(3, 2, 8, 8, dtype=torch.uint8)
    assert task(train=(images, torch.zeros(3, 8, 8))).train[0] is images  # type: ignore[index]


def test_loss_metrics_and_forward_may_be_functions_or_objects() -> None:
    metrics = {"val_accuracy": accuracy, "acc": MulticlassAccuracy(num_classes=6)}
    made = task(
        loss=nn.functional.cross_entropy,
        metrics=metrics,
        forward=lambda model, batch: (model(batch[0]), batch[1]),
    )
    assert made.metrics == metrics
    assert task().metrics == {}


WRONG_PARTS: list[tuple[dict[str, Any], str]] = [
    ({"model": nn.Linear}, "Task.model: found the class Linear itself; allowed: an nn.Module"),
    ({"model": lambda inputs: inputs}, "Task.model: found a function"),
    ({"model": None}, "Task.model: found None"),
    ({"model": nn.Flatten()}, "found a Flatten without a parameter that requires a gradient"),
    ({"model": nn.LazyLinear(2)}, "found a LazyLinear with lazy layers of no shape yet"),
    ({"loss": nn.CrossEntropyLoss}, "Task.loss: found the class CrossEntropyLoss itself"),
    ({"loss": "mse"}, "Task.loss: found a str; allowed: a criterion such as nn.CrossEntropyLoss()"),
    ({"train": None}, "Task.train: found None; allowed: a tuple of two tensors"),
    ({"train": [*PAIR]}, "Task.train: found a list of 2 (Tensor, Tensor)"),
    ({"val": INPUTS}, "Task.val: found a Tensor of shape (6, 4)"),
    ({"val": INPUTS.numpy()}, "Task.val: found a ndarray"),
    ({"val": Rows}, "Task.val: found the class Rows itself"),
    ({"val": {"x": INPUTS}}, "Task.val: found a dict of 'x'"),
    ({"val": iter([PAIR])}, "Task.val: found a list_iterator"),
    ({"train": (INPUTS.numpy(), TARGETS.numpy())}, "found a tuple of 2 (ndarray, ndarray)"),
    ({"train": (INPUTS, INPUTS, TARGETS)}, "found a tuple of 3 (Tensor, Tensor, Tensor)"),
    ({"train": (INPUTS, TARGETS[:5])}, "Task.train: found 6 rows of inputs and 5 of targets"),
    ({"val": Split(INPUTS, TARGETS[:5])}, "Task.val: found 6 rows of inputs and 5 of targets"),
    ({"train": (INPUTS, torch.tensor(1.0))}, "found inputs of shape (6, 4), targets of shape ()"),
    ({"train": (INPUTS[:0], TARGETS[:0])}, "Task.train: found no row; allowed: at least one"),
    ({"val": Rows(0)}, "Task.val: found a Rows without a row"),
    ({"val": Unmeasured()}, "Task.val: found an Unmeasured without a length"),
    ({"train": DataLoader(Rows(3), 4, drop_last=True)}, "found a DataLoader without a batch"),
    ({"metrics": [accuracy]}, "Task.metrics: found a list of 1 (function)"),
    ({"metrics": {"a": MulticlassAccuracy}}, "['a']: found the class MulticlassAccuracy itself"),
    ({"metrics": {"a": 3}}, "Task.metrics['a']: found an int; allowed: a function of outputs and"),
    ({"metrics": {"": accuracy}}, "Task.metrics: found the name ''"),
    ({"metrics": {1: accuracy}}, "Task.metrics: found the name an int"),
    ({"metrics": {"val_loss": accuracy}}, "Task.metrics: found the name 'val_loss'"),
    ({"metrics": {"event": accuracy}}, "Task.metrics: found the name 'event'"),
    ({"metrics": {"a\x1b[31m": accuracy}}, r"Task.metrics: found the name 'a\x1b[31m'"),
    ({"forward": nn.Linear}, "Task.forward: found the class Linear itself"),
    ({"forward": 3}, "Task.forward: found an int; allowed: a function of a model and a batch"),
]


@pytest.mark.parametrize(("parts", "message"), WRONG_PARTS, ids=[text for _, text in WRONG_PARTS])
def test_a_part_of_another_kind_is_an_error_that_says_what_it_is(
    parts: dict[str, Any], message: str
) -> None:
    with pytest.raises(TaskError) as caught:
        task(**parts)
    assert message in str(caught.value)
    assert "; allowed: " in str(caught.value)


# Loading.


def test_the_function_is_given_the_settings_and_returns_the_task(write: Write) -> None:
    path = write(
        BEGINNING
        + """
def build(settings):
    model = nn.Linear(4, settings.train.batch_size)
    return Task(model, nn.MSELoss(), train=PAIR, val=PAIR)
"""
    )
    made = load(path, settings=Settings(train=TrainSettings(batch_size=7)))
    assert isinstance(made, Task)
    assert isinstance(made.model, nn.Linear)
    assert made.model.out_features == 7


def test_a_path_may_be_relative_or_begin_with_the_home_directory(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(WHOLE)
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("HOME", str(path.parent))
    assert isinstance(load_task("mine.py:build", Settings()).model, nn.Linear)
    assert isinstance(load_task("~/mine.py:build", Settings()).model, nn.Linear)


def test_a_file_may_be_called_anything(write: Write) -> None:
    assert isinstance(load(write(WHOLE, "2nd try (copy).v2.py")).model, nn.Linear)


@pytest.mark.filterwarnings("error")
def test_the_example_is_a_task_with_batches_of_its_own() -> None:
    made = load(EXAMPLE, settings=Settings(train=TrainSettings(batch_size=16)))
    assert isinstance(made.train, DataLoader)
    batch = next(iter(made.train))
    assert {key: tuple(value.shape) for key, value in batch.items()} == {
        "image": (16, 1, 8, 8),
        "label": (16,),
    }
    assert made.model(batch["image"])["logits"].shape == (16, 10)


def test_the_same_settings_make_the_same_task(write: Write) -> None:
    path = write(
        BEGINNING
        + """
import random
import numpy
DRAWN = [torch.rand(1).item()]
def build(settings):
    DRAWN.extend([torch.rand(1).item(), random.random(), numpy.random.rand()])
    return Task(nn.Linear(4, 2), lambda o, t: DRAWN, train=PAIR, val=PAIR)
"""
    )

    def drawn(seed: int) -> Any:
        made: Any = load(path, settings=Settings(train=TrainSettings(seed=seed)))
        return made.loss(None, None), made.model.weight.tolist()

    before = drawn(5)
    for generator in (torch.rand, np.random.rand, random.seed):
        generator(3)
    assert drawn(5) == before
    assert all(one != other for one, other in zip(drawn(5)[0], drawn(6)[0], strict=True))


def test_a_file_is_run_anew_each_time(write: Write) -> None:
    first = load(write(WHOLE))
    second = load(write(WHOLE.replace("nn.Linear(4, 2)", "nn.Linear(4, 22)")))
    assert [part.model.out_features for part in (first, second)] == [2, 22]


def test_two_files_of_one_name_are_two_modules(write: Write) -> None:
    own_class = "class Net(nn.Linear): pass\n"
    source = WHOLE.replace("def build", f"{own_class}\ndef build").replace("nn.Linear(4", "Net(4")
    models = [type(load(write(source, f"{place}/mine.py")).model) for place in ("a", "b")]
    assert models[0] is not models[1]
    assert all(getattr(sys.modules[model.__module__], "Net") is model for model in models)  # noqa: B009


def test_files_beside_it_can_be_imported(write: Write) -> None:
    write("OUTPUTS = 3", "beside.py")
    path = write(f"import beside\n{WHOLE.replace('Linear(4, 2)', 'Linear(4, beside.OUTPUTS)')}")
    assert load(path).model.out_features == 3


def test_files_beside_it_never_shadow_a_module_that_is_installed(write: Write) -> None:
    write("raise RuntimeError('not this one')", "colorsys.py")
    path = write(f"import colorsys\ncolorsys.rgb_to_hsv\n{WHOLE}")
    sys.modules.pop("colorsys", None)
    assert isinstance(load(path).model, nn.Linear)
    assert sys.path[-1] == str(path.parent.resolve())


def test_its_directory_is_added_to_the_path_once(write: Write) -> None:
    path = write(WHOLE)
    load(path)
    load(path)
    assert sys.path.count(str(path.parent.resolve())) == 1


@pytest.mark.parametrize("name", ["torch", "random", "epochtop", "mine"])
def test_its_module_takes_no_other_modules_name(write: Write, name: str) -> None:
    before = sys.modules.get(name)
    load(write(WHOLE, f"{name}.py"))
    assert sys.modules.get(name) is before


def test_dataclasses_with_annotations_as_text_work(write: Write) -> None:
    source = f"from __future__ import annotations\nfrom dataclasses import dataclass\n{WHOLE}"
    path = write(f"{source}\n@dataclass\nclass Sizes:\n    hidden: int = 3\n")
    assert isinstance(load(path).model, nn.Linear)


OWN_CLASSES = (
    BEGINNING
    + """
from dataclasses import dataclass
import beside

@dataclass
class Row:
    inputs: torch.Tensor
    target: int

class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, row):
        return Row(torch.full((4,), float(row)), beside.TWICE * row)

def collate(rows):
    return torch.stack([row.inputs for row in rows]), torch.tensor([row.target for row in rows])

def build(settings):
    loader = torch.utils.data.DataLoader(
        Rows(), 4, collate_fn=collate, num_workers=1, multiprocessing_context=CONTEXT
    )
    return Task(nn.Linear(4, 2), nn.MSELoss(), train=loader, val=PAIR)
"""
)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_load_rows_of_classes_that_the_file_defines(write: Write, context: str) -> None:
    write("TWICE = 2", "beside.py")
    made: Any = load(write(OWN_CLASSES.replace("CONTEXT", repr(context)), "own-classes.py"))
    inputs, targets = zip(*made.train, strict=True)
    assert torch.cat(inputs)[:, 0].tolist() == list(range(8))
    assert torch.cat(targets).tolist() == [2 * row for row in range(8)]


# Errors in what is asked for.


@pytest.mark.parametrize(
    "spec", ["", "mine.py", "mine.py:", ":build", "mine.txt:build", "a.py:b c"]
)
def test_anything_but_a_file_and_a_function_is_an_error(spec: str) -> None:
    with pytest.raises(TaskError) as caught:
        load_task(spec, Settings())
    assert str(caught.value) == (
        f"task: found '{spec}'; allowed: FILE.py:FUNCTION, such as task.py:build"
    )


def test_a_file_that_is_not_there_is_an_error_that_offers_the_nearest(write: Write) -> None:
    path = write(WHOLE, "segment.py")
    missing = path.with_name("segmnt.py")
    assert message_of(missing) == (
        f"{missing}: found no such file (did you mean 'segment.py'?); "
        "allowed: a Python file that exists"
    )
    assert "did you mean" not in message_of(path.parent / "no" / "directory.py")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "package.py").mkdir()
    assert "found a directory; allowed: a Python file" in message_of(tmp_path / "package.py")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_an_error(write: Write) -> None:
    path = write(WHOLE)
    path.chmod(0)
    assert message_of(path).startswith(f"{path}: PermissionError: ")


def test_a_function_that_is_not_there_is_an_error_that_offers_those_which_are(
    write: Write,
) -> None:
    path = write(f"{WHOLE}\ndef build_wide(settings): ...\n")
    assert message_of(path, "bulid") == (
        f"{path}: found no function 'bulid' (did you mean 'build'?); allowed: 'build', 'build_wide'"
    )


def test_without_any_function_it_says_what_is_needed(write: Write) -> None:
    path = write("from math import sqrt\nx = 3")
    assert message_of(path, "build") == (
        f"{path}: found no function 'build'; "
        "allowed: a function that takes the settings and returns a Task"
    )
    assert message_of(path, "x").startswith(f"{path}: x: found an int; allowed: a function that")


@pytest.mark.parametrize("arguments", ["", "settings, epochs", "*, settings"])
def test_a_function_of_other_arguments_is_an_error_that_names_its_line(
    write: Write, arguments: str
) -> None:
    path = write(f"\n\ndef build({arguments}):\n    return None\n")
    assert message_of(path) == (
        f"{path}:3: build: found the arguments ({arguments}); allowed: one argument, the settings"
    )


@pytest.mark.parametrize("arguments", ["*rest", "settings, epochs=3", "settings, /", "s: int"])
def test_a_function_that_can_be_called_with_the_settings_alone_will_do(
    write: Write, arguments: str
) -> None:
    assert isinstance(
        load(write(WHOLE.replace("build(settings)", f"build({arguments})"))).model, nn.Linear
    )


# Errors within the file.


def test_a_syntax_error_names_its_line(write: Write) -> None:
    path = write("import torch\n\ndef build(settings:\n    pass\n")
    assert message_of(path) == f"{path}:3: SyntaxError: '(' was never closed (mine.py, line 3)"


def test_a_syntax_error_beside_it_names_the_line_that_imports_and_the_file(write: Write) -> None:
    write("x = = 3", "beside.py")
    path = write("\nimport beside\n")
    assert message_of(path).startswith(f"{path}:2: SyntaxError: invalid syntax")
    assert "beside.py" in message_of(path)


def test_text_that_is_not_python_at_all_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "binary.py"
    path.write_bytes(b"\x00\xff\xfe")
    assert message_of(path).startswith(f"{path}")


def test_an_import_that_fails_names_the_line(write: Write) -> None:
    path = write("import os\nimport unheard_of\n")
    assert message_of(path) == f"{path}:2: ModuleNotFoundError: No module named 'unheard_of'"


def test_an_exception_names_the_last_line_of_the_users_file_on_its_way(write: Write) -> None:
    path = write(
        """
        import torch

        def build(settings):
            return shaped(torch.zeros(6))

        def shaped(rows):
            return torch.nn.functional.pad(
                rows.reshape(4, 4), (1,)
            )
        """
    )
    assert message_of(path) == (
        f"{path}:9: RuntimeError: shape '[4, 4]' is invalid for input of size 6"
    )


def test_an_exceptions_traceback_is_chained(write: Write) -> None:
    path = write("def build(settings):\n    return settings.trian\n")
    with pytest.raises(TaskError, match=r"mine.py:2: AttributeError: ") as caught:
        load(path)
    assert isinstance(caught.value.__cause__, AttributeError)
    assert "return settings.trian" in "".join(traceback.format_exception(caught.value))


def test_an_exception_of_many_lines_becomes_one_without_control_characters(write: Write) -> None:
    path = write(r"def build(settings): raise ValueError('one\n  two\x1b[2J' + 500 * '.')")
    message = message_of(path)
    assert message.startswith(rf"{path}:1: ValueError: one two\x1b[2J...")
    assert message.endswith("…")
    assert "\n" not in message


def test_an_exception_without_words_is_named(write: Write) -> None:
    path = write("def build(settings): raise NotImplementedError")
    assert message_of(path) == f"{path}:1: NotImplementedError"


@pytest.mark.parametrize(
    "source", ["import sys\nsys.exit(3)", "def build(s):\n  raise SystemExit(3)"]
)
def test_a_file_that_ends_the_program_does_not(write: Write, source: str) -> None:
    path = write(source)
    assert message_of(path) == f"{path}:2: SystemExit: 3"


def test_an_interrupt_while_the_file_runs_stays_an_interrupt(write: Write) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(write("raise KeyboardInterrupt"))


def test_a_file_that_fails_leaves_no_module(write: Write) -> None:
    before = set(sys.modules)
    message_of(write("raise ValueError"))
    assert set(sys.modules) == before


def test_data_that_epochtop_cannot_read_are_told_with_the_users_line(write: Write) -> None:
    path = write(
        """
        from epochtop.core import load_dataset

        def build(settings):
            data = load_dataset(settings.data)
        """
    )
    with pytest.raises(TaskError) as caught:
        load(path, settings=Settings(data=DataSettings(source="missing.csv", target="y")))
    assert isinstance(caught.value.__cause__, DataError)
    assert str(caught.value).startswith(f"{path}:5: missing.csv: found no such file; allowed: ")


def test_a_wrong_part_of_the_task_is_told_with_the_users_line(write: Write) -> None:
    path = write(WHOLE.replace("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss"))
    line = WHOLE[: WHOLE.index("return Task")].count("\n") + 1
    assert message_of(path).startswith(
        f"{path}:{line}: Task.loss: found the class CrossEntropyLoss itself; allowed: "
    )


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        ("None", "None returned (is there no return?)"),
        ("nn.Linear(4, 2)", "a Linear returned"),
        ("(nn.Linear(4, 2), PAIR)", "a tuple of 2 (Linear, tuple) returned"),
        ("Task", "the class Task itself returned"),
    ],
)
def test_anything_but_a_task_is_an_error(write: Write, returned: str, found: str) -> None:
    path = write(f"{BEGINNING}\ndef build(settings):\n    return {returned}\n")
    line = BEGINNING.count("\n") + 2
    assert message_of(path) == f"{path}:{line}: build: found {found}; allowed: a Task"


def test_a_path_through_a_link_is_told_as_it_was_given(write: Write, tmp_path: Path) -> None:
    path = write("def build(settings): return 1 / 0", "real/mine.py")
    link = tmp_path / "link"
    link.symlink_to(path.parent)
    assert message_of(link / "mine.py").startswith(f"{link / 'mine.py'}:1: ZeroDivisionError")


def test_a_module_whose_file_is_gone_is_not_found(write: Write) -> None:
    path = write(WHOLE.replace("def build", "class Net: pass\ndef build"), "gone/mine.py")
    load(path)
    name = next(name for name in sys.modules if name.startswith("epochtop.core.task.file.mine_"))
    del sys.modules[name]
    shutil.rmtree(path.parent)
    with pytest.raises(ModuleNotFoundError, match=r"task\.file"):
        __import__(name)
