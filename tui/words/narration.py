"""What the event log tells: records in, lines in plain words out. No Textual.

At hundreds of epochs a second a line an epoch would tell nothing, and each new line moves all the
others. So improvements that come together share a line, which goes on changing until something else
happens or its time is up; patience is told of when half of it is gone and when few epochs are left.
Checkpoints that follow each other by the clock are not told of. A warning, the first loss gone
wrong, what was asked for and a best after a drought always have a line of their own; losses that go
wrong after the first, between improvements, are counted in the line of those.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from ...core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    RunFinished,
    RunResumed,
    RunStarted,
    Stopping,
    VerdictChanged,
    Warned,
)
from ..following.epoch_block import Arrival, EpochBlock
from .event_wording import event_text
from .line import Line as Line  # noqa: PLC0414 - for who narrates
from .line import Severity as Severity  # noqa: PLC0414
from .passage import Passage, is_drought, patience_news

_EPOCHS_REMEMBERED = 100


class Story(msgspec.Struct, frozen=True):
    """What is remembered between two calls of `narrate`.

    `passage` is the newest line as long as it may still change, `repeated` the newest line if it
    was another one, with how often it was told. `bests` are the rule's states after the last
    epochs, for a run that goes back; `improved` is when the last improvement came, and
    `told_not_finite` whether a loss gone wrong has had its line.
    """

    stopping: Stopping | None = None
    passage: Passage | None = None
    repeated: tuple[Line, int] | None = None
    bests: tuple[tuple[int, Stopping], ...] = ()
    improved: float | None = None
    began: float | None = None
    lines: int = 0
    verdict: str = ""
    told_not_finite: bool = False


def narrate(records: Iterable[Arrival], story: Story | None = None) -> tuple[list[Line], Story]:
    """Tell of new records, in the order of the journal, and what to remember of them."""
    told: list[Line] = []
    story = story or Story()
    for record in records:
        after = _after(record, story)
        if story.passage and story.passage.key != (after.passage and after.passage.key):
            _put(told, _passage_line(story.passage))
        if after.repeated and after.repeated != story.repeated:
            _put(told, _repeated_line(*after.repeated))
        story = after
    if story.passage is not None:
        _put(told, _passage_line(story.passage))
    return told, story


def _after(record: Arrival, story: Story) -> Story:
    if isinstance(record, EpochCompleted):
        return _after_epoch(record, story)
    if isinstance(record, EpochBlock):
        return _after_block(record, story)
    return _after_event(record, story)


def event_is_told(record: Event) -> bool:
    """Whether a record other than an epoch has a line."""
    return not (isinstance(record, CheckpointSaved) and record.by == "time")


def _put(told: list[Line], line: Line) -> None:
    """Add a line, or put it in the place of the one it replaces."""
    if told and line.key is not None and told[-1].key == line.key:
        told[-1] = line
    else:
        told.append(line)


def _after_epoch(record: EpochCompleted, story: Story) -> Story:
    stopping, after = record.stopping, story
    improves = stopping.best_epoch == record.epoch
    if improves or patience_news(stopping):
        passage = story.passage
        began = record.time if story.began is None else story.began
        if passage is None or not _joins(record, story, passage, began):
            passage, after = _new_passage(record.time, story)
        after = replace(after, passage=passage.after(record), repeated=None)
    return replace(
        after,
        stopping=stopping,
        bests=(*story.bests, (record.epoch, stopping))[-_EPOCHS_REMEMBERED:],
        improved=record.time if improves else story.improved,
        began=record.time if story.began is None else story.began,
    )


def _after_block(block: EpochBlock, story: Story) -> Story:
    """The epochs of a long journal share a line, however many there are."""
    first, last = block.first_improvement, block.last_improvement
    began, after = float(block.times[0]), story
    news = [each for each in block.recent if patience_news(each.stopping)]
    if last is not None or news:
        passage, after = (story.passage, story) if story.passage else _new_passage(began, story)
        if first is not None and last is not None:
            passage = passage.after_many(first, last, block.improvements)
        if news and (last is None or news[-1].epoch > last.epoch):
            passage = passage.after(news[-1])
        after = replace(after, passage=passage, repeated=None)
    bests = tuple((each.epoch, each.stopping) for each in block.recent)
    return replace(
        after,
        stopping=block.recent[-1].stopping,
        bests=(*story.bests, *bests)[-_EPOCHS_REMEMBERED:],
        improved=last.time if last is not None else story.improved,
        began=began if story.began is None else story.began,
    )


def _new_passage(began: float, story: Story) -> tuple[Passage, Story]:
    passage = Passage(f"epochs {story.lines}", began, beaten=story.stopping)
    return passage, replace(story, lines=story.lines + 1)


def _joins(record: EpochCompleted, story: Story, passage: Passage, began: float) -> bool:
    """Whether an epoch's news belong to the line that is there."""
    if record.time - passage.began > passage.seconds_open(began):
        return False
    turns = (record.stopping.best_epoch == record.epoch) == passage.is_waiting
    return not (turns and is_drought(story.stopping, record, story.improved))


