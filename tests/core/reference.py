"""The three programs of the presets once more, from their definition alone.

Plain tensors, gradients written out by hand, Adam by its formula, sums in float64: nothing of the
trainer is used but the first weights and the order of the rows.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from epochtop.core.data.dataset import Split

ADAM_LR, BETA1, BETA2, EPSILON = 0.01, 0.9, 0.999, 1e-8
BATCH_ROWS = 32


@dataclass
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1) with L2 weight decay in the gradient."""

    weight_decay: float
    mean: list[Tensor] = field(default_factory=list)
    square: list[Tensor] = field(default_factory=list)
    step: int = 0

    def update(self, weights: list[Tensor], gradients: list[Tensor]) -> None:
        self.step += 1
        if not self.mean:
            self.mean = [torch.zeros_like(weight) for weight in weights]
            self.square = [torch.zeros_like(weight) for weight in weights]
        for index, (weight, raw) in enumerate(zip(weights, gradients, strict=True)):
            gradient = raw + self.weight_decay * weight
            self.mean[index] = BETA1 * self.mean[index] + (1 - BETA1) * gradient
            self.square[index] = BETA2 * self.square[index] + (1 - BETA2) * gradient**2
            mean = self.mean[index] / (1 - BETA1**self.step)
            square = self.square[index] / (1 - BETA2**self.step)
            weight.sub_(ADAM_LR * mean / (square.sqrt() + EPSILON))


def softmax_loss_sum(weight: Tensor, bias: Tensor, rows: Split) -> tuple[float, Tensor]:
    """The sum of the rows' cross-entropies in float64, and the probabilities."""
    logits = rows.inputs @ weight.T + bias
    log_probabilities = logits - logits.logsumexp(dim=1, keepdim=True)
    picked = log_probabilities[torch.arange(len(rows)), rows.targets]
    return -float(picked.double().sum()), log_probabilities.exp()


def train_epoch(weight: Tensor, bias: Tensor, adam: Adam, train: Split, order: Tensor) -> float:
    """One epoch over the rows in this order; the train loss as section 6 defines it."""
    total = 0.0
    for start in range(0, len(train), BATCH_ROWS):
        chosen = order[start : start + BATCH_ROWS]
        batch = Split(train.inputs[chosen], train.targets[chosen])
        loss_sum, probabilities = softmax_loss_sum(weight, bias, batch)
        total += loss_sum
        error = probabilities.clone()
        error[torch.arange(len(batch)), batch.targets] -= 1
        error /= len(batch)
        adam.update([weight, bias], [error.T @ batch.inputs, error.sum(dim=0)])
    return total / len(train)


def validation_loss(weight: Tensor, bias: Tensor, val: Split) -> float:
    """The mean cross-entropy of the validation rows."""
    return softmax_loss_sum(weight, bias, val)[0] / len(val)
