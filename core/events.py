"""Every record of a run's journal, as a frozen typed struct.

Epochs and steps count from 1; a step is one update of the weights. Times are Unix seconds,
durations seconds. A number that is not finite is `None` (`null` in the journal), and a
`LossNotFinite` record says where it came from.
"""

import time
from typing import Annotated, Any, Literal

import msgspec

from .settings.declaration import StoppingRuleName

SCHEMA = 1

VerdictName = Literal[
    "warming_up",
    "improving",
    "good_fit",
    "overfitting",
    "underfitting",
    "diverging",
    "inconclusive",
]
FinishReason = Literal[
    "completed", "early_stopped", "stopped", "interrupted", "not_finite", "failed"
]
StopWhen = Literal["epoch", "now"]
SavedBy = Literal["time", "request", "end"]
# `from` is no name in Python.
_JSON_NAMES = {"before": "from", "after": "to"}
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every record holds: when it was written."""

    time: float = msgspec.field(default_factory=time.time)


class RunStarted(Record, frozen=True, kw_only=True, tag="run_started"):
    """The first record of a run: what is trained, on what, where.

    The numbers of rows are None where a task's loader does not say them; `num_features` is None
    for every task. `baseline_loss` is the validation loss of the constant that fits the training
    targets best, `train_baseline_loss` its train loss, `learnable_share` what share of it kernel
    regression takes away on rows left out; None where nobody knows them.
    """

    run: str
    settings: dict[str, Any]
    num_train: int | None
    num_val: int | None
    num_parameters: int
    baseline_loss: float | None
    train_baseline_loss: float | None = None
    learnable_share: float | None = None
    device: str
    host: str
    pid: int
    process_started: float
    versions: dict[str, str]
    problem: str
    num_features: int | None
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
        values = self.settings.get(section)
        return values.get(key) if isinstance(values, dict) else None


# A journal has a million of these two and they refer to nothing that could refer back to them:
# the garbage collector need not look at them, which takes a third off the time to read them.
class Stopping(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The early-stopping rule after an epoch.

    `best_loss` and `best_epoch` are the last improvement that the rule counted, which
    `min_delta` filters; `lowest_loss` and `lowest_epoch` are the strict minimum, whose weights
    `best.pt` holds. They differ only with a `min_delta` above 0. `target` is the loss that the
    next epoch has to stay below to count as an improvement. `patience` 0 means never to stop.
    A rule of Prechelt's has a `measure` that ends the run above `limit` (`up`: once it reaches
    it); both are None for patience, `measure` also as long as it cannot be told.
    """

    best_loss: float | None
    best_epoch: int | None
    epochs_since_best: int
    patience: int
    target: float | None
    lowest_loss: float | None
    lowest_epoch: int | None
    rule: StoppingRuleName = "patience"
    measure: float | None = None
    limit: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether a rule has written this; after an epoch a rule has a best or waits for one."""
        waits = self.patience > 0 or self.limit is not None
        return waits or self.best_loss is not None or self.epochs_since_best > 0


# What a journal without a rule says of it, as that of a user's own loop.
NO_STOPPING = Stopping(
    best_loss=None,
    best_epoch=None,
    epochs_since_best=0,
    patience=0,
    target=None,
    lowest_loss=None,
    lowest_epoch=None,
)


class ValChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much the validation loss has changed since an epoch; below 0 it has fallen.

    `error` is the standard error of that by the differences of the single rows.
    """

    since_epoch: int
    by: float
    error: float


