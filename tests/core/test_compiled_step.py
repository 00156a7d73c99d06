"""The compiled step does what the uncompiled one does, or says why it cannot.

Torch's compiler takes up to half a minute to compile one step. So most tests here take a step
through all of it but the generation of C++, which none of the arithmetic depends on; one test
takes it all the way.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.events import EpochCompleted, Event, Warned

from .plain_loop import assert_same_weights

# torch imports parts of its own that warn of other parts
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, inputs[:, :3].argmax(dim=1))


TRAIN, VAL = rows(70, seed=1), rows(30, seed=2)


@pytest.fixture(autouse=True)
def forgetful_compiler() -> Iterator[None]:
    """Nothing that is compiled here is known to another test."""
    from torch._dynamo import config, reset
    from torch._dynamo.utils import counters

    reset()
    counters.clear()
    with config.patch(trace_autograd_ops=config.trace_autograd_ops):
        yield
    reset()


@pytest.fixture
def without_generated_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's graphs are run by torch's own operations."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))


def num_graphs() -> int:
    """How many graphs were compiled since the test began."""
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def mlp() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def normed() -> nn.Module:
    """With batch normalisation, and no bias before it: that would have no gradient but rounding."""
    torch.manual_seed(0)
    layers = nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)
    return nn.Sequential(*layers)


def settings_of(*changes: str) -> Settings:
    fixed = ["train.epochs=4", "stopping.patience=0", "stopping.restore_best=false"]
    return resolve_settings(overrides=[*fixed, *changes])


def trained(model: nn.Module, *changes: str, **options: Any) -> tuple[Trainer, list[Event]]:
    events: list[Event] = []
    parts = {"loss": nn.CrossEntropyLoss(), "train": TRAIN, "val": VAL, **options}
    settings = settings_of(*changes)
    trainer = Trainer(model, parts.pop("loss"), settings=settings, on_event=events.append, **parts)
    trainer.fit()
    return trainer, events


def assert_same_losses(compiled: Trainer, plain: Trainer, rel: float = 1e-6) -> None:
    assert len(compiled.history) == len(plain.history)
    for ours, theirs in zip(compiled.history, plain.history, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=rel)
        assert ours.val_loss == pytest.approx(theirs.val_loss, rel=rel)
        assert theirs.grad_norm is None or ours.grad_norm == pytest.approx(
            theirs.grad_norm, rel=rel
        )
        assert (ours.step, ours.lr) == (theirs.step, theirs.lr)
    assert_same_weights(compiled.model, plain.model, rtol=1e-5)


WEIGHTED = nn.CrossEntropyLoss(torch.tensor([0.2, 3.0, 1.0]), ignore_index=2)
NESTEROV = ["optim.name=sgd", "optim.momentum=0.9", "optim.nesterov=true"]
CASES: dict[str, tuple[Callable[[], nn.Module], nn.Module, list[str]]] = {
    "a linear layer, sgd": (linear, nn.CrossEntropyLoss(), ["optim.name=sgd"]),
    "weights and ignored targets, adam": (mlp, WEIGHTED, ["optim.weight_decay=0.1"]),
    "batch normalisation, adamw, clipped": (
        normed,
        nn.CrossEntropyLoss(),
        ["optim.name=adamw", "optim.weight_decay=0.1", "optim.clip_norm=0.3"],
    ),
    "nesterov, one cycle": (mlp, nn.CrossEntropyLoss(), [*NESTEROV, "optim.schedule=one_cycle"]),
    "bf16, momentum": (
        mlp,
        nn.CrossEntropyLoss(),
        ["train.precision=bf16", *NESTEROV[:2], "optim.weight_decay=0.1"],
    ),
}


@pytest.mark.usefixtures("without_generated_code")
@pytest.mark.parametrize("name", CASES)
def test_the_losses_are_those_of_the_uncompiled_step(name: str) -> None:
    """In the last, smaller batch of each epoch, too, which is not compiled."""
    model, loss, changes = CASES[name]
    compiled, events = trained(model(), "train.compile=true", *changes, loss=loss)
    graphs = num_graphs()
    plain, _ = trained(model(), *changes, loss=loss)

    assert_same_losses(compiled, plain)
    assert graphs == 1
    assert {type(event) for event in events} == {EpochCompleted}


class Masked:
    """A loss that says its own denominator."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    def denominator(self, _outputs: Tensor, targets: Tensor) -> Tensor:
        return (targets != -100).sum()


@pytest.mark.usefixtures("without_generated_code")
@pytest.mark.parametrize(
    ("changes", "options"),
    [
        (["optim.accumulate=2"], {}),
        (["train.precision=fp16"], {}),
        ([], {"loss": Masked()}),
        ([], {"forward": lambda model, batch: (model(batch[0]), batch[1])}),
    ],
    ids=["accumulation", "fp16", "own denominator", "own forward"],
)
def test_where_a_step_is_no_single_graph_the_model_is_compiled(
    changes: list[str], options: dict[str, Any]
) -> None:
    compiled, events = trained(mlp(), "train.compile=true", *changes, **options)
    graphs = num_graphs()
    plain, _ = trained(mlp(), *changes, **options)

    assert_same_losses(compiled, plain)
    assert graphs > 0
    assert {type(event) for event in events} == {EpochCompleted}


