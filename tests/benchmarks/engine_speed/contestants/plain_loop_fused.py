"""The plain loop with torch's fused Adam, which rounds differently and is faster."""

from ..epochs import EpochLog
from ..problem import Workload
from . import plain_loop


def train(workload: Workload, log: EpochLog) -> None:
    """Train as the plain loop does."""
    plain_loop.train(workload, log, fused=True)
