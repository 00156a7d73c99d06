"""A training loop as people write it, for models in float32 and rows in memory.

It shares with the trainer the order of an epoch's rows, and nothing else.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from epochtop.core.data.dataset import Split
from epochtop.core.seeds import epoch_order

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class PlainLoop:
    """Trains with an optimiser of torch's, and has the epochs' losses, each over its rows.

    `norms` are those of each epoch's gradients, step by step, before they are clipped.
    """

    model: nn.Module
    loss: Loss
    optimizer: torch.optim.Optimizer
    batch_size: int = 32
    seed: int = 0
    clip_norm: float = 0.0
    after_step: Callable[[], object] = lambda: None
    after_epoch: Callable[[float], object] = lambda _val_loss: None
    train_losses: list[float] = field(default_factory=list)
    val_losses: list[float] = field(default_factory=list)
    lrs: list[float] = field(default_factory=list)
    norms: list[list[float]] = field(default_factory=list)

    def fit(self, train: Split, val: Split, epochs: int) -> None:
        for epoch in range(1, epochs + 1):
            self.lrs.append(float(self.optimizer.param_groups[0]["lr"]))
            self.train_losses.append(self._train_epoch(train, epoch))
            self.val_losses.append(self._val_loss(val))
            self.after_epoch(self.val_losses[-1])

    def _train_epoch(self, train: Split, epoch: int) -> float:
        self.model.train()
        total = 0.0
        norms: list[float] = []
        for inputs, targets in self._batches(train, epoch):
            self.optimizer.zero_grad()
            loss = self.loss(self.model(inputs), targets)
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            if self.clip_norm:
                norms.append(float(nn.utils.clip_grad_norm_(self.weights(), self.clip_norm)))
            self.optimizer.step()
            self.after_step()
            total += loss.item() * len(targets)
        self.norms.append(norms)
        return total / len(train)

    def _batches(self, train: Split, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        order = epoch_order(len(train), seed=self.seed, epoch=epoch)
        for chosen in torch.split(order, self.batch_size):
            yield train.inputs[chosen], train.targets[chosen]

    @torch.no_grad()
    def _val_loss(self, val: Split) -> float:
        self.model.eval()
        return float(self.loss(self.model(val.inputs), val.targets))

    def weights(self) -> list[nn.Parameter]:
        return [weight for weight in self.model.parameters() if weight.requires_grad]


@torch.no_grad()
def loss_in_float64(model: nn.Module, loss: nn.Module, rows: Split) -> float:
    """A criterion's own mean over all rows at once, in evaluation mode."""
    model, loss = copy.deepcopy(model).double().eval(), copy.deepcopy(loss).double()
    targets = rows.targets.double() if rows.targets.is_floating_point() else rows.targets
    return float(loss(model(rows.inputs.double()), targets))


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of everything that a model learns or counts."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def assert_same_weights(first: nn.Module, second: nn.Module, rtol: float = 0.0) -> None:
    """Compare weights and buffers: to the last bit, or as closely as said."""
    expected = weights_of(second)
    for name, tensor in weights_of(first).items():
        torch.testing.assert_close(tensor, expected[name], rtol=rtol, atol=rtol)
