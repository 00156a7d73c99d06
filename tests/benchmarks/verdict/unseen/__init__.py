"""Families of problems that the verdict was never fitted to."""

from .classes import CLASSES
from .networks import NETWORKS
from .numbers import NUMBERS
from .optimisation import OPTIMISATION
from .real_data import REAL_DATA

UNSEEN = (*CLASSES, *NUMBERS, *NETWORKS, *OPTIMISATION, *REAL_DATA)
