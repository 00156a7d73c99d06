"""A painted widget sends the terminal what has changed, all of it and little else."""

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from epochtop.tui.widgets.painted import Painted, changed_spans, text_strip, text_strips

line = st.text(alphabet="ab é界", min_size=0, max_size=30)


def strip(text: str, width: int = 40) -> Strip:
    return text_strip(Text(text), width).adjust_cell_length(width)


@given(old=line, new=line)
def test_what_is_sent_makes_the_old_line_the_new_one(old: str, new: str) -> None:
    before, after = strip(old), strip(new)
    shown, at = before, 0
    for span in changed_spans(before, after, 3):
        assert span.y == 3
        assert span.x >= at
        at = span.right
        parts = shown.crop(0, span.x), after.crop(span.x, at), shown.crop(at)
        shown = Strip.join(parts)
    assert shown.text.rstrip() == after.text.rstrip()


def test_nothing_is_sent_of_a_line_that_is_the_same() -> None:
    assert list(changed_spans(strip("epoch 12"), strip("epoch 12"), 0)) == []


def test_only_what_differs_is_sent() -> None:
    spans = list(changed_spans(strip("epoch 12"), strip("epoch 13"), 0))
    assert spans == [Region(7, 0, 1, 1)]


def test_another_colour_is_a_difference() -> None:
    red, green = (text_strip(Text("loss", style), 10) for style in ("red", "green"))
    assert list(changed_spans(red, green, 0)) == [Region(0, 0, 4, 1)]


def test_differences_near_each_other_are_sent_in_one_piece_and_others_are_not() -> None:
    spans = list(changed_spans(strip("a" + 20 * " " + "b c"), strip("A" + 20 * " " + "B C"), 0))
    assert spans == [Region(0, 0, 1, 1), Region(21, 0, 3, 1)]


def test_a_text_of_several_lines_is_cut_at_the_width_with_a_sign() -> None:
    assert [each.text for each in text_strips(Text("one\nat 2012"), 5)] == ["one", "at 2…"]


class Clock(Painted):
    """Draws a number."""

    number = 0

    def paint(self, width: int, height: int) -> list[Strip]:
        lines = [Text(f"line {y} of {height}: {self.number if y == 1 else 0}") for y in range(3)]
        return [text_strip(line, width) for line in lines]


class ClockApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Clock()


async def test_a_widget_shows_what_it_paints_and_refreshes_only_what_has_changed() -> None:
    app = ClockApp()
    async with app.run_test(size=(30, 5)) as pilot:
        clock = app.query_one(Clock)
        asked: list[tuple[Region, ...]] = []
        refresh = clock.refresh

        def note(*regions: Region, **options: bool) -> Clock:
            asked.append(regions)
            return refresh(*regions, **options)

        clock.refresh = note  # type: ignore[method-assign] # to see what it is asked for
        clock.number = 7
        clock.repaint()
        clock.repaint()
        assert asked == [(Region(13, 1, 1, 1),)]
        await pilot.pause()
        assert clock.render_line(1).text.rstrip() == "line 1 of 5: 7"


async def test_what_changes_while_a_widget_is_hidden_is_there_when_it_comes_back() -> None:
    # A list of choices that was hidden and opened again at once showed the blanks of before.
    app = ClockApp()
    async with app.run_test(size=(30, 5)) as pilot:
        clock = app.query_one(Clock)
        clock.display = False
        await pilot.pause()
        clock.number = 7
        clock.repaint()
        clock.display = True
        await pilot.pause()
        assert clock.text.splitlines()[1] == "line 1 of 5: 7"


def test_a_line_break_in_a_name_moves_no_cursor() -> None:
    assert text_strip(Text.assemble(("a\nb", "red"), "\tc"), 10).text == "a b c"
