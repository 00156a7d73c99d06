"""Prechelt's measures of when to stop early, as pure functions of a run's losses.

The formulas are from L. Prechelt, "Early Stopping - But When?" (1998), section 2.1, with
E_va(t) and E_tr(t) for the validation and train loss of epoch t, and E_opt(t) for the lowest
validation loss up to it:

    GL(t)  = 100 (E_va(t) - E_opt(t)) / |E_opt(t)|
    P_k(t) = 1000 (mean of E_tr over the k epochs up to t - their minimum) / |their minimum|
    PQ(t)  = GL(t) / P_k(t)
    UP     = in how many strips in a row the validation loss rose, from strip end to strip end

A strip is k epochs that end with one divisible by k; PQ and UP look at strip ends only. The
paper divides by the losses themselves, which are positive there; with their absolute values
the measures also hold for negative losses, and are the paper's for positive ones. What remains
open is decided here: a rise above a lowest loss of 0 is infinite, and so is PQ when the
training stands still while the validation loss is above its lowest.
"""

import math

import msgspec

from ..settings.declaration import StoppingRuleName, StoppingSettings


def generalisation_loss(val_loss: float, lowest_loss: float) -> float:
    """GL: by how many percent a validation loss is above the lowest one.

    It is infinite when the lowest is 0 and this one is not.

    Args:
        val_loss: finite, and not below `lowest_loss`.
        lowest_loss: E_opt, finite.
    """
    return 100 * _relative_rise(val_loss, lowest_loss)


def training_progress(train_losses: tuple[float, ...]) -> float:
    """P_k: by how many per mille the mean of a strip's train losses is above their minimum.

    It is 0 exactly when all of them are equal, and infinite when the minimum is 0 and not all are.
    """
    lowest = min(train_losses)
    # the mean of the rises, not the rise of the mean, which rounding can put below the minimum
    return 1000 * sum(_relative_rise(loss, lowest) for loss in train_losses) / len(train_losses)


def progress_quotient(loss: float | None, progress: float | None) -> float | None:
    """PQ from GL and P_k; None where one is unknown, or both are infinite."""
    if loss is None or progress is None or (math.isinf(loss) and math.isinf(progress)):
        return None
    if loss == 0:
        return 0.0  # nothing is lost, whatever the progress
    return loss / progress if progress else math.inf


class Strips(msgspec.Struct, frozen=True, kw_only=True):
    """What PQ and UP remember of the epochs so far: a pure state machine of plain types.

    A loss that is not finite is None. `train_losses` are those of the last strip, whole or
    not, and never more than `length`; `end_loss` is the validation loss at the end of the last
    whole one. A rise from or to a loss that is not finite is none.
    """

    length: int
    train_losses: tuple[float | None, ...] = ()
    end_loss: float | None = None
    rising: int = 0

    @property
    def at_end(self) -> bool:
        """Whether the last epoch ended a strip."""
        return len(self.train_losses) == self.length

    @property
    def progress(self) -> float | None:
        """P_k of the last strip; None before its end, and for a loss that is not finite."""
        finite = tuple(loss for loss in self.train_losses if loss is not None)
        return training_progress(finite) if len(finite) == self.length else None

    def after(self, train_loss: float | None, val_loss: float | None) -> "Strips":
        """The strips after one more epoch."""
        strip = (*(() if self.at_end else self.train_losses), train_loss)
        if len(strip) < self.length:
            return msgspec.structs.replace(self, train_losses=strip)
        rose = val_loss is not None and self.end_loss is not None and val_loss > self.end_loss
        return Strips(
            length=self.length,
            train_losses=strip,
            end_loss=val_loss,
            rising=self.rising + 1 if rose else 0,
        )


def measure(
    rule: StoppingRuleName, strips: Strips, val_loss: float | None, lowest_loss: float | None
) -> float | None:
    """What a rule looks at after an epoch, maybe infinite; None where nothing can be told."""
    loss = None
    if val_loss is not None and lowest_loss is not None:
        loss = generalisation_loss(val_loss, lowest_loss)
    match rule:
        case "patience":
            return None
        case "gl":
            return loss
        case "pq":
            return progress_quotient(loss, strips.progress)
        case "up":
            return float(strips.rising) if strips.at_end else None


def limit(settings: StoppingSettings) -> float | None:
    """What ends the run: `gl` and `pq` above it, `up` as soon as it is reached."""
    match settings.rule:
        case "patience":
            return None
        case "gl" | "pq":
            return settings.alpha
        case "up":
            return float(settings.strips)


def _relative_rise(loss: float, lowest: float) -> float:
    if loss == lowest:
        return 0.0
    return (loss - lowest) / abs(lowest) if lowest else math.inf
