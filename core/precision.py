"""In which precision what is computed: the model's passes as asked, sums always in float64."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch

from .batch import like
from .settings.declaration import Precision

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


def in_float64(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in float64: on its device, or on the CPU where the device (mps) has none."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Run the model's own operations in mixed precision; nothing for float32.

    The weights stay float32, and the loss is computed in float32 outside of it.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=_AUTOCAST[precision])


def in_float32(outputs: object) -> object:
    """Outputs of a lower precision as float32, however they are nested; all else as it is."""
    if isinstance(outputs, torch.Tensor):
        return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs
    if isinstance(outputs, Mapping):
        return like(outputs, {key: in_float32(value) for key, value in outputs.items()})
    if isinstance(outputs, tuple | list):
        return like(outputs, [in_float32(item) for item in outputs])
    return outputs
