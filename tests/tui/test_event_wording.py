import pytest

from epochtop.core.events import (
    CheckpointSaved,
    Event,
    LossNotFinite,
    Paused,
    Resumed,
    RunResumed,
    RunStarted,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.tui.words.event_wording import event_text
from tests.records import epoch_record, finished_record, started_record, task_record


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (epoch_record(1), None),
        (finished_record(), "completed after epoch 5: all 5 epochs are done"),
        (
            finished_record("early_stopped", message="6 epochs in a row"),
            "stopped early after epoch 5: 6 epochs in a row",
        ),
        (
            finished_record("stopped", message="stopped on request"),
            "stopped on request after epoch 5",
        ),
        (finished_record("stopped", message=""), "stopped on request after epoch 5"),
        (Warned(message="the disk is full"), "the disk is full"),
        (
            LossNotFinite(epoch=3, step=21, which="train", value="-inf"),
            "train loss is -inf at epoch 3, step 21",
        ),
        (StopRequested(when="epoch"), "asked to stop after this epoch"),
        (StopRequested(when="now"), "asked to stop at the next step"),
        (Paused(epoch=3, step=45), "paused after epoch 3, step 45"),
        (Resumed(epoch=3, step=45), "goes on after epoch 3, step 45"),
        (
            CheckpointSaved(kind="best", epoch=3, path="best.pt", bytes=2048, seconds=0.1),
            "saved best.pt (epoch 3, 2 KiB)",
        ),
    ],
)
def test_an_event_is_told_in_a_line(event: Event, text: str | None) -> None:
    assert event_text(event) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            SettingChanged(setting="optim.lr", before=0.01, after=0.003, by="request"),
            "optim.lr is 0.003 now, was 0.01 (on request)",
        ),
        (
            SettingChanged(setting="train.epochs", before=5, after=9, by="resume"),
            "train.epochs is 9 now, was 5 (on resume)",
        ),
        (
            SettingChanged(setting="optim.lr", before=0.01, after=0.005, by="go_back"),
            "optim.lr is 0.005 now, was 0.01 (after going back)",
        ),
        (
            SettingChanged(setting="of.later", before=None, after=True, by="request"),
            "of.later is true now, was off (on request)",
        ),
    ],
)
def test_a_changed_setting_says_from_what_to_what_and_why(event: Event, text: str) -> None:
    assert event_text(event) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (RunResumed(epoch=4), "resumed after epoch 4"),
        (
            RunResumed(epoch=4, message="restored last.pt", pid=7),
            "resumed after epoch 4: restored last.pt",
        ),
        (
            RunResumed(epoch=4, batches_into_next_epoch=12, message="restored last.pt", pid=7),
            "resumed after epoch 4 and 12 batches of the next: restored last.pt",
        ),
        (
            RunResumed(epoch=4, message="went back to epoch 4, for the train loss was nan"),
            "went back to epoch 4, for the train loss was nan",
        ),
    ],
)
def test_a_run_that_goes_on_says_from_where_and_what_was_restored(event: Event, text: str) -> None:
    assert event_text(event) == text


# The start.


def test_the_start_says_what_is_trained_on_what() -> None:
    assert event_text(started_record()) == (
        "digits: 1,437 training and 360 validation rows, 64 features, classification, 10 classes; "
        "mlp with 8,970 parameters on cpu"
    )


def test_the_start_of_a_task_names_its_function_and_no_built_in_model() -> None:
    assert event_text(task_record()) == (
        "mine.py:build: 1,437 training and 360 validation rows; "
        "a model with 8,970 parameters on cpu"
    )


@pytest.mark.parametrize(
    ("num_train", "num_val", "rows"),
    [
        (None, 360, "an unknown number of training and 360 validation rows"),
        (None, None, "an unknown number of training and an unknown number of validation rows"),
    ],
)
def test_rows_that_a_loader_does_not_count_are_not_made_up(
    num_train: int | None, num_val: int | None, rows: str
) -> None:
    text = event_text(task_record(num_train=num_train, num_val=num_val)) or ""
    assert text.startswith(f"mine.py:build: {rows};")


def test_a_start_that_says_nothing_of_settings_is_told_all_the_same() -> None:
    record: RunStarted = started_record(settings={}, num_features=None, classes=[])
    text = event_text(record) or ""
    assert "1,437 training" in text
    assert "None" not in text
