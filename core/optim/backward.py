"""`loss.backward()` without the Python around it, which for a small model takes as long.

torch's engine is called as `torch.autograd.backward` calls it in the end. Tensors of a special
class, devices that work in threads of their own and versions of torch whose engine is called
otherwise take torch's own way.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_ONES = (torch.ones(()),)  # the gradient of a loss by itself
_FLOAT32 = torch.float32


def backward(loss: Tensor) -> None:
    """Add the gradients of a loss of no dimensions to those of its weights."""
    if _run is not None and type(loss) is Tensor and loss.is_cpu and loss.dtype is _FLOAT32:
        _run((loss,), _ONES, False, False, (), allow_unreachable=True, accumulate_grad=True)
    else:
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped


def _engine_call() -> Callable[..., Any] | None:
    """The engine's own call, if it computes what `Tensor.backward` does."""
    engine = getattr(torch.autograd.Variable, "_execution_engine", None)
    run = getattr(engine, "run_backward", None)
    if run is None:
        return None
    weight = torch.tensor(3.0, requires_grad=True)
    try:
        run(
            (weight * weight,),
            _ONES,
            False,
            False,
            (),
            allow_unreachable=True,
            accumulate_grad=True,
        )
    except (TypeError, RuntimeError):  # another version's engine
        return None
    return run if weight.grad is not None and float(weight.grad) == 6.0 else None


_run = _engine_call()
