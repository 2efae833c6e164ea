"""Asks once more before a contact leaves the house: the rule's `unless` and `if`, consent, and the policy, as they are at that moment."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg_pool import AsyncConnectionPool

from aggregates.identity.publishing import TraitRule
from projections import generation
from projections.contacts import reserving, table
from projections.contacts.want import Want
from projections.deliveries.table import Taken
from projections.identity import table as identity
from projections.view import table as views
from projections.view.precedence import NO_RULES
from projections.view.state import State
from streams.record import Connection, Keys
from streams.sending import Adapter, Attempt

Against = Callable[[Connection, UUID, str, int, bytes, datetime], Awaitable[str]]
"""(connection, customer, rule, version, what the rule kept, now) -> what the rule has against it; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Approach:
    """A contact that may go out now."""

    customer: UUID
    want: Want
    channel: str
    state: State | None  # his view
    rules: Sequence[TraitRule] = NO_RULES  # whom to believe of his traits


class Rechecking:
    """What adapters of contacts ask first."""

    def __init__(self, pool: AsyncConnectionPool[Connection], keys: Keys, clock: Callable[[], datetime], against: Against) -> None:
        self._pool, self._keys, self._clock, self._against = pool, keys, clock, against

    async def approach(self, taken: Taken, channel: str) -> Approach | Attempt:
        """The contact as it may go out; or why it does not, now or ever."""
        now = self._clock()
        async with self._pool.connection() as connection:
            if taken.customer_id is None or taken.signal is None:
                return Attempt("failed", error="it names no customer")
            schema = await generation.live(connection)
            customer, state = await present(connection, schema, taken.customer_id)
            await table.lock(connection, customer)
            held = (await table.of(connection, customer, [taken.signal])).get(taken.signal)
            if held is None:
                return Attempt("failed", error="nothing was decided about it")
            outcome, want = held
            if outcome != "sent":
                return Attempt("silent", error="it was withdrawn")
            candidate = want.candidate
            against = await self._against(connection, customer, candidate.rule, candidate.version, want.blob, now) if want.blob else ""
            want = replace(want, candidate=replace(candidate, customer=customer))
            looked = await views.look(connection, schema, customer, now)
            at = looked.at if looked else now
            asked = await reserving.again(connection, schema, self._keys, want, channel, at, against)
        if asked.result == "silent":
            return Attempt("silent", error=asked.reason)
        if asked.result == "held" and asked.until is not None:
            return Attempt("later", error=asked.reason, after=max((asked.until - at).total_seconds(), 1.0))
        return Approach(customer, want, channel, state, looked.rules if looked else NO_RULES)

    def before(self, adapter: Adapter) -> Adapter:
        """The adapter of webhooks, which tells of a contact only if it may still be made."""

        async def asked_first(taken: Taken) -> Attempt:
            if taken.type == "contact.sent":
                found = await self.approach(taken, _channel(taken.body))
                if isinstance(found, Attempt):
                    return found
            return await adapter(taken)

        return asked_first


def _channel(body: bytes) -> str:
    said: Mapping[str, Any] = msgspec.json.decode(body)
    return str(said["data"]["channel"])


async def state_of(connection: Connection, customer: UUID) -> State | None:
    """The view of a customer, whoever he turned out to be since."""
    return (await present(connection, await generation.live(connection), customer))[1]


async def present(connection: Connection, schema: str, customer: UUID) -> tuple[UUID, State | None]:
    """Who a customer is now, and his view."""
    states = await views.load(connection, schema, [customer])
    if not states and (owner := await identity.successor(connection, customer)):
        customer = owner
        states = await views.load(connection, schema, [customer])
    return customer, states.get(customer)
