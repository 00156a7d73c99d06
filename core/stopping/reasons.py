"""Why early stopping ended a run, in one sentence with its numbers."""

from ..events import Stopping
from ..settings.declaration import StoppingSettings


def diverged(val_loss: float, limit: float) -> str:
    """The validation loss is above the threshold of a run that has failed."""
    return f"the validation loss {_beside(val_loss, limit)} is above diverged_above {limit:.15g}"


def satisfied(val_loss: float, limit: float) -> str:
    """The validation loss is below the threshold of a run that is good enough."""
    return f"the validation loss {_beside(val_loss, limit)} is below satisfied_below {limit:.15g}"


def out_of_patience(settings: StoppingSettings, stopping: Stopping, target: float | None) -> str:
    """So many epochs in a row brought no improvement; `target` None: no finite loss at all."""
    since, min_delta = stopping.epochs_since_best, settings.min_delta
    if target is None:
        return f"{since} epochs in a row without a finite validation loss"
    relative = "relative " if settings.min_delta_mode == "relative" else ""
    less = f" less {relative}min_delta {min_delta:g}" if min_delta else ""
    return (
        f"{since} epochs in a row without a validation loss below {target:.6g}, "
        f"the best of epoch {stopping.best_epoch}{less}"
    )


def above_alpha(
    settings: StoppingSettings, stopping: Stopping, measured: float, val_loss: float | None
) -> str:
    """The generalisation loss, or its quotient with the progress, is above its limit."""
    figure, alpha = _beside(measured, settings.alpha), f"{settings.alpha:.15g}"
    above = (
        f"a generalisation loss of {figure} %, above alpha {alpha}"
        if settings.rule == "gl"
        else f"generalisation loss over training progress is {figure}, above alpha {alpha}"
    )
    return (
        f"{above}: the validation loss is {val_loss:.6g}, "
        f"the lowest {stopping.lowest_loss:.6g} of epoch {stopping.lowest_epoch}"
    )


def risen(strips: float, length: int) -> str:
    """The validation loss rose from strip end to strip end."""
    return f"the validation loss rose in {strips:g} strips of {length} epochs in a row"


def _beside(value: float, limit: float) -> str:
    """A number in six digits, or in as many as it takes to see on which side of its limit it is."""
    for digits in range(6, 17):
        text = f"{value:.{digits}g}"
        if (float(text) < limit, float(text) > limit) == (value < limit, value > limit):
            return text
    return repr(value)
