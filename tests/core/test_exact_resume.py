"""Interrupted and resumed equals uninterrupted, to the last bit, on the CPU."""

from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from epochtop.core import Trainer

from .interruptions import (
    Augmented,
    Ending,
    forward_that_draws,
    gone_on,
    interrupted_after,
    left_at_every_ask,
    settings_of,
    shuffled_loader,
    train,
    trainer_of,
)

SGD = ("optim.name=sgd", "optim.momentum=0.9")
SETTINGS = {
    "adam": (),
    "adamw that decays": ("optim.name=adamw", "optim.weight_decay=0.1"),
    "momentum": SGD,
    "nesterov": (*SGD, "optim.nesterov=true", "optim.weight_decay=0.01"),
    "one_cycle": (*SGD, "optim.schedule=one_cycle"),
    "cosine": ("optim.schedule=cosine",),
    "step": (*SGD, "optim.schedule=step", "optim.step_epochs=1"),
    "plateau": ("optim.schedule=plateau", "optim.schedule_patience=0", "optim.lr=0.5"),
    "warm-up": ("optim.warmup_epochs=2", "optim.schedule=cosine"),
    "clipped": (*SGD, "optim.clip_norm=0.5"),
    "accumulated": ("optim.accumulate=2", "optim.clip_norm=1", "optim.schedule=one_cycle"),
    "bf16": ("train.precision=bf16",),
    # a matrix product rounds by where its rows begin, here at no multiple of 64 bytes
    "batches of five": ("train.batch_size=5",),
    "patience": ("stopping.patience=1", "stopping.min_delta=0.2", "train.epochs=9"),
    "pq": ("stopping.rule=pq", "stopping.strip_epochs=2", "stopping.alpha=1000"),
}
DATA: dict[str, Callable[[], Trainer]] = {
    "rows": lambda: trainer_of(settings_of(), draws=True),
    "data set": lambda: trainer_of(settings_of(), train=Augmented(36, 1), val=Augmented(12, 2)),
    "loader": lambda: trainer_of(settings_of(), train=shuffled_loader(), draws=True),
    # trying out the first batch after a resume must not draw what training would
    "loader and a forward that draws": lambda: trainer_of(
        settings_of(), train=shuffled_loader(), forward=forward_that_draws
    ),
    "sampler": lambda: trainer_of(settings_of(), train=own_order()),
}


def own_order() -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    """A loader whose order comes from a generator of the user's own."""
    order = RandomSampler(range(36), generator=torch.Generator().manual_seed(5))
    return DataLoader(Augmented(36, 1), batch_sampler=BatchSampler(order, 8, drop_last=False))


def assert_exact_from_everywhere(build: Callable[[], Trainer], directory: Path) -> None:
    whole, states = left_at_every_ask(build, directory)
    places = {(state["epoch"], state["progress"]["batches"]) for state in states}
    assert len(places) > 8  # between epochs, within them, and after the last batch of each
    for number, state in enumerate(states):
        assert_same_end(whole, gone_on(build, state), state["epoch"], f"left at ask {number}")


def assert_same_end(whole: Ending, again: Ending, epoch: int, where: str) -> None:
    """Compare with an ending whose records begin after an epoch."""
    assert again.why == whole.why, where
    assert again.records == whole.records[epoch:], where
    assert again.state == whole.state, where


@pytest.mark.parametrize("name", SETTINGS)
def test_whatever_the_settings_a_run_ends_the_same_from_wherever_it_was_left(
    name: str, tmp_path: Path
) -> None:
    assert_exact_from_everywhere(lambda: trainer_of(settings_of(*SETTINGS[name])), tmp_path)


@pytest.mark.parametrize("name", DATA)
def test_wherever_the_data_are_from_a_run_ends_the_same_from_wherever_it_was_left(
    name: str, tmp_path: Path
) -> None:
    assert_exact_from_everywhere(DATA[name], tmp_path)


def test_saving_a_state_does_not_disturb_the_training(tmp_path: Path) -> None:
    saved, _ = left_at_every_ask(DATA["loader"], tmp_path)

    assert_same_end(train(DATA["loader"](), []), saved, 0, "saved all the time")


# With nine asks a training always comes further: one before it goes on, five while it loads what
# it has learnt from, two in an evaluation, one more.
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(asks=[], last=9)
@example(asks=[0, 3], last=10)  # left again before it had gone on, and while it loaded
@given(asks=st.lists(st.integers(0, 9), max_size=4), last=st.integers(9, 14))
def test_a_run_that_is_interrupted_again_and_again_ends_the_same(
    asks: list[int], last: int
) -> None:
    def build() -> Trainer:
        options = ("optim.schedule=one_cycle", "optim.clip_norm=0.5")
        return trainer_of(settings_of(*SGD, *options), train=shuffled_loader(), draws=True)

    with TemporaryDirectory() as directory:
        chain = interrupted_after(build, islice(cycle([*asks, last]), 200), Path(directory))
    assert_same_end(train(build(), []), chain, 0, f"after {asks} asks")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_loader_with_worker_processes_loads_the_same_again(tmp_path: Path) -> None:
    def build() -> Trainer:
        loader = shuffled_loader(num_workers=2)
        return trainer_of(settings_of("train.epochs=2"), train=loader, draws=True)

    whole, states = left_at_every_ask(build, tmp_path)
    state = next(each for each in states if each["progress"]["batches"] == 3)

    assert_same_end(whole, gone_on(build, state), 0, "left within the first epoch")


def test_only_the_time_spent_on_an_interrupted_epoch_is_counted_on(tmp_path: Path) -> None:
    _, states = left_at_every_ask(lambda: trainer_of(settings_of()), tmp_path)

    for state in states:
        progress = state["progress"]
        assert (progress["seconds"] > 0) == (progress["batches"] > 0)


def test_an_interrupted_epochs_losses_are_all_in_its_mean(tmp_path: Path) -> None:
    whole, states = left_at_every_ask(lambda: trainer_of(settings_of()), tmp_path)
    late = next(state for state in states if state["progress"]["batches"] == 5)

    assert len(late["progress"]["losses"]) == 5
    again = gone_on(lambda: trainer_of(settings_of()), late)
    assert again.records[0]["train_loss"] == whole.records[0]["train_loss"]
