"""Runs side by side: what each has reached, which settings differ, whether losses may be compared.

All of it follows from what the journals say of the runs; nothing is read here.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..events import VerdictChanged
from .status import RunStatus

FEWEST_RUNS, MOST_RUNS = 2, 8
# The same rows give the same baseline, but for how another machine rounds.
_SAME_BASELINE = 1e-6


class AtBest(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured at the epoch with the lowest validation loss.

    `train_loss` is the one in evaluation mode, like the validation loss, where the run has
    measured it; else the mean over the epoch while the weights moved. `penalty` is weight
    decay's term, which is in none of the losses. `seconds` is the training time up to there, None
    where the journal does not say when the run began.
    """

    epoch: int
    val_loss: float
    train_loss: float | None = None
    train_measured_in: Literal["evaluation", "training"] = "evaluation"
    penalty: float | None = None
    seconds: float | None = None

    @property
    def gap(self) -> float | None:
        """Validation loss minus train loss."""
        return None if self.train_loss is None else self.val_loss - self.train_loss


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison knows of one run.

    `settings` are those that hold now by their dotted names; a journal that does not say one
    lacks its name. `began_with` has the first values of those that were changed on the way.
    """

    name: str
    status: RunStatus
    paused: bool = False
    settings: Mapping[str, Any] = {}
    began_with: Mapping[str, Any] = {}
    epoch: int = 0
    num_epochs: int | None = None
    best: AtBest | None = None
    verdict: VerdictChanged | None = None
    problem: str | None = None
    num_val: int | None = None
    baseline_loss: float | None = None

    @property
    def tells_of_data(self) -> bool:
        """Whether there is anything by which its data could be known as those of another run."""
        if self.num_val is not None or self.baseline_loss is not None:
            return True
        return any(map(_is_of_data, self.settings))


class Difference(msgspec.Struct, frozen=True):
    """A setting that is not the same in all runs that say it: a value a run, in its own tuple.

    The tuple is empty where a run does not say the setting, which is not the same as off.
    """

    setting: str
    values: tuple[tuple[Any, ...], ...]


class Comparison(msgspec.Struct, frozen=True):
    """Runs in the order they were named, the settings that differ, and what keeps losses apart.

    `not_said` has for each run the settings that others say and its journal does not.
    """

    runs: tuple[ComparedRun, ...]
    differences: tuple[Difference, ...]
    not_said: tuple[tuple[str, ...], ...]
    differ_in: tuple[str, ...]

    @property
    def is_fair(self) -> bool | None:
        """Whether the losses are of the same rows, measured alike; None where nobody can tell."""
        if self.differ_in:
            return False
        return True if all(run.tells_of_data for run in self.runs) else None


def compare(runs: Sequence[ComparedRun]) -> Comparison:
    """Put runs side by side."""
    names = tuple(dict.fromkeys(name for run in runs for name in run.settings))
    differences = tuple(_differences(runs, names))
    not_said = tuple(tuple(name for name in names if name not in run.settings) for run in runs)
    return Comparison(tuple(runs), differences, not_said, tuple(_unlike(runs, differences)))


def dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of keys as one mapping of dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            flat[name] = value
    return flat


def _differences(runs: Sequence[ComparedRun], names: Sequence[str]) -> Iterator[Difference]:
    """The settings that differ, in the order of the first run's."""
    for name in names:
        values = tuple((run.settings[name],) if name in run.settings else () for run in runs)
        said = [value for value in values if value]
        if any(value != said[0] for value in said):
            yield Difference(name, values)


def _unlike(runs: Sequence[ComparedRun], differences: Sequence[Difference]) -> Iterator[str]:
    """What is not the same of data and criterion, in words."""
    # the section data does not count beside a task
    have_tasks = all(run.settings.get("task") for run in runs)
    for difference in differences:
        if difference.setting == "task" or (not have_tasks and _is_of_data(difference.setting)):
            yield difference.setting
    if _differ([run.problem for run in runs]):
        yield "kind of problem"
    if _differ([run.num_val for run in runs]):
        yield "number of validation rows"
    baselines = [run.baseline_loss for run in runs if run.baseline_loss is not None]
    if any(not math.isclose(each, baselines[0], rel_tol=_SAME_BASELINE) for each in baselines):
        yield "loss of the best constant"


def _is_of_data(setting: str) -> bool:
    return setting == "task" or setting.startswith("data.")


def _differ(values: Sequence[object]) -> bool:
    """Whether those that are known differ."""
    return len({value for value in values if value is not None}) > 1
