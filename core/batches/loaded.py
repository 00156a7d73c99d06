"""Batches that a loader loads."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
)

from ..batch import logits_of, rows_of, split_batch, to_device
from ..loss.accounting import Accounting
from ..seeds import SeparateGenerators, epoch_order, loading_seed
from .source import Batch, BatchPlan

# Samplers that draw from all rows.
_Whole = SequentialSampler | RandomSampler


class Loaded:
    """Batches that a `DataLoader` loads: a task's own, or one made for its `Dataset`.

    Each epoch begins with generators seeded for it, and what loading draws in this process is
    kept apart from what the model draws, so that batches can be skipped.
    """

    def __init__(
        self, data: Dataset[Any] | DataLoader[Any], accounting: Accounting, plan: BatchPlan
    ) -> None:
        self.forward = plan.forward or _forward_loaded
        self._accounting = accounting
        self._plan = plan
        self._sampler = _EpochSampler(data, plan.seed) if _can_be_ordered(data) else None
        self.loader = data if isinstance(data, DataLoader) else self._loader_of(data)
        self.data_seconds: float | None = 0.0
        self._has_warned = False

    def _loader_of(self, dataset: Dataset[Any]) -> DataLoader[Any]:
        if self._sampler is None:
            return DataLoader(dataset, self._plan.batch_size)
        return DataLoader(dataset, self._plan.batch_size, sampler=self._sampler)

    @property
    def has_own_forward(self) -> bool:
        """Whether `forward` is the task's own, which knows the loss's targets alone."""
        return self._plan.forward is not None

    @property
    def num_rows(self) -> int | None:
        """The rows that are loaded, None when nobody says or the data set gives whole batches."""
        if not self._takes_rows:
            return None
        return _length(self.loader.dataset) if self._chosen is None else len(self._chosen)

    @property
    def num_batches(self) -> int | None:
        """The batches of an epoch, None when the loader does not say."""
        return _length(self.loader)

    @property
    def batch_rows(self) -> int | None:
        """The rows of the usual batch, None when the loader does not say."""
        return self.loader.batch_size

    def epoch(
        self, epoch: int, skip: int = 0, on_skip: Callable[[], None] = lambda: None
    ) -> Iterator[Batch]:
        """The batches of an epoch, without the first `skip` of them, which are loaded as well."""
        self.data_seconds = 0.0
        contents = self._load(self.loader, epoch)
        if self._plan.needs_two_rows and self._plan.forward is None:
            contents = self._without_single_rows(contents)
        for number, content in enumerate(contents):
            if number < skip:
                on_skip()
            else:
                yield self._batch(content)

    def in_order(self) -> Iterator[Batch]:
        """All batches, for evaluation; made anew each time with the same seed."""
        if self._sampler is not None:
            self._sampler.shuffles = False
        try:
            for content in self._load(self.loader, 0):
                yield self._batch(content)
        finally:
            if self._sampler is not None:
                self._sampler.shuffles = True

    def sample(self, rows: int | None, seed: int) -> "Loaded | None":
        """As many rows, always the same, or all of fewer; None for a stream, or without rows."""
        dataset, total = self.loader.dataset, self.num_rows
        if not total or isinstance(dataset, IterableDataset):
            return None
        count = total if rows is None else min(rows, total)
        chosen = epoch_order(total, seed=seed, epoch=0)[:count].tolist()
        if self._chosen is not None:
            chosen = [self._chosen[index] for index in chosen]
        loader = DataLoader(
            Subset(dataset, chosen),
            batch_size=self.loader.batch_size or self._plan.batch_size,
            collate_fn=self.loader.collate_fn,
            num_workers=self.loader.num_workers,
            worker_init_fn=self.loader.worker_init_fn,
            multiprocessing_context=self.loader.multiprocessing_context,
        )
        return Loaded(loader, self._accounting, self._plan)

    def inputs_of(self, content: Any) -> torch.Tensor | None:
        """The one tensor that the model is given of a batch, None where there are others."""
        if self.has_own_forward:
            return None
        arguments, by_name, _ = content
        given = [*arguments, *by_name.values()]
        is_one = len(given) == 1 and isinstance(given[0], torch.Tensor) and given[0].dim() > 0
        return given[0] if is_one else None

    def close(self) -> None:
        """End workers that persist; left to Python's garbage collector they take 5 s each."""
        if self.loader.persistent_workers:
            self.loader._iterator = None  # noqa: SLF001 - torch has no other way

    @cached_property
    def _chosen(self) -> list[int] | None:
        """The rows that the loader's sampler draws from, None where these are all of them.

        People split a data set by a sampler: the others may well be the validation rows.
        """
        in_batches = self.loader.batch_sampler
        in_rows = getattr(in_batches, "sampler", None)
        if isinstance(self.loader.dataset, IterableDataset) or (
            type(in_batches) is BatchSampler and isinstance(in_rows, _EpochSampler | _Whole)
        ):
            return None
        if isinstance(weighted := in_rows, WeightedRandomSampler):
            return torch.nonzero(weighted.weights).flatten().tolist()
        return self._drawn_in_an_epoch()

    def _drawn_in_an_epoch(self) -> list[int] | None:
        """The rows of a sampler of another kind, seen by drawing; None if they are no numbers."""
        in_batches = self.loader.batch_sampler
        if in_batches is None or _length(in_batches) is None:
            return None
        with SeparateGenerators(loading_seed(seed=self._plan.seed, epoch=0)):
            drawn = {index for batch in in_batches for index in batch}
        return sorted(drawn) if all(isinstance(index, int) for index in drawn) else None

    @property
    def _takes_rows(self) -> bool:
        """Whether the loader makes batches of rows; else its data set gives whole batches."""
        return self.loader.batch_sampler is not None

    def _without_single_rows(self, contents: Iterator[Any]) -> Iterator[Any]:
        """Leave out a batch of one row after larger ones."""
        largest = 0
        for content in contents:
            rows = rows_of(split_batch(content)[-1])
            if rows == 1 and largest > 1:
                self._warn_of_single_row()
                continue
            largest = max(largest, rows)
            yield content

    def _warn_of_single_row(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._plan.warn(
                "batch normalisation takes no batch of one row: the loader's batches of one row "
                "are left out of training (drop_last=True does the same)"
            )

    def _load(self, loader: DataLoader[Any], epoch: int) -> Iterator[Any]:
        """The loader's batches; what it draws neither depends on the model nor disturbs it."""
        seed = loading_seed(seed=self._plan.seed, epoch=epoch)
        self._seed(loader, seed, epoch)
        generators = SeparateGenerators(seed)
        with generators:
            batches: Iterator[Any] = iter(loader)
        while True:
            started = time.perf_counter()
            try:
                with generators:
                    content = next(batches)
            except StopIteration:
                return
            finally:
                self.data_seconds = (self.data_seconds or 0.0) + time.perf_counter() - started
            yield content

    def _seed(self, loader: DataLoader[Any], seed: int, epoch: int) -> None:
        """Seed the generators that a loader and its samplers hold, for this epoch."""
        in_batches = loader.batch_sampler
        in_pieces = getattr(in_batches, "sampler", None)
        samplers: tuple[Any, ...] = (loader.sampler, in_batches, in_pieces)
        for sampler in samplers:
            # else it draws from what workers that persist have not drawn from
            if getattr(sampler, "generator", self) is None:
                sampler.generator = torch.Generator()
        for owner in (loader, *samplers):
            generator = getattr(owner, "generator", None)
            if isinstance(generator, torch.Generator):
                generator.manual_seed(seed)
        for owner in (loader.dataset, *samplers):
            if (set_epoch := getattr(owner, "set_epoch", None)) is not None:
                set_epoch(epoch)

    def _batch(self, content: Any) -> Batch:
        if self._plan.forward is not None:
            return Batch(to_device(content, self._plan.device), None, None)
        parts = split_batch(content)
        targets = parts[-1]
        weights = self._accounting.row_weights(targets)  # before they are on the device
        denominator = None if weights is None else float(weights.sum())
        return Batch(to_device(parts, self._plan.device), rows_of(targets), denominator)


class _EpochSampler(Sampler[int]):
    """The rows of a data set in an epoch's own order, or as they lie."""

    def __init__(self, dataset: Any, seed: int) -> None:
        self._num_rows = len(dataset)
        self._seed = seed
        self._epoch = 0
        self.shuffles = True

    def set_epoch(self, epoch: int) -> None:
        """Choose whose order it is."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._num_rows

    def __iter__(self) -> Iterator[int]:
        if not self.shuffles:
            return iter(range(self._num_rows))
        return iter(epoch_order(self._num_rows, seed=self._seed, epoch=self._epoch).tolist())


def _forward_loaded(model: nn.Module, content: Any) -> tuple[Any, torch.Tensor]:
    arguments, named, targets = content
    return logits_of(model(*arguments, **named)), targets


def _can_be_ordered(data: Any) -> bool:
    return not isinstance(data, DataLoader | IterableDataset) and hasattr(data, "__len__")


def _length(sized: Any) -> int | None:
    try:
        return len(sized)
    except TypeError:  # a stream has no length
        return None
