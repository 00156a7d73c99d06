"""The update that goes past `step()`: the same bits, for the same trust in checkpoints."""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from epochtop.core.optim import default_rules, fused_rules
from epochtop.core.optim.optimizer import build_optimizer
from epochtop.core.optim.schedule import Schedule
from epochtop.core.optim.update import LeanUpdate
from epochtop.core.settings.declaration import OptimSettings

SETTINGS = {
    "adam": OptimSettings(name="adam"),
    "adam-decay": OptimSettings(name="adam", weight_decay=0.1),
    "adamw": OptimSettings(name="adamw", weight_decay=0.1),
    "sgd": OptimSettings(name="sgd", lr=0.1),
    "sgd-decay": OptimSettings(name="sgd", lr=0.1, weight_decay=0.1),
    "sgd-momentum": OptimSettings(name="sgd", lr=0.1, momentum=0.9, weight_decay=0.1),
    "sgd-nesterov": OptimSettings(name="sgd", lr=0.1, momentum=0.9, nesterov=True),
}
every_optimizer = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def a_model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))


def channels_last() -> nn.Module:
    convolution = nn.Conv2d(4, 4, 3)
    convolution.weight.data = convolution.weight.data.to(memory_format=torch.channels_last)
    return convolution


class Training:
    """A model with its optimiser, stepped by torch itself or by a `LeanUpdate`."""

    def __init__(
        self,
        settings: OptimSettings,
        *,
        by_torch: bool = False,
        build: Callable[[nn.Module], Optimizer] | None = None,
        device: str = "cpu",
    ) -> None:
        self.model = a_model().to(device)
        self.weights = list(self.model.parameters())
        self.optimizer = build(self.model) if build else build_optimizer(settings, self.model)
        self.update = self._step_and_clear if by_torch else LeanUpdate(self.optimizer)

    def _step_and_clear(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()

    def steps(self, first: int, last: int, *, without: tuple[int, ...] = ()) -> None:
        """Steps `first` to `last`, each with its own gradients but for the weights `without`."""
        for step in range(first, last + 1):
            generator = torch.Generator().manual_seed(step)
            for index, weight in enumerate(self.weights):
                gradient = torch.randn(weight.shape, generator=generator)
                weight.grad = None if index in without else gradient.to(weight.device)
            self.update()

    def set_options(self, **options: object) -> None:
        for group in self.optimizer.param_groups:
            group.update(options)

    def everything(self) -> list[Tensor]:
        """The weights and the optimiser's state."""
        states = [self.optimizer.state[weight] for weight in self.weights]
        return [*self.weights, *(value for state in states for value in state.values())]


def bits(tensor: Tensor) -> Tensor:
    """The numbers' bits, in which a NaN equals itself and the two zeros differ."""
    return tensor.detach().view({4: torch.int32, 8: torch.int64}[tensor.itemsize])


def assert_same_bits(one: Training, other: Training) -> None:
    pairs = list(zip(one.everything(), other.everything(), strict=True))
    assert all(torch.equal(bits(first), bits(second)) for first, second in pairs)
    assert (
        one.optimizer.state_dict()["param_groups"] == other.optimizer.state_dict()["param_groups"]
    )


def both(
    settings: OptimSettings,
    build: Callable[[nn.Module], Optimizer] | None = None,
    *,
    device: str = "cpu",
) -> tuple[Training, Training]:
    updated = Training(settings, build=build, device=device)
    return updated, Training(settings, by_torch=True, build=build, device=device)


@pytest.fixture
def steps_of_torch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each step that an optimiser takes by its own `step`."""
    calls: list[str] = []

    def counted(kind: type[Optimizer]) -> Callable[..., Any]:
        step = kind.step

        def step_and_count(self: Optimizer, *args: Any) -> Any:
            calls.append(kind.__name__)
            return step(self, *args)

        return step_and_count

    for kind in (SGD, Adam, AdamW):
        # AdamW inherits the step of Adam, and a step of its own would count twice
        if "step" in vars(kind):
            monkeypatch.setattr(kind, "step", counted(kind))
    return calls


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets optimisers on the CPU be built in the fused form that those on a GPU have."""
    monkeypatch.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", ("cpu", "cuda"))


class TestLeanUpdate:
    """In torch's default form and in its fused form."""

    @pytest.fixture(autouse=True, params=["default", "fused"])
    def _form(self, request: pytest.FixtureRequest) -> None:
        if request.param == "fused":
            request.getfixturevalue("fused")

    @every_optimizer
    @pytest.mark.parametrize("device", DEVICES)
    def test_it_does_what_a_step_does_to_the_last_bit(
        self, settings: OptimSettings, steps_of_torch: list[str], device: str
    ) -> None:
        updated, stepped = both(settings, device=device)
        updated.steps(1, 30)
        assert len(steps_of_torch) == 1  # which makes the state
        stepped.steps(1, 30)

        assert_same_bits(updated, stepped)

    @every_optimizer
    def test_it_clears_the_gradients(self, settings: OptimSettings) -> None:
        training = Training(settings)
        training.steps(1, 1)
        assert [weight.grad for weight in training.weights] == [None] * 4
        training.steps(2, 2)
        assert [weight.grad for weight in training.weights] == [None] * 4

    @every_optimizer
    def test_changed_options_act_at_once(self, settings: OptimSettings) -> None:
        updated, stepped = both(settings)
        for training in (updated, stepped):
            training.steps(1, 3)
            training.set_options(lr=0.03)
            training.steps(4, 6)
            training.set_options(lr=0.0)
            training.steps(7, 7)
            training.set_options(lr=0.02, weight_decay=0.3)
            training.steps(8, 10)
            if "betas" in training.optimizer.param_groups[0]:
                training.set_options(betas=(0.8, 0.99))
            else:
                training.set_options(momentum=0.5)
            training.steps(11, 13)

        assert_same_bits(updated, stepped)

    def test_momentum_may_begin_later_and_end(self) -> None:
        updated, stepped = both(SETTINGS["sgd"])
        for training in (updated, stepped):
            training.steps(1, 3)
            training.set_options(momentum=0.9)
            training.steps(4, 6)
            training.set_options(momentum=0.0)
            training.steps(7, 9)

        assert_same_bits(updated, stepped)

    @every_optimizer
    def test_it_goes_on_from_a_stored_state(
        self, settings: OptimSettings, steps_of_torch: list[str]
    ) -> None:
        whole, first = Training(settings), Training(settings)
        whole.steps(1, 20)
        first.steps(1, 12)
        file = io.BytesIO()
        torch.save((first.model.state_dict(), first.optimizer.state_dict()), file)
        file.seek(0)
        weights, state = torch.load(file, weights_only=True)
        steps_of_torch.clear()

        for by_torch in (False, True):
            second = Training(settings, by_torch=by_torch)
            second.model.load_state_dict(weights)
            second.optimizer.load_state_dict(copy.deepcopy(state))
            second.steps(13, 20)
            assert_same_bits(second, whole)
        assert len(steps_of_torch) == 1 + 8

    @every_optimizer
    def test_it_notices_a_state_that_is_loaded_meanwhile(self, settings: OptimSettings) -> None:
        updated, stepped = both(settings)
        for training in (updated, stepped):
            training.steps(1, 3)
            weights = copy.deepcopy(training.model.state_dict())
            state = copy.deepcopy(training.optimizer.state_dict())
            training.steps(4, 8)
            training.model.load_state_dict(weights)
            training.optimizer.load_state_dict(state)
            training.steps(9, 12)

        assert_same_bits(updated, stepped)

    @every_optimizer
    def test_torchs_step_and_it_may_take_turns(self, settings: OptimSettings) -> None:
        updated, stepped = both(settings)
        updated.steps(1, 4)
        for step in range(5, 9):
            updated.update = (
                updated._step_and_clear if step % 2 else LeanUpdate(updated.optimizer)  # noqa: SLF001
            )
            updated.steps(step, step)
        stepped.steps(1, 8)

        assert_same_bits(updated, stepped)

    @every_optimizer
    def test_a_weight_may_get_its_first_gradient_late_and_then_none(
        self, settings: OptimSettings
    ) -> None:
        updated, stepped = both(settings)
        for training in (updated, stepped):
            training.steps(1, 3, without=(1, 2))
            training.steps(4, 6)
            training.steps(7, 8, without=(0,))
            training.steps(9, 10, without=(0, 1, 2, 3))
            training.steps(11, 12)

        assert_same_bits(updated, stepped)

    @pytest.mark.parametrize("is_global", [False, True])
    def test_hooks_are_called_as_ever(self, is_global: bool) -> None:
        updated, stepped = both(SETTINGS["adam"])
        updated.steps(1, 3)
        calls: list[str] = []

        def hook(name: str) -> Callable[[Optimizer, Any, Any], None]:
            return lambda *_: calls.append(name)

        optimizer = updated.optimizer
        if is_global:
            before = register_optimizer_step_pre_hook(hook("before"))
            after = register_optimizer_step_post_hook(hook("after"))
        else:
            before = optimizer.register_step_pre_hook(hook("before"))
            after = optimizer.register_step_post_hook(hook("after"))
        try:
            updated.steps(4, 5)
        finally:
            before.remove()
            after.remove()
        updated.steps(6, 6)
        stepped.steps(1, 6)

        assert calls == ["before", "after", "before", "after"]
        assert_same_bits(updated, stepped)

    @pytest.mark.parametrize(
        "build",
        [
            lambda model: Adam(model.parameters(), fused=False),
            lambda model: Adam(model.parameters(), foreach=True),
            lambda model: Adam(model.parameters(), lr=torch.tensor(0.01)),
            lambda model: Adam(model.parameters(), amsgrad=True),
            lambda model: Adam(model.parameters(), fused=True, amsgrad=True),
            lambda model: SGD(model.parameters(), momentum=0.9, dampening=0.5),
            lambda model: SGD(model.parameters(), momentum=0.9, dampening=0.5, fused=True),
            lambda model: SGD(model.parameters(), maximize=True, fused=True),
            lambda model: SGD(model.parameters(), maximize=True),
            lambda model: torch.optim.RMSprop(model.parameters()),
            lambda model: Adam(
                [
                    {"params": [weight], "lr": 0.1 / (1 + weight.dim())}
                    for weight in model.parameters()
                ],
                fused=True,
            ),
        ],
        ids=[
            "not-fused",
            "foreach",
            "rate-as-tensor",
            "amsgrad",
            "fused-amsgrad",
            "dampening",
            "fused-dampening",
            "fused-maximize",
            "maximize",
            "another-kind",
            "groups",
        ],
    )
    def test_any_other_optimizer_steps_as_it_does(
        self, build: Callable[[nn.Module], Optimizer]
    ) -> None:
        updated, stepped = both(SETTINGS["adam"], build)
        for training in (updated, stepped):
            training.steps(1, 10)

        assert_same_bits(updated, stepped)

    def test_weights_of_several_types_are_left_to_torch(self, steps_of_torch: list[str]) -> None:
        def build(model: nn.Module) -> Optimizer:
            model[2].double()  # type: ignore[index] # is a Sequential
            return build_optimizer(SETTINGS["adam"], model)

        updated, stepped = both(SETTINGS["adam"], build)
        for training in (updated, stepped):
            for weight in training.weights:
                weight.grad = torch.ones_like(weight)
            training.update()
            for weight in training.weights:
                weight.grad = torch.ones_like(weight)
            training.update()

        assert len(steps_of_torch) == 4
        assert_same_bits(updated, stepped)

    def test_a_group_that_joins_later_is_trained(self) -> None:
        def build(model: nn.Module) -> Optimizer:
            return build_optimizer(SETTINGS["adam"], model[0])  # type: ignore[index]

        updated, stepped = both(SETTINGS["adam"], build)
        for training in (updated, stepped):
            training.steps(1, 3)
            training.optimizer.add_param_group({"params": training.weights[2:], "lr": 0.1})
            training.steps(4, 6)
            assert [weight.grad for weight in training.weights] == [None] * 4

        assert_same_bits(updated, stepped)

    def test_a_torch_without_the_kernels_steps_as_it_does(
        self, monkeypatch: pytest.MonkeyPatch, steps_of_torch: list[str]
    ) -> None:
        monkeypatch.setattr(fused_rules, "_KERNELS", {Adam: "_no_longer_there_"})
        monkeypatch.setattr(default_rules, "_lerp_", None)
        Training(SETTINGS["adam"]).steps(1, 5)

        assert len(steps_of_torch) == 5

    def test_a_step_that_somebody_has_wrapped_is_called(self) -> None:
        training = Training(SETTINGS["adam"])
        calls: list[int] = []
        step = training.optimizer.step

        def wrapped(*_: object) -> None:
            calls.append(1)
            step()

        training.optimizer.step = wrapped  # type: ignore[assignment, method-assign]
        training.steps(1, 3)

        assert len(calls) == 3

    @every_optimizer
    def test_our_own_schedule_does_not_slow_it(
        self, settings: OptimSettings, steps_of_torch: list[str]
    ) -> None:
        training = Training(settings)
        Schedule(settings, training.optimizer, epochs=3, steps_per_epoch=2)
        training.steps(1, 5)

        assert len(steps_of_torch) == 1

    @pytest.mark.parametrize("enabled", [True, False])
    def test_gradients_are_recorded_after_it_as_before(self, enabled: bool) -> None:
        training = Training(SETTINGS["adam"])
        with torch.set_grad_enabled(enabled):
            training.steps(1, 3)
            assert torch.is_grad_enabled() == enabled
        assert all(weight.is_leaf and weight.requires_grad for weight in training.weights)

    def test_a_real_loss_goes_down(self) -> None:
        model = a_model()
        update = LeanUpdate(build_optimizer(OptimSettings(lr=0.05), model))
        inputs, targets = torch.randn(20, 5), torch.arange(20) % 3
        losses = []
        for _ in range(100):
            loss = nn.functional.cross_entropy(model(inputs), targets)
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
            update()
            losses.append(float(loss.detach()))

        assert losses[-1] < 0.5 * losses[0]


class TestDefaultForm:
    """On the CPU, where losses are to equal those of a loop with torch's optimisers as they are."""

    @pytest.mark.parametrize(
        ("settings", "build"),
        [
            (OptimSettings(), lambda weights: Adam(weights, lr=0.01)),
            (
                OptimSettings(weight_decay=0.02),
                lambda weights: Adam(weights, lr=0.01, weight_decay=0.02),
            ),
            (
                OptimSettings(name="adamw", weight_decay=0.02),
                lambda weights: AdamW(weights, lr=0.01, weight_decay=0.02),
            ),
            (OptimSettings(name="sgd", lr=0.1), lambda weights: SGD(weights, lr=0.1)),
            (
                OptimSettings(name="sgd", lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.02),
                lambda weights: SGD(
                    weights, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.02
                ),
            ),
        ],
    )
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_a_training_has_the_losses_of_torchs_optimizer_as_it_is(
        self, settings: OptimSettings, build: Callable[[Any], Optimizer], dtype: torch.dtype
    ) -> None:
        generator = torch.Generator().manual_seed(1)
        inputs = torch.randn(64, 13, generator=generator, dtype=dtype)
        targets = torch.randint(3, (64,), generator=generator)

        def losses_of(optimizer_of: Callable[[nn.Module], Optimizer], *, lean: bool) -> list[float]:
            torch.manual_seed(2)
            model = nn.Sequential(nn.Linear(13, 37), nn.Tanh(), nn.Linear(37, 3)).to(dtype)
            optimizer = optimizer_of(model)
            update = LeanUpdate(optimizer) if lean else optimizer.step
            losses = []
            for step in range(300):
                optimizer.zero_grad()
                rows = slice(step % 4 * 16, step % 4 * 16 + 16)
                loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
                loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
                update()
                losses.append(float(loss.detach()))
            return losses

        ours = losses_of(lambda model: build_optimizer(settings, model), lean=True)
        assert ours == losses_of(lambda model: build(model.parameters()), lean=False)
        assert ours[-1] < ours[0]

    @every_optimizer
    def test_no_shape_and_no_gradient_changes_a_bit(self, settings: OptimSettings) -> None:
        shapes = [(), (0,), (1,), (3, 1, 5), (17,), (129, 31), (70_001,)]
        specials = torch.tensor([0.0, -0.0, 1e-45, -1e-39, 1e-20, 1e19, -3e38])
        ends = torch.tensor([float("inf"), float("-inf"), float("nan")])

        def trained(*, by_torch: bool) -> Training:
            def with_weights(model: nn.Module) -> Optimizer:
                torch.manual_seed(5)
                for index, shape in enumerate(shapes):
                    model.register_parameter(f"w{index}", nn.Parameter(torch.randn(shape)))
                return build_optimizer(settings, model)

            training = Training(settings, by_torch=by_torch, build=with_weights)
            generator = torch.Generator().manual_seed(6)
            for step in range(12):
                for weight in training.optimizer.param_groups[0]["params"]:
                    gradient = torch.randn(weight.shape, generator=generator)
                    if weight.numel() > 20:
                        flat = gradient.view(-1)
                        flat[-7:] = flat[1:8] = specials
                        if step > 8:
                            flat[8:11] = flat[-10:-7] = ends
                    weight.grad = gradient
                training.update()
            training.weights = training.optimizer.param_groups[0]["params"]
            return training

        assert_same_bits(trained(by_torch=False), trained(by_torch=True))

    @every_optimizer
    def test_checkpoints_are_not_larger_for_it(self, settings: OptimSettings) -> None:
        def size(training: Training) -> int:
            file = io.BytesIO()
            torch.save(training.optimizer.state_dict(), file)
            return file.tell()

        def wide(model: nn.Module) -> Optimizer:
            model[0].weight.data = torch.randn(300, 50)  # type: ignore[index] # is a Sequential
            return build_optimizer(settings, model)

        updated, stepped = both(settings, wide)
        for training in (updated, stepped):
            training.steps(1, 3)

        assert size(updated) <= size(stepped)

    @every_optimizer
    def test_what_is_loaded_or_copied_stands_for_itself(self, settings: OptimSettings) -> None:
        training = Training(settings)
        training.steps(1, 3)
        state = training.optimizer.state_dict()
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        for taken in (torch.load(file, weights_only=True), copy.deepcopy(state)):
            tensors = [value for entry in taken["state"].values() for value in entry.values()]
            before = [tensor.clone() for tensor in tensors]
            training.steps(4, 5)
            assert all(map(torch.equal, tensors, before))
            for index, tensor in enumerate(tensors):
                tensor.fill_(7.0)
                assert all(map(torch.equal, tensors[index + 1 :], before[index + 1 :]))

    @pytest.mark.parametrize("name", ["adam", "adamw"])
    def test_the_state_counts_every_step_at_once(self, name: str) -> None:
        training = Training(SETTINGS[name])
        for step in range(1, 6):
            training.steps(step, step)
            entries = training.optimizer.state_dict()["state"].values()
            assert [float(entry["step"]) for entry in entries] == [step] * 4

    @every_optimizer
    def test_somebody_may_step_meanwhile_and_leave_a_weight_out(
        self, settings: OptimSettings
    ) -> None:
        updated, stepped = both(settings)
        for training in (updated, stepped):
            training.steps(1, 3)
            update, training.update = training.update, training._step_and_clear  # noqa: SLF001
            training.steps(4, 4, without=(2,))
            training.update = update
            training.steps(5, 7)

        assert_same_bits(updated, stepped)

    @pytest.mark.parametrize("name", SETTINGS)
    @pytest.mark.parametrize(
        "change",
        [
            lambda model: model.bfloat16(),
            lambda model: setattr(model, "0", channels_last()),
        ],
        ids=["bfloat16", "channels-last"],
    )
    def test_weights_that_it_does_not_know_are_left_to_torch(
        self, name: str, change: Callable[[nn.Module], Any], steps_of_torch: list[str]
    ) -> None:
        def build(model: nn.Module) -> Optimizer:
            change(model)
            return build_optimizer(SETTINGS[name], model)

        training = Training(SETTINGS[name], build=build)
        for _ in range(3):
            for weight in training.model.parameters():
                weight.grad = torch.ones_like(weight)
            training.update()

        assert len(steps_of_torch) == 3

    def test_a_weight_whose_memory_is_replaced_is_trained_there(self) -> None:
        updated, stepped = both(SETTINGS["adam"])
        for training in (updated, stepped):
            training.steps(1, 3)
            training.weights[0].data = training.weights[0].detach().clone()
            training.steps(4, 6)

        assert_same_bits(updated, stepped)

    @pytest.mark.parametrize("momentum", [0.0, 0.9])
    def test_sgd_takes_sparse_gradients(self, momentum: float) -> None:
        settings = OptimSettings(name="sgd", lr=0.1, momentum=momentum)

        def trained(*, lean: bool) -> Tensor:
            torch.manual_seed(4)
            table = nn.Embedding(9, 3, sparse=True)
            optimizer = build_optimizer(settings, table)
            update = LeanUpdate(optimizer) if lean else optimizer.step
            for step in range(6):
                optimizer.zero_grad()
                table(torch.tensor([step, 3, 3])).square().sum().backward()
                update()
            return table.weight

        assert torch.equal(trained(lean=True), trained(lean=False))
