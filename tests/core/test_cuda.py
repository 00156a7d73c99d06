"""What a run does on an NVIDIA GPU. Without one these tests are skipped."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from epochtop.core import Run, Trainer
from epochtop.core.events import EpochCompleted, RunResumed, RunStarted
from epochtop.core.training.lr_range import find_lr

from .engines import endings, events_of
from .interruptions import Ending, gone_on, left_at_every_ask, model_of, rows, settings_of
from .resumptions import stopped, train, warnings_of

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
    # torch imports parts of its own that warn of other parts
    pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning"),
]

GPU, CPU = torch.device("cuda:0"), torch.device("cpu")
ON_GPU = ("train.device=cuda", "model.dropout=0")
ON_CPU = ("train.device=cpu", "model.dropout=0")
SETTINGS = {
    "adam": (),
    "adamw": ("optim.name=adamw", "optim.weight_decay=0.1"),
    "momentum": ("optim.name=sgd", "optim.momentum=0.9"),
    "batches of five": ("train.batch_size=5",),
    "accumulated": ("optim.accumulate=2", "optim.clip_norm=1"),
    "bf16": ("train.precision=bf16",),
    "fp16": ("train.precision=fp16", "optim.clip_norm=0.5"),
}


def on(device: torch.device, *overrides: str, dropout: float = 0.3) -> Trainer:
    model = model_of()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
    settings = settings_of(*overrides)
    loss = nn.CrossEntropyLoss(torch.tensor([0.5, 1.0, 2.0], device=device), ignore_index=1)
    return Trainer(
        model.to(device), loss, train=rows(36, seed=1), val=rows(12, seed=2), settings=settings
    )


def epochs_of(run: Run) -> list[EpochCompleted]:
    return [event for event in events_of(run) if isinstance(event, EpochCompleted)]


def losses_of(run: Run) -> list[list[float | None]]:
    return [[each.train_loss, each.val_loss, each.train_loss_eval] for each in epochs_of(run)]


def lowest_loss_of(ending: Ending) -> float:
    return float(ending.state["rule"]["stopping"]["lowest_loss"])


def assert_close(run: Run, other: Run, tolerance: float) -> None:
    pairs = list(zip(losses_of(run), losses_of(other), strict=True))
    assert pairs
    for own, others in pairs:
        assert own == pytest.approx(others, rel=tolerance)


@contextmanager
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(
    ("overrides", "tolerance"),
    [((), 1e-3), (("optim.name=sgd",), 1e-3), (("train.precision=bf16",), 0.1)],
    ids=["adam", "sgd", "bf16"],
)
def test_a_run_has_the_losses_that_it_has_on_a_cpu(
    overrides: tuple[str, ...], tolerance: float, tmp_path: Path
) -> None:
    run = train(tmp_path / "gpu", *ON_GPU, *overrides)
    other = train(tmp_path / "cpu", *ON_CPU, *overrides)

    started = events_of(run)[0]
    assert isinstance(started, RunStarted)
    assert started.device == "cuda:0"
    assert_close(run, other, tolerance)
    for name in ("val_rise", "unlearnt_share"):
        assert [getattr(each, name) is None for each in epochs_of(run)] == [
            getattr(each, name) is None for each in epochs_of(other)
        ]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_ends_the_same_from_wherever_it_was_left(name: str, tmp_path: Path) -> None:
    """Dropout is drawn on the device; the kernels of these layers always add in the same order."""
    whole, states = left_at_every_ask(lambda: on(GPU, *SETTINGS[name]), tmp_path)

    for number, state in enumerate(states[::3]):
        again = gone_on(lambda: on(GPU, *SETTINGS[name]), state)
        assert again.records == whole.records[state["epoch"] :], f"left at ask {3 * number}"
        assert again.state == whole.state, f"left at ask {3 * number}"


@pytest.mark.parametrize(("first", "then"), [(GPU, CPU), (CPU, GPU)], ids=["to cpu", "to gpu"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_goes_on_where_its_device_is_another_one(
    name: str, first: torch.device, then: torch.device, tmp_path: Path
) -> None:
    whole, states = left_at_every_ask(lambda: on(first, *SETTINGS[name], dropout=0), tmp_path)
    state = states[len(states) // 2]
    tolerance = 0.1 if name in ("bf16", "fp16") else 1e-3

    again = gone_on(lambda: on(then, *SETTINGS[name], dropout=0), state)

    assert again.why == whole.why
    assert lowest_loss_of(again) == pytest.approx(lowest_loss_of(whole), rel=tolerance)


@pytest.mark.parametrize("name", SETTINGS)
def test_no_step_waits_for_the_device(name: str) -> None:
    trainer = on(GPU, *SETTINGS[name], "train.epochs=1")
    trainer.fit()
    batches = list(trainer.train.epoch(2))  # which brings the epoch's order to the device

    with waiting_is_an_error():
        for seen, batch in enumerate(batches, start=1):
            trainer.train_step([batch], seen)

    assert len(trainer.progress.losses) == len(batches)


def test_a_compiled_run_has_the_losses_of_one_that_is_not(tmp_path: Path) -> None:
    compiled = train(tmp_path / "compiled", *ON_GPU, "train.compile=true")

    assert warnings_of(compiled) == []
    assert_close(compiled, train(tmp_path / "plain", *ON_GPU), 1e-3)


def test_a_run_goes_back_behind_a_loss_that_is_no_number(tmp_path: Path) -> None:
    overrides = ("train.on_not_finite=go_back", "optim.name=sgd", "optim.lr=1e30")

    run = train(tmp_path, *ON_GPU, *overrides)

    events = events_of(run)
    assert any(isinstance(event, RunResumed) and event.epoch == 0 for event in events)
    assert len(endings(run)) == 1


def test_a_range_test_leaves_everything_as_it_was() -> None:
    trainer = on(GPU)
    before = copy.deepcopy(trainer.model.state_dict())

    result = find_lr(trainer, steps=20)

    assert result.losses
    after = trainer.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.usefixtures("at_every_ask")
def test_a_stopped_run_goes_on_to_its_end(tmp_path: Path) -> None:
    from .resumptions import resume

    run = stopped(tmp_path, *ON_GPU)

    assert resume(run).finished.reason == "completed"
    assert_close(run, train(tmp_path / "whole", *ON_GPU), 1e-6)


def test_a_gpu_that_is_full_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_too_much(*_: object) -> None:
        torch.empty(1 << 46, dtype=torch.uint8, device=GPU)  # 64 TiB

    monkeypatch.setattr(Trainer, "train_step", take_too_much)

    (finished,) = endings(train(tmp_path, *ON_GPU))

    assert finished.reason == "failed"
    assert finished.message.startswith("OutOfMemoryError: CUDA out of memory. Tried to allocate")
    assert finished.message.endswith("A smaller train.batch_size needs less (see engine.log)")
