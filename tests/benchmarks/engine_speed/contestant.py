"""Who takes part."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Contestant:
    """A row of the table: its file, what it needs installed, how its settings differ."""

    name: str
    module: str
    needs: str = "torch"
    overrides: tuple[str, ...] = ()
    only_on_cpu: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it can take part."""
        return find_spec(self.needs) is not None


PLAIN = Contestant("plain", "plain_loop")
FUSED = Contestant("fused", "plain_loop_fused")
PEERS = (
    Contestant("lightning", "lightning_trainer", "lightning"),
    Contestant("skorch", "skorch_net", "skorch"),
    Contestant("ignite", "ignite_engines", "ignite"),
    Contestant("keras", "keras_model", "keras", only_on_cpu=True),
)
EPOCHTOP = Contestant("epochtop", "epochtop_engine")
COMPILED = Contestant("compiled", "epochtop_engine", overrides=("train.compile=true",))


def reference_on(device: str) -> Contestant:
    """Whose losses epochtop's are to equal: the loop whose update rounds as epochtop's does."""
    return PLAIN if device == "cpu" else FUSED


CONTESTANTS = (PLAIN, FUSED, *PEERS, EPOCHTOP, COMPILED)
