"""Which of torch's criteria a loss is, and with which options, however it was given.

`nn.CrossEntropyLoss(weight=w)`, `partial(F.cross_entropy, weight=w)` and a subclass of
`nn.CrossEntropyLoss` all describe the same criterion.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn
from torch.nn import functional

from ..errors import LossError

# The criteria whose functions give a loss for each row or element, if asked for no reduction.
FUNCTION_OF: dict[type[nn.Module], str] = {
    nn.CrossEntropyLoss: "cross_entropy",
    nn.NLLLoss: "nll_loss",
    nn.BCEWithLogitsLoss: "binary_cross_entropy_with_logits",
    nn.BCELoss: "binary_cross_entropy",
    nn.MSELoss: "mse_loss",
    nn.L1Loss: "l1_loss",
    nn.SmoothL1Loss: "smooth_l1_loss",
    nn.HuberLoss: "huber_loss",
    nn.PoissonNLLLoss: "poisson_nll_loss",
    nn.SoftMarginLoss: "soft_margin_loss",
    nn.HingeEmbeddingLoss: "hinge_embedding_loss",
    nn.KLDivLoss: "kl_div",
    nn.MultiMarginLoss: "multi_margin_loss",
    nn.MultiLabelMarginLoss: "multilabel_margin_loss",
    nn.MultiLabelSoftMarginLoss: "multilabel_soft_margin_loss",
}
if hasattr(nn, "LinearCrossEntropyLoss"):  # torch 2.13 and later
    FUNCTION_OF[nn.LinearCrossEntropyLoss] = "linear_cross_entropy"

OF_CLASSES = frozenset({"cross_entropy", "nll_loss", "linear_cross_entropy"})
# Each row has one number, and a batch's mean is that over its rows.
OF_ROWS = frozenset({"multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss"})
ELEMENTWISE = frozenset(FUNCTION_OF.values()) - OF_CLASSES - OF_ROWS
# Their functions take a weight as large as the batch, and divide by its sum.
WEIGHT_OF_A_BATCH = frozenset({"mse_loss", "l1_loss", "huber_loss"})

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class Criterion:
    """One of torch's criteria, or a user's own loss.

    `function` is its name in torch.nn.functional, None for a user's own. `changed` says that a
    subclass computes something else than torch does. `name` is for messages.
    """

    name: str
    function: str | None
    options: Mapping[str, Any]
    changed: bool = False

    @property
    def is_of_classes(self) -> bool:
        """Whether its targets are classes: their indices, or a probability for each."""
        return self.function in OF_CLASSES

    @property
    def ignore_index(self) -> int:
        """The class whose targets do not count; nobody's class unless it was said."""
        ignored = self.options.get("ignore_index")
        return -100 if ignored is None else int(ignored)

    @property
    def is_elementwise(self) -> bool:
        """Whether it compares each output with the target in the same place."""
        return self.function in ELEMENTWISE

    @property
    def reduction(self) -> Reduction:
        """What the number is that the loss returns.

        Raises:
            LossError: it returns no number but a loss for each row or element.
        """
        reduction = _legacy_reduction(self.options) or self.options.get("reduction")
        if reduction == "none":
            raise LossError(
                f"loss: found {self.name} with reduction='none', a loss for each row or element; "
                "allowed: one number for a batch, with reduction='mean' or 'sum'"
            )
        return "sum" if reduction == "sum" else "mean"


def criterion_of(loss: Callable[..., Any]) -> Criterion:
    """Describe a loss: a module, a function of torch.nn.functional, a partial of one, or any other.

    Options that are tensors are the loss's own, not copies.

    Raises:
        LossError: it cannot be called.
    """
    if not callable(loss):
        raise LossError(
            f"loss: found {loss!r}; allowed: a criterion such as torch.nn.CrossEntropyLoss(), or "
            "a function of outputs and targets that returns one number"
        )
    loss = getattr(loss, "_orig_mod", loss)  # what torch.compile wrapped
    return _of_module(loss) if isinstance(loss, nn.Module) else _of_function(loss)


def _of_module(loss: nn.Module) -> Criterion:
    names = ("reduction", "weight", "ignore_index", "label_smoothing", "pos_weight", "full")
    options = {name: getattr(loss, name) for name in names if hasattr(loss, name)}
    for kind, function in FUNCTION_OF.items():
        if isinstance(loss, kind):
            changed = type(loss).forward is not kind.forward
            return Criterion(type(loss).__name__, function, options, changed)
    return Criterion(type(loss).__name__, None, options)


def _of_function(loss: Callable[..., Any]) -> Criterion:
    given = loss.keywords if isinstance(loss, functools.partial) else {}
    function = inspect.unwrap(loss.func if isinstance(loss, functools.partial) else loss)
    name = getattr(function, "__name__", type(function).__name__)
    options = {**_default_options(function), **given}
    if getattr(functional, name, None) is not function:
        return Criterion(name, None, options)
    if name in WEIGHT_OF_A_BATCH and options.get("weight") is not None:
        raise LossError(
            f"loss: found {name} with a weight for the elements of one batch; allowed: a function "
            "of outputs and targets, with a method `denominator(outputs, targets)`"
        )
    return Criterion(name, name, options)


def _default_options(function: Callable[..., Any]) -> dict[str, Any]:
    """A function's own defaults: that of a `reduction` may well be "none"."""
    if isinstance(reduction := getattr(function, "reduction", None), str):
        return {"reduction": reduction}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C have none
        return {}
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _legacy_reduction(options: Mapping[str, Any]) -> str | None:
    """What torch's deprecated `size_average` and `reduce` say; a module has translated its own."""
    size_average, reduce = options.get("size_average"), options.get("reduce")
    if size_average is None and reduce is None:
        return None
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"