def _passage_line(passage: Passage) -> Line:
    severity: Severity = "good"
    if passage.not_finite:
        severity = "bad"
    elif passage.is_waiting:
        severity = "warning" if passage.is_nearly_over else "plain"
    return Line(passage.time, passage.text, severity, passage.key)


def _after_event(record: Event, story: Story) -> Story:
    if not event_is_told(record):
        return story
    if isinstance(record, VerdictChanged):
        if record.verdict in (story.verdict, "warming_up"):  # told again at the end
            return story
        story = replace(story, verdict=record.verdict)
    if isinstance(record, LossNotFinite):
        if story.passage is not None and _counts_in(record, story, story.passage):
            passage = replace(story.passage, not_finite=story.passage.not_finite + 1)
            return replace(story, passage=passage)
        story = replace(story, told_not_finite=True)
    story = replace(story, passage=None)
    if isinstance(record, RunStarted):
        story = replace(story, began=record.time)
    if isinstance(record, RunResumed):
        bests = tuple(best for best in story.bests if best[0] <= record.epoch)
        story = replace(story, bests=bests, stopping=bests[-1][1] if bests else None)
    text = event_text(record)
    if not text:
        return story
    line = Line(record.time, text, _severity(record), f"event {story.lines}")
    before, count = story.repeated or (None, 0)
    if before is not None and _is_the_same(line, before):
        return replace(story, repeated=(replace(line, key=before.key), count + 1))
    return replace(story, repeated=(line, 1), lines=story.lines + 1)


def _counts_in(record: LossNotFinite, story: Story, passage: Passage) -> bool:
    """Whether a loss gone wrong is no news of its own beside the line that is there."""
    began = passage.began if story.began is None else story.began
    is_open = record.time - passage.began <= passage.seconds_open(began)
    return story.told_not_finite and is_open


def _repeated_line(line: Line, count: int) -> Line:
    return line if count == 1 else replace(line, text=f"{line.text} ({count:,} times)")


def _is_the_same(line: Line, before: Line) -> bool:
    return (line.text, line.severity) == (before.text, before.severity)


def _severity(record: Event) -> Severity:
    match record:
        case (
            Warned()
            | RunResumed(pid=0)  # a run that goes back has lost what it knew
            | RunFinished(reason="interrupted")
            | VerdictChanged(verdict="overfitting" | "underfitting")
        ):
            return "warning"
        case (
            LossNotFinite()
            | RunFinished(reason="failed" | "not_finite")
            | VerdictChanged(verdict="diverging")
        ):
            return "bad"
        case RunFinished() | VerdictChanged(verdict="good_fit"):
            return "good"
        case _:
            return "plain"
