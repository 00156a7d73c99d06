"""What `train.on_not_finite = go_back` does when a loss is no number."""

import math
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from epochtop.core import Trainer, load_checkpoint
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    RunResumed,
    SettingChanged,
    Warned,
)

from .engines import endings, events_of
from .interruptions import (
    comparable,
    gone_on,
    left_at_every_ask,
    settings_of,
    standing,
    train,
    trainer_of,
)
from .resumptions import checkpoint, killed_at, resume, save_at_every_ask
from .resumptions import train as train_run

GO_BACK = ("train.on_not_finite=go_back", "optim.name=sgd", "optim.momentum=0.9", "optim.lr=0.1")
# In epoch 2, whose steps are 6 to 10.
BAD_STEP = 8


class Explodes:
    """Cross-entropy, and no number at a step as long as the learning rate is high."""

    def __init__(self, lowest_rate: float = 0.06, value: float = math.nan) -> None:
        self.trainer: Trainer | None = None
        self._lowest_rate = lowest_rate
        self._value = value

    def __call__(self, outputs: Any, targets: Tensor) -> Tensor:
        loss = nn.functional.cross_entropy(outputs, targets)
        trainer = self.trainer
        if trainer is None or not trainer.model.training or trainer.step + 1 != BAD_STEP:
            return loss
        return loss * self._value if trainer.settings.optim.lr >= self._lowest_rate else loss


def exploding(*overrides: str, lowest_rate: float = 0.06, value: float = math.nan) -> Trainer:
    loss = Explodes(lowest_rate, value)
    loss.trainer = trainer_of(settings_of(*GO_BACK, *overrides), loss=loss)
    return loss.trainer


def of_kind(events: list[Event], *kinds: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kinds)]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_run_goes_back_to_the_last_good_epoch_with_half_the_rate_and_says_so(
    value: float,
) -> None:
    records: list[Event] = []
    ending = train(exploding(value=value), records)

    assert ending.why == ("completed", "all 3 epochs are done")
    kinds = (LossNotFinite, EpochCompleted, RunResumed, SettingChanged)
    good, bad, bad_too, void, back, changed, *again = of_kind(records, *kinds)
    assert (good.epoch, good.lr) == (1, 0.1)
    assert (bad.epoch, bad.step, bad.which) == (2, BAD_STEP, "train")
    assert (bad_too.epoch, bad_too.step, bad_too.which) == (2, 10, "val")
    assert (void.epoch, void.train_loss) == (2, None)
    assert (back.epoch, back.step) == (1, 5)
    assert "went back to epoch 1" in back.message
    assert f"at step {BAD_STEP} (1 of at most 3 times)" in back.message
    assert (changed.setting, changed.before, changed.after) == ("optim.lr", 0.1, 0.05)
    assert changed.by == "go_back"
    assert [(record.epoch, record.lr) for record in again] == [(2, 0.05), (3, 0.05)]
    assert all(record.train_loss is not None for record in again)


def test_what_went_wrong_leaves_no_trace() -> None:
    """It ends as if the rate had been halved after the good epoch, to the last bit."""
    ending = train(exploding(), [])

    calm = trainer_of(settings_of(*GO_BACK))
    calm.on_event = lambda event: halve_after_epoch(1, event)

    def halve_after_epoch(epoch: int, event: Event) -> None:
        if isinstance(event, EpochCompleted) and event.epoch == epoch:
            calm.change("optim.lr", 0.05, "request")

    calm.run()
    assert comparable(calm.model.state_dict()) == ending.state["model"]
    assert comparable(calm.optimizer.state_dict()) == ending.state["optimizer"]


def test_a_loss_that_stays_no_number_ends_the_run_after_so_many_times() -> None:
    records: list[Event] = []
    ending = train(exploding("train.go_back_times=2", lowest_rate=0.0), records)

    assert ending.why == ("not_finite", f"the train loss was nan at step {BAD_STEP}")
    assert len(of_kind(records, RunResumed)) == 2
    assert [change.after for change in of_kind(records, SettingChanged)] == [0.05, 0.025]


