"""Tells the log what Yekta decided: each decision about a customer becomes a sealed touchpoint, exactly as a door makes one.

Decisions are told in the order in which they were made; the position is kept in PostgreSQL and moves when the log has acknowledged.
Who dies in between tells some of them again, under the same ids, and receipts make one of them. One process at a time holds the lock
and tells; the others wait for it. Reading order: Relay, forward.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from aggregates import dead_letter
from aggregates.dead_letter import Place
from aggregates.decision import SPEAKER, Decision, Teller, Told, event_of
from aggregates.log import Entry, Log, NotAcknowledged
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import KeyUnknown, Sealer, seal
from aggregates.source import Source
from aggregates.touchpoint import channel_of
from aggregates.wire import encoder
from streams.points import Point, passed
from streams.record import Connection

LOCK = 0x52454C41  # "RELA"
CHANNEL = "yekta_decided"
CHANGED = "yekta_changed"
AT_ONCE = 200
SILENCE = 5.0
"""After so many seconds it looks although nobody called: a notification may be lost."""

IN_LINE = 1.0
"""How often whoever waits for the lock asks for it."""

log = structlog.get_logger()


class Relay:
    """One of the processes that could tell; `run` until cancelled."""

    name = "relay"

    def __init__(
        self,
        tellers: Mapping[str, Teller],
        sealer: Sealer,
        publisher: Log,
        *,
        dsn: str,
        prefix: str,
        zone: str,
        replenish: Callable[[], Awaitable[None]],
        at: Point = passed,
    ) -> None:
        self._tellers, self._sealer, self._publisher = tellers, sealer, publisher
        self._dsn, self._prefix, self._zone, self._replenish, self._at = dsn, prefix, zone, replenish, at

    async def run(self) -> None:
        """Tell whatever there is to tell, for as long as the process lives; what is away comes back."""
        while True:
            try:
                async with await AsyncConnection.connect(self._dsn, autocommit=True, application_name="yekta-relay") as connection:
                    await self._hold(connection)
            except (psycopg.OperationalError, NotAcknowledged, KeyUnknown) as error:
                log.warning("relay_waits", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _hold(self, connection: Connection) -> None:
        while not await _locked(connection):  # noqa: ASYNC110 - a lock that is let go tells nobody
            await asyncio.sleep(IN_LINE)
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            await self._replenish()
            while await self.forward(connection):
                pass
            async for _ in connection.notifies(timeout=SILENCE, stop_after=1):
                pass

    async def forward(self, connection: Connection) -> bool:
        """Tell the next decisions and move the position behind them; False when there is none. The caller holds the lock."""
        cursor = await connection.execute("SELECT notification FROM decisions.relayed")
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - the migration inserted it
        cursor = await connection.execute(
            "SELECT notification_id, originator_id, originator_version, topic, state FROM decisions.events"
            " WHERE notification_id > %s ORDER BY notification_id LIMIT %s",
            (row[0], AT_ONCE),
        )
        found = await cursor.fetchall()
        if not found:
            return False
        ends = await self._publish([Decision(*fields) for _, *fields in found])
        await self._at("relay.published")
        await connection.execute(
            "UPDATE decisions.relayed SET notification = %s, ends = ends || %s, at = now() WHERE notification = %s",
            (found[-1][0], Jsonb({str(partition): end for partition, end in ends.items()}), row[0]),
        )
        await connection.execute(f"NOTIFY {CHANGED}, 'relay'")
        return True

    async def _publish(self, decisions: Sequence[Decision]) -> Mapping[int, int]:
        facts: list[Entry] = []
        letters: list[Entry] = []
        for decision in decisions:
            teller = self._tellers.get(decision.tag.partition(".")[0])
            told = teller(decision) if teller else None
            if told is not None:
                fact = self._fact(decision, told)
                if isinstance(fact, Refusal):
                    letters.append(self._letter(decision, told, fact))
                else:
                    facts.append(fact)
        if letters:
            await self._publisher.publish(self._prefix + "dead-letters", letters)
        return await self._publisher.publish(self._prefix + "touchpoints", facts)

    def _fact(self, decision: Decision, told: Told) -> Entry | Refusal:
        """The record that a door would make of it. It was received when it was decided, however late it is told."""
        source = Source(SPEAKER, self._zone, types=(f"{channel_of(told.type)}.*",))
        touchpoint = read(event_of(decision, told), source, told.at)
        return touchpoint if isinstance(touchpoint, Refusal) else (*seal(touchpoint, self._sealer), ())

    def _letter(self, decision: Decision, told: Told, refusal: Refusal) -> Entry:
        """A decision that breaks its contract is our own mistake: it is put aside, and the others are told."""
        log.error("decision_refused", tag=decision.tag, reason=refusal.reason, pointer=refusal.pointer)
        raw = encoder.encode(event_of(decision, told))
        return dead_letter.record(dead_letter.bury(raw, refusal, SPEAKER, Place("relay"), told.at, self._sealer, "application/json"))


async def _locked(connection: Connection) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))).fetchone()
    return bool(row and row[0])
