"""Every error that epochtop raises on purpose, as one tree."""

import msgspec


class EpochtopError(Exception):
    """Something a person can put right; its text is the whole message they see."""


class SettingProblem(msgspec.Struct, frozen=True):
    """One thing that is wrong with the settings: where, what was found and what is allowed."""

    where: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; allowed: {self.allowed}"


class SettingsError(EpochtopError):
    """Settings that cannot be used, with every problem that was found in them."""

    def __init__(self, problems: list[SettingProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class DataError(EpochtopError):
    """Data that cannot be trained on; the message names the file and the line or column."""


class LossError(EpochtopError):
    """A loss that cannot be reported exactly, or that does not fit the outputs and targets."""


class TaskError(EpochtopError):
    """A model, data or metric of a user's own that cannot be used; the message names the place."""


class RunError(EpochtopError):
    """A run that cannot be found, read or created."""


class NothingLeftError(RunError):
    """A run that is resumed has trained all that its settings ask for."""


class CheckpointError(EpochtopError):
    """A checkpoint that cannot be trusted: damaged, cut short, or more than tensors and numbers."""
