"""What is measured when an epoch's steps are taken: its losses and metrics.

The train loss is the mean over the epoch, taken while the weights moved. Like for like with the
validation loss the train loss is measured once more after the epoch, in evaluation mode and on a
fixed part of the rows.
"""

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from torch import Tensor

from ..batches.source import Source
from ..events import EpochCompleted, LossNotFinite, ValChange
from ..loss.loss_sum import LossSum, read_from_device
from ..loss.metrics import MetricSums
from ..optim.optimizer import weight_penalty
from ..seeds import seed_evaluation
from ..verdict.reference import half_way
from .checks import check_epoch
from .evaluation import OnBatch, evaluate
from .not_finite import finite_or_none, first_not_finite, spell
from .progress import Snapshot

if TYPE_CHECKING:
    from .trainer import Trainer


# By so much of the losses the rows' rise may differ from the loss's.
_TOLERANCE = 1e-4


class Measured(NamedTuple):
    """An epoch's losses, nan or infinite where they were no numbers, and its metrics.

    `rise` is how much the validation loss is above the best epoch's, and the standard error;
    `change` the same from the epoch about half-way on; `unlearnt_share` how much of
    what the inputs tell the model has not learnt. None where it was not measured.
    """

    train_loss: float
    val_loss: float
    train_loss_eval: float
    metrics: dict[str, float]
    rise: tuple[float, float] | None
    change: tuple[float, float] | None
    unlearnt_share: float | None


def measure(trainer: "Trainer", epoch: int) -> Measured:
    """Evaluate the model after an epoch's last step; say where a loss went wrong.

    Raises:
        DataError: nothing in a split counts.
        InterruptedEpochError: somebody asked to stop at once.
    """
    sample, metrics = LossSum(), MetricSums(trainer.metrics)
    paired, unlearnt = trainer.paired, trainer.unlearnt
    paired.begin()
    unlearnt.begin(epoch)
    if trainer.train_sample is not None:
        sample = _evaluate(trainer, trainer.train_sample, unlearnt.taker_of(trainer.train_sample))
    take_rows = unlearnt.taker_of(trainer.val)

    def on_val_batch(outputs: Any, targets: Tensor, content: Any) -> None:
        metrics.add(outputs, targets)
        paired.add(outputs, targets)
        take_rows(outputs, targets, content)

    val = _evaluate(trainer, trainer.val, on_val_batch)
    train, share = trainer.progress.losses, unlearnt.measure()
    rise, change = paired.compare(epoch)
    read_from_device(train, sample, val, rise, change, share)
    check_epoch("train", train, epoch)
    check_epoch("val", val, epoch)
    train_loss, val_loss, train_loss_eval = (
        losses.mean(trainer.accounting) for losses in (train, val, sample)
    )
    if (index := first_not_finite(train.losses, train.denominators)) is not None:
        step = trainer.progress.step_of(index, trainer.step)
        _report_not_finite(trainer, "train", epoch, step, train.losses[index])
    if not math.isfinite(val_loss):
        _report_not_finite(trainer, "val", epoch, trainer.step, val_loss)
    losses = (train_loss, val_loss, train_loss_eval)
    pairs = _only_pair(rise), _only_pair(change)
    if not _agree(pairs[0], val_loss, trainer.best):
        pairs = None, None
    return Measured(*losses, metrics.result(), *pairs, share.losses[0] if share.losses else None)


def record_of(trainer: "Trainer", epoch: int, measured: Measured, lr: float) -> EpochCompleted:
    """The epoch's record, once the stopping rule knows its losses.

    Args:
        trainer: has taken the epoch's last step.
        epoch: which one.
        measured: its losses and metrics.
        lr: the rate of its first step.
    """
    return EpochCompleted(
        epoch=epoch,
        step=trainer.step,
        train_loss=finite_or_none(measured.train_loss),
        val_loss=finite_or_none(measured.val_loss),
        train_loss_eval=finite_or_none(measured.train_loss_eval),
        penalty=weight_penalty(trainer.optimizer),
        lr=lr,
        seconds=trainer.seconds_of_epoch(),
        metrics={name: finite_or_none(value) for name, value in measured.metrics.items()},
        stopping=trainer.rule_state.stopping,
        grad_norm=finite_or_none(trainer.progress.grad_norm),
        data_seconds=trainer.train.data_seconds,
        val_rise=measured.rise and finite_or_none(measured.rise[0]),
        val_rise_error=measured.rise and finite_or_none(measured.rise[1]),
        val_change=measured.change and _val_change(half_way(epoch), *measured.change),
        unlearnt_share=finite_or_none(measured.unlearnt_share),
    )


def _only_pair(of: LossSum) -> tuple[float, float] | None:
    return (of.losses[0], of.denominators[0]) if len(of) else None


def _agree(rise: tuple[float, float] | None, val_loss: float, best: Snapshot | None) -> bool:
    """Whether the rows' rise is the loss's: of a user's own loss they may have told another one."""
    if rise is None or best is None:
        return True
    size = abs(val_loss) + abs(best.val_loss)
    return math.isclose(rise[0], val_loss - best.val_loss, abs_tol=_TOLERANCE * size)


def _val_change(since_epoch: int, by: float, error: float) -> ValChange | None:
    is_known = math.isfinite(by) and math.isfinite(error)
    return ValChange(since_epoch=since_epoch, by=by, error=error) if is_known else None


def _evaluate(trainer: "Trainer", source: Source, add: OnBatch) -> LossSum:
    def on_batch(outputs: Any, targets: Tensor, content: Any) -> None:
        trainer.ask()
        add(outputs, targets, content)

    seed_evaluation(seed=trainer.settings.train.seed, device=trainer.device)
    return evaluate(
        trainer.model,
        trainer.loss,
        trainer.accounting,
        source,
        trainer.device,
        precision=trainer.settings.train.precision,
        on_batch=on_batch,
    )


def _report_not_finite(
    trainer: "Trainer", which: Literal["train", "val"], epoch: int, step: int, loss: float
) -> None:
    """Say at which step a loss was no number first, once an epoch and split."""
    record = LossNotFinite(epoch=epoch, step=step, which=which, value=spell(loss))
    trainer.not_finite = trainer.not_finite or record
    trainer.on_event(record)