def test_the_factor_is_a_setting() -> None:
    records: list[Event] = []
    train(exploding("train.go_back_factor=0.1"), records)
    assert [change.after for change in of_kind(records, SettingChanged)] == [pytest.approx(0.01)]


def test_without_the_setting_the_run_ends() -> None:
    ending = train(exploding("train.on_not_finite=stop"), [])
    assert ending.why[0] == "not_finite"


def test_a_run_that_goes_back_in_its_first_epoch_begins_again() -> None:
    records: list[Event] = []
    ending = train(exploding("train.batch_size=4"), records)  # 9 steps an epoch

    assert ending.why[0] == "completed"
    (back,) = of_kind(records, RunResumed)
    assert (back.epoch, back.step) == (0, 0)
    assert [record["epoch"] for record in ending.records] == ["1", "2", "3"]


def test_the_result_has_the_epochs_that_stand() -> None:
    result = exploding().fit()
    assert [record.epoch for record in result.history] == [1, 2, 3]
    assert all(record.train_loss is not None for record in result.history)


@pytest.mark.parametrize("lowest_rate", [0.06, 0.0], ids=["once", "always"])
def test_a_run_that_goes_back_ends_the_same_from_wherever_it_was_left(
    lowest_rate: float, tmp_path: Path
) -> None:
    def build() -> Trainer:
        return exploding(lowest_rate=lowest_rate)

    whole, states = left_at_every_ask(build, tmp_path)
    for number, state in enumerate(states):
        # what the journal would tell: how often it had gone back, and so with which rate
        rate = 0.1 * 0.5 ** state["times_gone_back"]
        build_again = partial(exploding, f"optim.lr={rate}", lowest_rate=lowest_rate)
        again = gone_on(build_again, state)
        assert again.why == whole.why, f"left at ask {number}"
        assert again.state["model"] == whole.state["model"], f"left at ask {number}"
        assert again.state["times_gone_back"] == whole.state["times_gone_back"]


# Engines: the loss of this task explodes when its weights have grown, in epochs 7 and 8.

TASK = """
import torch
from torch import nn
from epochtop.core import Task

class Fragile(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) / (self.weight.abs().max() < 1.0)

def build(settings):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 4, generator=generator)
    data = inputs, inputs @ torch.tensor([[3.0], [0.5], [0.0], [-0.5]])
    return Task(Fragile(4, 1), nn.MSELoss(), train=data, val=data)
"""


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A run that goes back, and that writes its checkpoints all the time."""
    save_at_every_ask(monkeypatch)
    file = tmp_path / "task.py"
    file.write_text(TASK)
    rate = ("optim.name=sgd", "optim.lr=0.01", "train.epochs=8", "train.batch_size=16")
    return f"task={file}:build", "train.on_not_finite=go_back", *rate


class Moments:
    """Whether an event is the last one of its kind before, or the first after, going back."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._times = 0
        self._saved_since = False

    def __call__(self, event: Event) -> bool:
        if isinstance(event, SettingChanged):
            self._times += 1
            return self._kind == "said"
        is_saved = isinstance(event, CheckpointSaved) and event.kind == "last"
        if is_saved and self._times == 1:
            is_first, self._saved_since = not self._saved_since, True
            return is_first and self._kind == "saved"
        return is_saved and self._times == 0 and self._kind == "within the bad epoch"


