import math
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, r2_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import Metric as TorchMetric
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryAUROC, MulticlassAccuracy, MulticlassF1Score
from torchmetrics.regression import MeanSquaredError
from torchmetrics.wrappers import ClasswiseWrapper

from epochtop.core.data import load_dataset
from epochtop.core.errors import TaskError
from epochtop.core.loss.metrics import Metric, MetricSums, accuracy, build_metrics, r2
from epochtop.core.settings.declaration import DataSettings

LOGITS = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
CLASSES = torch.randint(3, (50,), generator=torch.Generator().manual_seed(2))
SHARE_RIGHT = accuracy_score(CLASSES, LOGITS.argmax(dim=1))


def measured(
    metrics: dict[str, Metric], outputs: Any = LOGITS, targets: Any = CLASSES, *, rows: int = 8
) -> dict[str, float]:
    """Feed the metrics in batches of so many rows."""
    sums = MetricSums(metrics)
    for batch in DataLoader(TensorDataset(outputs, targets), rows):
        sums.add(*batch)
    return sums.result()


# Accuracy and R2.


@pytest.mark.parametrize(("source", "name"), [("digits", "val_accuracy"), ("diabetes", "val_r2")])
def test_classes_are_measured_by_accuracy_and_numbers_by_r2(source: str, name: str) -> None:
    built = build_metrics(load_dataset(DataSettings(source=source)))
    assert built == {name: accuracy if name == "val_accuracy" else r2}


