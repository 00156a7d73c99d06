"""The early-stopping rule in words."""

from ..core.events import Stopping
from .wording import loss_text


def stopping_text(stopping: Stopping) -> str:
    """The rule's state in one line: best, epochs since, what is left, target."""
    parts = [_best_text(stopping), f"{stopping.epochs_since_best} since", rule_text(stopping)]
    if stopping.target is not None:
        parts.append(f"to beat {loss_text(stopping.target)}")
    return ", ".join(parts)


def short_stopping_text(stopping: Stopping) -> str:
    """The same for a narrow terminal."""
    return f"{_best_text(stopping)}, {rule_text(stopping)}"


def rule_text(stopping: Stopping) -> str:
    """How far the rule is from ending the run: patience left, or a measure and its limit."""
    if stopping.limit is not None:
        name, limit = stopping.rule.upper(), f"{stopping.limit:.4g}"
        if stopping.measure is None:
            return f"{name} not known, limit {limit}"
        return f"{name} {stopping.measure:.3g} of {limit}"
    if not stopping.patience:
        return "patience off"
    left = max(0, stopping.patience - stopping.epochs_since_best)
    return f"patience {left} of {stopping.patience}"


def new_best_text(stopping: Stopping, before: Stopping | None) -> str:
    """A new best and what it beat."""
    best = f"new best {loss_text(stopping.best_loss)}"
    if before is None or before.best_loss is None:
        return best
    return f"{best}, was {loss_text(before.best_loss)} at epoch {before.best_epoch}"


def _best_text(stopping: Stopping) -> str:
    if stopping.best_loss is None:
        return "no finite validation loss yet"
    # with a min_delta the best that the rule counts from may not be the lowest loss
    counted = "" if stopping.lowest_epoch in (stopping.best_epoch, None) else "counted "
    return f"{counted}best {loss_text(stopping.best_loss)} at {stopping.best_epoch}"
