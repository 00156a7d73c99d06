from collections import OrderedDict, UserDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

from epochtop.core.batch import joined, logits_of, rows_of, split_batch, to_device
from epochtop.core.errors import TaskError

CPU, META = torch.device("cpu"), torch.device("meta")
IMAGES, LABELS = torch.randn(4, 8), torch.arange(4)


class Pair(NamedTuple):
    image: Tensor
    label: Tensor


class Sentences(Dataset[dict[str, Tensor]]):
    """Rows as Hugging Face's tokenizers make them."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        return {
            "input_ids": torch.full((5,), row),
            "attention_mask": torch.ones(5),
            "labels": torch.tensor(row),
        }


@dataclass
class Output:
    """What a model of Hugging Face's returns."""

    logits: Any
    loss: Tensor | None = None


# Splitting.


@pytest.mark.parametrize("batch", [(IMAGES, LABELS), [IMAGES, LABELS], Pair(IMAGES, LABELS)])
def test_the_last_of_a_sequence_is_the_target_and_the_other_the_input(batch: Any) -> None:
    arguments, named, targets = split_batch(batch)
    assert len(arguments) == 1
    assert arguments[0] is IMAGES
    assert named == {}
    assert targets is LABELS


def test_all_but_the_last_are_the_models_arguments_in_order() -> None:
    arguments, named, targets = split_batch(("image", "mask", "depth", LABELS))
    assert arguments == ("image", "mask", "depth")
    assert named == {}
    assert targets is LABELS


def test_an_input_that_is_itself_a_dict_or_a_tuple_stays_one_argument() -> None:
    inside = {"image": IMAGES, "label": LABELS}
    assert split_batch((inside, LABELS))[0] == (inside,)
    assert split_batch(((IMAGES, IMAGES), LABELS))[0] == ((IMAGES, IMAGES),)


@pytest.mark.parametrize("key", ["target", "targets", "label", "labels", "y"])
@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType])
def test_the_target_of_a_mapping_goes_by_its_name(key: str, kind: Any) -> None:
    batch: Mapping[str, Any] = kind({"image": IMAGES, key: LABELS, "mask": None})
    arguments, named, targets = split_batch(batch)
    assert arguments == ()
    assert list(named) == ["image", "mask"]
    assert named["image"] is IMAGES
    assert targets is LABELS


def test_batches_of_real_loaders_are_split() -> None:
    tuples = DataLoader(TensorDataset(IMAGES, IMAGES + 1, LABELS), batch_size=3)
    arguments, _, targets = split_batch(next(iter(tuples)))
    assert [argument.shape for argument in arguments] == [(3, 8), (3, 8)]
    assert targets.tolist() == [0, 1, 2]

    _, named, targets = split_batch(next(iter(DataLoader(Sentences(), batch_size=2))))
    assert {key: tuple(value.shape) for key, value in named.items()} == {
        "input_ids": (2, 5),
        "attention_mask": (2, 5),
    }
    assert targets.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        (IMAGES, "a batch: found a Tensor of shape (4, 8)"),
        ((IMAGES,), "a batch: found a tuple of 1 (Tensor)"),
        ([], "a batch: found an empty list"),
        (None, "a batch: found None"),
        ({"image": IMAGES, "class": LABELS}, "a batch: found a dict of 'image', 'class'"),
        ({"image": IMAGES, "label": LABELS, "y": LABELS}, "found a dict of 'image', 'label', 'y'"),
        ({"label": LABELS}, "found a dict of 'label'"),
        ({}, "found an empty dict"),
        ((IMAGES, (LABELS, LABELS)), "the last item of a batch: found a tuple of 2"),
        (("text", ["cat", "dog"]), "the last item of a batch: found a list of 2 (str, str)"),
        ({"image": IMAGES, "y": 3}, "'y' of a batch: found an int"),
    ],
)
def test_any_other_batch_is_told_to_use_forward(batch: Any, found: str) -> None:
    with pytest.raises(TaskError) as caught:
        split_batch(batch)
    assert found in str(caught.value)
    assert "`forward`" in str(caught.value)


def test_rows_are_the_first_dimension_of_the_targets() -> None:
    assert rows_of(torch.zeros(5, 3, 2)) == 5
    assert rows_of(torch.zeros(0)) == 0


def test_a_target_without_rows_is_an_error() -> None:
    with pytest.raises(TaskError, match="a dimension of rows"):
        rows_of(torch.tensor(1.0))


# Logits.


@pytest.mark.parametrize(
    "outputs",
    [
        IMAGES,
        Output(IMAGES),
        {"loss": LABELS, "logits": IMAGES},
        OrderedDict(logits=IMAGES),
        (IMAGES, LABELS),
        [IMAGES],
        Pair(IMAGES, LABELS),
        (IMAGES, {"attentions": None}),
    ],
)
def test_logits_are_found_in_what_models_return(outputs: Any) -> None:
    assert logits_of(outputs) is IMAGES


def test_a_named_tuples_logits_go_before_its_first_item() -> None:
    class Outputs(NamedTuple):
        auxiliary: Tensor
        logits: Tensor

    assert logits_of(Outputs(LABELS, IMAGES)) is IMAGES