@given(rows=st.integers(1, 60), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_accuracy_is_sklearns(rows: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, 3, generator=generator)
    targets = torch.randint(3, (rows,), generator=generator)
    expected = accuracy_score(targets.numpy(), logits.argmax(dim=1).numpy())
    assert accuracy(logits, targets) == pytest.approx(expected)


def test_accuracy_of_pixels_counts_every_pixel() -> None:
    logits = torch.zeros(2, 3, 4, 5)
    targets = torch.zeros(2, 4, 5, dtype=torch.int64)
    logits[:, 2] = 1.0
    targets[0, 0] = 2
    assert accuracy(logits, targets) == 5 / 40


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_ignored_targets_count_neither_as_right_nor_as_wrong(dtype: torch.dtype) -> None:
    logits = torch.eye(3)[torch.tensor([0, 1, 2, 0])]
    targets = torch.tensor([0, 1, 0, 156 if dtype == torch.uint8 else -100]).to(dtype)
    assert accuracy(logits, targets) == (2 / 4 if dtype == torch.uint8 else 2 / 3)


def test_accuracy_of_ignored_targets_alone_is_no_number() -> None:
    assert math.isnan(accuracy(torch.randn(4, 3), torch.full((4,), -100)))


@pytest.mark.parametrize("columns", [(), (1,), (4,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_binary_logits_are_right_on_the_right_side_of_zero(
    columns: tuple[int, ...], dtype: torch.dtype
) -> None:
    logits = torch.randn(30, *columns, generator=torch.Generator().manual_seed(0))
    targets = (torch.rand(30, *columns, generator=torch.Generator().manual_seed(1)) > 0.5).to(dtype)
    expected = accuracy_score(targets.reshape(-1).bool(), logits.reshape(-1) > 0)
    assert accuracy(logits, targets) == pytest.approx(expected)


def test_a_column_of_binary_logits_goes_with_a_row_of_targets() -> None:
    logits = torch.tensor([[2.0], [-1.0], [0.5], [-3.0]])
    assert accuracy(logits, torch.tensor([1, 1, 1, 0])) == 3 / 4


@pytest.mark.parametrize("targets", [(50, 1), (49,), (50, 3, 2)])
def test_accuracy_of_shapes_that_do_not_go_together_is_an_error(targets: tuple[int, ...]) -> None:
    with pytest.raises(TaskError, match=r"accuracy: found outputs of shape \(50, 3\) and targets"):
        accuracy(LOGITS, torch.zeros(targets, dtype=torch.int64))


@given(
    rows=st.integers(2, 60),
    columns=st.integers(1, 3),
    seed=st.integers(0, 1000),
    offset=st.sampled_from([0.0, 1000.0]),
)
@settings(deadline=None)
def test_r2_is_sklearns(rows: int, columns: int, seed: int, offset: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randn(rows, columns, generator=generator) + offset * torch.arange(columns)
    predictions = targets + torch.randn(rows, columns, generator=generator)
    expected = r2_score(
        targets.double().numpy(), predictions.double().numpy(), multioutput="variance_weighted"
    )
    assert r2(predictions, targets) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_perfect_predictions_have_an_accuracy_and_an_r2_of_one() -> None:
    assert accuracy(torch.eye(3), torch.arange(3)) == 1.0
    assert r2(torch.arange(3.0)[:, None], torch.arange(3.0)[:, None]) == 1.0


@pytest.mark.parametrize("rows", [1, 3, 10, 1000])
def test_r2_of_a_target_that_does_not_vary_is_no_number(rows: int) -> None:
    assert math.isnan(r2(torch.randn(rows, 1), torch.full((rows, 1), 0.1)))


def test_r2_never_pairs_a_column_of_predictions_with_a_row_of_targets() -> None:
    with pytest.raises(TaskError, match=r"r2: found outputs of shape \(5, 1\) and targets of sh"):
        r2(torch.zeros(5, 1), torch.zeros(5))


# Functions and objects over batches.


@pytest.mark.parametrize("rows", [1, 7, 8, 50, 64])
def test_a_function_is_given_all_rows_once_whatever_the_batches(rows: int) -> None:
    calls: list[tuple[Tensor, Tensor]] = []

    def macro_f1(outputs: Tensor, targets: Tensor) -> float:
        calls.append((outputs, targets))
        return float(f1_score(targets, outputs.argmax(dim=1), average="macro"))

    result = measured({"f1": macro_f1}, rows=rows)

    assert result == {"f1": f1_score(CLASSES, LOGITS.argmax(dim=1), average="macro")}
    ((outputs, targets),) = calls
    assert torch.equal(outputs, LOGITS)
    assert torch.equal(targets, CLASSES)


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_torchmetrics_objects_give_the_number_of_all_rows(rows: int) -> None:
    metrics: dict[str, Metric] = {
        "acc": MulticlassAccuracy(num_classes=3, average="micro"),
        "f1": MulticlassF1Score(num_classes=3),
    }
    assert measured(metrics, rows=rows) == {
        "acc": pytest.approx(SHARE_RIGHT, rel=1e-6),
        "f1": pytest.approx(f1_score(CLASSES, LOGITS.argmax(dim=1), average="macro"), rel=1e-6),
    }


def test_functions_and_objects_are_measured_side_by_side_in_the_order_of_their_names() -> None:
    metrics: dict[str, Metric] = {
        "b": accuracy,
        "a": MulticlassAccuracy(num_classes=3, average="micro"),
    }
    result = measured(metrics)
    assert list(result) == ["b", "a"]
    assert result["a"] == pytest.approx(result["b"], rel=1e-6)


def test_nothing_of_an_earlier_pass_counts_in_the_next() -> None:
    metrics: dict[str, Metric] = {"acc": MulticlassAccuracy(num_classes=3, average="micro")}
    wrong = (LOGITS.argmax(dim=1) + 1) % 3
    interrupted = MetricSums(metrics)
    interrupted.add(LOGITS, wrong)

    assert measured(metrics)["acc"] == pytest.approx(SHARE_RIGHT, rel=1e-6)
    assert measured(metrics, targets=wrong)["acc"] == 0.0
    assert measured(metrics)["acc"] == pytest.approx(SHARE_RIGHT, rel=1e-6)


def test_outputs_are_kept_only_for_functions() -> None:
    class Sink:
        """Counts rows, and lets go of them."""

        def reset(self) -> None:
            self.rows = 0

        def update(self, outputs: Tensor, targets: Tensor) -> None:
            self.rows += len(outputs) + 0 * len(targets)

        def compute(self) -> float:
            return self.rows

    def freed_while_measured(metrics: dict[str, Metric]) -> bool:
        freed: list[bool] = []
        sums = MetricSums(metrics)
        outputs = torch.randn(4, 3)
        weakref.finalize(outputs, freed.append, True)
        sums.add(outputs, CLASSES[:4])
        del outputs
        return bool(freed) and sums.result()["rows"] == 4

    assert freed_while_measured({"rows": Sink()})
    assert not freed_while_measured({"rows": Sink(), "acc": accuracy})


def test_a_metric_of_ignites_kind_is_given_outputs_and_targets_as_one() -> None:
    class Errors:
        """Takes `update((outputs, targets))`."""

        def reset(self) -> None:
            self.sum, self.rows = 0.0, 0

        def update(self, output: tuple[Tensor, Tensor]) -> None:
            outputs, targets = output
            self.sum += float((outputs.argmax(dim=1) != targets).sum())
            self.rows += len(targets)

        def compute(self) -> float:
            return self.sum / self.rows

    assert measured({"errors": Errors()})["errors"] == pytest.approx(1 - SHARE_RIGHT)


def test_a_collection_is_spread_over_names() -> None:
    collection = MetricCollection(
        {"acc": MulticlassAccuracy(3, average="micro"), "f1": MulticlassF1Score(3)}
    )
    result = measured({"val": collection})
    assert list(result) == ["val_acc", "val_f1"]
    assert result["val_acc"] == pytest.approx(SHARE_RIGHT, rel=1e-6)


def test_a_number_a_class_is_spread_over_names() -> None:
    per_class = ClasswiseWrapper(MulticlassAccuracy(3, average=None), labels=["cat", "dog", "cow"])
    result = measured({"val": per_class})
    right = (LOGITS.argmax(dim=1) == CLASSES)[CLASSES == 1].float().mean()
    assert len(result) == 3
    assert result["val_multiclassaccuracy_dog"] == pytest.approx(float(right), rel=1e-6)


def test_dicts_within_dicts_are_spread_as_well() -> None:
    result = measured({"a": lambda _o, _t: {"b": {"c": 1}, 2: torch.tensor([0.5])}})
    assert result == {"a_b_c": 1.0, "a_2": 0.5}


@pytest.mark.parametrize(
    "value",
    [0.25, torch.tensor(0.25), torch.tensor([[0.25]], dtype=torch.float64), np.float32(0.25)],
)
def test_a_number_of_any_kind_is_a_number(value: Any) -> None:
    result = measured({"x": lambda _o, _t: value})
    assert result == {"x": 0.25}
    assert type(result["x"]) is float


@pytest.mark.parametrize("value", [math.nan, math.inf, torch.tensor(math.nan), np.float64("nan")])
def test_a_result_that_is_not_finite_is_a_result(value: Any) -> None:
    assert measured({"x": lambda _o, _t: value})["x"] == pytest.approx(float(value), nan_ok=True)


def test_no_rows_make_every_metric_no_number() -> None:
    metrics: dict[str, Metric] = {"f": accuracy, "o": MulticlassAccuracy(num_classes=3)}
    assert MetricSums(metrics).result() == pytest.approx(
        {"f": math.nan, "o": math.nan}, nan_ok=True
    )
    assert MetricSums({}).result() == {}


def test_without_metrics_batches_of_any_kind_are_welcome() -> None:
    sums = MetricSums({})
    sums.add("anything", None)
    assert sums.result() == {}


def test_functions_are_given_nested_outputs_as_they_are_nested() -> None:
    sums = MetricSums(
        {"b": lambda outputs, targets: accuracy(outputs["heads"][1], targets)},
    )
    for start in range(0, 50, 8):
        rows = slice(start, start + 8)
        sums.add({"heads": (LOGITS[rows].exp(), LOGITS[rows])}, CLASSES[rows])
    assert sums.result()["b"] == pytest.approx(SHARE_RIGHT)


# Disturbing nothing.


def test_measuring_records_no_gradients_and_leaves_others_to_record_them() -> None:
    recorded: list[bool] = []

    def product(outputs: Tensor, targets: Tensor) -> Tensor:
        recorded.append((outputs * targets).requires_grad)
        return (outputs * targets).sum()

    sums = MetricSums({"product": product, "mse": MeanSquaredError(), "auroc": BinaryAUROC()})
    sums.add(LOGITS.sum(dim=1).sigmoid().requires_grad_(), (CLASSES > 0).long())
    assert set(sums.result()) == {"product", "mse", "auroc"}
    assert recorded == [False]
    assert torch.is_grad_enabled()


def test_a_metric_that_is_part_of_the_model_does_not_change_its_weights() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)
            self.metric = MulticlassAccuracy(num_classes=3)

    model = Model()
    before = pickle.dumps(model.state_dict())
    measured({"acc": model.metric})
    assert pickle.dumps(model.state_dict()) == before
    assert list(model.state_dict()) == ["layer.weight", "layer.bias"]


def test_an_object_is_moved_to_where_the_outputs_are_once_a_pass() -> None:
    moves: list[torch.device] = []

    class Recorder:
        def to(self, device: torch.device) -> None:
            moves.append(device)

        def reset(self) -> None: ...

        def update(self, outputs: Tensor, targets: Tensor) -> None:
            assert moves
            assert len(outputs) == len(targets)

        def compute(self) -> float:
            return 1.0

    metrics: dict[str, Metric] = {"x": Recorder()}
    sums = MetricSums(metrics)
    sums.add(torch.zeros(3, device="meta"), torch.zeros(3, device="meta"))
    sums.add(torch.zeros(3, device="meta"), torch.zeros(3, device="meta"))
    assert moves == [torch.device("meta")]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_objects_and_functions_measure_on_a_gpu() -> None:
    metrics: dict[str, Metric] = {
        "object": MulticlassAccuracy(num_classes=3, average="micro"),
        "function": accuracy,
    }
    sums = MetricSums(metrics)
    sums.add(LOGITS.cuda(), CLASSES.cuda())
    result = sums.result()
    assert result["function"] == pytest.approx(SHARE_RIGHT)
    assert result["object"] == pytest.approx(SHARE_RIGHT, rel=1e-6)


# Errors.


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (torch.zeros(10), "a Tensor of shape (10,)"),
        (np.zeros(10), "a ndarray"),
        ([0.5], "a list of 1 (float)"),
        (None, "None"),
        ("0.5", "a str"),
        (1j, "a complex"),
        (torch.tensor(1j), "a complex"),
    ],
)
def test_a_result_that_is_no_number_is_an_error_that_names_the_metric(
    value: Any, found: str
) -> None:
    with pytest.raises(TaskError) as caught:
        measured({"per class": lambda _o, _t: value})
    assert str(caught.value).startswith(f"metric 'per class': its result: found {found}; allowed: ")


def test_a_number_for_each_class_of_torchmetrics_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(TaskError, match=r"metric 'acc': .* shape \(3,\); allowed: .*average="):
        measured({"acc": MulticlassAccuracy(num_classes=3, average=None)})


def failing(_outputs: Tensor, _targets: Tensor) -> float:
    raise ValueError("no such\n  class: \x1b[31m7")


class FailingAt(TorchMetric):
    """Fails in one of its methods."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def reset(self) -> None:
        self._work("reset")

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        assert len(outputs) == len(targets)
        self._work("update")

    def compute(self) -> float:
        self._work("compute")
        return 1.0

    def _work(self, method: str) -> None:
        if method == self.method:
            raise RuntimeError(f"{method} is broken")


def test_a_function_that_fails_is_named_with_its_error_on_one_line() -> None:
    with pytest.raises(TaskError) as caught:
        measured({"fine": accuracy, "mine": failing})
    assert str(caught.value) == r"metric 'mine': ValueError: no such class: \x1b[31m7"
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("method", ["reset", "update", "compute"])
def test_an_object_that_fails_anywhere_is_named(method: str) -> None:
    with pytest.raises(TaskError, match=f"^metric 'mine': RuntimeError: {method} is broken$"):
        measured({"fine": accuracy, "mine": FailingAt(method)})


def test_shapes_that_accuracy_cannot_take_are_told_with_the_metrics_name() -> None:
    with pytest.raises(TaskError, match=r"^metric 'val_accuracy': accuracy: found outputs of sha"):
        measured({"val_accuracy": accuracy}, targets=torch.zeros(50, 2))


def test_two_results_of_one_name_are_an_error() -> None:
    metrics: dict[str, Metric] = {"a": lambda _o, _t: {"b": 1}, "a_b": accuracy}
    with pytest.raises(TaskError, match="metric 'a_b': 'a_b': found a second result of this name"):
        measured(metrics)


def test_batches_of_different_widths_are_an_error_for_functions_only() -> None:
    class Count:
        def reset(self) -> None:
            self.batches = 0

        def update(self, outputs: Tensor, targets: Tensor) -> None:
            self.batches += outputs.shape[1] > targets.shape[0]

        def compute(self) -> int:
            return self.batches

    def fed(metrics: dict[str, Metric]) -> dict[str, float]:
        sums = MetricSums(metrics)
        for width in (7, 9):
            sums.add(torch.zeros(2, width), CLASSES[:2])
        return sums.result()

    assert fed({"count": Count()}) == {"count": 2.0}
    with pytest.raises(TaskError, match=r"shape \(2, 7\) and a Tensor of shape \(2, 9\)"):
        fed({"count": Count(), "acc": accuracy})


def test_an_interrupt_within_a_metric_stays_an_interrupt() -> None:
    def interrupted(_outputs: Tensor, _targets: Tensor) -> float:
        raise KeyboardInterrupt

    metric: Callable[[Tensor, Tensor], float] = interrupted
    with pytest.raises(KeyboardInterrupt):
        measured({"x": metric})
