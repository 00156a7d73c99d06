"""How far the validation loss has really risen, and will fall, and how sure that is.

"Really" is on all rows there could be, of which the validation rows are a few. Changes are shares
of the loss, on a scale that is even about 0 and logarithmic beyond what matters, because a rise of
half the loss is no more overfitting than one of a fifth. On it a change is distributed about its
estimate as a logistic distribution (so chances have a closed form), the wider the less the rows
and the curve's noise tell.

The weights were fitted by `python -m tests.benchmarks.verdict.fit` to runs whose truth is known,
those of the tuning families in `tests/benchmarks/verdict/`.
"""

from __future__ import annotations

import math

import msgspec

from .evidence import MATTERS, Evidence

# Less than the first share is no change, the second or more is one unless the curve jumps so far.
NO_CHANGE, _A_CHANGE, _JUMPS = 0.02, 0.05, 3
# On the scale all larger changes are the same.
_LARGEST = 1e6
# The logarithms of the narrowest and the widest spread.
LOG_SPREADS = (-4.0, 2.0)

Terms = tuple[float, ...]


class Estimate(msgspec.Struct, frozen=True):
    """A change on the logarithmic scale, and how wide its distribution is."""

    middle: float
    spread: float

    def chance_above(self, share: float) -> float:
        """How likely the change is larger than a share of the loss."""
        return logistic((self.middle - on_scale(share)) / self.spread)


class Weights(msgspec.Struct, frozen=True):
    """What the terms of an estimate count, each after a constant."""

    middle: Terms
    spread: Terms


_RISE = Weights(middle=(0.214, 0.273, 0.264, 0.095, 0.028), spread=(1.247, 0.883, -0.383, 0.991))
_FALL = Weights(
    middle=(0.047, -0.114, 0.412, 0.479, -0.011, -0.011, -0.073),
    spread=(0.402, 0.468, -0.169, 0.746, 0.146, 0.161),
)
_FIT: Terms = (7.69, 2.47, 4.067, 1.845)
_FIT_BY_UNLEARNT: Terms = (9.9, 0.165, 2.189, 6.536, -10.849)


def clear_change(evidence: Evidence) -> float:
    """The share from which on a change is beyond doubt, and beyond what the curve jumps about."""
    return max(_A_CHANGE, _JUMPS * evidence.jumps)


def estimated_rise(evidence: Evidence) -> Estimate:
    """How much the validation loss has risen since it was lowest."""
    return _estimate(_RISE, *rise_terms(evidence))


def estimated_fall(evidence: Evidence) -> Estimate:
    """How much half as many epochs again will lower the validation loss."""
    return _estimate(_FALL, *fall_terms(evidence))


def chance_of_fit(evidence: Evidence) -> float:
    """How likely at least half of what can be learnt has been, if neither loss moves any more."""
    known = evidence.unlearnt_share is not None
    return logistic(_weighted(_FIT_BY_UNLEARNT if known else _FIT, fit_terms(evidence)))


def fit_terms(evidence: Evidence) -> Terms:
    """What tells whether a model has learnt what there is to learn.

    Little that is learnt and no gap may be too small a model, or noise that no model can learn.
    Of these noise alone differs between like rows, which the last term tells where it is known.
    """
    learnt = clipped(evidence.learnt, -0.1, 1.0)
    train_learnt = clipped(evidence.train_learnt, -0.1, 1.0)
    terms = (
        math.log(0.15 + learnt),
        math.log(0.15 + train_learnt),
        clipped(evidence.gap, -0.1, 0.5),
    )
    if evidence.unlearnt_share is None:
        return terms
    return (*terms, math.sqrt(clipped(evidence.unlearnt_share, 0.0, 1.5)))


def rise_terms(evidence: Evidence) -> tuple[Terms, Terms]:
    """What a rise's middle and its spread are estimated from."""
    unit = evidence.matters / MATTERS
    rise = on_scale(evidence.rise / unit)
    train_fall = clipped(evidence.train_fall, -0.05, 0.3) / 0.1
    middle = (
        rise,
        clipped(evidence.rise / unit, -0.05, 0.15) / MATTERS,
        train_fall,
        _log_of(evidence.scatter),
    )
    spread = (
        _log_of(evidence.rise_error / unit),
        rise * clipped(train_fall, -1.0, 2.0),
        clipped(evidence.gap, -0.3, 1.0),
    )
    return middle, spread


def fall_terms(evidence: Evidence) -> tuple[Terms, Terms]:
    """What a fall's middle and its spread are estimated from."""
    unit, error = evidence.matters / MATTERS, max(evidence.change_error, 1e-300)
    doubt, counts = 0.5 * evidence.row_error, evidence.counts
    trend = on_scale(counts * evidence.trend)
    middle = (
        trend,
        on_scale(counts * max(0.0, evidence.gain - evidence.gain_error - doubt)),
        on_scale(counts * max(0.0, evidence.trend - 2 * evidence.gain_error - doubt)),
        clipped(evidence.change / error, -4.0, 4.0),
        clipped(evidence.late_change / error, -4.0, 4.0),
        on_scale(evidence.change / unit),
    )
    spread = (
        _log_of(evidence.change_error / unit),
        on_scale(evidence.train_trend),
        evidence.best_place / evidence.epochs,
        _log_of(evidence.scatter),
        trend,
    )
    return middle, spread


def on_scale(share: float) -> float:
    """A share on the scale that is even about 0 and logarithmic beyond what matters."""
    return math.copysign(math.log1p(min(abs(share) / MATTERS, _LARGEST)), share)


def logistic(score: float) -> float:
    """The logistic function, 0 to 1."""
    return 1 / (1 + math.exp(-clipped(score, -700.0, 700.0)))


def clipped(value: float, low: float, high: float) -> float:
    """The value, or the bound that it lies beyond."""
    return min(max(value, low), high)


def _estimate(weights: Weights, middle: Terms, spread: Terms) -> Estimate:
    width = math.exp(clipped(_weighted(weights.spread, spread), *LOG_SPREADS))
    return Estimate(_weighted(weights.middle, middle), width)


def _weighted(weights: Terms, terms: Terms) -> float:
    constant, *others = weights
    return constant + sum(weight * term for weight, term in zip(others, terms, strict=True))


def _log_of(share: float) -> float:
    return math.log(clipped(share, 0.0005, 1.0))
