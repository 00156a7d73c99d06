"""Boosted trees, each of three questions deep, and the chance that they give."""

import math

import msgspec
import numpy as np

from .curves import Floats
from .features import clipped

DEPTH = 3
_LARGEST_SCORE = 700.0


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """Seven questions, from the root down and from left to right, and what eight leaves add.

    Each question is whether a feature (by its place) is above a threshold: then it goes right.
    """

    features: list[int]
    thresholds: list[float]
    leaves: list[float]


class Trees(msgspec.Struct, frozen=True):
    """Trees whose leaves, and where they start from, add up to the logit of a chance."""

    start: float
    trees: list[Tree]


class Forest:
    """Trees that look at the same features, ready to be asked fast."""

    def __init__(self, trees: Trees) -> None:
        self._start = trees.start
        self._features = np.array([tree.features for tree in trees.trees], np.int64)
        self._thresholds = np.array([tree.thresholds for tree in trees.trees], np.float32)
        self._leaves = np.array([tree.leaves for tree in trees.trees], np.float64)
        self._each = np.arange(len(trees.trees))

    def chance(self, features: Floats) -> float:
        """The chance, 0 to 1, by features in the order that the trees know them."""
        single = features.astype(np.float32)  # as when the trees grew
        node = np.zeros(len(self._each), np.int64)
        for _ in range(DEPTH):
            asked = single[self._features[self._each, node]]
            node = 2 * node + 1 + (asked > self._thresholds[self._each, node])
        first_leaf = self._leaves.shape[1] - 1
        return logistic(self._start + float(self._leaves[self._each, node - first_leaf].sum()))


def logistic(score: float) -> float:
    """The logistic function, 0 to 1."""
    return 1 / (1 + math.exp(-clipped(score, -_LARGEST_SCORE, _LARGEST_SCORE)))
