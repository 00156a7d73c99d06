"""The model that the settings describe."""

import itertools

import torch
from torch import nn

from ..settings.declaration import ModelSettings


def build_model(
    settings: ModelSettings, *, num_features: int, num_outputs: int, seed: int
) -> nn.Module:
    """Build a model with its first weights drawn from `seed`.

    It takes float32 of shape (batch, num_features) and returns (batch, num_outputs): logits, or
    the predicted number.
    """
    torch.manual_seed(seed)
    if settings.kind == "linear":
        return nn.Linear(num_features, num_outputs)
    return _mlp([num_features, *settings.hidden], num_outputs, settings.dropout)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training moves."""
    return sum(weights.numel() for weights in model.parameters() if weights.requires_grad)


def _mlp(widths: list[int], num_outputs: int, dropout: float) -> nn.Module:
    layers: list[nn.Module] = []
    for width_in, width_out in itertools.pairwise(widths):
        # in place: nothing needs what was before, and a step has less memory to go through
        layers += [nn.Linear(width_in, width_out), nn.ReLU(inplace=True)]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))
