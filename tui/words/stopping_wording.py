"""The early-stopping rule in words."""

from ...core.events import Stopping
from ..following.patience import Outlook
from .wording import clock_text, loss_text


def stopping_text(stopping: Stopping) -> str:
    """The rule's state in one line: best, epochs since, what is left, target."""
    if not stopping.is_known:
        return best_text(stopping)
    parts = [best_text(stopping), since_text(stopping), rule_text(stopping)]
    if stopping.target is not None:
        parts.append(target_text(stopping))
    return ", ".join(parts)


def since_text(stopping: Stopping) -> str:
    """The epochs since the best; empty where nobody counts them."""
    if not stopping.is_known:
        return ""
    return f"{stopping.epochs_since_best} since"


def target_text(stopping: Stopping) -> str:
    """The loss that the next epoch has to stay below; empty when there is none yet."""
    return "" if stopping.target is None else f"to beat {loss_text(stopping.target)}"


def rule_text(stopping: Stopping) -> str:
    """How far the rule is from ending the run: patience left, or a measure and its limit."""
    if stopping.limit is not None:
        name, limit = stopping.rule.upper(), f"{stopping.limit:.4g}"
        if stopping.measure is None:
            return f"{name} not known, limit {limit}"
        return f"{name} {stopping.measure:.3g} of {limit}"
    if not stopping.is_known:
        return "no early stopping known"
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


def best_text(stopping: Stopping) -> str:
    """The best loss and its epoch."""
    if not stopping.is_known and stopping.lowest_loss is not None:
        return f"best {loss_text(stopping.lowest_loss)} at {stopping.lowest_epoch}"
    if stopping.best_loss is None:
        return "no finite validation loss yet"
    # with a min_delta the best that the rule counts from may not be the lowest loss
    counted = "" if stopping.lowest_epoch in (stopping.best_epoch, None) else "counted "
    return f"{counted}best {loss_text(stopping.best_loss)} at {stopping.best_epoch}"


def early_end_text(outlook: Outlook, stopping: Stopping) -> str:
    """When the rule ends the run if nothing improves."""
    if stopping.limit is not None:
        reached = "reaches" if stopping.rule == "up" else "is above"
        return f"stops once {stopping.rule.upper()} {reached} {stopping.limit:.4g}" + _waits(
            outlook
        )
    if not stopping.is_known:
        return "the journal tells of no early stopping"
    if not stopping.patience:
        return "early stopping is off"
    if outlook.stop_epoch is None or not outlook.stops_early:
        return "the last epoch comes before patience runs out"
    text = f"stops at epoch {outlook.stop_epoch:,} if nothing improves"
    return text + _in(outlook.seconds_to_stop) + _waits(outlook)


def brief_end_text(outlook: Outlook) -> str:
    """The same where there is little room, for a rule that ends the run before its last epoch."""
    when = _in(outlook.seconds_to_stop).removeprefix(",")
    return f"stops at {outlook.stop_epoch:,}{when} if nothing improves"


def latest_end_text(outlook: Outlook) -> str:
    """When the run ends at the latest; empty where the journal does not say."""
    if outlook.last_epoch is None:
        return ""
    return f"at most until epoch {outlook.last_epoch:,}" + _in(outlook.seconds_at_most)


def _in(seconds: float | None) -> str:
    return "" if seconds is None else f", in {clock_text(seconds + 0.5)}"


def _waits(outlook: Outlook) -> str:
    return "" if outlook.waits_for is None else f"; not before epoch {outlook.waits_for:,}"
