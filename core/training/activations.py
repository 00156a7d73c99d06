"""How much memory a model's pass takes: the size of the largest tensor that a layer returns."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook


class LargestOutput:
    """The most bytes that any layer has returned at a time."""

    def __init__(self) -> None:
        self.bytes = 0

    def take(self, output: Any) -> None:
        """Take in what a layer has returned: tensors, however they are nested."""
        self.bytes = max(self.bytes, _bytes_of(output))


@contextmanager
def largest_output() -> Iterator[LargestOutput]:
    """Watch what all layers return inside `with`."""
    largest = LargestOutput()
    hook = register_module_forward_hook(lambda _layer, _inputs, output: largest.take(output))
    try:
        yield largest
    finally:
        hook.remove()


def _bytes_of(output: Any) -> int:
    if isinstance(output, Tensor):
        return output.nbytes
    if isinstance(output, Mapping):
        return sum(_bytes_of(item) for item in output.values())
    if isinstance(output, tuple | list):
        return sum(_bytes_of(item) for item in output)
    return 0
