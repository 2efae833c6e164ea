"""What is kept of a customer to value him at any later time: the sufficient statistics of the models, and what was spent on him.

Times are days since 1970-01-01 UTC. Money is exact, as text. Reading order: Purse, Contract, Ages, State.
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
    payments: int = 0  # of contracts
    contracts: str = ZERO  # what those came to


class Contract(Struct, frozen=True, array_like=True, gc=False):
    """A contract that runs, or ran last."""

    began: float
    paid: float | None = None  # until when; None: nobody knows
    period: float = 0.0  # days; 0: nobody knows
    amount: str = ""  # of a period
    currency: str = ""
    cancelled: bool = False
    last: float = 0.0  # the last payment


class Ages(Struct, frozen=True, array_like=True, gc=False):
    """Between which ages in days a contract was lost; twice the same: it goes on from there."""

    since: float
    until: float
    period: float


class State(Struct, frozen=True, array_like=True, gc=False):
    """The fold of a customer's facts."""

    at: float = 0.0  # the latest fact's time
    first: float | None = None  # the first order
    last: float | None = None  # the last day with an order
    repeats: int = 0  # days with an order after the first
    purses: dict[str, Purse] = {}
    contacts: dict[str, int] = {}  # what was done for him, by type: it costs
    came_by: str = ""  # the channel of the first fact that was a purchase: acquiring costs differ
    signed: float | None = None  # the first contract
    heard: float | None = None  # the latest fact about a contract
    contracts: dict[str, Contract] = {}  # by number
    over: tuple[Ages, ...] = ()  # of other contracts, that he lost
    whole: bool = False  # whether all about contracts was folded: not before they were valued


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(State)


def encode(state: State) -> bytes:
    """The bytes of a state."""
    return _encoder.encode(state)


def decode(encoded: bytes) -> State:
    """The state of bytes that `encode` wrote."""
    return _decoder.decode(encoded)
