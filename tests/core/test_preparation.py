"""From settings to what trains, and what a run's first record says of it."""

import math
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from epochtop.core import Settings, resolve_settings
from epochtop.core.engine.preparation import Preparation, describe_start, find_device, prepare
from epochtop.core.errors import DataError, LossError, SettingsError
from epochtop.core.events import RunStarted
from epochtop.core.loss.baseline import baseline_losses
from epochtop.core.run.directory import Run

from .plain_loop import weights_of

BEGINNING = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from epochtop.core import Task

generator = torch.Generator().manual_seed(0)
INPUTS = torch.randn(40, 4, generator=generator)
CLASSES = INPUTS[:, :3].argmax(dim=1)
TRAIN, VAL = (INPUTS[:30], CLASSES[:30]), (INPUTS[30:], CLASSES[30:])
MODEL, LOSS = nn.Linear(4, 3), nn.CrossEntropyLoss()


def own_forward(model, batch):
    return model(batch[0]), batch[1]


def build(settings):
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


@pytest.fixture(autouse=True)
def as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def settings_of(*changes: str) -> Settings:
    return resolve_settings(overrides=["train.device=cpu", *changes])


def task_settings(folder: Path, body: str, *changes: str) -> Settings:
    """The settings of a task whose function has this body."""
    file = folder / "task.py"
    file.write_text(BEGINNING + "".join(f"    {line}\n" for line in dedent(body).splitlines()))
    return settings_of(f"task={file}:build", *changes)


def started(run: Run, settings: Settings) -> RunStarted:
    return describe_start(run, prepare(settings))


# What the first record says.


def test_a_built_in_set_is_described(run: Run) -> None:
    settings = settings_of("data.source=iris")
    record = started(run, settings)

    assert (record.run, record.problem, record.device) == ("run", "classification", "cpu")
    assert (record.num_train, record.num_val, record.num_features) == (120, 30, 4)
    assert record.classes == ["setosa", "versicolor", "virginica"]
    assert record.num_parameters == 4 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3
    assert record.baseline_loss == pytest.approx(math.log(3), rel=0.05)
    assert record.train_baseline_loss == pytest.approx(math.log(3), rel=0.01)
    assert record.learnable_share == pytest.approx(0.9, abs=0.1)
    assert record.settings["data"]["source"] == "iris"
    assert record.versions["torch"] == torch.__version__


def test_a_regression_is_described_with_its_scale(run: Run) -> None:
    record = started(run, settings_of("data.source=diabetes"))

    assert (record.problem, record.classes) == ("regression", [])
    assert record.target_mean == pytest.approx(152, abs=10)
    assert record.target_std == pytest.approx(77, abs=5)
    assert record.baseline_loss == pytest.approx(1, abs=0.3)
    assert record.train_baseline_loss == pytest.approx(1)  # by the scale of the training rows
    assert record.learnable_share == pytest.approx(0.5, abs=0.1)


def test_a_task_is_described_by_what_it_holds(run: Run, tmp_path: Path) -> None:
    record = started(run, task_settings(tmp_path, "return Task(MODEL, LOSS, train=TRAIN, val=VAL)"))

    assert (record.problem, record.num_train, record.num_val) == ("task", 30, 10)
    assert (record.num_parameters, record.num_features) == (15, None)
    assert record.baseline_loss is not None
    assert 0.5 < record.baseline_loss < 2
    assert record.train_baseline_loss is not None
    assert record.learnable_share is None  # 40 rows are too few


NO_BASELINE = {
    "a loader, whose targets would have to be loaded": """
        loader = DataLoader(TensorDataset(*TRAIN), batch_size=8)
        return Task(MODEL, LOSS, train=loader, val=VAL)
    """,
    "a forward of its own, which may make other targets": """
        return Task(MODEL, LOSS, train=TRAIN, val=VAL, forward=own_forward)
    """,
    "a loss of its own that does not ask for the targets": """
        return Task(MODEL, lambda out, y: out.square().mean(), train=TRAIN, val=VAL)
    """,
    "a class that training never saw, which makes it infinite": """
        seen = CLASSES != 2
        return Task(MODEL, LOSS, train=(INPUTS[seen], CLASSES[seen]), val=VAL)
    """,
    "validation targets that are infinite": """
        numbers = INPUTS[:, :1]
        return Task(nn.Linear(4, 1), nn.MSELoss(), train=(INPUTS, numbers),
                    val=(INPUTS, numbers.clone().fill_(float("inf"))))
    """,
}


@pytest.mark.parametrize("reason", NO_BASELINE)
def test_where_there_is_no_finite_baseline_none_is_told(
    reason: str, run: Run, tmp_path: Path
) -> None:
    assert started(run, task_settings(tmp_path, NO_BASELINE[reason])).baseline_loss is None


