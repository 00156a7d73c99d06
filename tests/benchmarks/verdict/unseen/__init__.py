"""Families of problems that the verdict was never fitted to; see `confirming` for more of them.

Half of them, those named in `DRAWN_BY_LOT`, were written down in one go with as many of the tuning
families, and a lot decided which were for what, before anything was fitted to either.
"""

from .classes import CLASSES
from .networks import NETWORKS
from .numbers import NUMBERS
from .optimisation import OPTIMISATION
from .real_data import REAL_DATA

UNSEEN = (*CLASSES, *NUMBERS, *NETWORKS, *OPTIMISATION, *REAL_DATA)

DRAWN_BY_LOT = frozenset(
    {
        "more columns than rows",
        "unequal classes",
        "decision trees",
        "several labels",
        "margins",
        "cubic",
        "largest column",
        "quantiles",
        "outliers",
        "fast waves",
        "next of a series",
        "signals",
        "normalised regression",
        "waves as inputs",
        "short runs",
        "long runs",
        "one cycle",
        "accumulated batches",
        "cleaned images",
        "lower halves",
        "pairs of digits",
    }
)
