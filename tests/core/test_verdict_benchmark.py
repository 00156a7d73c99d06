"""What the verdict is measured with: labels that know the luck of their own held-out rows."""

import pytest
import torch
from torch import Tensor, nn

from ..benchmarks.verdict.held_out import HeldOut
from ..benchmarks.verdict.problem import Problem

ROWS = 400


def problem_of(model: nn.Linear, epochs: int) -> Problem:
    generator = torch.Generator().manual_seed(0)
    inputs, targets = (torch.randn(ROWS, 1, generator=generator) for _ in range(2))
    rows = (inputs, targets)
    return Problem(model, nn.MSELoss(), rows, rows, rows, {}, epochs, 1.0, None)


def losses_of(weight: float, problem: Problem) -> Tensor:
    inputs, targets = problem.held_out
    return (weight * inputs - targets).square().flatten()


def test_a_held_out_loss_has_the_error_of_the_differences_of_its_rows() -> None:
    """A regression: after rows were compared in some epochs only, no error was ever counted."""
    model = nn.Linear(1, 1, bias=False)
    problem = problem_of(model, epochs=3)
    held_out = HeldOut(problem)
    for weight in (0.9, 0.1, 0.5, 0.2):
        model.weight.data.fill_(weight)
        held_out.measure()
    rises = [losses_of(weight, problem) - losses_of(0.1, problem) for weight in (0.5, 0.2)]
    expected = [0.0, 0.0, *(float(rise.std()) / ROWS**0.5 for rise in rises)]
    assert held_out.rise_errors == pytest.approx(expected, rel=1e-4)
    fall = losses_of(0.2, problem) - losses_of(0.5, problem)
    assert held_out.fall_error == pytest.approx(float(fall.std()) / ROWS**0.5, rel=1e-4)
