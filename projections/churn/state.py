"""What is kept of a customer to score him at any later time: sums that decay, which need neither his history nor a clock to stay right.

Times are days since 1970-01-01 UTC, as floats; half-lives are parts of the definition's horizon, so that a week and a year look alike.
"""

import msgspec
from msgspec import Struct

MARKS = 32
"""Kinds of happenings remembered per customer; the one met longest ago makes room."""

READINGS = 16
WORDS = 16
"""Fields of numbers, and of words, remembered per customer."""

CONTRACTS = 64
"""Contracts that run at once, remembered per customer; the one that ends first makes room."""

FOLDED = 5
"""Raised when other sums are kept of the same facts: what was folded before is derived anew from his history at a customer's next fact."""


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """One kind of happening: how much of it there was, as of `at`."""

    at: float
    long: float  # decayed with half-life H
    short: float  # decayed with half-life H/6


class Reading(Struct, frozen=True, array_like=True, gc=False):
    """A number that events tell: its mean, where each new reading weighs a half, and what is usual of this customer."""

    at: float
    mean: float
    times: int = 1
    usual: float = 0.0  # mean of all readings


class Rhythm(Struct, frozen=True, array_like=True, gc=False):
    """When the customer bought, on distinct days, and how far apart."""

    first: float
    last: float
    orders: int = 0
    decayed: float = 0.0  # orders, half-life H, as of `last`
    slow: float = 0.0  # orders, mean life 2H, as of `last`: what the prior counts
    gaps: int = 0
    mean: float = 0.0  # of the logarithms of the gaps in days
    squares: float = 0.0  # sum of squared deviations from it
    gap: float = 0.0  # the last gap in days
    purses: int = 0  # orders with an amount
    purse: float = 0.0  # mean of the logarithms of the amounts
    spent: float = 0.0  # logarithm of the last amount
    currency: str = ""  # of these amounts, where it is told
    fresh: float = 0.0  # orders, half-life H/6, as of `last`; 0 only where it was folded before there was `folded`
    recent: float = 0.0  # mean of the logarithms of the gaps, where each new one weighs a third
    winter: float = 0.0  # sum of the cosines of the orders' times of the year
    spring: float = 0.0  # and of their sines
    spending: float = 0.0  # mean of the logarithms of the amounts, where each new one weighs a third


class State(Struct, frozen=True, array_like=True, gc=False):
    """The fold of a customer's facts, for one definition."""

    at: float = 0.0  # the latest fact's time
    rhythm: Rhythm | None = None  # None before the first purchase
    marks: dict[str, Mark] = {}
    readings: dict[str, Reading] = {}
    words: dict[str, str] = {}
    began: float | None = None  # contractual: since when one contract or another runs
    ends: float | None = None  # contractual: until when the last of them is paid
    running: bool = False
    returns: tuple[int, ...] = ()  # days with a purchase, as far back as labels look
    losses: tuple[int, ...] = ()  # days on which the last of his contracts was cancelled or ran out
    contracts: dict[str, float | None] = {}  # those that run, by number, and until when each is paid; empty: the one of `ends`
    folded: int = 0  # which `FOLDED` it was folded by


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(State)


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


def decode(encoded: bytes) -> State:
    """The state of bytes that `encode` wrote."""
    return _decoder.decode(encoded)
