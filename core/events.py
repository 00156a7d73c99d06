"""Every record of a run's journal, as a frozen typed struct.

Epochs and steps count from 1; a step is one update of the weights. Times are Unix seconds,
durations seconds. A number that is not finite is `None` (`null` in the journal), and a
`LossNotFinite` record says where it came from.
"""

import time
from typing import Annotated, Any, Literal

import msgspec

SCHEMA = 1

FinishReason = Literal[
    "completed", "early_stopped", "stopped", "interrupted", "not_finite", "failed"
]
StopWhen = Literal["epoch", "now"]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every record holds: when it was written."""

    time: float = msgspec.field(default_factory=time.time)


class RunStarted(Record, frozen=True, kw_only=True, tag="run_started"):
    """The first record of a run: what is trained, on what, where."""

    run: str
    settings: dict[str, dict[str, Any]]
    num_train: int
    num_val: int
    num_parameters: int
    baseline_loss: float | None
    device: str
    host: str
    pid: int
    process_started: float
    versions: dict[str, str]
    problem: str
    num_features: int
    classes: list[str] = []
    target_mean: float | None = None
    target_std: float | None = None
    schema: int = SCHEMA

    @property
    def num_epochs(self) -> int | None:
        """The most epochs that the run trains, None in a journal that does not say."""
        epochs = self.setting("train", "epochs")
        return epochs if isinstance(epochs, int) else None

    def setting(self, section: str, key: str) -> Any:
        """One of the run's settings, None in a journal that does not say."""
        return self.settings.get(section, {}).get(key)


class Stopping(msgspec.Struct, frozen=True, kw_only=True):
    """The early-stopping rule after an epoch.

    `best_loss` and `best_epoch` are the last improvement that the rule counted, which
    `min_delta` filters; `lowest_loss` and `lowest_epoch` are the strict minimum, whose weights
    `best.pt` holds. They differ only with a `min_delta` above 0. `target` is the loss that the
    next epoch has to stay below to count as an improvement. `patience` 0 means never to stop.
    """

    best_loss: float | None
    best_epoch: int | None
    epochs_since_best: int
    patience: int
    target: float | None
    lowest_loss: float | None
    lowest_epoch: int | None


class EpochCompleted(Record, frozen=True, kw_only=True, tag="epoch_completed"):
    """One epoch's losses, and the stopping rule's state after it.

    `train_loss` is the mean over the epoch, measured while the weights moved and with dropout;
    `train_loss_eval` is measured after it on a fixed part of the training data in evaluation
    mode, like `val_loss`. `penalty` is the weight decay's term, in neither loss; None for an
    optimiser whose update it is not the gradient of.
    """

    epoch: Count
    step: Count
    train_loss: float | None
    val_loss: float | None
    train_loss_eval: float | None
    penalty: float | None
    lr: float
    seconds: float
    metrics: dict[str, float | None]
    stopping: Stopping


class CheckpointSaved(Record, frozen=True, kw_only=True, tag="checkpoint_saved"):
    """A checkpoint is on the disk; `path` is relative to the run's directory."""

    kind: Literal["best", "last"]
    epoch: int
    path: str
    bytes: int
    seconds: float


class LossNotFinite(Record, frozen=True, kw_only=True, tag="loss_not_finite"):
    """The first step of an epoch whose loss was not a finite number."""

    epoch: int
    step: int
    which: Literal["train", "val"]
    value: Literal["nan", "inf", "-inf"]


class StopRequested(Record, frozen=True, kw_only=True, tag="stop_requested"):
    """The engine has seen a request to stop: after the epoch, or at the next step."""

    when: StopWhen


class Warned(Record, frozen=True, kw_only=True, tag="warning"):
    """Something that a person should know of and that does not end the run."""

    message: str


class RunResumed(Record, frozen=True, kw_only=True, tag="run_resumed"):
    """The run went on from an earlier epoch; later epochs before this record are void."""

    epoch: Count


class RunFinished(Record, frozen=True, kw_only=True, tag="run_finished"):
    """The one last record of a run that ended in any way its process could see."""

    reason: FinishReason
    epoch: int
    best_epoch: int | None
    best_loss: float | None
    message: str


Event = (
    RunStarted
    | EpochCompleted
    | CheckpointSaved
    | LossNotFinite
    | StopRequested
    | Warned
    | RunResumed
    | RunFinished
)
