"""How much more often those who were approached did something than those kept out, and how sure that is. Pure.

Wilson's interval for each share, Newcombe's (1998, method 10) for their difference: right also for few people and for shares near 0 and 1.
"""

import math
from dataclasses import dataclass

Z = 1.959963984540054
"""95 %."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with its interval."""

    of: int
    did: int
    rate: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Uplift:
    """The difference of two shares; None where one side has nobody."""

    contacted: Share
    held_out: Share
    difference: float | None
    interval: Interval | None


def share(did: int, of: int, z: float = Z) -> Share:
    """A share and its Wilson interval; of nobody anything may be true."""
    if not of:
        return Share(0, 0, 0.0, (0.0, 1.0))
    rate = did / of
    middle = (rate + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    low = 0.0 if did == 0 else max(0.0, middle - half)  # exact at the edges, where rounding would leave a crumb
    high = 1.0 if did == of else min(1.0, middle + half)
    return Share(of, did, rate, (low, high))


def uplift(contacted_did: int, contacted: int, held_out_did: int, held_out: int, z: float = Z) -> Uplift:
    """The uplift and its Newcombe interval."""
    one, other = share(contacted_did, contacted, z), share(held_out_did, held_out, z)
    if not contacted or not held_out:
        return Uplift(one, other, None, None)
    difference = one.rate - other.rate
    low = difference - math.hypot(one.rate - one.interval[0], other.interval[1] - other.rate)
    high = difference + math.hypot(one.interval[1] - one.rate, other.rate - other.interval[0])
    return Uplift(one, other, difference, (max(-1.0, low), min(1.0, high)))
