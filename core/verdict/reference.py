"""In which epochs what is measured for the verdict, and which earlier one it is compared with."""

import math

# The epoch about half-way is the last reference within this share of the epochs.
_HALF_WAY = 0.6
# How much longer a run is when its rows are compared once more: their losses, and their
# residuals, which take longer and hardly change.
_GROWTH, _GROWTH_FOR_RESIDUALS = 1.05, 1.15


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
    """Whether rows' losses are: in each epoch at first, later whenever the run is 5 % longer."""
    return _has_grown(epoch, _GROWTH)


def compares_residuals(epoch: int) -> bool:
    """Whether rows' residuals are: in each epoch at first, later whenever it is 15 % longer."""
    return _has_grown(epoch, _GROWTH_FOR_RESIDUALS)


def _has_grown(epoch: int, growth: float) -> bool:
    steps = [math.floor(math.log(each) / math.log(growth)) for each in (epoch, max(1, epoch - 1))]
    return epoch > 1 and steps[0] > steps[1]


def _reference(number: int) -> int:
    return round(2 ** (number / 2))
