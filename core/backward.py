"""`loss.backward()` without the Python around it, which for a small model takes as long.

torch's engine is called as `torch.autograd.backward` calls it in the end. Tensors of a special
class, devices that work in threads of their own and versions of torch whose engine is called
otherwise take torch's own way.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_ONE = torch.ones(())
# neither keep the graph nor make one of the gradients; all weights; what `.backward()` means
_OPTIONS = (False, False, ())
_NAMED_OPTIONS = {"allow_unreachable": True, "accumulate_grad": True}


def backward(loss: Tensor) -> None:
    """Add the gradients of a loss of no dimensions to those of its weights."""
    if _run is None or not _is_plain(loss):
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return
    _run((loss,), (_ONE,), *_OPTIONS, **_NAMED_OPTIONS)


def _is_plain(loss: Tensor) -> bool:
    return type(loss) is Tensor and loss.is_cpu and loss.dtype is torch.float32 and not loss.dim()


def _engine_call() -> Callable[..., Any] | None:
    """The engine's own call, if it computes what `Tensor.backward` does."""
    engine = getattr(torch.autograd.Variable, "_execution_engine", None)
    run = getattr(engine, "run_backward", None)
    if run is None:
        return None
    weight = torch.tensor(3.0, requires_grad=True)
    try:
        run((weight * weight,), (_ONE,), *_OPTIONS, **_NAMED_OPTIONS)
    except (TypeError, RuntimeError):  # another version's engine
        return None
    return run if weight.grad is not None and float(weight.grad) == 6.0 else None


_run = _engine_call()