class EpochCompleted(Record, frozen=True, kw_only=True, tag="epoch_completed", gc=False):
    """One epoch's losses, and the stopping rule's state after it.

    `train_loss` is the mean over the epoch, measured while the weights moved and with dropout;
    `train_loss_eval` is measured after it on a fixed part of the training data in evaluation
    mode, like `val_loss`. `penalty` is the weight decay's term, in neither loss; None for an
    optimiser whose update it is not the gradient of. `grad_norm` is the largest norm of the
    epoch's gradients before they were clipped, None when they are not. `data_seconds` is how
    long training waited for a loader's batches, None for data in memory. `val_rise` is the
    validation loss above that of the best epoch before this one, `val_rise_error` its standard
    error by the differences of the single rows, `val_change` the same since an epoch about
    half-way; all three in the first epochs, and later whenever the run has become 5 % longer.
    `unlearnt_share`, whenever it has become 15 % longer, is how much of what the inputs tell of
    the targets the model has not learnt, as the residuals of rows with like inputs show: 1 of an
    unlearnt model, 0 where all that is left is noise. They are None where the loss tells no row's
    own. The last one is None, too, where rows have more than one tensor of inputs or very many
    outputs, come from a stream or a `forward` of the task's own, are fewer than 100, or where
    rows with like inputs do not have like targets.

    A loop of a user's own may write nothing but the epoch and its two losses. All else is then
    not known: None, no metrics, `NO_STOPPING`, and 0 for `step`, which counts from 1.
    """

    epoch: Count
    step: Count = 0
    train_loss: float | None
    val_loss: float | None
    train_loss_eval: float | None = None
    penalty: float | None = None
    lr: float | None = None
    seconds: float | None = None
    metrics: dict[str, float | None] = {}
    stopping: Stopping = NO_STOPPING
    grad_norm: float | None = None
    data_seconds: float | None = None
    val_rise: float | None = None
    val_rise_error: float | None = None
    val_change: ValChange | None = None
    unlearnt_share: float | None = None


class CheckpointSaved(Record, frozen=True, kw_only=True, tag="checkpoint_saved"):
    """A checkpoint is on the disk; `path` is relative to the run's directory.

    It was written because enough time had passed, on request, or at the run's end.
    """

    kind: Literal["best", "last"]
    epoch: int
    path: str
    bytes: int
    seconds: float
    by: SavedBy = "time"


class VerdictChanged(Record, frozen=True, kw_only=True, tag="verdict_changed"):
    """What the two curves say now (see `verdict.judge`), told when it is something else.

    `evidence` are the numbers that it rests on; after the last epoch it is told in any case.
    """

    verdict: VerdictName
    since_epoch: Count
    confidence: float = 0.0
    evidence: dict[str, float] = {}


class LossNotFinite(Record, frozen=True, kw_only=True, tag="loss_not_finite"):
    """The first step of an epoch whose loss was not a finite number."""

    epoch: int
    step: int
    which: Literal["train", "val"]
    value: Literal["nan", "inf", "-inf"]


class StopRequested(Record, frozen=True, kw_only=True, tag="stop_requested"):
    """The engine has seen a request to stop: after the epoch, or at the next step."""

    when: StopWhen


class RequestSeen(Record, frozen=True, kw_only=True, tag="request_seen"):
    """A request waits for the running step to end, which takes long; then it is carried out."""

    request: str


class Paused(Record, frozen=True, kw_only=True, tag="paused"):
    """Training stands still on request, after so many epochs and steps."""

    epoch: Count
    step: Count


class Resumed(Record, frozen=True, kw_only=True, tag="resumed"):
    """A paused training goes on, in the same process."""

    epoch: Count
    step: Count


class SettingChanged(Record, frozen=True, kw_only=True, tag="setting_changed", rename=_JSON_NAMES):
    """A setting has another value from here on: on request, on resume, or by going back."""

    setting: str
    before: Any
    after: Any
    by: Literal["request", "resume", "go_back"]


class Warned(Record, frozen=True, kw_only=True, tag="warning"):
    """Something that a person should know of and that does not end the run."""

    message: str


class RunResumed(Record, frozen=True, kw_only=True, tag="run_resumed"):
    """The run went on from an earlier epoch; later epochs before this record are void.

    `message` says what was restored. It went on within an epoch when `batches_into_next_epoch`
    is above 0. `stopping` is the stopping rule's state there.
    """

    epoch: Count
    step: Count = 0
    batches_into_next_epoch: Count = 0
    message: str = ""
    device: str = ""
    host: str = ""
    pid: int = 0
    stopping: Stopping | None = None


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
    | VerdictChanged
    | LossNotFinite
    | StopRequested
    | RequestSeen
    | Paused
    | Resumed
    | SettingChanged
    | Warned
    | RunResumed
    | RunFinished
)
