"""Takes what was said on `signals` and makes of it what goes out: to the webhooks that want to hear of it, to the channel of a contact.

It writes rows and sends nothing: the sender does. A record met again makes the same rows, which are there already.
Reading order: rows_of, Deliver.take.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from aggregates.touchpoint import derive
from aggregates.webhook import wants
from projections.contacts.tasks import CHANNELS
from projections.deliveries import table, webhooks
from projections.deliveries.table import WEBHOOK, New
from streams.record import Connection

TOPIC = "signals"
SENT = "contact.sent"
PAUSES = (0.1, 0.5, 1.0, 2.0)

log = structlog.get_logger()


class Said(msgspec.Struct):
    """A record of `signals`: a CloudEvent."""

    id: UUID
    type: str
    time: datetime
    data: dict[str, Any]
    subject: str = ""  # the customer


class Listening(msgspec.Struct):
    """A webhook that is enabled."""

    id: UUID
    types: tuple[str, ...]


_said = msgspec.json.Decoder(Said)


def rows_of(said: Said, listening: Sequence[Listening], served: Collection[str]) -> list[New]:
    """The deliveries of one record. What was said quietly, of an import or by test keys, goes nowhere.

    A contact by a channel that nothing here serves is made by whoever is told of it: telling him is sending it.
    """
    if said.data.get("quiet") or said.data.get("test"):
        return []
    customer = UUID(said.subject) if said.subject else None
    signal = said.data.get("signal") or said.data.get("id")
    rule = str(said.data.get("rule") or "")
    body = msgspec.json.encode({"type": said.type, "timestamp": said.time, "data": said.data})
    lanes = [f"{WEBHOOK}{webhook.id}" for webhook in listening if wants(webhook.types, said.type)]
    channel = str(said.data["channel"]) if said.type == SENT else ""
    told = channel if channel not in served else ""
    own = channel if channel not in CHANNELS else ""  # people who are given it approach him
    ways = [(lane, told) for lane in lanes] + ([(channel, own)] if channel else [])
    about = UUID(str(signal)) if signal else None
    return [
        New(derive("delivery", str(said.id), lane), said.id, lane, said.type, rule, customer, about, body, approaches)
        for lane, approaches in ways
    ]


class Deliver:
    """What the agent does with each record."""

    def __init__(self, pool: AsyncConnectionPool[Connection], wake: Callable[[], None], served: Collection[str] = CHANNELS) -> None:
        self._pool, self._wake, self._served = pool, wake, served

    async def take(self, values: Sequence[bytes]) -> None:
        """Keep what is to be delivered; returns when it is. An agent must not raise: Faust would acknowledge the records all the same."""
        said = [one for value in values if (one := _decoded(value)) is not None]
        pause = 0
        while True:
            try:
                async with self._pool.connection() as connection:
                    listening = [Listening(id_, tuple(types)) for id_, types in await webhooks.listening(connection)]
                    await table.add(connection, [row for one in said for row in rows_of(one, listening, self._served)])
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as passing:
                log.warning("deliver waits", reason=type(passing).__name__)
                await asyncio.sleep(PAUSES[min(pause, len(PAUSES) - 1)])
                pause += 1
            else:
                self._wake()
                return


def _decoded(value: bytes) -> Said | None:
    try:
        return _said.decode(value)
    except msgspec.MsgspecError as bad:
        log.error("not_a_signal", reason=str(bad))  # only we write to the topic
        return None
