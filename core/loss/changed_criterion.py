"""What a subclass of a class criterion divides a batch's sum by, found out by trying it.

A focal loss that takes the mean over rows and a criterion that merely scales its outputs both
derive from `nn.CrossEntropyLoss`; with class weights their denominators differ.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from .class_targets import weights_of_classes
from .criterion import Criterion

_FEWEST_CLASSES = 3


def divides_by(loss: Callable[..., Any], criterion: Criterion) -> Literal["weights", "rows"] | None:
    """Compare the loss of two rows that count differently with those of each.

    Args:
        loss: a subclass of a criterion of classes with a forward of its own, and a mean.
        criterion: its description.

    Returns:
        What explains the number: the weights of the classes as torch counts them, or the rows.
        None if neither does, or the loss does not take a row of logits and a class.
    """
    weight, ignored = criterion.options.get("weight"), criterion.ignore_index
    like = weight if isinstance(weight, Tensor) else torch.ones(max(_FEWEST_CLASSES, ignored + 1))
    classes = len(like)
    every_class = torch.arange(classes, device=like.device)
    of_class = weights_of_classes(every_class, weight, ignored).tolist()
    pair = [of_class.index(min(of_class)), of_class.index(max(of_class))]
    counts = [of_class[number] for number in pair]
    if counts[0] == counts[1]:  # they all count the same, so both explain it
        return "weights"
    logits = torch.linspace(-1.0, 1.0, 2 * classes).reshape(2, classes).to(like)
    targets = torch.tensor(pair, device=like.device)
    try:
        with torch.no_grad():
            both = float(loss(logits, targets))
            each = [float(loss(logits[[n]], targets[[n]])) for n in range(2)]
    except Exception:  # noqa: BLE001 - a user's own code, which need not take such a batch
        return None
    each = [0.0 if count == 0 else one for one, count in zip(each, counts, strict=True)]
    by_weights = sum(one * count for one, count in zip(each, counts, strict=True)) / sum(counts)
    if math.isclose(both, by_weights, rel_tol=1e-4):
        return "weights"
    return "rows" if math.isclose(both, sum(each) / 2, rel_tol=1e-4) else None
