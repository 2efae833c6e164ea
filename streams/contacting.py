"""Decides about the contacts that rules want, in the customer's transaction, and says what may go out. Reading order: Deciding."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from aggregates.contact_policy.candidate import Outcome
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent
from projections.contacts import reserving, table
from projections.contacts.want import Want
from streams.candidates import Objection, Settled
from streams.record import Connection, Keys, Publication

SPEAKER = "yekta:contacts"
WITHDRAWN = "withdrawn"


class Deciding:
    """The `streams.candidates.Contacting` of a worker."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._undone: dict[tuple[str, UUID], set[UUID]] = {}  # by transaction: signals withdrawn in it, for those that stand in their place

    async def settle(
        self, connection: Connection, schema: str, customer: UUID, fresh: Sequence[Want], now: datetime, objection: Objection
    ) -> Settled:
        """Decide about these, and about those that are held and whose time has come."""
        if not fresh and not await table.waits(connection, customer):
            return Settled()
        undone = self._undone.get((await _transaction(connection), customer), ()) if self._undone else ()
        decided = await reserving.reserve(connection, schema, self._keys, customer, fresh, now, objection, undone=undone)
        until = await table.next_time(connection, customer)
        return Settled(tuple(outcome for _, outcome in decided), tuple(said(*one) for one in decided), until)

    async def withdraw(self, connection: Connection, customer: UUID, signals: Sequence[UUID], now: datetime) -> Sequence[Publication]:
        """These signals do not stand any more: what was held for them is silent."""
        transaction = await _transaction(connection)
        self._undone = {key: undone for key, undone in self._undone.items() if key[0] == transaction}
        self._undone.setdefault((transaction, customer), set()).update(signals)
        await table.lock(connection, customer)
        told = []
        for outcome, want in (await table.of(connection, customer, signals)).values():
            if outcome == "held":
                silent = Outcome(want.candidate, "silent", now, reason=WITHDRAWN)
                await table.write(connection, customer, [(want, silent)])
                told.append(said(want, silent))
        return told

    async def control(self, connection: Connection, event: CustomerEvent) -> None:
        """The policy is read where it is kept, its latest version: what is told of it in the log is for those who replay it."""
        del connection, event


async def _transaction(connection: Connection) -> str:
    cursor = await connection.execute("SELECT pg_current_xact_id()::text")
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - every transaction has an id
    return str(row[0])


def said(want: Want, outcome: Outcome) -> Publication:
    """The record that tells what became of a contact; of the same decision always the same."""
    customer = str(outcome.candidate.customer)
    id_ = derive("outcome", str(outcome.candidate.signal), outcome.result, outcome.at.isoformat())
    event = {
        "specversion": "1.0",
        "id": id_,
        "source": SPEAKER,
        "type": f"contact.{outcome.result}",
        "time": outcome.at,
        "subject": customer,
        "datacontenttype": "application/json",
        "data": reserving.plain(want, outcome),
    }
    return Publication("signals", customer.encode(), msgspec.json.encode(event))
