"""From settings to everything that training needs: data, model, loss, metrics, device."""

import platform
from dataclasses import dataclass, field
from importlib.metadata import version

import msgspec
import torch
from torch import nn

from .data import Dataset, load_dataset
from .data.dataset import Split
from .errors import SettingProblem, SettingsError
from .events import RunStarted
from .loss import Loss, baseline_loss, build_loss
from .metrics import Metric, build_metrics
from .models import build_model, count_parameters
from .run import Run
from .settings import Settings
from .settings_file import with_absolute_source
from .status import engine_process

# A step of fewer operations than this gains nothing from a second thread, and on a machine
# that does other things as well (drawing a screen, say) the threads wait for each other.
_OPERATIONS_WORTH_THREADS = 50e6


@dataclass(frozen=True)
class Preparation:
    """What the settings ask for, made and on its device."""

    settings: Settings
    dataset: Dataset
    train: Split
    val: Split
    model: nn.Module
    loss: Loss
    metrics: dict[str, Metric]
    device: torch.device
    warnings: list[str] = field(default_factory=list)


def prepare(settings: Settings) -> Preparation:
    """Load the data and build the model.

    Raises:
        DataError: the data cannot be trained on.
        SettingsError: the device is not there.
    """
    device = find_device(settings.train.device)
    dataset = load_dataset(settings.data)
    model = build_model(
        settings.model,
        num_features=dataset.num_features,
        num_outputs=dataset.num_outputs,
        seed=settings.train.seed,
    )
    _choose_threads(model, settings.train.batch_size)
    return Preparation(
        settings=settings,
        dataset=dataset,
        train=dataset.train.to(device),
        val=dataset.val.to(device),
        model=model.to(device),
        loss=build_loss(dataset),
        metrics=build_metrics(dataset),
        device=device,
    )


def find_device(name: str) -> torch.device:
    """The device of a name; `auto` is a GPU where there is one.

    Raises:
        SettingsError: this machine has no such device.
    """
    there = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        name = there[1] if len(there) > 1 else "cpu"
    if name not in there and f"{name}:0" not in there:
        allowed = "on this machine auto, " + ", ".join(there)
        raise SettingsError([SettingProblem("train.device", f'"{name}"', allowed)])
    return torch.device(name)


def _choose_threads(model: nn.Module, batch_size: int) -> None:
    """Train small models on one thread.

    A step takes about 6 operations a parameter and row: 2 forward, 4 backward.
    """
    if 6.0 * count_parameters(model) * batch_size < _OPERATIONS_WORTH_THREADS:
        torch.set_num_threads(1)


def describe_start(run: Run, preparation: Preparation) -> RunStarted:
    """The run's first record."""
    dataset, engine = preparation.dataset, engine_process()
    scale = dataset.target_scale
    return RunStarted(
        run=run.name,
        settings=msgspec.to_builtins(with_absolute_source(preparation.settings)),
        num_train=len(dataset.train),
        num_val=len(dataset.val),
        num_features=dataset.num_features,
        num_parameters=count_parameters(preparation.model),
        baseline_loss=baseline_loss(dataset),
        problem=dataset.problem,
        classes=list(dataset.class_names),
        target_mean=scale.mean if scale else None,
        target_std=scale.std if scale else None,
        device=str(preparation.device),
        host=engine.host,
        pid=engine.pid,
        process_started=engine.process_started,
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    packages = ("epochtop", "torch", "scikit-learn", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}
