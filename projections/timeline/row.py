"""What the timeline has columns for: everything about an event that is asked for without opening it. Pure."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import msgspec

from aggregates.contracts import CONTRACTS, Contract
from aggregates.fact import Fact, fact_of
from aggregates.normal import persian
from aggregates.wire import CustomerEvent
from projections.money import amount_of, currency_of

NOBODY = UUID(int=0)
"""Under whom events are kept that named no identifier."""

IDS = 200_000
"""How many ids are remembered beside their texts."""

_ids: dict[str, UUID] = {"": NOBODY}

SIMULATED, BACKFILL, FUTURE, PAST, EVENT_CLOCK = 1, 2, 4, 8, 16
FLAGS = {"": 0, "future": FUTURE, "past": PAST}
FLAG_NAMES = ((SIMULATED, "simulated"), (BACKFILL, "backfill"), (FUTURE, "future"), (PAST, "past"), (EVENT_CLOCK, "event_clock"))
LONGEST_REF = 256
NO_NUMBER = frozenset({"purpose"})
"""References of contracts that many facts share: nobody looks for one fact by them."""


class Row(NamedTuple):
    """A row of the timeline, in the order of its columns."""

    customer_id: UUID
    event_id: UUID
    at: datetime
    occurred: datetime
    recorded: datetime
    type: str
    channel: str
    source: str
    ref: str | None
    ref_folded: str | None  # as search compares it, where that is another text
    amount: Decimal | None
    currency: str | None
    decider: str
    seal: int
    flags: int
    log_partition: int
    log_offset: int
    record: bytes


class Told(NamedTuple):
    """What the contract of a type points out in its data."""

    ref: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


NOTHING = Told()


def uuid_of(customer: str) -> UUID:
    """The id of a customer's text; "" is nobody's. Raises msgspec.ValidationError."""
    known = _ids.get(customer)
    if known is None:
        if len(_ids) >= IDS:
            _ids.clear()
            _ids[""] = NOBODY
        known = _ids[customer] = msgspec.convert(customer, UUID)
    return known


def row_of(event: CustomerEvent, record: bytes, customer: UUID, partition: int, offset: int, fact: Fact | None = None) -> Row:
    """The row of a record, under the customer that it belongs to now; `fact` is what `fact_of` makes of it, where that was made already."""
    fact = fact or fact_of(event)
    told = told_by(fact)
    return Row(
        customer,
        fact.event_id,
        fact.at,
        fact.occurred,
        fact.recorded,
        fact.type,
        fact.channel,
        fact.source,
        told.ref,
        folded_apart(told.ref),
        told.amount,
        told.currency,
        event.yektadecider,
        event.yektaseal,
        fact.simulated * SIMULATED + fact.backfill * BACKFILL + FLAGS[fact.flag] + (fact.clock == "event") * EVENT_CLOCK,
        partition,
        offset,
        record,
    )


def told_by(fact: Fact) -> Told:
    """Reference and money of a fact, where its type has any and they are as they should be."""
    contract = pointing(fact.type)
    if contract is None:
        return NOTHING
    data = fact.data
    ref = data.get(contract.ref) if contract.ref and contract.ref not in NO_NUMBER else None
    amount = amount_of(data.get(contract.amount)) if contract.amount else None
    currency = currency_of(data.get(contract.currency)) if contract.currency and amount is not None else None
    return Told(ref[:LONGEST_REF] if isinstance(ref, str) else None, amount if currency else None, currency)


def folded_ref(text: str) -> str:
    """A reference as search compares it, cut."""
    return persian.fold(text[:LONGEST_REF])[:LONGEST_REF]


def folded_apart(ref: str | None) -> str | None:
    """The same where it is another text than the reference itself: most need nothing beside them."""
    folded = folded_ref(ref) if ref is not None else None
    return folded if folded and folded != ref else None


@lru_cache(maxsize=1024)
def pointing(type_: str) -> Contract | None:
    """The contract of a type that has a reference or money."""
    contract = CONTRACTS.get(type_)
    return contract if contract and (contract.ref or contract.amount) else None
