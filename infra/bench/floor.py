"""The bare floor: the least that a program must do to keep customer events in PostgreSQL, each once, and one row a customer.

One process, one loop: aiokafka's `getmany`, msgspec, the same timeline with the same dedupe by the same COPY, an upsert of a small state
that is held in memory, and the position, in one transaction. Nothing is opened, resolved or folded. It shares no code with what it is the
measure of. `python -m infra.bench.floor TOPIC` says `ready`, waits for `go` and says `done` at the end of the topic.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.collector import spare_the_collector
from infra.endpoints import Endpoints, endpoints
from infra.engines.kafka import LARGEST_MESSAGE
from infra.settings import load

SCHEMA = "read_1"
MAX_RECORDS = 2_000
NOBODY = UUID(int=0)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

TIMELINE = {
    "customer_id": "uuid",
    "event_id": "uuid",
    "at": "timestamptz",
    "occurred": "timestamptz",
    "recorded": "timestamptz",
    "type": "text",
    "channel": "text",
    "source": "text",
    "decider": "text",
    "seal": "int8",
    "flags": "int2",
    "log_partition": "int2",
    "log_offset": "int8",
    "record": "bytea",
}
VIEW = {
    "customer_id": "uuid",
    "state": "bytea",
    "name": "text",
    "last_seen": "timestamptz",
    "events": "int8",
    "wall": "bool",
    "terms": "bytea",
    "log_partition": "int2",
    "log_offset": "int8",
}


class Event(msgspec.Struct):
    """What the floor reads of a record."""

    source: str
    type: str
    time: datetime
    yektaevent: UUID
    yektarecorded: datetime
    yektaseal: int
    subject: UUID = NOBODY
    yektadecider: str = ""


class Small(msgspec.Struct, array_like=True):
    """A state as small as can be."""

    events: int
    last: datetime


_decoder = msgspec.json.Decoder(Event)
_encoder = msgspec.msgpack.Encoder()


class Floor:
    """Keeps what it reads."""

    def __init__(self) -> None:
        self._states: dict[UUID, Small] = {}

    async def keep(self, connection: Connection, records: Sequence[Any]) -> None:
        """One transaction: rows, states and the position."""
        events = [_decoder.decode(record.value) for record in records]
        await _stage(connection, "timeline", TIMELINE, [_row(event, record) for event, record in zip(events, records, strict=True)])
        columns = ", ".join(TIMELINE)
        cursor = await connection.execute(
            f"INSERT INTO {SCHEMA}.timeline ({columns}) SELECT {columns} FROM timeline_stage"
            " ON CONFLICT DO NOTHING RETURNING log_partition, log_offset"
        )
        new = set(await cursor.fetchall())
        places: dict[UUID, tuple[int, int]] = {}
        for event, record in zip(events, records, strict=True):
            if (record.partition, record.offset) in new:
                places[event.subject] = (record.partition, record.offset)
                self._count(event)
        await self._save(connection, places)
        for partition, offset in {record.partition: record.offset + 1 for record in records}.items():
            await connection.execute(
                "UPDATE streams.positions SET next_offset = %s WHERE processor = 'customer' AND partition = %s", (offset, partition)
            )

    def _count(self, event: Event) -> None:
        state = self._states.get(event.subject)
        if state is None:
            self._states[event.subject] = Small(1, event.time)
        else:
            state.events += 1
            state.last = max(state.last, event.time)

    async def _save(self, connection: Connection, places: dict[UUID, tuple[int, int]]) -> None:
        rows = []
        for customer, place in places.items():
            state = self._states[customer]
            rows.append((customer, _encoder.encode(state), "", state.last, state.events, True, b"", *place))
        await _stage(connection, "view", VIEW, rows)
        columns, new = ", ".join(VIEW), ", ".join(f"{column} = excluded.{column}" for column in list(VIEW)[1:])
        await connection.execute(
            f"INSERT INTO {SCHEMA}.view ({columns}) SELECT {columns} FROM view_stage ON CONFLICT (customer_id) DO UPDATE SET {new}"
        )


def _row(event: Event, record: Any) -> tuple[Any, ...]:
    return (
        event.subject,
        event.yektaevent,
        event.time,
        event.time,
        event.yektarecorded,
        event.type,
        event.type.partition(".")[0],
        event.source,
        event.yektadecider,
        event.yektaseal,
        0,
        record.partition,
        record.offset,
        record.value,
    )


async def _stage(connection: Connection, table: str, columns: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Bring rows into a temporary table by COPY."""
    typed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    await connection.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table}_stage ({typed}) ON COMMIT DELETE ROWS")
    async with connection.cursor() as cursor, cursor.copy(f"COPY {table}_stage FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            if full := copy.formatter.write_row(row):  # `write_row` waits at every row, and a floor must be low
                await copy.write(full)


async def run(here: Endpoints, topic: str, count: int) -> None:
    """Keep the whole topic, of so many partitions."""
    consumer = AIOKafkaConsumer(
        **here.kafka_client_kwargs,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_MESSAGE,
        fetch_max_bytes=4 * LARGEST_MESSAGE,
    )
    try:
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in range(count)]
        consumer.assign(partitions)
        left = sum((await consumer.end_offsets(partitions)).values())
        async with await psycopg.AsyncConnection.connect(here.dsn, application_name="yekta-bench") as connection:
            await _begin(connection, partitions)
            await _say("ready")
            floor = Floor()
            while left:
                got = await consumer.getmany(max_records=MAX_RECORDS, timeout_ms=1000)
                records = [record for some in got.values() for record in some]
                if records:
                    async with connection.transaction():
                        await floor.keep(connection, records)
                    left -= len(records)
        await _say("done")
    finally:
        await consumer.stop()


async def _begin(connection: Connection, partitions: Sequence[TopicPartition]) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO streams.positions (processor, partition, topic, topic_id, next_offset) VALUES ('customer', %s, %s, '', 0)",
            [(place.partition, place.topic) for place in partitions],
        )
    await connection.commit()


async def _say(word: str) -> None:
    """Say it and wait for an answer: who measures reads the clocks of this process now."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    spare_the_collector()
    settings = load()
    uvloop.run(run(endpoints(settings), sys.argv[1], int(sys.argv[2])))
