"""Of every column the extremes, the gaps and the ends stay."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from epochtop.tui.curve.decimation import kept_points

from .columns import NAN, Floats

COLUMNS = 20


@st.composite
def long_columns(draw: st.DrawFn) -> tuple[Floats, list[int]]:
    """Many values with gaps and spikes anywhere, and columns of any width, empty ones too."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 600))
    generator = np.random.default_rng(seed)
    values = generator.normal(size=count)
    values[generator.random(count) < draw(st.sampled_from([0.0, 0.05, 0.9, 1.0]))] = NAN
    inner = sorted(draw(st.lists(st.integers(0, count), min_size=COLUMNS - 1, max_size=60)))
    return values, [0, *inner, count]


@given(long_columns())
@settings(deadline=None)
def test_every_columns_extremes_and_gaps_stay_and_few_others(
    column: tuple[Floats, list[int]],
) -> None:
    values, edges = column
    kept = kept_points(values, np.array(edges)).tolist()
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    assert len(kept) <= max(3 * (len(edges) - 1) + 2, 2 * (len(edges) - 1))
    for start, end in pairwise(edges):
        part = values[start:end]
        shown = values[[index for index in kept if start <= index < end]]
        assert np.isnan(part).any() == np.isnan(shown).any()
        finite, shown_finite = part[np.isfinite(part)], shown[np.isfinite(shown)]
        if len(finite):
            assert finite.min() == shown_finite.min()
            assert finite.max() == shown_finite.max()


def test_few_values_stay_all() -> None:
    assert kept_points(np.array([3.0, NAN, 2.0, 2.5]), np.array([0, 2, 4])).tolist() == [0, 1, 2, 3]
