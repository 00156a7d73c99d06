"""A verdict in words: what the curves say, what that rests on, and what one could try."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.events import VerdictChanged

_NAMES = {
    "warming_up": "too early to say",
    "improving": "still improving",
    "good_fit": "fits well",
    "overfitting": "overfitting",
    "underfitting": "underfitting",
    "diverging": "diverging",
    "inconclusive": "cannot tell yet",
}
_ADVICE = {
    "warming_up": "",
    "improving": "let it train on",
    "good_fit": "more of the same epochs would bring little",
    "overfitting": "keep the best weights; try weight decay, dropout, more data or a smaller model",
    "underfitting": "if there is more to learn, try a larger model, a higher rate or better inputs",
    "diverging": "try a smaller learning rate or gradient clipping",
    "inconclusive": "",
}
_HAS_A_BEGIN = frozenset({"good_fit", "overfitting", "underfitting", "diverging"})


def short_verdict(verdict: VerdictChanged) -> str:
    """The verdict in a few words, with the epoch from which on it holds."""
    name = _NAMES[verdict.verdict]
    if verdict.verdict not in _HAS_A_BEGIN:
        return name
    return f"{name} since {verdict.since_epoch:,}"


def verdict_text(verdict: VerdictChanged) -> str:
    """The verdict in one sentence: how sure, why, and what to try."""
    parts = [_with_confidence(verdict), _reason(verdict.verdict, verdict.evidence)]
    text = ": ".join(part for part in parts if part)
    advice = _ADVICE[verdict.verdict]
    return f"{text}; {advice}" if advice else text


def _with_confidence(verdict: VerdictChanged) -> str:
    name = short_verdict(verdict)
    if not verdict.confidence:
        return name
    # a verdict of 99.8 % is not certain either
    return f"{name} ({min(99, round(100 * verdict.confidence))} % sure)"


def _reason(name: str, evidence: Mapping[str, float]) -> str:
    match name:
        case "overfitting":
            return _rise(evidence)
        case "improving":
            return _gain(evidence)
        case "good_fit" | "underfitting":
            told = _unlearnt(evidence) or (_learnable(evidence) if name == "underfitting" else "")
            return _flat(evidence) + told
        case "diverging":
            return "the losses rise or are no numbers"
        case "inconclusive":
            return _why_not(evidence)
        case _:
            return ""


def _flat(evidence: Mapping[str, float]) -> str:
    flat = "validation loss neither rises nor falls"
    if (learnt := evidence.get("learnt")) is None:
        return flat
    if learnt < 0.005:
        return f"{flat}, no better than a constant guess"
    return f"{flat}, {_percent(learnt)} below a constant guess"


def _unlearnt(evidence: Mapping[str, float]) -> str:
    if (share := evidence.get("unlearnt_share")) is None:
        return ""
    return f", and {_percent(min(max(share, 0.0), 1.0))} of what the inputs tell is not learnt"


def _learnable(evidence: Mapping[str, float]) -> str:
    """What a plain method learns, where that is clearly more."""
    learnable, learnt = evidence.get("learnable"), evidence.get("learnt", 1.0)
    if learnable is None or learnable < max(learnt, 0.0) + 0.05:
        return ""
    return f", where a plain method learns about {_percent(min(learnable, 1.0))}"


def _rise(evidence: Mapping[str, float]) -> str:
    rise = f"validation loss {_percent(evidence.get('rise_share'))} above its lowest"
    fall = evidence.get("train_fall", 0.0)
    if fall < 0.005:
        return rise
    return f"{rise}, train loss {_percent(fall)} lower since"


def _gain(evidence: Mapping[str, float]) -> str:
    gain = max(evidence.get("gain", 0.0), 0.0)
    return f"half as many epochs again may bring {_percent(gain)} less validation loss"


def _why_not(evidence: Mapping[str, float]) -> str:
    if evidence.get("rise", 0.0) > 0:
        share = _percent(evidence.get("rise_share"))
        return f"validation loss {share} above its lowest, which may be noise"
    if unlearnt := _unlearnt(evidence):
        return f"validation loss neither clearly rises nor falls{unlearnt}"
    return "what is left may be too small a model, or noise"


def _percent(share: float | None) -> str:
    if share is None:
        return "some"
    return f"{100 * share:.0f} %" if abs(share) >= 0.095 else f"{100 * share:.1f} %"
