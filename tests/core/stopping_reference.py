"""Early stopping once more, from the definitions alone, over a whole history at once.

`train` and `val` hold the losses of epochs 1 to t, where t is their length. Nothing is carried
from epoch to epoch, and Prechelt's measures are exact fractions.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from epochtop.core.settings.declaration import StoppingSettings

Losses = Sequence[float]
Exact = Fraction | float  # a float only where it is infinite


def improvements(val: Losses, settings: StoppingSettings) -> list[int]:
    """The epochs that count as improvements."""
    epochs: list[int] = []
    for epoch, loss in enumerate(val, 1):
        if math.isfinite(loss) and (not epochs or loss < target(val[epochs[-1] - 1], settings)):
            epochs.append(epoch)
    return epochs


def target(best: float, settings: StoppingSettings) -> float:
    if settings.min_delta_mode == "absolute":
        return best - settings.min_delta
    return best - settings.min_delta * abs(best)


def lowest_epoch(val: Losses) -> int | None:
    """The first epoch of the strict minimum."""
    finite = [loss for loss in val if math.isfinite(loss)]
    return list(val).index(min(finite)) + 1 if finite else None


def gl(val: Losses) -> Exact | None:
    now = val[-1]
    if not math.isfinite(now):
        return None
    lowest = min(loss for loss in val if math.isfinite(loss))
    rise = Fraction(now) - Fraction(lowest)
    if lowest == 0:
        return math.inf if rise else Fraction(0)
    return 100 * rise / abs(Fraction(lowest))


def progress(train: Losses, k: int) -> Exact | None:
    if len(train) % k or not all(math.isfinite(loss) for loss in train[-k:]):
        return None
    strip = [Fraction(loss) for loss in train[-k:]]
    lowest, mean = min(strip), sum(strip) / k
    if lowest == 0:
        return math.inf if mean else Fraction(0)
    return 1000 * (mean - lowest) / abs(lowest)


def pq(train: Losses, val: Losses, k: int) -> Exact | None:
    loss, advance = gl(val), progress(train, k)
    if loss is None or advance is None or loss == advance == math.inf:
        return None
    if loss == 0:
        return Fraction(0)
    if advance == 0 or loss == math.inf:
        return math.inf
    return Fraction(0) if advance == math.inf else loss / advance


def up(val: Losses, k: int, s: int) -> bool:
    """UP_s by its recursion: UP_s-1 held k epochs ago, and the loss is higher than then."""
    if s == 0:
        return True
    if len(val) % k or len(val) < 2 * k:
        return False
    before, now = val[-1 - k], val[-1]
    rose = math.isfinite(before) and math.isfinite(now) and now > before
    return rose and up(val[:-k], k, s - 1)


def measure(train: Losses, val: Losses, settings: StoppingSettings) -> Exact | None:
    """What GL or PQ compares with alpha after the last of these epochs."""
    if settings.rule == "gl":
        return gl(val)
    return pq(train, val, settings.strip_epochs)


def stops(train: Losses, val: Losses, settings: StoppingSettings) -> bool:
    """Whether the run stops after the last of these epochs."""
    epoch, loss = len(val), val[-1]
    above, below = settings.diverged_above, settings.satisfied_below
    if above is not None and math.isfinite(loss) and loss > above:
        return True
    if epoch < settings.min_epochs:
        return False
    if below is not None and math.isfinite(loss) and loss < below:
        return True
    if settings.rule == "patience":
        since = epoch - max(improvements(val, settings), default=0)
        return settings.patience > 0 and since >= settings.patience
    if settings.rule == "up":
        return up(val, settings.strip_epochs, settings.strips)
    measured = measure(train, val, settings)
    return measured is not None and measured > settings.alpha
