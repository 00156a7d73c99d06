"""A run goes on where its kind of device is another one: begun on a CPU, resumed on a GPU."""

from pathlib import Path
from typing import Any

import pytest
import torch

from epochtop.core import Trainer
from epochtop.core.seeds import RandomState, generators_now, restore_generators

from .interruptions import settings_of, through_a_file, train, trainer_of

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda:0", "mps"))
KINDS = {
    "adam": ("optim.name=adam",),
    "adamw": ("optim.name=adamw",),
    "momentum": ("optim.name=sgd", "optim.momentum=0.9"),
}


def built_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch, *overrides: str) -> Trainer:
    """A trainer whose optimiser is fused, as those on a GPU are."""
    with monkeypatch.context() as there:
        there.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", ("cpu", "cuda"))
        return trainer_of(settings_of(*overrides))


def after_an_epoch(trainer: Trainer, directory: Path) -> Any:
    trainer.settings = settings_of("train.epochs=1")
    trainer.fit()
    return through_a_file(trainer.state(), directory)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float32", "fp16"])
def test_a_run_begun_on_a_cpu_goes_on_with_a_gpus_fused_kernels(
    kind: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In fp16 it ended at once: the scaler asked for what only a fused optimiser does."""
    overrides = (*KINDS[kind], f"train.precision={precision}")
    state = after_an_epoch(trainer_of(settings_of(*overrides)), tmp_path)
    trainer = built_as_on_a_gpu(monkeypatch, *overrides)

    trainer.load_state(state)

    assert trainer.optimizer.param_groups[0]["fused"] is True
    assert train(trainer, []).why[0] == "completed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_begun_on_a_gpu_goes_on_as_torch_rounds_on_a_cpu(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = after_an_epoch(built_as_on_a_gpu(monkeypatch, *KINDS[kind]), tmp_path)
    trainer = trainer_of(settings_of(*KINDS[kind]))

    trainer.load_state(state)

    assert trainer.optimizer.param_groups[0]["fused"] is None
    assert train(trainer, []).why[0] == "completed"


def test_the_generators_of_another_kind_of_device_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An Apple GPU's state was given to CUDA's generator, which takes none of its size."""
    given: list[torch.Tensor] = []
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, _: given.append(state))
    of_cuda, of_mps = (
        {**generators_now(CPU), "device": torch.zeros(size, dtype=torch.uint8), "kind": kind}
        for size, kind in ((16, "cuda"), (44, "mps"))
    )

    restore_generators(of_mps, CUDA)
    restore_generators(of_cuda, CPU)
    assert not given
    restore_generators(of_cuda, CUDA)
    assert given == [of_cuda["device"]]


def test_an_epoch_that_goes_on_elsewhere_seeds_the_generators_that_its_state_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A GPU's dropout began wherever its generator happened to stand."""
    seeded: list[torch.device] = []

    def seed(*, seed: int, epoch: int, device: torch.device) -> None:  # noqa: ARG001
        seeded.append(device)

    trainer = trainer_of(settings_of())
    trainer.progress.batches, trainer.progress.random = 2, generators_now(CPU)
    before = RandomState.now(CPU)
    monkeypatch.setattr("epochtop.core.training.trainer.seed_training", seed)
    monkeypatch.setattr(trainer, "train_step", lambda *_: None)

    trainer.train_epoch(1)

    assert seeded == [CPU]
    assert torch.equal(RandomState.now(CPU).cpu, before.cpu)
