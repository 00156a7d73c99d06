"""Verdicts in words."""

import pytest

from epochtop.core.events import VerdictChanged, VerdictName
from epochtop.tui.words.narration import narrate
from epochtop.tui.words.verdict_wording import short_verdict, verdict_text

OVERFITTING = VerdictChanged(
    time=1.0,
    verdict="overfitting",
    since_epoch=12,
    confidence=0.998,
    evidence={"rise_share": 0.141, "rise": 0.02, "train_fall": 0.63},
)


def test_overfitting_says_since_when_how_sure_why_and_what_to_try() -> None:
    assert verdict_text(OVERFITTING) == (
        "overfitting since 12 (99 % sure): validation loss 14 % above its lowest, train loss 63 % "
        "lower since; keep the best weights; try weight decay, dropout, more data or a smaller "
        "model"
    )


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("warming_up", "too early to say"),
        ("improving", "still improving"),
        ("good_fit", "fits well since 7"),
        ("underfitting", "underfitting since 7"),
        ("diverging", "diverging since 7"),
        ("inconclusive", "cannot tell yet"),
    ],
)
def test_every_verdict_has_words_without_evidence(name: VerdictName, short: str) -> None:
    verdict = VerdictChanged(time=1.0, verdict=name, since_epoch=7)
    assert short_verdict(verdict) == short
    assert verdict_text(verdict).startswith(short)
    assert "None" not in verdict_text(verdict)


def test_the_log_tells_a_verdict_when_it_is_another_one() -> None:
    lines, story = narrate([OVERFITTING])
    assert [line.severity for line in lines] == ["warning"]
    again, story = narrate([OVERFITTING], story)
    assert again == []
    other = VerdictChanged(time=2.0, verdict="good_fit", since_epoch=20)
    lines, _ = narrate([other], story)
    assert [line.severity for line in lines] == ["good"]
