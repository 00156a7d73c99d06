"""Verdicts in words."""

import pytest
from msgspec.structs import replace

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


@pytest.mark.parametrize(
    ("share", "told"), [(0.637, "64 %"), (0.012, "1.2 %"), (-0.1, "0.0 %"), (1.2, "100 %")]
)
def test_underfitting_says_how_much_is_unlearnt(share: float, told: str) -> None:
    verdict = VerdictChanged(
        time=1.0,
        verdict="underfitting",
        since_epoch=7,
        confidence=0.9,
        evidence={"learnt": 0.02, "unlearnt_share": share},
    )
    assert verdict_text(verdict) == (
        "underfitting since 7 (90 % sure): validation loss neither rises nor falls, 2.0 % below a "
        f"constant guess, and {told} of what the inputs tell is not learnt; if there is more to "
        "learn, try a larger model, a higher rate or better inputs"
    )


@pytest.mark.parametrize(
    ("learnable", "told"),
    [
        (0.4, ", where a plain method learns about 40 %"),
        (1.2, ", where a plain method learns about 100 %"),
        (0.06, ""),
    ],
)
def test_where_like_rows_tell_nothing_it_says_how_much_a_plain_method_learns(
    learnable: float, told: str
) -> None:
    verdict = VerdictChanged(
        time=1.0,
        verdict="underfitting",
        since_epoch=7,
        confidence=0.9,
        evidence={"learnt": 0.02, "learnable": learnable},
    )
    flat = "validation loss neither rises nor falls, 2.0 % below a constant guess"
    assert f"{flat}{told}; if there is more" in verdict_text(verdict)
    fits = replace(verdict, verdict="good_fit")
    assert "plain method" not in verdict_text(fits)


def test_where_nobody_can_tell_it_says_how_much_is_unlearnt() -> None:
    evidence = {"learnt": 0.02, "unlearnt_share": 0.4}
    verdict = VerdictChanged(time=1.0, verdict="inconclusive", since_epoch=7, evidence=evidence)
    assert verdict_text(verdict) == (
        "cannot tell yet: validation loss neither clearly rises nor falls, and 40 % of what the "
        "inputs tell is not learnt"
    )


def test_the_log_tells_a_verdict_when_it_is_another_one() -> None:
    lines, story = narrate([OVERFITTING])
    assert [line.severity for line in lines] == ["warning"]
    again, story = narrate([OVERFITTING], story)
    assert again == []
    other = VerdictChanged(time=2.0, verdict="good_fit", since_epoch=20)
    lines, _ = narrate([other], story)
    assert [line.severity for line in lines] == ["good"]
