"""What a screen shows of a run: an immutable snapshot, and how events change it.

    journal -> events -> reduce(state, events) -> state -> widgets

Best, patience and the rest are as the engine wrote them down; only the speed and the time left
are worked out here, from the times of the records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..core.events import (
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
)
from .clock import Clock
from .history import History

# When a run goes back farther, its epochs are so short that the next record comes at once.
_RECORDS_KEPT = 100


@dataclass(frozen=True)
class RunState:
    """A run as far as its journal tells.

    `epoch` is the last one that stands and `recent` the last records of those that do, the newest
    last: all that a state holds is bounded, but for the four numbers an epoch of the history.
    """

    started: RunStarted | None = None
    num_epochs: int | None = None
    epoch: int = 0
    recent: tuple[EpochCompleted, ...] = ()
    history: History = field(default_factory=History)
    clock: Clock = field(default_factory=Clock)
    not_finite: LossNotFinite | None = None
    paused: bool = False
    stop_requested: StopWhen | None = None
    saved: dict[str, CheckpointSaved] = field(default_factory=dict)
    finished: RunFinished | None = None
    resumptions: tuple[int, ...] = ()

    @property
    def last_epoch(self) -> EpochCompleted | None:
        """The record of `epoch`; None before the first, and where it is too long ago."""
        return self.recent[-1] if self.recent else None

    @property
    def keeps_best(self) -> bool:
        """Whether the weights to keep are the best epoch's and not the last's."""
        return self.started is None or self.started.setting("stopping", "restore_best") is not False

    @property
    def stopping(self) -> Stopping | None:
        """The stopping rule after the last epoch."""
        return self.last_epoch.stopping if self.last_epoch else None

    @property
    def seconds(self) -> float | None:
        """How long the run trained up to its last record: without pauses and interruptions."""
        return None if self.started is None else self.clock.seconds

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch at the present speed: the most the run can still take."""
        speed = self.history.epochs_per_second
        if self.num_epochs is None or not speed:
            return None
        return (self.num_epochs - self.epoch) / speed

    @property
    def seconds_left_if_nothing_improves(self) -> float | None:
        """Until patience is used up at the present speed; None when the run never stops early."""
        speed, stopping = self.history.epochs_per_second, self.stopping
        if stopping is None or not stopping.patience or not speed:
            return None
        return (stopping.patience - stopping.epochs_since_best) / speed


def reduce(state: RunState, events: Iterable[Event]) -> RunState:
    """The state after more events."""
    epochs: list[EpochCompleted] = []
    for event in events:
        if isinstance(event, EpochCompleted):
            epochs.append(event)
        else:
            state, epochs = _after(_with_epochs(state, epochs), event), []
    return _with_epochs(state, epochs)


def _with_epochs(state: RunState, epochs: list[EpochCompleted]) -> RunState:
    if not epochs:
        return state
    return replace(
        state,
        epoch=epochs[-1].epoch,
        recent=(*state.recent, *epochs[-_RECORDS_KEPT:])[-_RECORDS_KEPT:],
        history=state.history.extended(epochs),
        clock=state.clock.at(epochs[-1].time),
    )


def _after(state: RunState, event: Event) -> RunState:
    match event:
        case RunStarted():
            clock = Clock(event.time).going_on()
            return RunState(started=event, num_epochs=event.num_epochs, clock=clock)
        case RunResumed():
            return _resumed(state, event)
        case _:
            return _changed(replace(state, clock=state.clock.at(event.time)), event)


def _resumed(state: RunState, event: RunResumed) -> RunState:
    """The state at the epoch that a run goes on from, in its own process or in another one."""
    clock = state.clock.stopped() if event.pid else state.clock
    return replace(
        state,
        epoch=event.epoch,
        recent=tuple(record for record in state.recent if record.epoch <= event.epoch),
        history=state.history.up_to_epoch(event.epoch),
        clock=clock.at(event.time).going_on(),
        not_finite=None,
        paused=False,
        stop_requested=None,
        finished=None,
        resumptions=_resumptions(state, event),
    )


def _resumptions(state: RunState, event: RunResumed) -> tuple[int, ...]:
    """The epochs after which the run went on, without those that are void by now."""
    earlier = (epoch for epoch in state.resumptions if epoch < event.epoch)
    return (*earlier, event.epoch)[-_RECORDS_KEPT:]


def _changed(state: RunState, event: Event) -> RunState:  # noqa: PLR0911 - a case a kind of event
    match event:
        case LossNotFinite():
            return replace(state, not_finite=state.not_finite or event)
        case CheckpointSaved():
            return replace(state, saved={**state.saved, event.kind: event})
        case SettingChanged(setting="train.epochs", after=int(num_epochs)):
            return replace(state, num_epochs=num_epochs)
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


def _going_on(state: RunState) -> RunState:
    """The state after a pause, if there was one: its time counts for nothing."""
    if not state.paused:
        return state
    history, clock = state.history.timed_anew(), state.clock.going_on()
    return replace(state, paused=False, history=history, clock=clock)
