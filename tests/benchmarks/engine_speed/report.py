"""What the measurements say: a table and how it compares to what is asked for."""

import statistics
from collections.abc import Iterator, Sequence

from .contest import Rounds
from .contestant import EPOCHTOP, PEERS, PLAIN
from .epochs import Measurement
from .problem import Problem

# Rounding of single numbers is about 1e-7; a batch counted wrongly is 1e-3 and more.
SAME_LOSS = 1e-6

_HEAD = (
    f"{'':12}{'ms/epoch':>10}{'to plain':>10}{'lowest to highest':>20}"
    f"{'times faster':>14}{'threads':>9}{'losses differ by':>18}"
)


def lines(problem: Problem, rounds: Rounds) -> Iterator[str]:
    """The table of a problem, a row a contestant."""
    yield problem.title
    yield _HEAD
    for name, own in rounds.of.items():
        ratios = _ratios(own, rounds.of[PLAIN.name])
        time = statistics.median(one.milliseconds_an_epoch for one in own)
        ratio = statistics.median(ratios)
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        differ = _largest_difference(own, rounds)
        speed = f"{time:10.2f}{ratio:10.3f}{spread:>20}{1 / ratio:14.2f}"
        yield f"{name:12}{speed}{own[-1].threads:9}{differ:18.1e}"
    yield from _bars(problem, rounds)


def learns_the_same(rounds: Rounds) -> bool:
    """Whether epochtop's losses are the reference's; true where it does not take part."""
    own = rounds.of.get(EPOCHTOP.name, [])
    return not own or _largest_difference(own, rounds) <= SAME_LOSS


def _bars(problem: Problem, rounds: Rounds) -> Iterator[str]:
    """Each bar that was measured, and whether it is reached."""
    speeds = {
        name: 1 / statistics.median(_ratios(own, rounds.of[PLAIN.name]))
        for name, own in rounds.of.items()
    }
    for name, bar in problem.bars.items():
        if name in speeds:
            reached = _yes_or_no(speeds[name] >= bar)
            yield f"  {name} at least {bar:g} times faster: {reached} ({speeds[name]:.2f})"
    if EPOCHTOP.name in speeds:
        peers = [peer.name for peer in PEERS if peer.name in speeds]
        ahead = all(speeds[EPOCHTOP.name] > speeds[peer] for peer in peers)
        yield f"  {EPOCHTOP.name} ahead of {', '.join(peers) or 'nobody'}: {_yes_or_no(ahead)}"
        same = _yes_or_no(learns_the_same(rounds))
        yield f"  {EPOCHTOP.name}'s losses within {SAME_LOSS:g} of {rounds.reference}'s: {same}"


def _ratios(own: Sequence[Measurement], plain: Sequence[Measurement]) -> list[float]:
    return [
        one.milliseconds_an_epoch / other.milliseconds_an_epoch
        for one, other in zip(own, plain, strict=True)
    ]


def _largest_difference(own: Sequence[Measurement], rounds: Rounds) -> float:
    """How far losses are from the reference's on the same number of threads."""
    return max(one.largest_difference(rounds.expected_on[one.threads]) for one in own)


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "NO"
