"""Decides about the contacts that rules want, in the customer's transaction, and says what may go out. Reading order: Deciding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec

from aggregates.contact_policy.candidate import Outcome
from aggregates.contact_policy.published import PUBLISHED
from aggregates.touchpoint import derive
from aggregates.wire import CustomerEvent
from projections.contacts import policies, reserving, table
from projections.contacts.want import Want
from streams.candidates import Asked, Settled, Undone
from streams.record import Connection, Keys, Publication

SPEAKER = "yekta:contacts"
WITHDRAWN = "withdrawn"


class _Published(msgspec.Struct):
    """What is read of the word on a new version of the policy."""

    version: int


_version = msgspec.json.Decoder(_Published)


class Deciding:
    """The `streams.candidates.Contacting` of a worker."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._undone: dict[tuple[str, UUID], set[UUID]] = {}  # by transaction: signals withdrawn in it, for those that stand in their place

    async def settle(self, connection: Connection, schema: str, asked: Sequence[Asked]) -> Mapping[UUID, Settled]:
        """Decide about what these customers are to get, and about what is held of them and whose time has come."""
        if silent := [one.customer for one in asked if not one.fresh]:
            waiting = await table.waiting(connection, silent)
            asked = [one for one in asked if one.fresh or one.customer in waiting]
        if not asked:
            return {}
        if self._undone:
            transaction = await _transaction(connection)
            asked = [replace(one, undone=self._undone.get((transaction, one.customer), ())) for one in asked]
        decided = await reserving.reserve_all(connection, schema, self._keys, asked)
        until = await table.next_times(connection, decided)
        return {
            customer: Settled(tuple([outcome for _, outcome in some]), tuple([said(*one) for one in some]), until.get(customer))
            for customer, some in decided.items()
        }

    async def withdraw(self, connection: Connection, undone: Mapping[UUID, Undone]) -> Mapping[UUID, Sequence[Publication]]:
        """These signals do not stand any more: what was held for them is silent."""
        transaction = await _transaction(connection)
        self._undone = {key: signals for key, signals in self._undone.items() if key[0] == transaction}
        for customer, gone in undone.items():
            self._undone.setdefault((transaction, customer), set()).update(gone.signals)
        await table.lock_all(connection, undone)
        told: dict[UUID, list[Publication]] = {}
        silent = list[tuple[UUID, Want, Outcome]]()
        signals = [(customer, signal) for customer, gone in undone.items() for signal in gone.signals]
        for (customer, _), (outcome, want) in (await table.of_all(connection, signals)).items():
            if outcome == "held":
                silent.append((customer, want, Outcome(want.candidate, "silent", undone[customer].now, reason=WITHDRAWN)))
                told.setdefault(customer, []).append(said(*silent[-1][1:]))
        if silent:
            await table.write(connection, silent)
        return told

    async def scarce(self, connection: Connection) -> bool:
        """Whether a budget binds."""
        _, policy = await policies.in_force(connection)
        return policy.budget is not None

    async def control(self, connection: Connection, event: CustomerEvent) -> datetime | None:
        """The policy is read where it is kept, its latest version; what the log tells of it is that quiet hours may be other ones."""
        if event.type != PUBLISHED:
            return None
        return await policies.hours_changed(connection, _version.decode(event.data).version)


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
