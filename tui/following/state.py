"""A run as one looks at it: an immutable snapshot, and how records change it.

    journal -> records -> reduce(state, records) -> state -> widgets

Best, patience and the rest are as the engine wrote them down; only the speed and the time left
are worked out here, from the times of the records and never from the time of day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import structs
from msgspec.structs import replace

from ...core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    Paused,
    Resumed,
    RunFinished,
    RunResumed,
    RunStarted,
    SettingChanged,
    Stopping,
    StopRequested,
    StopWhen,
    VerdictChanged,
)
from .clock import Clock
from .epoch_block import RECORDS_KEPT, Arrival, EpochBlock
from .history import History

# More marks than that no screen tells apart.
_MARKS_KEPT = 1000


class RunState(msgspec.Struct, frozen=True):
    """A run as far as its journal tells.

    `epoch` is the last one that stands and `recent` the last records of those that do, the newest
    last: all that a state holds is bounded, but for the few numbers an epoch of the history.
    `losses_not_finite` are the first of each epoch that stands, `resumptions` the epochs that
    the run was gone on with from, both with the last ones only; `changed` are the settings that
    have another value than the run was started with. `loading` is the share of a long journal
    that has been read so far, None once all of it has.
    """

    started: RunStarted | None = None
    num_epochs: int | None = None
    epoch: int = 0
    recent: tuple[EpochCompleted, ...] = ()
    history: History = msgspec.field(default_factory=History)
    clock: Clock = msgspec.field(default_factory=Clock)
    not_finite: LossNotFinite | None = None
    losses_not_finite: tuple[LossNotFinite, ...] = ()
    resumptions: tuple[int, ...] = ()
    resumed_with: Stopping | None = None
    changed: dict[str, Any] = msgspec.field(default_factory=dict)
    paused: bool = False
    stop_requested: StopWhen | None = None
    saved: dict[str, CheckpointSaved] = msgspec.field(default_factory=dict)
    verdict: VerdictChanged | None = None
    finished: RunFinished | None = None
    loading: float | None = None

    @property
    def missing_epochs(self) -> int:
        """How many of the epochs up to the last one the journal has no record of."""
        epochs = self.history.epochs
        return int(epochs[-1]) - len(epochs) + int(epochs[0] < 1) if len(epochs) else 0

    @property
    def last_epoch(self) -> EpochCompleted | None:
        """The record of `epoch`; None before the first, and where it is too long ago."""
        return self.recent[-1] if self.recent else None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as they are now: sections of keys, as far as the journal tells."""
        settings = dict(self.started.settings) if self.started else {}
        for path, value in self.changed.items():
            section, _, key = path.partition(".")
            values = settings.get(section)
            settings[section] = {**(values if isinstance(values, dict) else {}), key: value}
        return settings

    def setting(self, section: str, key: str) -> Any:
        """One of the settings as it is now, None where the journal does not say."""
        started = self.started.setting(section, key) if self.started else None
        return self.changed.get(f"{section}.{key}", started)

    @property
    def keeps_best(self) -> bool:
        """Whether the weights to keep are the best epoch's and not the last's."""
        return self.setting("stopping", "restore_best") is not False

    @property
    def stopping(self) -> Stopping | None:
        """The stopping rule after the last epoch, with the patience that holds now.

        Of a journal without one it is the lowest loss and its epoch, and nothing else.
        """
        stopping = self.last_epoch.stopping if self.last_epoch else self.resumed_with
        changed = self.changed.get("stopping.patience")
        if stopping is None:
            return None
        if not stopping.is_known and stopping.lowest_loss is None:
            loss, epoch = self.history.lowest("val_loss")
            return structs.replace(stopping, lowest_loss=loss, lowest_epoch=epoch)
        if stopping.rule == "patience" and isinstance(changed, int):
            return structs.replace(stopping, patience=changed)
        return stopping

    @property
    def stopped_at(self) -> int | None:
        """The epoch at which early stopping ended the run, None if it did not."""
        early = self.finished is not None and self.finished.reason == "early_stopped"
        return self.epoch if early else None

    @property
    def seconds(self) -> float | None:
        """How long the run trained up to its last record: without pauses and interruptions."""
        return None if self.started is None else self.clock.seconds

    @property
    def epochs_per_second(self) -> float | None:
        """The present speed, validation and checkpoints included; None before the first epoch.

        Of a single epoch it is what the engine itself has measured: the time before it, in which
        data and model were made ready, does not come again.
        """
        if speed := self.history.epochs_per_second:
            return speed
        last = self.last_epoch
        return 1 / last.seconds if last is not None and last.seconds else None

    @property
    def samples_per_second(self) -> float | None:
        """Training rows a second; None where the number of rows or the speed is not known."""
        rows, speed = self.started.num_train if self.started else None, self.epochs_per_second
        return rows * speed if rows and speed else None

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch at the present speed: the most the run can still take."""
        return self._seconds_for(self._epochs_left)

    @property
    def patience(self) -> int | None:
        """The patience that holds now, changed since the last epoch or not; 0 for never."""
        return None if self.stopping is None else self.stopping.patience

    @property
    def _epochs_left(self) -> int | None:
        return None if self.num_epochs is None else self.num_epochs - self.epoch

    def _seconds_for(self, epochs: int | None) -> float | None:
        speed = self.epochs_per_second
        return None if epochs is None or not speed else max(0, epochs) / speed


def reduce(state: RunState, arrivals: Iterable[Arrival]) -> RunState:
    """The state after more records, in blocks or one by one."""
    epochs: list[EpochCompleted] = []
    for arrival in arrivals:
        if isinstance(arrival, EpochCompleted):
            if epochs and arrival.epoch <= epochs[-1].epoch:
                state, epochs = _with_epochs(state, epochs), []
            epochs.append(arrival)
            continue
        state, epochs = _with_epochs(state, epochs), []
        if isinstance(arrival, EpochBlock):
            state = _with_block(state, arrival)
        else:
            state = _after(state, arrival)
    return _with_epochs(state, epochs)


def _with_epochs(state: RunState, epochs: Sequence[EpochCompleted]) -> RunState:
    return _with_block(state, EpochBlock.of(epochs)) if epochs else state


def _with_block(state: RunState, block: EpochBlock) -> RunState:
    first = int(block.epochs[0])
    if len(state.history) and first <= state.epoch:  # as a user's own loop goes back: unsaid
        state = _resumed(state, RunResumed(epoch=first - 1, time=float(block.times[0])))
    seconds = state.clock.at_each(block.times)
    return replace(
        state,
        epoch=int(block.epochs[-1]),
        recent=(*state.recent, *block.recent)[-RECORDS_KEPT:],
        history=state.history.extended(block, seconds),
        clock=replace(state.clock, now=float(block.times[-1]), seconds=float(seconds[-1])),
    )


def _after(state: RunState, event: Event) -> RunState:
    match event:
        case RunStarted():
            clock = Clock().at(event.time)
            return RunState(started=event, num_epochs=event.num_epochs, clock=clock)
        case RunResumed():
            return _resumed(state, event)
        case _:
            return _changed(replace(state, clock=state.clock.at(event.time)), event)


def _resumed(state: RunState, event: RunResumed) -> RunState:
    """The state at the epoch that a run goes on from, in its own process or in another one."""
    clock = state.clock.stopped() if event.pid else state.clock
    before = tuple(epoch for epoch in state.resumptions if epoch < event.epoch)
    return replace(
        state,
        epoch=event.epoch,
        recent=tuple(record for record in state.recent if record.epoch <= event.epoch),
        history=state.history.up_to_epoch(event.epoch),
        clock=clock.at(event.time).going_on(),
        not_finite=None,
        losses_not_finite=tuple(
            loss for loss in state.losses_not_finite if loss.epoch <= event.epoch
        ),
        resumptions=(*before, event.epoch)[-_MARKS_KEPT:],
        resumed_with=event.stopping,
        paused=False,
        stop_requested=None,
        verdict=_standing_verdict(state, event.epoch),
        finished=None,
    )


def _standing_verdict(state: RunState, epoch: int) -> VerdictChanged | None:
    """The verdict, unless it rests on epochs that are void now."""
    stands = state.verdict is not None and epoch >= state.epoch
    return state.verdict if stands else None


def _changed(state: RunState, event: Event) -> RunState:  # noqa: PLR0911 - a case a kind of event
    match event:
        case VerdictChanged():
            return replace(state, verdict=event)
        case LossNotFinite():
            return _with_loss_not_finite(state, event)
        case CheckpointSaved():
            return replace(state, saved={**state.saved, event.kind: event})
        case SettingChanged():
            return _with_setting(state, event)
        case Paused():
            return replace(state, paused=True, clock=state.clock.stopped())
        case Resumed():
            return _going_on(state)
        case StopRequested():
            return replace(_going_on(state), stop_requested=event.when)
        case RunFinished():
            return replace(state, finished=event, paused=False, clock=state.clock.stopped())
        case _:
            return state


def _with_loss_not_finite(state: RunState, event: LossNotFinite) -> RunState:
    losses = state.losses_not_finite
    if not losses or losses[-1].epoch != event.epoch:
        losses = (*losses, event)[-_MARKS_KEPT:]
    return replace(state, not_finite=state.not_finite or event, losses_not_finite=losses)


def _with_setting(state: RunState, event: SettingChanged) -> RunState:
    num_epochs = state.num_epochs
    if event.setting == "train.epochs" and isinstance(event.after, int):
        num_epochs = event.after
    return replace(
        state, num_epochs=num_epochs, changed={**state.changed, event.setting: event.after}
    )


def _going_on(state: RunState) -> RunState:
    """The state after a pause, if there was one: its time counts for nothing."""
    return replace(state, paused=False, clock=state.clock.going_on()) if state.paused else state