def test_logits_of_a_recurrent_model_are_its_outputs_and_not_its_state() -> None:
    sequences = torch.randn(2, 3, 8)
    outputs = nn.LSTM(8, 4, batch_first=True)(sequences)
    assert logits_of(outputs).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        (None, "None"),
        (3.0, "a float"),
        ({"out": IMAGES, "aux": IMAGES}, "a dict of 'out', 'aux'"),
        (Output(None), "an Output"),
        ((), "an empty tuple"),
        (({"logits": IMAGES},), "a tuple of 1 (dict)"),
        (([IMAGES], IMAGES), "a tuple of 2 (list, Tensor)"),
    ],
)
def test_outputs_without_logits_are_told_to_use_forward(outputs: Any, found: str) -> None:
    with pytest.raises(TaskError) as caught:
        logits_of(outputs)
    assert f"the model's outputs: found {found}; allowed: " in str(caught.value)
    assert "`forward`" in str(caught.value)


# Moving. The meta device is one that every machine has.


def devices_in(batch: Any) -> Iterator[torch.device]:
    if isinstance(batch, Tensor):
        yield batch.device
    elif isinstance(batch, Mapping):
        yield from (device for value in batch.values() for device in devices_in(value))
    elif isinstance(batch, tuple | list):
        yield from (device for value in batch for device in devices_in(value))


def test_every_tensor_of_a_nested_batch_moves() -> None:
    batch = {"a": IMAGES, "b": [IMAGES, (LABELS, {"c": LABELS})], "d": Pair(IMAGES, LABELS)}
    devices = list(devices_in(to_device(batch, META)))
    assert devices == [META] * 6
    assert set(devices_in(batch)) == {CPU}


def test_what_is_moved_keeps_its_kind_and_order() -> None:
    moved = to_device([Pair(IMAGES, LABELS), OrderedDict(b=IMAGES, a=LABELS)], META)
    assert isinstance(moved, list)
    assert isinstance(moved[0], Pair)
    assert isinstance(moved[1], OrderedDict)
    assert list(moved[1]) == ["b", "a"]
    assert moved[0].label.dtype == torch.int64


@pytest.mark.parametrize("kind", [UserDict, MappingProxyType])
def test_mappings_of_other_kinds_move(kind: Any) -> None:
    moved = to_device(kind({"a": IMAGES}), META)
    assert moved["a"].device == META


def test_a_mapping_that_takes_no_update_moves_as_well() -> None:
    class Outputs(OrderedDict[str, Tensor]):
        def update(self, *_args: Any, **_named: Any) -> None:
            raise TypeError("no update, as with Hugging Face's outputs")

    outputs = Outputs()
    outputs["logits"] = IMAGES
    assert to_device(outputs, META)["logits"].device == META


def test_an_object_with_a_to_of_its_own_uses_it() -> None:
    packed = pack_sequence([torch.ones(3), torch.ones(2)])
    moved = to_device((packed, LABELS), META)[0]
    assert isinstance(moved, PackedSequence)
    assert moved.data.device == META


@pytest.mark.parametrize("content", ["text", 3, None, 2.5, b"bytes", frozenset({1})])
def test_what_is_no_tensor_stays_as_it_is(content: Any) -> None:
    assert to_device({"x": content}, META)["x"] is content


def test_a_tensor_that_is_there_already_is_not_copied() -> None:
    assert to_device((IMAGES,), CPU)[0] is IMAGES


def test_only_a_pinned_tensor_is_moved_while_the_caller_goes_on() -> None:
    class Recorder(Tensor):
        """Remembers how it was moved."""

        pinned = False
        waited: list[bool]

        def is_pinned(self, device: Any = None) -> bool:  # noqa: ARG002 - torch's signature
            return self.pinned

        def to(self, *_: Any, non_blocking: bool = False, **__: Any) -> "Recorder":
            self.waited = [not non_blocking]
            return self

    plain, pinned = (torch.zeros(2).as_subclass(Recorder) for _ in range(2))
    pinned.pinned = True
    to_device([plain, pinned], META)
    assert plain.waited == [True]
    assert pinned.waited == [False]


# Joining.


def test_batches_of_tensors_are_joined_row_by_row() -> None:
    assert joined([LABELS[:3], LABELS[3:]]).tolist() == [0, 1, 2, 3]
    assert joined([LABELS]) is LABELS
    assert joined([]) is None


def test_nested_batches_are_joined_tensor_by_tensor() -> None:
    parts = [{"heads": Pair(IMAGES[:1], LABELS[:1])}, {"heads": Pair(IMAGES[1:], LABELS[1:])}]
    heads = joined(parts)["heads"]
    assert isinstance(heads, Pair)
    assert torch.equal(heads.image, IMAGES)
    assert torch.equal(heads.label, LABELS)


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([torch.zeros(2, 7), torch.zeros(2, 9)], "a Tensor of shape (2, 7) and a Tensor of shape"),
        ([torch.tensor(1.0), torch.tensor(2.0)], "a Tensor of shape ()"),
        (["a", "b"], "a str"),
    ],
)
def test_batches_that_cannot_be_joined_are_an_error_that_offers_a_way(
    parts: list[Any], found: str
) -> None:
    with pytest.raises(TaskError) as caught:
        joined(parts)
    assert found in str(caught.value)
    assert "metric object" in str(caught.value)
