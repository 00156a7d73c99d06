"""From settings to everything that training needs: model, data, loss, metrics, device."""

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version

import msgspec
import torch
from torch import nn

from ..batches.rows import Rows
from ..data import Dataset, load_dataset
from ..errors import SettingProblem, SettingsError
from ..events import RunStarted
from ..loss.loss_sum import build_loss
from ..loss.metrics import build_metrics
from ..run.directory import Run
from ..run.status import engine_process
from ..settings.consistency import require_consistent
from ..settings.declaration import Settings
from ..settings.toml_file import with_absolute_paths
from ..task.task import Task, load_task
from ..training.models import build_model, count_parameters
from ..training.trainer import Trainer
from ..training.yardsticks import measured_yardsticks
from ..verdict.curves import Yardsticks
from .out_of_memory import facts_of

# A step of fewer operations than this gains nothing from a second thread, and on a machine
# that does other things as well (drawing a screen, say) the threads wait for each other.
_OPERATIONS_WORTH_THREADS = 50e6
# Torch's own choice, which an earlier run in this process may have changed.
_THREADS = torch.get_num_threads()


@dataclass(frozen=True)
class Preparation:
    """What the settings ask for, made and ready to train.

    `dataset` says what the numbers of built-in data and files stand for; None for a task.
    """

    settings: Settings
    task: Task
    dataset: Dataset | None
    trainer: Trainer
    warnings: list[str] = field(default_factory=list)


def prepare(settings: Settings) -> Preparation:
    """Load the data and build the model, or let the user's own task do so.

    Raises:
        DataError: the data cannot be trained on.
        TaskError: the task cannot be loaded.
        SettingsError: the device is not there or has not the memory, or settings do not fit
            together.
        LossError: the task's loss does not fit its data.
    """
    require_consistent(settings)
    device = find_device(settings.train.device)
    dataset = None if settings.task else load_dataset(settings.data)
    task = load_task(settings.task, settings) if dataset is None else _task_of(dataset, settings)
    _choose_threads(task.model, settings.train.batch_size)
    try:
        trainer = _trainer_on(device, task, settings)
    except torch.OutOfMemoryError as error:
        raise _too_large_for(device, error) from error
    return Preparation(settings, task, dataset, trainer, [*dataset.warnings] if dataset else [])


def find_device(name: str) -> torch.device:
    """The device of a name; `auto` is a GPU where there is one.

    Raises:
        SettingsError: this machine has no such device.
    """
    # a driver that is too old for torch still counts its GPUs
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(f"cuda:{index}" for index in range(count))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        name = there[1] if len(there) > 1 else "cpu"
    if name not in there and f"{name}:0" not in there:
        allowed = "on this machine auto, " + ", ".join(there)
        raise SettingsError([SettingProblem("train.device", f'"{name}"', allowed)])
    return torch.device(name)


def describe_start(run: Run, preparation: Preparation) -> RunStarted:
    """The run's first record."""
    dataset, trainer = preparation.dataset, preparation.trainer
    engine = engine_process()
    scale = dataset.target_scale if dataset else None
    yardsticks = _yardsticks(preparation)
    return RunStarted(
        run=run.name,
        settings=msgspec.to_builtins(with_absolute_paths(preparation.settings)),
        num_train=trainer.train.num_rows,
        num_val=trainer.val.num_rows,
        num_features=dataset.num_features if dataset else None,
        num_parameters=count_parameters(trainer.model),
        baseline_loss=yardsticks.constant,
        train_baseline_loss=yardsticks.train_constant,
        learnable_share=yardsticks.learnable_share,
        problem=dataset.problem if dataset else "task",
        classes=list(dataset.class_names) if dataset else [],
        target_mean=scale.mean if scale else None,
        target_std=scale.std if scale else None,
        device=str(trainer.device),
        host=engine.host,
        pid=engine.pid,
        process_started=engine.process_started,
        versions=_versions(),
    )


def _too_large_for(device: torch.device, error: torch.OutOfMemoryError) -> SettingsError:
    found = f"{device}, on which there is no room for the model and the rows ({facts_of(error)})"
    allowed = "a device with more memory; a task's DataLoader takes only its batches there"
    return SettingsError([SettingProblem("train.device", found, allowed)])


def _trainer_on(device: torch.device, task: Task, settings: Settings) -> Trainer:
    """Everything on the device, and tried out there."""
    task.model.to(device)
    if isinstance(task.loss, nn.Module):
        task.loss.to(device)
    return Trainer(
        task.model,
        task.loss,
        train=task.train,
        val=task.val,
        settings=settings,
        metrics=task.metrics,
        forward=task.forward,
        keep_history=False,
    )


def _task_of(dataset: Dataset, settings: Settings) -> Task:
    """Built-in data or a file as a task."""
    model = build_model(
        settings.model,
        num_features=dataset.num_features,
        num_outputs=dataset.num_outputs,
        seed=settings.train.seed,
    )
    metrics = build_metrics(dataset)
    return Task(model, build_loss(dataset), train=dataset.train, val=dataset.val, metrics=metrics)


def _yardsticks(preparation: Preparation) -> Yardsticks:
    """What the data give without the model; nothing where the rows are yet to be loaded."""
    trainer, task = preparation.trainer, preparation.task
    train, val = trainer.train, trainer.val
    if task.forward or not (isinstance(train, Rows) and isinstance(val, Rows)):
        return Yardsticks()
    return measured_yardsticks(task.loss, train.split, val.split, trainer.output_shape)


def _choose_threads(model: nn.Module, batch_size: int) -> None:
    """Train small models on one thread, unless the environment says how many.

    A step takes about 6 operations a parameter and row: 2 forward, 4 backward.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        is_small = 6.0 * count_parameters(model) * batch_size < _OPERATIONS_WORTH_THREADS
        torch.set_num_threads(1 if is_small else _THREADS)


def _versions() -> dict[str, str]:
    packages = ("epochtop", "scikit-learn", "numpy")
    return {
        "python": platform.python_version(),
        # which says for what kind of GPU it is built; the installed package's may not
        "torch": str(torch.__version__),
        **{name: version(name) for name in packages},
    }
