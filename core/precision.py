"""Sums are taken in float64, wherever the numbers lie."""

import torch


def in_float64(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in float64: on its device, or on the CPU where the device (mps) has none."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()
