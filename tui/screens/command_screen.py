"""The command palette."""

from textual.command import CommandList, CommandPalette


class CommandScreen(CommandPalette):
    """Textual's own, which takes keys before its list has a size.

    A page moved by then fails in Textual 8: there is no line yet that a choice stands on.
    """

    def __init__(self) -> None:
        super().__init__(id="--command-palette")  # by which Textual finds out that it is open

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region:
            super()._action_command_list(action)
