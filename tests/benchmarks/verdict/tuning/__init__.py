"""Families of problems that the verdict was fitted to, and its threshold chosen on.

A family draws problems of one kind: what is learnt, how many rows, how noisy, how large the model,
how fast. Their errors were looked at, one by one.
"""

from .classes import CLASSES
from .networks import NETWORKS
from .numbers import NUMBERS
from .optimisation import OPTIMISATION
from .real_data import REAL_DATA

TUNING = (*CLASSES, *NUMBERS, *NETWORKS, *OPTIMISATION, *REAL_DATA)
