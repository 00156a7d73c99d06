"""The settings of a run, each declared once: its name, type, bounds, default and help.

TOML loading, command-line flags, form fields, help texts and error messages all follow from
these declarations (see `setting_fields`).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

BUILT_IN_SOURCES = ("digits", "iris", "wine", "breast_cancer", "diabetes", "synthetic")
FILE_SUFFIXES = (".csv", ".parquet", ".npz")


class FileChoice(msgspec.Struct, frozen=True):
    """Marks text that is the path of a file with one of these suffixes, or one of these names.

    `function` ones go on with a colon and the name of a function in the file.
    """

    suffixes: tuple[str, ...]
    names: tuple[str, ...] = ()
    function: bool = False


class ColumnChoice(msgspec.Struct, frozen=True):
    """Marks text that is the name of a column of the file that another setting names."""

    source: str


Choice = FileChoice | ColumnChoice

ProblemKind = Literal["auto", "classification", "regression"]
Precision = Literal["float32", "bf16", "fp16"]
StoppingRuleName = Literal["patience", "gl", "pq", "up"]
# Marks a setting that may be changed while the run is live, and when it is resumed.
LIVE = {"live": True}
# Marks one that people say before they think of the others; live ones are among them.
COMMON = {"common": True}
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class DataSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is learnt from."""

    source: Annotated[
        str,
        Meta(
            min_length=1,
            description="A built-in data set, or the path of a .csv, .parquet or .npz file.",
            extra=COMMON | {"choice": FileChoice(FILE_SUFFIXES, BUILT_IN_SOURCES)},
        ),
    ] = "digits"
    target: Annotated[
        str,
        Meta(
            description="The column to predict, for a file.",
            extra=COMMON | {"choice": ColumnChoice("data.source")},
        ),
    ] = ""
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
        Meta(description="mlp: hidden layers with ReLU; linear: one linear layer.", extra=COMMON),
    ] = "mlp"
    hidden: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65_536)], ...],
        Meta(
            min_length=1,
            max_length=64,
            description="Width of each hidden layer of an mlp.",
            extra=COMMON,
        ),
    ] = (64, 64)
    dropout: Annotated[
        float, Meta(ge=0, lt=1, description="Share of hidden units dropped in training.")
    ] = 0.0


class OptimSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How it learns."""

    name: Annotated[
        Literal["adam", "adamw", "sgd"],
        Meta(description="The optimiser, torch's own.", extra=COMMON),
    ] = "adam"
    lr: Annotated[
        float, Meta(gt=0, description="Learning rate; the highest one of a schedule.", extra=LIVE)
    ] = 0.01
    weight_decay: Annotated[
        float,
        Meta(
            ge=0,
            description="L2 penalty on all weights; decoupled from the loss for adamw.",
            extra=LIVE,
        ),
    ] = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum of sgd.")] = 0.0
    nesterov: Annotated[
        bool, Meta(description="Nesterov's form of sgd's momentum, which must be above 0.")
    ] = False
    schedule: Annotated[
        Literal["constant", "step", "cosine", "one_cycle", "plateau"],
        Meta(
            description="Learning rate over the run: cosine falls to 0 at the last epoch; "
            "one_cycle rises, then falls; plateau falls when the validation loss stands still.",
            extra=COMMON,
        ),
    ] = "constant"
    warmup_epochs: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="The rate rises linearly, step by step, over so many epochs; 0: at once.",
        ),
    ] = 0
    step_epochs: Annotated[
        int, Meta(ge=1, le=100_000_000, description="Epochs between two falls of step.")
    ] = 30
    schedule_factor: Annotated[
        float, Meta(gt=0, lt=1, description="What step and plateau multiply the rate by.")
    ] = 0.1
    schedule_patience: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="plateau lowers the rate after more than so many epochs in a row without "
            "improvement.",
        ),
    ] = 5
    clip_norm: Annotated[
        float,
        Meta(ge=0, description="Gradients are scaled down to a norm of at most this; 0: never."),
    ] = 0.0
    accumulate: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Batches whose gradients make one step.")
    ] = 1


class TrainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long and where."""

    epochs: Annotated[
        int, Meta(ge=1, le=100_000_000, description="The most epochs to train.", extra=LIVE)
    ] = 200
    batch_size: Annotated[
        int,
        Meta(ge=1, le=2**31 - 1, description="Rows a training step learns from.", extra=COMMON),
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
    precision: Annotated[
        Precision,
        Meta(description="bf16, fp16: mixed precision; weights and losses stay float32."),
    ] = "float32"
    compile: Annotated[
        bool,
        Meta(description="Compile the training step: seconds at the start, faster steps after it."),
    ] = False
    on_not_finite: Annotated[
        Literal["stop", "go_back"],
        Meta(
            description="When a loss is not a number: stop, or go back to the last good epoch with "
            "a smaller learning rate."
        ),
    ] = "stop"
    go_back_factor: Annotated[
        float, Meta(gt=0, lt=1, description="What go_back multiplies the learning rate by.")
    ] = 0.5
    go_back_times: Annotated[
        int, Meta(ge=1, le=1000, description="How often a run goes back before it stops.")
    ] = 3


class StoppingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When it has learnt enough."""

    rule: Annotated[
        StoppingRuleName,
        Meta(
            description="patience, or one of Prechelt's: gl (generalisation loss), pq (gl over "
            "training progress), up (validation rises strip after strip)."
        ),
    ] = "patience"
    patience: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="Stop after so many epochs in a row without improvement; 0: never.",
            extra=LIVE,
        ),
    ] = 10
    min_delta: Annotated[
        float,
        Meta(
            ge=0,
            description="An improvement beats the best validation loss by more than this.",
            extra=LIVE,
        ),
    ] = 0.0
    min_delta_mode: Annotated[
        Literal["absolute", "relative"],
        Meta(description="relative: min_delta is a share of the best loss's size."),
    ] = "absolute"
    min_epochs: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000_000,
            description="Never stop early before this epoch, but for diverged_above.",
        ),
    ] = 0
    satisfied_below: Annotated[
        float | None, Meta(description="Stop once the validation loss is below this.")
    ] = None
    diverged_above: Annotated[
        float | None, Meta(description="Stop once the validation loss is above this.")
    ] = None
    alpha: Annotated[
        float,
        Meta(gt=0, description="The limit of gl (in percent) and of pq; Prechelt tried 0.5 to 5."),
    ] = 2.0
    strip_epochs: Annotated[
        int, Meta(ge=2, le=1000, description="Epochs of a strip, for pq and up.")
    ] = 5
    strips: Annotated[
        int, Meta(ge=1, le=1000, description="up stops after so many rising strips in a row.")
    ] = 3
    restore_best: Annotated[
        bool, Meta(description="The weights to keep are the best epoch's, not the last's.")
    ] = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a run, a section each."""

    task: Annotated[
        str,
        Meta(
            description="FILE.py:FUNCTION with a model and data of your own; the sections data and "
            "model then do not count.",
            extra=COMMON | {"choice": FileChoice((".py",), function=True)},
        ),
    ] = ""
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
