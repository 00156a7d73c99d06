"""A whole step as one compiled graph: forward, backward, clipping and the optimiser's update.

Compiling the forward pass alone does not pay for small models, whose steps are mostly Python's
own time. Here nothing of it is left. The update is written out, because torch's optimisers carry
Python with them; their state tensors are changed in place, so that a checkpoint and an
uncompiled step go on from them.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..batches.source import Batch
from ..loss.loss_sum import LossSum
from ..precision import autocast, in_float32
from ..seeds import RandomState
from ..wording import spelled_out
from .step import GeneralStep, Learner, put_back

State = dict[str, Tensor]
Update = Callable[[Tensor, Tensor, State, Tensor, Tensor], None]
# From a batch's content, learning rate and weight decay to its loss and the gradients' norm.
Graph = Callable[[Any, Tensor, Tensor], tuple[Tensor, Tensor | None]]


class CompiledStep:
    """Compiles the step for the usual batch; where that fails, says so and goes on without.

    Batches of another size, a last one say, are not compiled. Where a step has several batches,
    where fp16's scaler decides on it, or where only the forward pass tells what a batch counts,
    only the model is compiled.
    """

    def __init__(self, learner: Learner, warn: Callable[[str], None]) -> None:
        self._learner = learner
        self._warn = warn
        optim, train = learner.settings.optim, learner.settings.train
        is_simple = optim.accumulate == 1 and train.precision != "fp16"
        self._fits_one_graph = is_simple and learner.knows_denominators
        self._uncompiled = GeneralStep(learner)
        self._with_compiled_model: GeneralStep | None = None
        if not self._fits_one_graph:
            self._with_compiled_model = _with_compiled_model(learner, self._uncompiled)
        self.scaler = self._uncompiled.scaler
        self._rows = learner.batch_rows
        self._graph: Graph | None = None
        self._state: object = None  # what the graph works on
        # as tensors, so that a new value needs no new graph
        self._lr = torch.zeros((), dtype=torch.float64)
        self._weight_decay = torch.zeros((), dtype=torch.float64)

    def __call__(self, batches: Sequence[Batch], losses: LossSum) -> Tensor | None:
        """Learn from the batches."""
        if self._with_compiled_model is not None:
            return self._try_compiled_model(self._with_compiled_model, batches, losses)
        batch = batches[0]
        self._rows = self._rows or batch.rows
        if not self._fits_one_graph or batch.rows != self._rows or batch.denominator is None:
            return self._uncompiled(batches, losses)
        group = self._learner.optimizer.param_groups[0]
        self._lr.fill_(group["lr"])
        self._weight_decay.fill_(group["weight_decay"])
        try:
            loss, norm = self._current_graph()(batch.content, self._lr, self._weight_decay)
        except Exception as error:  # noqa: BLE001 - a mistake of the model's own comes again
            return self._give_up(error, batches, losses)
        losses.add(loss, batch.denominator)
        return norm

    def _current_graph(self) -> Graph:
        """The graph; compiled anew when a checkpoint has replaced what it works on."""
        optimizer = self._learner.optimizer
        if self._graph is None or self._state is not optimizer.state:
            _prepare_state(optimizer)
            self._state = optimizer.state
            # lets dynamo follow `loss.backward()` into the graph
            torch._dynamo.config.trace_autograd_ops = True  # noqa: SLF001 - torch documents it
            self._graph = torch.compile(_step_of(self._learner), fullgraph=True)
        return self._graph

    def _give_up(
        self, error: Exception, batches: Sequence[Batch], losses: LossSum
    ) -> Tensor | None:
        """Go on uncompiled, from this very batch on."""
        self._fits_one_graph = False
        self._learner.optimizer.zero_grad()
        self._warn_that("the step", error)
        return self._uncompiled(batches, losses)

    def _try_compiled_model(
        self, general: GeneralStep, batches: Sequence[Batch], losses: LossSum
    ) -> Tensor | None:
        """Take the step with the model compiled; if that fails, as if it had not been tried.

        The backward pass is compiled when it is first used, after the forward pass has drawn its
        dropout and counted in batch normalisation.
        """
        learner, attempt = self._learner, LossSum()
        buffers = [buffer.clone() for buffer in learner.model.buffers()]
        generators = RandomState.now(learner.device)
        try:
            norm = general(batches, attempt)
        except Exception as error:  # noqa: BLE001 - a mistake of the model's own comes again
            self._with_compiled_model = None
            put_back(learner.model, buffers)
            generators.restore(learner.device)
            learner.optimizer.zero_grad()
            self._warn_that("the model", error)
            return self._uncompiled(batches, losses)
        losses.add_all(attempt)
        return norm

    def _warn_that(self, what: str, error: Exception) -> None:
        self._warn(
            f"train.compile: {what} cannot be compiled, training goes on without: "
            + spelled_out(f"{type(error).__name__}: {_reason_of(error)}")
        )


def _reason_of(error: Exception) -> str:
    """The first line, and the next where that says only which part of the compiler gave up."""
    first, *others = str(error).strip().splitlines() or ["no reason given"]
    return " ".join([first, *others[:1]]) if first.endswith("raised:") else first


def _with_compiled_model(learner: Learner, uncompiled: GeneralStep) -> GeneralStep:
    """The same step with the model compiled, and with the same scaler."""
    compiled: Any = torch.compile(learner.model)
    step = GeneralStep(dataclasses.replace(learner, model=compiled))
    step.scaler = uncompiled.scaler
    return step


def _step_of(learner: Learner) -> Graph:
    """One step as a function to compile.

    All that it reads is taken out of its objects here: whatever it read inside would be checked
    before each step.
    """
    model, loss_of, forward, device = learner.model, learner.loss, learner.forward, learner.device
    precision, clip_norm = learner.settings.train.precision, learner.settings.optim.clip_norm
    (group,) = learner.optimizer.param_groups
    weights: list[Tensor] = group["params"]
    states = [learner.optimizer.state[weight] for weight in weights]
    update = _adam_of(group) if "betas" in group else _sgd_of(group)

    def step(content: Any, lr: Tensor, weight_decay: Tensor) -> tuple[Tensor, Tensor | None]:
        with autocast(precision, device):
            outputs, targets = forward(model, content)
        loss = loss_of(in_float32(outputs), targets)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        with torch.no_grad():
            norm = _clip(weights, clip_norm) if clip_norm else None
            for weight, state in zip(weights, states, strict=True):
                if weight.grad is not None:
                    update(weight, weight.grad, state, lr, weight_decay)
                weight.grad = None
        return loss.detach(), norm

    return step


def _clip(weights: Sequence[Tensor], limit: float) -> Tensor:
    """Scale the gradients down as torch.nn.utils.clip_grad_norm_ does; their norm before."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
    norm: Tensor = torch.linalg.vector_norm(norms)
    factor = torch.clamp(limit / (norm + 1e-6), max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    return norm


def _prepare_state(optimizer: torch.optim.Optimizer) -> None:
    """Make the state that torch's optimiser would make at its first step."""
    for group in optimizer.param_groups:
        for weight in group["params"]:
            state = optimizer.state[weight]
            if state:
                continue
            if "betas" in group:
                state["step"] = torch.zeros((), device=weight.device)
                state["exp_avg"] = torch.zeros_like(weight)
                state["exp_avg_sq"] = torch.zeros_like(weight)
            elif group["momentum"]:
                state["momentum_buffer"] = torch.zeros_like(weight)


def _adam_of(group: dict[str, Any]) -> Update:
    """Adam, and AdamW (Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2).

    The corrections of the bias are in float64: in float32 the first steps' are off by 1e-4.
    """
    (beta1, beta2), epsilon = group["betas"], group["eps"]
    is_decoupled = group["decoupled_weight_decay"]

    def update(
        weight: Tensor, gradient: Tensor, state: State, lr: Tensor, weight_decay: Tensor
    ) -> None:
        if is_decoupled:
            weight.mul_((1 - lr * weight_decay).to(weight.dtype))
        else:
            gradient = gradient + weight_decay.to(weight.dtype) * weight
        step = state["step"].add_(1).double()
        mean = state["exp_avg"].lerp_(gradient, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        step_size = (lr / (1 - beta1**step)).to(weight.dtype)
        correction = (1 - beta2**step).sqrt().to(weight.dtype)
        weight.sub_(step_size * (mean / (square.sqrt() / correction + epsilon)))

    return update


def _sgd_of(group: dict[str, Any]) -> Update:
    """Stochastic gradient descent with momentum, as torch.optim.SGD defines it."""
    momentum, is_nesterov = group["momentum"], group["nesterov"]

    def update(
        weight: Tensor, gradient: Tensor, state: State, lr: Tensor, weight_decay: Tensor
    ) -> None:
        gradient = gradient + weight_decay.to(weight.dtype) * weight
        if momentum:
            buffer = state["momentum_buffer"].mul_(momentum).add_(gradient)
            gradient = gradient + momentum * buffer if is_nesterov else buffer
        weight.sub_(lr.to(weight.dtype) * gradient)

    return update
