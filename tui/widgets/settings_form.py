"""The form: what a run shall do, or what a live one does and may be changed in it."""

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from ...core.events import Event
from ...core.run.control import Change
from ...core.settings.declaration import ColumnChoice, FileChoice, Settings
from ...core.settings.fields import fields_by_path, setting_fields
from ..form.columns import Columns, has_columns, read_columns
from ..form.draft import Draft
from ..form.lookup import Lookup
from ..form.outline import PRESET, folds_around, open_at_first, outline
from ..form.sheet import PRESET_SETTINGS, Sheet
from ..keys import Stage
from .form_button import FormButton
from .help_line import HelpLine
from .settings_list import SettingsList

_HELP_OF_PRESET = "All settings at once, as a program to start from."
_HELP_OF_FOLD = "Enter opens and closes."
# Where the form shows the settings of a run that is on its way, or may be.
_TITLES: Mapping[Stage, str] = {
    "reading": "Settings of the run",
    "live": "Settings of the live run",
    "paused": "Settings of the live run",
}
_FIXED = "Fixed while the run is live."


class SettingsForm(Vertical):
    """Holds a sheet of settings, shows it, and asks for what is to be done with it."""

    DEFAULT_CSS = """
    SettingsForm {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        &.-in-focus { border: round $accent; }
        #buttons { height: 1; }
        #apply { display: none; }
        &.-live #apply { display: block; }
        &.-live #start { display: none; }
    }
    """

    class StartRequested(Message):
        """Somebody wants a run with these settings."""

        def __init__(self, settings: Settings) -> None:
            super().__init__()
            self.settings = settings

    class StopRequested(Message):
        """Somebody wants the live run to stop after its epoch."""

    class TuneRequested(Message):
        """Somebody wants the live run to go on with other values of its live settings."""

        def __init__(self, changes: tuple[Change, ...]) -> None:
            super().__init__()
            self.changes = changes

    class _Found(Message):
        """What a text could go on to."""

        def __init__(self, key: str, text: str, choices: Sequence[str]) -> None:
            super().__init__()
            self.key, self.text, self.choices = key, text, choices

    class _Looked(Message):
        """What is in the data file that the form names."""

        def __init__(self, columns: Columns) -> None:
            super().__init__()
            self.columns = columns

    def __init__(self) -> None:
        super().__init__()
        self.sheet = Sheet(Draft.of(Settings()))
        self._open = open_at_first()
        self._source = ""
        self._stage: Stage = "none"
        self._completions: Lookup[Message] = Lookup(self.post_message)
        self._headers: Lookup[Message] = Lookup(self.post_message)

    def compose(self) -> ComposeResult:
        """The lines scroll; the help of the one in focus and the buttons stay below."""
        self.border_title = "Settings"
        yield SettingsList()
        yield HelpLine()
        with Horizontal(id="buttons"):
            yield FormButton("Start", id="start", variant="success")
            yield FormButton("Apply", id="apply", variant="primary", disabled=True)
            yield FormButton("Stop", id="stop", variant="error", disabled=True)

    def on_mount(self) -> None:
        """Show the defaults."""
        self._show(self.sheet)

    @property
    def lines(self) -> SettingsList:
        """The settings, a line each."""
        return self.query_one(SettingsList)

    @property
    def problems(self) -> list[str]:
        """What is wrong, a line a setting."""
        return [f"{path}: {why}" for path, why in self.sheet.problems.items()]

    def fill(self, settings: Settings) -> None:
        """Show these settings, of a preset or a file; not while a run is live."""
        self._show(self.sheet.filled(settings))

    def show_run(self, settings: Settings) -> None:
        """Show the settings of the run that is followed from now on."""
        self._show(self.sheet.of_run(settings))

    def follow(self, news: Sequence[Event]) -> None:
        """Take over what the run's journal tells of its settings."""
        self._show(self.sheet.after(news))

    def show_stage(self, stage: Stage) -> None:
        """While a run is live most of its settings are fixed; it can be stopped, not started."""
        if stage == self._stage:
            return
        self._stage = stage
        self.border_title = _TITLES.get(stage, "Settings")
        self.set_class(stage in _TITLES, "-live")
        self._show(self.sheet.live(stage in _TITLES))

    def begin_anew(self) -> Widget:
        """Take the settings of the run as it is now for the next one; where to change them."""
        if self.sheet.run is not None:
            self._show(self.sheet.filled(self.sheet.run.now))
        return self.go_to(next(field.path for field in setting_fields() if field.live))

    def first_editor(self) -> Widget:
        """What takes the keys: the first setting that is wrong, else what one begins with."""
        sheet, fields = self.sheet, setting_fields()
        if sheet.problems:
            return self.go_to(next(iter(sheet.problems)))
        if sheet.is_live:
            return self.go_to(next(field.path for field in fields if field.live))
        files = [field.path for field in fields if isinstance(field.choice, FileChoice)]
        said = [path for path in files if sheet.draft.texts[path]]
        return self.go_to((said or files)[0])

    def request_start(self) -> None:
        """Ask for a run, unless a setting is wrong or a run is live."""
        settings = self.sheet.settings
        if not self.sheet.is_live and settings is not None:
            self.post_message(self.StartRequested(settings))

    def request_changes(self) -> None:
        """Ask for what was typed for the live run."""
        changes = self.sheet.changes
        if changes:
            self._show(self.sheet.asking(changes))
            self.post_message(self.TuneRequested(changes))

    def forget_asked(self) -> None:
        """Let what was asked for be pending again: the engine could not be reached."""
        self._show(self.sheet.forgetting())

    def go_to(self, path: str) -> Widget:
        """Open the folds around a setting and move the cursor there; what takes the keys."""
        self._open |= folds_around(path)
        self._show(self.sheet)
        return self.lines.go_to(path)

    def _show(self, sheet: Sheet) -> None:
        """Draw another sheet, and look at another data file."""
        self.sheet = sheet
        self._look_at_source()
        lines = self.lines
        lines.show(outline(self.sheet, self._open, lines.size.width - 1))
        self._explain()
        self.query_one("#start", FormButton).disabled = sheet.is_live or bool(sheet.problems)
        self.query_one("#apply", FormButton).disabled = not sheet.changes
        self.query_one("#stop", FormButton).disabled = self._stage not in ("live", "paused")

    def _look_at_source(self) -> None:
        settings = self.sheet.draft.settings
        source = settings.data.source if settings and has_columns(settings) else ""
        if source == self._source or "data.source" in self.sheet.draft.problems:
            return
        self._source = source
        if source:
            self._headers.ask(lambda: self._Looked(read_columns(source)))

    def _explain(self) -> None:
        line = self.lines.line
        field = fields_by_path().get(line.key)
        if field is not None:
            fixed = f" {_FIXED}" if line.sign == "fixed" else ""
            text = Text.assemble((field.path, "bold"), " ", field.help, fixed)
        elif line.key == PRESET:
            text = Text.assemble((PRESET, "bold"), " ", _HELP_OF_PRESET)
        else:
            text = Text(_HELP_OF_FOLD)
        self.query_one(HelpLine).explain(text)

    def on_settings_list_edited(self, message: SettingsList.Edited) -> None:
        """Check again, with what one setting means for another."""
        message.stop()
        if message.key == PRESET:
            self.fill(PRESET_SETTINGS[message.text])
        else:
            self._show(self.sheet.typed(message.key, message.text))

    def on_settings_list_folded(self, message: SettingsList.Folded) -> None:
        """Open a fold, or close it."""
        message.stop()
        self._open ^= {message.key}
        self._show(self.sheet)

    def on_line_list_moved(self, message: SettingsList.Moved) -> None:
        """Explain the setting in focus."""
        message.stop()
        self._explain()

    def on_settings_list_confirmed(self, message: SettingsList.Confirmed) -> None:
        """Send what was typed for a live run; else go on to the next line."""
        message.stop()
        if self.sheet.is_live:
            self.request_changes()
        else:
            self.lines.step(1)

    def on_settings_list_completion_wanted(self, message: SettingsList.CompletionWanted) -> None:
        """Find out what a text could go on to, without waiting for it."""
        message.stop()
        from ..form.completion import completions  # not before somebody types

        key, text = message.key, message.text
        match fields_by_path()[key].choice:
            case FileChoice() as choice:
                self._completions.ask(lambda: self._Found(key, text, completions(text, choice)))
            case ColumnChoice() if self.sheet.columns is not None:
                self.lines.offer(key, text, self.sheet.columns.completions(text))
            case _:
                self.lines.offer(key, text, ())

    def on_settings_form__found(self, message: _Found) -> None:
        """Offer it."""
        message.stop()
        self.lines.offer(message.key, message.text, message.choices)

    def on_settings_form__looked(self, message: _Looked) -> None:
        """Know the columns, unless another file is named by now."""
        message.stop()
        if message.columns.source == self._source:
            self._show(self.sheet.with_columns(message.columns))

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _mark_focus(self) -> None:
        # `:focus-within` would have every widget of the form styled anew at every tab
        self.set_class(self.has_focus_within, "-in-focus")

    @on(FormButton.Pressed)
    def _pressed(self, event: FormButton.Pressed) -> None:
        event.stop()
        match event.button.id:
            case "start":
                self.request_start()
            case "apply":
                self.request_changes()
            case _:
                self.post_message(self.StopRequested())
