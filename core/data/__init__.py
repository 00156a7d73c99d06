"""Data of any source, as two splits of tensors. Imports torch: only the engine imports this."""

from .dataset import Dataset, Split, TargetScale
from .load import load_dataset

__all__ = ["Dataset", "Split", "TargetScale", "load_dataset"]
