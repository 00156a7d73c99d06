"""Draw the README's pictures: train runs for real and let the app draw itself on them.

python docs/draw_screen.py docs
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from epochtop.core import Run, resolve_settings
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here
from epochtop.tui.app import EpochtopApp
from epochtop.tui.widgets.loss_curve import LossCurve

COLUMNS, ROWS = 120, 36
# Each picture: what is trained, and the keys that are pressed before it is drawn.
PICTURES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # two curves that part: the train loss falls on while the validation loss has seen its best
    "screen": (("data.source=diabetes", "optim.lr=0.001", "stopping.patience=15"), ()),
    "curve": (
        (
            *("data.source=digits", "model.dropout=0.3", "optim.lr=0.0005"),
            *("train.epochs=120", "stopping.patience=0"),
        ),
        ("z", "y", "right_square_bracket", "right_square_bracket", *("m",) * 3, "b"),
    ),
}


def train(overrides: tuple[str, ...], runs: Path) -> Run:
    """Train a run to its end."""
    settings = resolve_settings(overrides=overrides)
    outcome = train_here(settings, runs, None, lambda _: lambda _: None)
    if not isinstance(outcome, Outcome):
        sys.exit("interrupted")
    return outcome.run


async def draw(run: Run, keys: tuple[str, ...]) -> str:
    """The screen on a run, as SVG."""
    app = EpochtopApp(run.path.parent, run)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        while app.screen.query_one(LossCurve).state.finished is None:
            await pilot.pause(0.1)
        await pilot.press(*keys)
        await pilot.pause(1.0)
        return app.export_screenshot(title="epochtop watch")


def main() -> None:
    """Train, draw, write."""
    for name, (overrides, keys) in PICTURES.items():
        with tempfile.TemporaryDirectory() as runs:
            svg = asyncio.run(draw(train(overrides, Path(runs)), keys))
        (Path(sys.argv[1]) / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
