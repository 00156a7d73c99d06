"""The optimiser from the settings and its penalty."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from epochtop.core.errors import EpochtopError
from epochtop.core.optim.optimizer import build_optimizer, learning_rate, weight_penalty
from epochtop.core.settings.declaration import OptimSettings

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def a_model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))


def give_gradients(model: nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator)


class TestBuildOptimizer:
    @pytest.mark.parametrize("device", DEVICES)
    @pytest.mark.parametrize(
        ("settings", "kind"),
        [
            (OptimSettings(name="adam", lr=0.2, weight_decay=0.1), Adam),
            (OptimSettings(name="adamw", lr=0.2, weight_decay=0.1), AdamW),
            (OptimSettings(name="sgd", lr=0.2, weight_decay=0.1), SGD),
        ],
    )
    def test_it_is_torchs_own_and_fused_on_a_gpu(
        self, settings: OptimSettings, kind: type[Optimizer], device: str
    ) -> None:
        optimizer = build_optimizer(settings, a_model().to(device))
        (group,) = optimizer.param_groups

        assert type(optimizer) is kind
        assert (group["lr"], group["weight_decay"]) == (0.2, 0.1)
        assert (group["fused"], group["foreach"]) == (True if device == "cuda" else None, None)
        assert learning_rate(optimizer) == 0.2

    def test_sgd_has_momentum_and_nesterovs_form(self) -> None:
        settings = OptimSettings(name="sgd", momentum=0.8, nesterov=True)
        (group,) = build_optimizer(settings, a_model()).param_groups

        assert (group["momentum"], group["nesterov"]) == (0.8, True)

    def test_frozen_weights_are_left_out(self) -> None:
        model = nn.Sequential(nn.Linear(5, 7).requires_grad_(requires_grad=False), nn.Linear(7, 3))
        (group,) = build_optimizer(OptimSettings(), model).param_groups

        assert [weight.shape for weight in group["params"]] == [(3, 7), (3,)]

    @pytest.mark.parametrize(
        "model", [nn.ReLU(), nn.Linear(2, 2).requires_grad_(requires_grad=False)]
    )
    def test_a_model_with_nothing_to_train_is_an_error(self, model: nn.Module) -> None:
        with pytest.raises(EpochtopError, match="no weights to train"):
            build_optimizer(OptimSettings(), model)

    def test_weights_that_no_fused_kernel_takes_get_the_default_form(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", ("cpu",))
        model = nn.Linear(2, 2, dtype=torch.complex64)
        optimizer = build_optimizer(OptimSettings(), model)
        before = model.weight.detach().clone()
        for weight in model.parameters():
            weight.grad = torch.ones_like(weight)
        optimizer.step()

        assert not torch.equal(before, model.weight)

    @pytest.mark.parametrize("nesterov", [False, True])
    def test_the_fused_forms_momentum_begins_as_torchs_does(
        self, *, nesterov: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", ("cpu",))
        settings = OptimSettings(name="sgd", lr=0.1, momentum=0.9, nesterov=nesterov)
        ours, torchs = a_model(), a_model()
        trained = [
            (ours, build_optimizer(settings, ours)),
            (torchs, SGD(torchs.parameters(), 0.1, 0.9, nesterov=nesterov, fused=True)),
        ]
        for model, optimizer in trained:
            for step in range(5):
                give_gradients(model, step)
                optimizer.step()

        assert all(map(torch.equal, ours.parameters(), torchs.parameters()))

    @pytest.mark.parametrize("devices", [(), ("cpu",)], ids=["default", "fused"])
    def test_sgd_takes_a_weight_whose_first_gradient_comes_late(
        self, devices: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # torch's fused SGD with momentum raises a TypeError there
        monkeypatch.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", devices)
        settings = OptimSettings(name="sgd", lr=0.1, momentum=0.9, weight_decay=0.1)
        model, alone = a_model(), a_model()
        optimizer = build_optimizer(settings, model)
        late = SGD([alone.get_parameter("0.bias")], lr=0.1, momentum=0.9, weight_decay=0.1)
        for step in range(4):
            give_gradients(model, step)
            give_gradients(alone, step)
            if step < 2:
                model.get_parameter("0.bias").grad = None
            else:
                late.step()
            optimizer.step()

        torch.testing.assert_close(model.get_parameter("0.bias"), alone.get_parameter("0.bias"))


class TestWeightPenalty:
    @pytest.mark.parametrize("name", ["adam", "sgd"])
    def test_it_is_half_the_decay_times_the_sum_of_squares(self, name: Any) -> None:
        model = a_model().double()
        optimizer = build_optimizer(OptimSettings(name=name, weight_decay=0.02), model)

        squares = sum(float(weight.detach().square().sum()) for weight in model.parameters())
        assert weight_penalty(optimizer) == pytest.approx(0.01 * squares, rel=1e-12)

    def test_only_weights_that_are_trained_count(self) -> None:
        model = nn.Sequential(nn.Linear(5, 7).requires_grad_(requires_grad=False), nn.Linear(7, 3))
        optimizer = build_optimizer(OptimSettings(weight_decay=0.5), model)
        for weight in model.parameters():
            nn.init.ones_(weight)
        assert weight_penalty(optimizer) == 0.25 * (21 + 3)

        model[1].bias.requires_grad = False
        assert weight_penalty(optimizer) == 0.25 * 21

    def test_each_group_counts_with_its_own_decay(self) -> None:
        model = nn.Linear(7, 3)
        for weight in model.parameters():
            nn.init.ones_(weight)
        groups = [
            {"params": [model.weight], "weight_decay": 0.5},
            {"params": [model.bias], "weight_decay": 0.0},
        ]
        assert weight_penalty(SGD(groups)) == 0.25 * 21

    def test_a_decay_that_was_changed_live_counts(self) -> None:
        optimizer = build_optimizer(OptimSettings(weight_decay=0.1), a_model())
        before = weight_penalty(optimizer)
        optimizer.param_groups[0]["weight_decay"] = 0.2

        assert before is not None
        assert weight_penalty(optimizer) == pytest.approx(2 * before)

    def test_it_is_summed_in_float64(self) -> None:
        model = nn.Linear(2_000_000, 1, bias=False)
        nn.init.constant_(model.weight, 0.1)
        optimizer = build_optimizer(OptimSettings(weight_decay=2.0), model)

        exact = 2_000_000 * float(torch.tensor(0.1)) ** 2
        assert weight_penalty(optimizer) == pytest.approx(exact, rel=1e-12)

    def test_without_decay_there_is_none_to_pay(self) -> None:
        assert weight_penalty(build_optimizer(OptimSettings(), a_model())) == 0.0

    def test_adamws_update_is_no_gradient_of_a_penalty(self) -> None:
        settings = OptimSettings(name="adamw", weight_decay=0.1)
        assert weight_penalty(build_optimizer(settings, a_model())) is None
