"""Families of problems that were written when the verdict was done.

Nothing was fitted to them, and neither was it chosen with their runs in view how sure the verdict
has to be: these tell what to expect of kinds that nobody has thought of.
"""

from .classes import CLASSES
from .networks import NETWORKS
from .numbers import NUMBERS
from .optimisation import OPTIMISATION
from .real_data import REAL_DATA

CONFIRMING = (*CLASSES, *NUMBERS, *NETWORKS, *OPTIMISATION, *REAL_DATA)