@pytest.mark.parametrize("kind", ["within the bad epoch", "said", "saved"])
def test_a_run_that_is_killed_where_it_goes_back_ends_the_same(
    kind: str, tmp_path: Path, fragile: tuple[str, ...]
) -> None:
    whole = train_run(tmp_path, *fragile)
    run = killed_at(tmp_path, Moments(kind), *fragile)

    resume(run)

    assert [event.reason for event in endings(run)] == ["completed"]
    assert len(of_kind(events_of(run), SettingChanged)) == 2
    assert comparable(standing(events_of(run))) == comparable(standing(events_of(whole)))
    assert checkpoint(run, "last.pt") == checkpoint(whole, "last.pt")
    assert checkpoint(run, "best.pt") == checkpoint(whole, "best.pt")


WHERE_IT_GOES_BACK: dict[str, type[Event]] = {
    "it is on the disk": CheckpointSaved,
    "and told": RunResumed,
    "with a smaller rate": SettingChanged,
}


@pytest.mark.parametrize("where", WHERE_IT_GOES_BACK)
@pytest.mark.parametrize("overrides", [(), ("optim.lr=0.003",)], ids=["", "with another rate"])
def test_a_run_that_is_killed_before_it_has_gone_back_entirely_does_the_rest_when_it_goes_on(
    where: str,
    overrides: tuple[str, ...],
    tmp_path: Path,
    fragile: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER", math.inf)
    monkeypatch.setattr(
        "epochtop.core.checkpoint.checkpoints._SECONDS_PER_WRITING_SECOND", math.inf
    )
    moments = first_only(WHERE_IT_GOES_BACK[where])
    run = killed_at(tmp_path / "killed", moments, *fragile)
    whole = train_run(tmp_path / "whole", *fragile)
    if overrides:  # the user's own rate, but for the epochs before it went back
        whole = killed_at(tmp_path / "again", first_only(SettingChanged), *fragile)
        resume(whole, *overrides)

    resume(run, *overrides)

    assert comparable(standing(events_of(run))) == comparable(standing(events_of(whole)))
    assert checkpoint(run, "last.pt") == checkpoint(whole, "last.pt")
    changes = of_kind(events_of(run), SettingChanged)
    assert sum(change.by == "go_back" for change in changes) == sum(
        change.by == "go_back" for change in of_kind(events_of(whole), SettingChanged)
    )


def never_save_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    where = "epochtop.core.checkpoint.checkpoints"
    monkeypatch.setattr(f"{where}._FIRST_WRITING_AFTER", math.inf)
    monkeypatch.setattr(f"{where}._SECONDS_PER_WRITING_SECOND", math.inf)


def first_only(kind: type[Event]) -> Callable[[Event], bool]:
    """The first event of a kind; of checkpoints the first `last.pt`."""
    seen = count()

    def is_first(event: Event) -> bool:
        if not isinstance(event, kind) or getattr(event, "kind", "last") != "last":
            return False
        return next(seen) == 0

    return is_first


def test_what_a_run_has_gone_back_to_is_on_the_disk_at_once(
    tmp_path: Path, fragile: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER", math.inf)
    monkeypatch.setattr(
        "epochtop.core.checkpoint.checkpoints._SECONDS_PER_WRITING_SECOND", math.inf
    )
    whole = train_run(tmp_path, *fragile)
    run = killed_at(tmp_path, lambda event: isinstance(event, EpochCompleted), *fragile)
    assert load_checkpoint(run.path / "last.pt")["epoch"] == 7

    resume(run)

    assert checkpoint(run, "last.pt") == checkpoint(whole, "last.pt")


def test_weights_that_are_no_numbers_are_never_saved(
    tmp_path: Path, fragile: tuple[str, ...]
) -> None:
    run = train_run(tmp_path, *fragile, "train.on_not_finite=stop", "optim.lr=0.02")

    assert [event.reason for event in endings(run)] == ["not_finite"]
    warned = of_kind(events_of(run), Warned)
    assert "last.pt was not saved: weight is not finite" in warned[0].message
    assert len(warned) == 2  # when it was first so, and at the end
    last = load_checkpoint(run.path / "last.pt")
    assert all(bool(weight.isfinite().all()) for weight in last["model"].values())
    assert last["epoch"] == 3
