"""The curves of several runs in one frame: none is cut off, each has its own role."""

import numpy as np
import pytest

from epochtop.tui.curve.frame import Frame
from epochtop.tui.curve.marks import Marks
from epochtop.tui.curve.overlay import Overlaid, build_overlay, fitting_scale, train_series
from epochtop.tui.curve.overlay_drawing import OverlayDrawing
from epochtop.tui.look.palette import DARK, PLAIN, palette_named
from epochtop.tui.look.run_colours import TRAIN_ROLES, VAL_ROLES
from epochtop.tui.look.view import View

from .columns import NAN, history_of

SIZE = (60, 20)


def run(val: list[float], train: list[float] | None = None, best: int | None = None) -> Overlaid:
    history = history_of(val, train or val, train_loss_eval=train or val)
    return Overlaid(f"run of {len(val)}", history, Marks(best_epoch=best))


def frame_of(runs: list[Overlaid], view: View | None = None) -> Frame:
    frame = build_overlay(runs, view or View(), SIZE)
    assert frame is not None
    return frame


def test_the_axes_hold_all_runs() -> None:
    frame = frame_of([run([3.0, 2.0, 1.0]), run([0.5] * 9), run([9.0, 8.0])])
    assert (frame.x_axis.low, frame.y_axis.low <= 0.5, frame.y_axis.high >= 9.0) == (0, True, True)
    assert frame.x_axis.high >= 9
    assert [len(line.xs) for line in frame.lines] == [3, 9, 2, 3, 9, 2]


def test_validation_is_drawn_after_and_so_over_all_train_losses() -> None:
    frame = frame_of([run([1.0, 0.5]), run([2.0, 1.0])])
    assert [line.role for line in frame.lines] == [*TRAIN_ROLES[:2], *VAL_ROLES[:2]]
    assert [line.name for line in frame.lines] == ["train_loss_eval"] * 2 + ["val_loss"] * 2


def test_a_run_without_an_epoch_keeps_its_role_for_later() -> None:
    frame = frame_of([run([]), run([1.0, 0.5], best=2)])
    assert [line.role for line in frame.lines] == [TRAIN_ROLES[1], VAL_ROLES[1]]
    assert [(best.x, best.y, best.role) for best in frame.bests] == [(2.0, 0.5, VAL_ROLES[1])]
    assert build_overlay([run([]), run([])], View(), SIZE) is None


def test_a_loss_that_is_no_number_is_marked_and_counted() -> None:
    frame = frame_of([run([1.0, NAN, 0.5]), run([2.0, 1.0, NAN])])
    assert frame.num_bad == 2
    assert sorted(frame.bad.tolist()) == [2.0, 3.0]


def test_train_losses_are_those_in_evaluation_mode_only_if_all_runs_have_them() -> None:
    without = Overlaid("old", history_of([1.0, 0.5], [2.0, 1.0], train_loss_eval=[NAN, NAN]))
    assert train_series([run([1.0]), run([])]) == "train_loss_eval"
    assert train_series([run([1.0]), without]) == "train_loss"
    first, *_ = frame_of([without]).lines
    assert first.xs.tolist() == [0.5, 1.5]  # half an epoch early, where it was measured


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([[1.0, 0.5], [2.0, 0.4]], "linear"),
        ([[1.0, 0.5], [2.0, 0.001]], "log"),
        ([[100.0, 1.0], [2.0, -0.001]], "linear"),
        ([[NAN], []], "linear"),
    ],
)
def test_the_scale_is_logarithmic_where_validation_losses_span_much(
    losses: list[list[float]], scale: str
) -> None:
    assert fitting_scale([run(each) for each in losses]) == scale


@pytest.mark.parametrize("size", [(30, 7), (40, 9), (60, 20), (120, 36)])
def test_the_picture_has_the_size_that_it_is_given(size: tuple[int, int]) -> None:
    runs = [run(np.linspace(2, 1, 5 + number).tolist(), best=3) for number in range(8)]
    for palette in (DARK, PLAIN, palette_named("light", is_ascii=True)):
        lines = OverlayDrawing().lines(runs, View(), size, palette)
        assert lines is not None
        texts = ["".join(text for text, _ in line) for line in lines]
        assert len(texts) == size[1]
        assert max(map(len, texts)) <= size[0]
        assert palette.glyphs.is_ascii is "".join(texts).replace("…", "").isascii()


def test_there_is_no_picture_without_room() -> None:
    assert OverlayDrawing().lines([run([1.0, 0.5])], View(), (29, 20), DARK) is None
    assert OverlayDrawing().lines([run([1.0, 0.5])], View(), (60, 6), DARK) is None


def test_every_run_looks_otherwise_in_every_palette() -> None:
    roles = (*VAL_ROLES, *TRAIN_ROLES)
    for palette in (DARK, palette_named("light"), palette_named("colour_blind")):
        assert len({palette.colour(role) for role in roles}) == len(roles)
    assert len({PLAIN.sample(role) for role in roles}) == len(roles)
