"""Asks once more before a contact leaves the house: the rule's `unless` and `if`, consent, and the policy, as they are at that moment.

Where a source replays its own time, a contact leaves at the moment at which it was decided, however far that time has come since: of that
source only what had happened by then counts, as from files.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from psycopg_pool import AsyncConnectionPool

from aggregates.identity.publishing import TraitRule
from aggregates.touchpoint import derive
from projections import generation
from projections.contacts import decisions, naming, reserving, table
from projections.contacts.handing import Again
from projections.contacts.tasks import Task
from projections.contacts.want import Want
from projections.deliveries import table as deliveries
from projections.deliveries.table import Taken
from projections.identity import table as identity
from projections.triggers.state import Signal
from projections.view import table as views
from projections.view.precedence import NO_RULES
from projections.view.state import State
from streams.objecting import objection_now
from streams.record import Connection, Keys
from streams.sending import Adapter, Attempt

Against = Callable[[Connection, UUID, Want, datetime], Awaitable[str]]
"""(connection, customer, what was wanted, now) -> what the rule has against it; empty: nothing."""

Undone = Literal["address", "refused"]  # among reserving.UNSENT
"""Why nothing can go out: he has no address for the channel, or one that is none; or what was written is refused for good."""


@dataclass(frozen=True, slots=True)
class Approach:
    """A contact that may go out now."""

    customer: UUID
    want: Want
    channel: str
    at: datetime  # when it was asked about, by the clock of what is known of him
    state: State | None  # his view
    rules: Sequence[TraitRule] = NO_RULES  # whom to believe of his traits


class Rechecking:
    """What adapters of contacts ask first, and who gives tasks to people."""

    def __init__(self, pool: AsyncConnectionPool[Connection], keys: Keys, clock: Callable[[], datetime], against: Against) -> None:
        self._pool, self._keys, self._clock, self._against = pool, keys, clock, against

    async def approach(self, taken: Taken, channel: str) -> Approach | Attempt:
        """The contact as it may go out; or why it does not, now or ever."""
        if taken.customer_id is None or taken.signal is None:
            return Attempt("failed", error="it names no customer")
        async with self._pool.connection() as connection:
            return await self._asked(connection, taken.customer_id, taken.signal, channel)

    async def again(self, connection: Connection, task: Task, *, looking: bool = False) -> Again:
        """The adapter of `projections.contacts.handing.Rechecks`."""
        found = await self._asked(connection, task.customer_id, task.signal, task.channel, looking=looking)
        if isinstance(found, Approach):
            return Again("sent")
        return Again("held" if found.result == "later" else "silent", found.error, found.after)

    async def undone(self, approach: Approach, attempt: Attempt, cause: Undone) -> Attempt:
        """Nothing went out, and nothing will, so it counts no more."""
        async with self._pool.connection() as connection:
            await table.lock(connection, approach.customer)
            reason = f"{cause} {approach.channel}"
            await reserving.release(connection, approach.want, approach.channel, approach.at, reason)
        return attempt

    async def named(self, approach: Approach, name: str) -> None:
        """Whoever carries it knows it by this name, which his receipts may say."""
        async with self._pool.connection() as connection:
            await naming.give(connection, approach.channel, name, approach.want.candidate.signal, approach.customer)

    def before(self, adapter: Adapter) -> Adapter:
        """The adapter of webhooks, which tells of a contact only if it may still be made, or if it was or is being made."""

        async def asked_first(taken: Taken) -> Attempt:
            if taken.type == "contact.sent" and taken.customer_id is not None and taken.signal is not None:
                channel = _channel(taken.body)
                own = None if taken.channel else derive("delivery", str(taken.message), channel)
                async with self._pool.connection() as connection:
                    found = await self._asked(connection, taken.customer_id, taken.signal, channel, own=own)
                if isinstance(found, Attempt):
                    return found
            return await adapter(taken)

        return asked_first

    async def _asked(
        self, connection: Connection, whose: UUID, signal: UUID, channel: str, *, looking: bool = False, own: UUID | None = None
    ) -> Approach | Attempt:
        """In the transaction under way. Who only tells of a contact names the delivery that makes it, its `own`: once that was tried the
        contact may be on its way, and is not asked about."""
        now = self._clock()
        schema = await generation.live(connection)
        customer, state = await present(connection, schema, whose)
        await table.lock(connection, customer)
        held = (await table.of(connection, customer, [signal])).get(signal)
        if held is None:
            return Attempt("failed", error="nothing was decided about it")
        outcome, want = held
        stands = await decisions.one(connection, customer, signal) if want.clock or outcome != "sent" else None
        reason = stands.reason or "" if stands else ""
        unsent = outcome == "silent" and reason.startswith(reserving.UNSENT)
        if outcome != "sent" and (not unsent or looking or own is not None):
            return Attempt("silent", error=reason)
        candidate = want.candidate
        want = replace(want, candidate=replace(candidate, customer=customer))
        if own is not None and (await table.reached(connection, customer, signal) or await deliveries.tried(connection, own)):
            return Approach(customer, want, channel, now, state)
        against = await self._against(connection, customer, want, now) if want.blob else ""
        looked = await views.look(connection, schema, customer, now)
        at, replayed = (now, stands.at) if stands and want.clock else (looked.at if looked else now, None)
        asked = await reserving.again(connection, schema, self._keys, want, channel, at, against, looking=looking, replayed=replayed)
        if asked.result == "silent":
            return Attempt("silent", error=asked.reason)
        if asked.result == "held":
            return Attempt("later", error=asked.reason, after=max((asked.until - at).total_seconds(), 1.0) if asked.until else None)
        if unsent:
            await reserving.take_up(connection, want, asked)
        return Approach(customer, want, channel, at, state, looked.rules if looked else NO_RULES)


async def against(connection: Connection, customer: UUID, want: Want, now: datetime) -> str:
    """What a rule has against a contact that is about to go out: its signal stands no more, or `unless` and `if` say so now."""
    id_ = msgspec.msgpack.decode(want.blob, type=Signal).id
    cursor = await connection.execute("SELECT withdrawn FROM signals.given WHERE id = %s", (id_,))
    row = await cursor.fetchone()
    if row is not None and row[0] and not want.clock:
        return "withdrawn"
    return await objection_now(connection, customer, want, now)


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
