"""Why something cannot be asked of a run that stands so."""

from ..keys import Stage


def refusal(stage: Stage, loading: float | None) -> str:
    """The reason in a sentence.

    Args:
        stage: how the run stands.
        loading: the share of its journal that has been read so far, if it is still being read.
    """
    match stage:
        case "reading":
            share = "" if loading is None else f" ({loading:.0%})"
            return f"the journal is being read{share}; what the run can be asked is known then"
        case "foreign":
            return "a program of its own trains this run and takes no requests"
        case "final":
            return "there is nothing to go on from: the journal tells of no start"
        case "live" | "paused":
            return "a run is live"
        case "none" | "ended":
            return "no run is live"
