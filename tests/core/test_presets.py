"""Each preset's losses of every epoch, against a reference that shares nothing with the trainer."""

from pathlib import Path

import msgspec
import pytest
import torch

from epochtop.core import JournalReader, Settings, list_runs, load_checkpoint, resolve_settings
from epochtop.core.data import load_dataset
from epochtop.core.data.dataset import Dataset, Split
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here
from epochtop.core.events import EpochCompleted, RunFinished
from epochtop.core.seeds import epoch_order
from epochtop.core.training.models import build_model

from .reference import Adam, train_epoch, validation_loss

RELATIVE = 1e-6


def in_float64(split: Split) -> Split:
    return Split(split.inputs.double(), split.targets)


class Reference:
    """The weights and losses of each epoch, computed in float64 throughout."""

    def __init__(self, settings: Settings, dataset: Dataset, epochs: int) -> None:
        model = build_model(
            settings.model, num_features=10, num_outputs=2, seed=settings.train.seed
        )
        weight, bias = (tensor.detach().double() for tensor in model.parameters())
        adam = Adam(settings.optim.weight_decay)
        train, val = in_float64(dataset.train), in_float64(dataset.val)
        self.train_losses: list[float] = []
        self.val_losses: list[float] = []
        self.weights: list[tuple[torch.Tensor, torch.Tensor]] = []
        for epoch in range(1, epochs + 1):
            order = epoch_order(len(train), seed=settings.train.seed, epoch=epoch)
            self.train_losses.append(train_epoch(weight, bias, adam, train, order))
            self.val_losses.append(validation_loss(weight, bias, val))
            self.weights.append((weight.clone(), bias.clone()))


def run_preset(name: str, runs: Path, seed: int) -> tuple[list[EpochCompleted], RunFinished]:
    settings = with_seed(name, seed)
    outcome = train_here(settings, runs, None, lambda _: lambda _: None)
    assert isinstance(outcome, Outcome)
    events = JournalReader(outcome.run.journal_path).read()
    return [event for event in events if isinstance(event, EpochCompleted)], outcome.finished


def with_seed(name: str, seed: int) -> Settings:
    return resolve_settings(preset=name, overrides=[f"train.seed={seed}", f"data.seed={seed}"])


def stop_epoch(losses: list[float], max_in_a_row: int) -> int:
    """The epoch after which the definition stops: more than 5 in a row without a new best."""
    best, in_a_row = float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        in_a_row = 0 if loss < best else in_a_row + 1
        best = min(best, loss)
        if in_a_row > max_in_a_row:
            return epoch
    return len(losses)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["basic", "early-stopping", "weight-decay"])
def test_every_loss_of_a_preset_equals_the_reference(name: str, seed: int, tmp_path: Path) -> None:
    settings = with_seed(name, seed)
    reference = Reference(settings, load_dataset(settings.data), settings.train.epochs)

    records, _ = run_preset(name, tmp_path, seed)

    epochs = len(records)
    assert epochs > 0
    assert [record.train_loss for record in records] == pytest.approx(
        reference.train_losses[:epochs], rel=RELATIVE, abs=0
    )
    assert [record.val_loss for record in records] == pytest.approx(
        reference.val_losses[:epochs], rel=RELATIVE, abs=0
    )


@pytest.mark.parametrize(("name", "epochs"), [("basic", 5), ("weight-decay", 50)])
def test_a_preset_without_early_stopping_trains_all_its_epochs(
    name: str, epochs: int, tmp_path: Path
) -> None:
    records, finished = run_preset(name, tmp_path, seed=0)

    assert [record.epoch for record in records] == list(range(1, epochs + 1))
    assert [record.step for record in records] == [25 * epoch for epoch in range(1, epochs + 1)]
    assert finished.reason == "completed"


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_early_stopping_stops_at_the_epoch_that_the_definition_gives(
    seed: int, tmp_path: Path
) -> None:
    settings = with_seed("early-stopping", seed)
    reference = Reference(settings, load_dataset(settings.data), settings.train.epochs)

    records, finished = run_preset("early-stopping", tmp_path, seed)

    expected = stop_epoch(reference.val_losses, max_in_a_row=5)
    assert expected < settings.train.epochs
    assert (finished.reason, finished.epoch, len(records)) == ("early_stopped", expected, expected)
    assert finished.best_epoch == expected - 6


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_best_pt_holds_the_weights_of_the_best_epoch(seed: int, tmp_path: Path) -> None:
    settings = with_seed("early-stopping", seed)
    reference = Reference(settings, load_dataset(settings.data), settings.train.epochs)

    _, finished = run_preset("early-stopping", tmp_path, seed)
    checkpoint = load_checkpoint(list_runs(tmp_path)[0].path / "best.pt")

    best = min(range(finished.epoch), key=reference.val_losses.__getitem__)
    weight, bias = reference.weights[best]
    assert checkpoint["epoch"] == finished.best_epoch == best + 1
    assert checkpoint["val_loss"] == finished.best_loss
    torch.testing.assert_close(checkpoint["model"]["weight"].double(), weight, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(checkpoint["model"]["bias"].double(), bias, rtol=1e-4, atol=1e-6)


def test_the_synthetic_set_is_the_one_that_the_presets_are_defined_on() -> None:
    dataset = load_dataset(resolve_settings(preset="basic").data)

    assert dataset.train.inputs.shape == (800, 10)
    assert dataset.val.inputs.shape == (200, 10)
    assert dataset.num_outputs == 2
    rows = torch.cat([dataset.train.inputs, dataset.val.inputs])
    assert rows.mean().abs() < 0.05
    assert abs(float(rows.std()) - 1) < 0.05


def test_the_presets_settings_are_those_of_their_definition() -> None:
    basic = resolve_settings(preset="basic")

    assert msgspec.to_builtins(basic.optim)["lr"] == 0.01
    assert basic.optim.name == "adam"
    assert basic.train.batch_size == 32
    assert basic.model.kind == "linear"