def test_the_baseline_is_that_of_the_tasks_own_criterion(run: Run, tmp_path: Path) -> None:
    body = """
        loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 0.5]), label_smoothing=0.1)
        return Task(MODEL, loss, train=TRAIN, val=VAL)
    """
    preparation = prepare(task_settings(tmp_path, body))
    (_, train), (_, val) = preparation.task.train, preparation.task.val  # type: ignore[misc] # pairs
    expected = baseline_losses(preparation.task.loss, train, val, (3,))
    record = describe_start(run, preparation)

    assert (record.baseline_loss, record.train_baseline_loss) == expected


def test_a_loss_of_the_tasks_own_has_a_baseline_too(run: Run, tmp_path: Path) -> None:
    own = """
        def loss(outputs, labels):
            return -outputs.log_softmax(1).gather(1, labels[:, None]).mean()
        return Task(MODEL, loss, train=TRAIN, val=VAL)
    """
    torchs = "return Task(MODEL, nn.CrossEntropyLoss(), train=TRAIN, val=VAL)"
    found, expected = (started(run, task_settings(tmp_path, body)) for body in (own, torchs))
    assert found.baseline_loss == pytest.approx(expected.baseline_loss, rel=1e-3)
    assert found.train_baseline_loss == pytest.approx(expected.train_baseline_loss, rel=1e-5)


# What is prepared.


def test_the_same_settings_make_the_same_model_and_data_whatever_was_drawn_before() -> None:
    first = prepare(settings_of("data.source=synthetic"))
    torch.rand(7)
    second = prepare(settings_of("data.source=synthetic"))
    other = prepare(settings_of("data.source=synthetic", "train.seed=1"))

    def weights(preparation: Preparation) -> list[torch.Tensor]:
        return list(weights_of(preparation.trainer.model).values())

    pairs = zip(weights(first), weights(second), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    assert not torch.equal(weights(first)[0], weights(other)[0])


def test_what_is_prepared_trains_as_often_as_it_is_prepared() -> None:
    settings = settings_of("data.source=synthetic", "model.dropout=0.3", "train.epochs=2")
    losses = []
    for _ in range(2):
        trainer = prepare(settings).trainer
        trainer.run()
        losses.append(trainer.rule_state.stopping.lowest_loss)

    assert losses[0] == losses[1]


def test_what_cannot_be_trained_on_is_told_before_a_run_begins(tmp_path: Path) -> None:
    ignored = "return Task(MODEL, LOSS, train=(INPUTS, CLASSES * 0 - 100), val=VAL)"
    column = "return Task(nn.Linear(4, 1), nn.MSELoss(), train=(INPUTS, INPUTS[:, 0]), val=VAL)"

    with pytest.raises(DataError, match="train: found no target that counts"):
        prepare(task_settings(tmp_path, ignored))
    with pytest.raises(LossError, match="compares element by element"):
        prepare(task_settings(tmp_path, column))


def test_a_class_beyond_the_losss_weights_is_told(tmp_path: Path) -> None:
    body = """
        loss = nn.CrossEntropyLoss(weight=torch.ones(2))
        return Task(MODEL, loss, train=TRAIN, val=VAL)
    """

    with pytest.raises(LossError, match="targets: found class 2; allowed: 0 to 1"):
        prepare(task_settings(tmp_path, body))


# Devices.


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert find_device("auto") == torch.device("cuda:0")
    assert find_device("cuda") == torch.device("cuda")
    assert find_device("cuda:1") == torch.device("cuda:1")
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_processor_is_taken() -> None:
    assert find_device("auto") == torch.device("cpu")


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_the_driver_counts_but_torch_cannot_use_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A driver too old for torch's CUDA: `auto` took the GPU, and the run ended at its start."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)

    assert find_device("auto") == torch.device("cpu")
    with pytest.raises(SettingsError, match=r"allowed: on this machine auto, cpu$"):
        find_device("cuda")


def test_an_apple_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    assert find_device("auto") == find_device("mps") == torch.device("mps")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("name", ["cuda:2", "mps"])
def test_a_device_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    message = f'train.device: found "{name}"; allowed: on this machine auto, cpu, cuda:0, cuda:1'

    with pytest.raises(SettingsError, match=message):
        find_device(name)


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_is_not_there_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    settings = task_settings(tmp_path, "raise AssertionError", "train.device=cuda")

    with pytest.raises(SettingsError, match=r"train\.device: found .*; allowed: on this machine"):
        prepare(settings)


# Threads.


def test_small_models_train_on_one_thread_and_large_ones_after_them_on_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("epochtop.core.engine.preparation._THREADS", 3)

    prepare(settings_of("data.source=iris"))
    assert torch.get_num_threads() == 1

    prepare(settings_of("data.source=iris", "model.hidden=[2000,2000]", "train.batch_size=64"))
    assert torch.get_num_threads() == 3


def test_the_environment_says_how_many_threads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)

    prepare(settings_of("data.source=iris"))

    assert torch.get_num_threads() == 2
