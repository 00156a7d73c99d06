"""Journals of any records, and all that a state says after them."""

import math

from hypothesis import strategies as st

from epochtop.core.events import (
    CheckpointSaved,
    LossNotFinite,
    Paused,
    Resumed,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.tui.following.state import RunState

from ..records import epoch_record, finished_record, started_record, stopping_state

Snapshot = tuple[object, ...]


def snapshot_of(state: RunState) -> Snapshot:
    """All that a state says, apart from how it shares its columns; nan as itself."""
    history = state.history
    columns = (history.epochs, history.steps, history.seconds)
    return (
        len(history),
        history.names,
        *(str(column.tolist()) for column in columns),
        *(str(history.column(name).tolist()) for name in history.names),
        history.epochs_per_second,
        state.started,
        state.num_epochs,
        state.epoch,
        str(state.recent),
        state.not_finite,
        state.losses_not_finite,
        state.resumptions,
        state.settings,
        state.saved,
        state.paused,
        state.stop_requested,
        state.finished,
        state.seconds,
        state.seconds_left,
        state.stopping,
        state.patience,
    )


losses = st.none() | st.floats(0, 10) | st.sampled_from([math.inf, math.nan])
epoch_records = st.builds(
    lambda epoch, time, best_epoch, metrics, fields: epoch_record(
        epoch,
        time=time,
        step=7 * epoch,
        metrics=metrics,
        stopping=stopping_state(best_loss=0.5, best_epoch=best_epoch),
        **fields,
    ),
    epoch=st.integers(1, 12),
    time=st.integers(0, 40).map(float),
    best_epoch=st.integers(1, 12),
    metrics=st.dictionaries(st.sampled_from(["f1", "r2", "lr", "epochs"]), losses, max_size=2),
    fields=st.fixed_dictionaries(
        dict.fromkeys(("train_loss", "val_loss", "train_loss_eval", "penalty"), losses),
        optional={"grad_norm": losses, "lr": st.floats(0, 1)},
    ),
)
other_records = st.sampled_from(
    [
        RunResumed(time=1.0, epoch=0),
        RunResumed(time=2.0, epoch=3),
        RunResumed(time=2.0, epoch=3, pid=7),
        Paused(time=3.0, epoch=2, step=20),
        Paused(time=4.0, epoch=2, step=20),
        Resumed(time=5.0, epoch=2, step=20),
        SettingChanged(time=3.0, setting="train.epochs", before=200, after=9, by="request"),
        LossNotFinite(time=3.0, epoch=2, step=20, which="val", value="nan"),
        LossNotFinite(time=3.0, epoch=3, step=30, which="train", value="inf"),
        StopRequested(time=4.0, when="now"),
        StopRequested(time=4.0, when="epoch"),
        Warned(time=5.0, message="m"),
        CheckpointSaved(time=6.0, kind="best", epoch=1, path="best.pt", bytes=1, seconds=0.1),
        finished_record(),
    ]
)
starts = st.sampled_from([started_record(), started_record(epochs=7)])
journals = st.lists(epoch_records | other_records, max_size=25)