class TakesNames(nn.Module):
    """Takes its inputs by name and returns a dict."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)

    def forward(self, first: Tensor, second: Tensor) -> dict[str, Tensor]:
        return {"logits": self.layer(torch.cat([first, second], dim=1)), "other": second}


@pytest.mark.usefixtures("without_generated_code")
def test_batches_of_a_loader_are_compiled_as_well() -> None:
    def collate(items: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        inputs, targets = torch.utils.data.default_collate(items)
        return {"first": inputs[:, :1], "second": inputs[:, 1:], "labels": targets}

    dataset = TensorDataset(TRAIN.inputs, TRAIN.targets)
    loader = DataLoader(dataset, batch_size=16, shuffle=True, collate_fn=collate)
    compiled, events = trained(TakesNames(), "train.compile=true", train=loader, val=loader)
    graphs = num_graphs()
    plain, _ = trained(TakesNames(), train=loader, val=loader)

    assert_same_losses(compiled, plain)
    assert graphs == 1
    assert {type(event) for event in events} == {EpochCompleted}


@pytest.mark.usefixtures("without_generated_code")
def test_an_uncompiled_training_goes_on_compiled_and_the_other_way_round() -> None:
    plain, _ = trained(mlp(), "optim.weight_decay=0.1")
    state: Any = None
    for compiles, epochs in (("false", 1), ("true", 3), ("false", 4)):
        trainer = Trainer(
            mlp(),
            nn.CrossEntropyLoss(),
            train=TRAIN,
            val=VAL,
            settings=settings_of(f"train.compile={compiles}", "optim.weight_decay=0.1"),
        )
        if state:
            trainer.load_state(state)
        trainer.change("train.epochs", epochs, "request")
        trainer.run()
        state = trainer.state()

    assert (trainer.epoch, num_graphs()) == (4, 1)
    assert_same_weights(trainer.model, plain.model, rtol=1e-5)


def test_compiled_to_the_end_it_takes_changes_and_compiles_only_once() -> None:
    """With batch normalisation, a last smaller batch, and all that a step may do."""
    changes = ["optim.name=adamw", "optim.weight_decay=0.1", "optim.clip_norm=0.3"]
    trainers, graphs, warnings = [], [], []
    for compiles in ("true", "false"):
        trainer = Trainer(
            normed(),
            nn.CrossEntropyLoss(),
            train=TRAIN,
            val=VAL,
            settings=settings_of(*changes, f"train.compile={compiles}", "train.epochs=6"),
        )

        def between_steps(trainer: Trainer = trainer) -> None:
            if trainer.step in (7, 11):
                trainer.change("optim.lr", 0.001 * trainer.step, "request")
                trainer.change("optim.weight_decay", 0.05 * trainer.step, "request")

        def on_event(event: Event) -> None:
            if isinstance(event, EpochCompleted):
                graphs.append(num_graphs())
            elif isinstance(event, Warned):
                warnings.append(event.message)

        trainer.between_steps, trainer.on_event = between_steps, on_event
        trainer.fit()
        trainers.append(trainer)

    assert_same_losses(trainers[0], trainers[1])
    assert warnings == []
    assert graphs == [1] * 12
    assert len({record.lr for record in trainers[0].history}) == 3


class Branching(nn.Module):
    """Cannot be one graph: which way it goes depends on the numbers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.dropout, self.layer = nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.dropout(self.norm(inputs))
        outputs: Tensor = self.layer(hidden)
        return outputs if inputs.sum() > -1e9 else -outputs


def assert_trained_without_compiling(
    model: Callable[[], nn.Module], reason: str, *changes: str
) -> None:
    """There is one warning, and losses and weights are those of a training without compiling."""
    compiled, events = trained(model(), "train.compile=true", *changes)
    plain, _ = trained(model(), *changes)

    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert warning.message.startswith("train.compile: the ")
    assert "cannot be compiled, training goes on without: " in warning.message
    assert reason in warning.message
    assert "\n" not in warning.message
    assert_same_losses(compiled, plain, rel=1e-12)
    assert_same_weights(compiled.model, plain.model)


def test_a_model_that_is_no_single_graph_trains_without_compiling() -> None:
    assert_trained_without_compiling(Branching, "Data-dependent branching")


@pytest.mark.parametrize("accumulate", [1, 2])
def test_without_a_compiler_for_c_training_goes_on_without_compiling(
    accumulate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))

    with config.patch({"cpp.cxx": (None, "/no/such/compiler")}):
        assert_trained_without_compiling(
            normed, "No working C++ compiler found", f"optim.accumulate={accumulate}"
        )


def test_the_reason_is_what_went_wrong_and_not_which_part_of_the_compiler_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a GPU without Triton it was "BackendCompilerFailed: backend='inductor' raised:"."""

    def no_triton(*_: object) -> None:
        raise RuntimeError("Cannot find a working triton installation.")

    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=no_triton))

    assert_trained_without_compiling(
        normed, "raised: RuntimeError: Cannot find a working triton installation."
    )


class NoBackward(torch.autograd.Function):
    """Stands for a backward pass that cannot be compiled: that is found out after the forward."""

    @staticmethod
    def forward(_ctx: Any, outputs: Tensor) -> Tensor:
        return outputs.clone()

    @staticmethod
    def backward(_ctx: Any, *_: Any) -> Any:
        raise RuntimeError("no backward pass\nand why")


def test_a_backward_pass_that_cannot_be_compiled_leaves_nothing_of_the_forward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither in batch normalisation nor in what dropout draws."""

    def compiled(model: nn.Module) -> Callable[[Tensor], Any]:
        return lambda inputs: NoBackward.apply(model(inputs))  # type: ignore[no-untyped-call] # torch's

    monkeypatch.setattr(torch, "compile", compiled)

    assert_trained_without_compiling(
        Branching, "RuntimeError: no backward pass", "optim.accumulate=2"
    )


@pytest.mark.usefixtures("without_generated_code")
def test_a_mistake_of_the_models_own_is_told_as_it_is() -> None:
    class Mistaken(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            outputs: Tensor = super().forward(inputs)
            return outputs @ outputs if self.training else outputs

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trained(Mistaken(4, 3), "train.compile=true")
