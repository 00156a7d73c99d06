"""The form: every setting of the declaration, checked as it is typed."""

from itertools import groupby

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Select, Static

from ...core.errors import SettingProblem, SettingsError
from ...core.settings.consistency import check_settings
from ...core.settings.data_source import check_source
from ...core.settings.declaration import PRESETS, Settings
from ...core.settings.fields import setting_fields
from ...core.settings.toml_file import merge_layers, preset_layer
from .setting_row import RowLabel, SettingRow

_NO_PRESET, _CUSTOM = "defaults", "custom"
# What `e` goes to: where one says what is learnt from, the task when there is one.
_LEARNT_FROM = ("task", "data.source")
_PRESETS = {_NO_PRESET: Settings()} | {name: merge_layers([preset_layer(name)]) for name in PRESETS}


class _Rows(VerticalScroll):
    """The rows, which keep the one in focus in sight, and what is wrong with it.

    A longer help leaves less room; what is wrong comes below the row, which may be the last one.
    """

    def on_resize(self) -> None:
        """Scroll to what is in focus."""
        self.scroll_to_focus()

    def scroll_to_focus(self) -> None:
        """Scroll as far as the row in focus needs, to its top where it has a problem below it."""
        for row in self.query(SettingRow):
            if row.has_focus_within:
                row.scroll_visible(animate=False, top=row.problem is not None)


class SettingsForm(Vertical):
    """A row a setting, a preset to start from, and a button that only works when all hold."""

    DEFAULT_CSS = """
    SettingsForm {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        &.-in-focus { border: round $accent; }
        #rows { scrollbar-size-vertical: 1; }
        .section { color: $accent; text-style: bold; width: 1fr; }
        #preset-row { height: 1; }
        #preset-row Select { width: 1fr; }
        Select.-textual-compact > SelectCurrent { padding: 0; }
        /* In a narrow form the choices may lie over its border rather than be cut. */
        Select > SelectOverlay { width: auto; min-width: 100%; }
        #help { height: auto; max-height: 8; color: $text-muted; padding: 0 1; }
        #buttons { height: 1; }
        #buttons Button { width: 1fr; min-width: 0; }
    }
    """

    class StartRequested(Message):
        """Somebody wants a run with these settings."""

        def __init__(self, settings: Settings) -> None:
            super().__init__()
            self.settings = settings

    class StopRequested(Message):
        """Somebody wants the live run to stop after its epoch."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = [SettingRow(field) for field in setting_fields()]
        self._live = False

    def compose(self) -> ComposeResult:
        """The rows scroll; the help of the one in focus and the buttons stay below."""
        self.border_title = "Settings"
        with _Rows(id="rows", can_focus=False):
            with Horizontal(id="preset-row"):
                yield RowLabel("preset")
                yield Select.from_values(
                    (*_PRESETS, _CUSTOM), value=_NO_PRESET, allow_blank=False, compact=True
                )
            for section, rows in groupby(self._rows, lambda row: row.field.section):
                if section:
                    yield Static(section, classes="section")
                yield from rows
        yield Static(id="help")
        with Horizontal(id="buttons"):
            yield Button("Start", id="start", variant="success", compact=True)
            yield Button("Stop", id="stop", variant="error", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Check what the defaults give."""
        self._check()

    def fill(self, settings: Settings) -> None:
        """Show these settings."""
        for row in self._rows:
            row.text = row.field.format(row.field.value(settings))

    def set_live(self, live: bool) -> None:
        """While a run is live its settings are fixed, and it can be stopped but not started."""
        self._live = live
        self.border_title = "Settings (of the live run)" if live else "Settings"
        for row in self._rows:
            row.set_locked(live)
        self.query_one("#preset-row Select").disabled = live
        self.query_one("#rows").can_focus = live  # so that the fixed settings can be scrolled
        self.query_one("#stop", Button).disabled = not live
        self._check()

    def first_editor(self) -> Widget:
        """What takes the keys: the first field that is wrong, else what is learnt from.

        While a run is live no editor does, but the rows as a whole, which then scroll.
        """
        if self._live:
            return self.query_one("#rows")
        wrong = [row for row in self._rows if row.problem]
        learnt_from = [row for row in self._rows if row.field.path in _LEARNT_FROM and row.text]
        return (wrong or learnt_from or self._rows)[0].editor

    def request_start(self) -> None:
        """Ask for a run, unless a field is wrong or one is live."""
        settings = self._check()
        if not self._live and settings is not None:
            self.post_message(self.StartRequested(settings))

    @property
    def problems(self) -> list[str]:
        """What is wrong, a line a setting."""
        return [f"{row.field.path}: {row.problem}" for row in self._rows if row.problem]

    def _check(self) -> Settings | None:
        """Show every problem below its row; the settings, when there is none."""
        settings, problems = self._read()
        if settings is not None:
            problems = [*check_settings(settings), *check_source(settings)]
        preset = next((name for name in _PRESETS if _PRESETS[name] == settings), _CUSTOM)
        self.query_one("#preset-row Select", Select).value = preset
        allowed = {problem.where: f"allowed: {problem.allowed}" for problem in problems}
        for row in self._rows:
            row.show_problem(allowed.get(row.field.path))
        self.call_after_refresh(self.query_one(_Rows).scroll_to_focus)
        self.query_one("#start", Button).disabled = self._live or bool(problems)
        return None if problems else settings

    def _read(self) -> tuple[Settings | None, list[SettingProblem]]:
        """What the rows say, or what is wrong with single ones of them."""
        layer: dict[str, object] = {}
        problems: list[SettingProblem] = []
        for row in self._rows:
            try:
                layer[row.field.path] = row.value()
            except SettingsError as error:
                problems += error.problems
        return (None, problems) if problems else (merge_layers([layer]), [])

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _mark_focus(self) -> None:
        # `:focus-within` would have every widget of the form styled anew at every tab
        self.set_class(self.has_focus_within, "-in-focus")

    def on_setting_row_changed(self, message: SettingRow.Changed) -> None:
        """Check again, with what one setting means for another."""
        message.stop()
        self._check()

    def on_setting_row_focused(self, message: SettingRow.Focused) -> None:
        """Explain the setting in focus."""
        message.stop()
        field = message.field
        help_text = Text.assemble((field.path, "bold"), " ", field.help)
        self.query_one("#help", Static).update(help_text)

    @on(Select.Changed, "#preset-row Select")
    def _preset_chosen(self, event: Select.Changed) -> None:
        event.stop()
        preset = _PRESETS.get(str(event.value))
        if preset is not None and preset != self._read()[0]:
            self.fill(preset)

    @on(Button.Pressed, "#start")
    def _start_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.request_start()

    @on(Button.Pressed, "#stop")
    def _stop_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.StopRequested())
