"""What is kept of a customer to value him at any later time: the sufficient statistics of the models, and what was spent on him.

Times are days since 1970-01-01 UTC. Money is exact, as text. Reading order: Purse, State.
"""

import msgspec
from msgspec import Struct

from projections.money import ZERO


class Purse(Struct, frozen=True, array_like=True, gc=False):
    """Money of one currency."""

    orders: int = 0
    revenue: str = ZERO  # of standing orders
    goods: str = ZERO  # what the goods of orders cost, where their lines say so
    costed: str = ZERO  # the revenue of the orders whose lines say so
    returned: str = ZERO
    days: int = 0  # days with an order after the first
    repeats: str = ZERO  # what those came to


class State(Struct, frozen=True, array_like=True, gc=False):
    """The fold of a customer's facts."""

    at: float = 0.0  # the latest fact's time
    first: float | None = None  # the first order
    last: float | None = None  # the last day with an order
    repeats: int = 0  # days with an order after the first
    purses: dict[str, Purse] = {}
    contacts: dict[str, int] = {}  # what was done for him, by type: it costs
    came_by: str = ""  # the channel of the first fact that was a purchase: acquiring costs differ


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(State)


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


def decode(encoded: bytes) -> State:
    """The state of bytes that `encode` wrote."""
    return _decoder.decode(encoded)
