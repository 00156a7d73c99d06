"""The settings of a run, each declared once: its name, type, bounds, default and help.

TOML loading, command-line flags, form fields, help texts and error messages all follow from
these declarations (see `setting_fields`).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

BUILT_IN_SOURCES = ("digits", "iris", "wine", "breast_cancer", "diabetes", "synthetic")

ProblemKind = Literal["auto", "classification", "regression"]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class DataSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is learnt from."""

    source: Annotated[
        str,
        Meta(
            min_length=1,
            description="A built-in data set, or the path of a .csv, .parquet or .npz file.",
        ),
    ] = "digits"
    target: Annotated[str, Meta(description="The column to predict, for a file.")] = ""
    problem: Annotated[
        ProblemKind,
        Meta(description="auto: text or up to 20 whole numbers are classes, others a regression."),
    ] = "auto"
    val_fraction: Annotated[
        float, Meta(gt=0, lt=1, description="Share of the rows kept for validation.")
    ] = 0.2
    seed: Annotated[
        Seed, Meta(description="Seed of the split, and of the synthetic data themselves.")
    ] = 0


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What learns."""

    kind: Annotated[
        Literal["mlp", "linear"],
        Meta(description="mlp: hidden layers with ReLU; linear: one linear layer."),
    ] = "mlp"
    hidden: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65_536)], ...],
        Meta(min_length=1, max_length=64, description="Width of each hidden layer of an mlp."),
    ] = (64, 64)
    dropout: Annotated[
        float, Meta(ge=0, lt=1, description="Share of hidden units dropped in training.")
    ] = 0.0


class OptimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How it learns."""

    name: Annotated[
        Literal["adam", "adamw", "sgd"], Meta(description="The optimiser, torch's own.")
    ] = "adam"
    lr: Annotated[float, Meta(gt=0, description="Learning rate.")] = 0.01
    weight_decay: Annotated[
        float,
        Meta(ge=0, description="L2 penalty on all weights; decoupled from the loss for adamw."),
    ] = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum of sgd.")] = 0.0
    schedule: Annotated[
        Literal["constant", "cosine"],
        Meta(description="Learning rate over the epochs; cosine falls to 0 at the last one."),
    ] = "constant"


class TrainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long and where."""

    epochs: Annotated[int, Meta(ge=1, le=100_000_000, description="The most epochs to train.")] = (
        200
    )
    batch_size: Annotated[
        int, Meta(ge=1, le=2**31 - 1, description="Rows a training step learns from.")
    ] = 32
    seed: Annotated[
        Seed, Meta(description="Seed of the first weights, the shuffling and dropout.")
    ] = 0
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
            description="auto takes a GPU where there is one.",
        ),
    ] = "auto"


class StoppingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When it has learnt enough."""

    patience: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="Stop after so many epochs in a row without improvement; 0: never.",
        ),
    ] = 10
    min_delta: Annotated[
        float,
        Meta(ge=0, description="An improvement beats the best validation loss by more than this."),
    ] = 0.0
    restore_best: Annotated[
        bool, Meta(description="The weights to keep are the best epoch's, not the last's.")
    ] = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a run, a section each."""

    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    optim: OptimSettings = OptimSettings()
    train: TrainSettings = TrainSettings()
    stopping: StoppingSettings = StoppingSettings()


# The three programs that epochtop grew from, as changes to the defaults.
PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "basic": {
        "data": {"source": "synthetic"},
        "model": {"kind": "linear"},
        "train": {"epochs": 5},
        "stopping": {"patience": 0, "restore_best": False},
    },
    "early-stopping": {
        "data": {"source": "synthetic"},
        "model": {"kind": "linear"},
        "train": {"epochs": 100},
        "stopping": {"patience": 6},
    },
    "weight-decay": {
        "data": {"source": "synthetic"},
        "model": {"kind": "linear"},
        "optim": {"weight_decay": 1e-5},
        "train": {"epochs": 50},
        "stopping": {"patience": 0, "restore_best": False},
    },
}
