"""Which earlier epoch a later one is compared with to see what the second half has brought."""

import math

# The epoch about half-way is the last reference within this share of the epochs.
_HALF_WAY = 0.6
# How much longer a run is when it is compared once more.
_GROWTH = 1.05


def is_reference(epoch: int) -> bool:
    """Whether later epochs may be compared with this one: 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, ..."""
    return epoch == _reference(round(2 * math.log2(epoch)))


def half_way(epoch: int) -> int:
    """The reference about half-way to an epoch, from 0.4 to 0.6 of it; 1 at the beginning."""
    number = round(2 * math.log2(max(1.0, _HALF_WAY * epoch))) + 1
    while number and _reference(number) > _HALF_WAY * epoch:
        number -= 1
    return _reference(number)


def is_compared(epoch: int) -> bool:
    """Whether an epoch is compared: each at first, later one whenever the run is 5 % longer."""
    steps = [math.floor(math.log(each) / math.log(_GROWTH)) for each in (epoch, max(1, epoch - 1))]
    return epoch > 1 and steps[0] > steps[1]


def _reference(number: int) -> int:
    return round(2 ** (number / 2))
