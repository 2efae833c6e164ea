"""Waits until everything that was accepted before the call is in the views: for `yekta wait`, the demo and the tests.

Never by sleeping and hoping: ends are captured, then positions are compared, woken by the workers' own notifications.
Reading order: wait, Progress, dying, _Stillness.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from infra.database import place, reason, shut, unusable
from infra.endpoints import Endpoints, endpoints
from infra.errors import Refusal
from infra.settings import Settings
from infra.topic_ids import NoAnswerError, ask
from projections.positions import table as positions
from projections.positions.waiting import Wait, advance

LOOK = 5.0  # seconds that the engines have for a look, however short the wait may be
QUIET = 10.0  # seconds after which it is said where workers die or that nothing moves, and again after as many
SILENT = 3.0  # seconds without an answer after which an engine counts as away when the wait ends
POLL = 0.5  # seconds after which positions are looked at though nobody called: a notification may be lost with its connection


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the wait has come: records resolved and folded, of those that it waits for."""

    done: int
    total: int


async def wait(
    settings: Settings,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    within: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Return when all that was accepted before is visible; `say` hears when nothing moves or an engine is away. Raises Refusal after
    `within` seconds and a look at least, when a partition stands still, or when PostgreSQL lets nobody in."""
    here = endpoints(settings)
    prefix = settings.kafka.prefix
    latest = None if within is None else asyncio.get_running_loop().time() + within
    stillness = _Stillness(say)
    telling = asyncio.create_task(stillness.tell_who_is_away())
    try:
        async with asyncio.timeout(None if within is None else max(within, LOOK)):
            stillness.asks(f"Kafka at {here.bootstrap_servers}")
            await _refuse_unprepared(here, [prefix + topic for topic in ("inbox", "touchpoints", "dead-letters")])
            inbox = await ends(here, prefix + "inbox")  # whoever begins without Kafka hears so at once
            await _until(here, "inbox", inbox, lambda _: None, latest, stillness)
            await _told(here, latest, stillness)
            touchpoints = await _ends_once_there(here, prefix + "touchpoints", latest, stillness)
            await _until(here, "resolve", touchpoints, on_progress, latest, stillness)
            letters = await _ends_once_there(here, prefix + "dead-letters", latest, stillness)
            await _until(here, "letters", letters, lambda _: None, latest, stillness)
    except TimeoutError:
        away = f": {away}" if (away := stillness.who_is_away()) else ""
        raise Refusal(f"Not everything is visible after {within:g} s{away}.", "`yekta status` shows what lags and why.") from None
    finally:
        telling.cancel()


async def _connection(dsn: str) -> AsyncConnection[tuple[Any, ...]]:
    """A connection. Raises Refusal where no waiting helps."""
    try:
        return await AsyncConnection.connect(dsn, autocommit=True, application_name="yekta-wait")
    except psycopg.OperationalError as error:
        if shut(error):
            raise unusable(dsn, error) from error
        raise


def _pause(latest: float | None) -> float:
    """For how long to wait before the next look. Raises TimeoutError when it was the last."""
    left = POLL if latest is None else latest - asyncio.get_running_loop().time()
    if left <= 0:
        raise TimeoutError
    return min(POLL, left)


async def _told(here: Endpoints, latest: float | None, stillness: "_Stillness") -> None:
    """Until every decision that was made so far is told to the log."""
    made = None
    while True:
        try:
            stillness.asks(f"PostgreSQL at {place(here.dsn)}")
            async with await _connection(here.dsn) as connection:
                await connection.execute(f"LISTEN {positions.CHANNEL}")
                if made is None:
                    row = await (await connection.execute("SELECT max(notification_id) FROM decisions.events")).fetchone()
                    made = row[0] if row and row[0] else 0
                while not await (await connection.execute("SELECT 1 FROM decisions.relayed WHERE notification >= %s", (made,))).fetchone():
                    await stillness.look(connection)
                    async for _ in connection.notifies(timeout=_pause(latest), stop_after=1):
                        pass
                return
        except psycopg.OperationalError as error:
            stillness.failed(reason(error).partition("\n")[0])
            await asyncio.sleep(_pause(latest))  # PostgreSQL is being restarted


async def _refuse_unprepared(here: Endpoints, topics: Sequence[str]) -> None:
    """A client waits long for a topic that is not there, and then cannot tell that from a Kafka that is away."""
    with suppress(NoAnswerError):  # whoever asks next says so
        known = (await ask(here.kafka_client_kwargs, topics)).topics
        if missing := [topic for topic in topics if topic not in known]:
            raise Refusal(
                f"Kafka at {here.bootstrap_servers} has no topic {missing[0]}.",
                "Is YEKTA_KAFKA__PREFIX the one of what runs? If nothing ran here yet, run `yekta prepare`.",
            )


async def ends(here: Endpoints, topic: str) -> dict[int, int]:
    """The end offset of every partition of a topic, now."""
    consumer = AIOKafkaConsumer(topic, **here.kafka_client_kwargs, enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = consumer.partitions_for_topic(topic) or set()
        found = await consumer.end_offsets([TopicPartition(topic, partition) for partition in partitions])
        return {tp.partition: end for tp, end in found.items()}
    finally:
        await consumer.stop()


async def _ends_once_there(here: Endpoints, topic: str, latest: float | None, stillness: "_Stillness") -> dict[int, int]:
    """The same, of a Kafka that may be away for a while."""
    while True:
        try:
            stillness.asks(f"Kafka at {here.bootstrap_servers}")
            return await ends(here, topic)
        except KafkaError as error:
            if not error.retriable:
                raise
            stillness.failed("")
            await asyncio.sleep(_pause(latest))


async def _until(
    here: Endpoints,
    processor: str,
    target: Mapping[int, int],
    on_progress: Callable[[Progress], None],
    latest: float | None,
    stillness: "_Stillness",
) -> None:
    """Until the processor has passed `target`; for `resolve` until what it published is folded too."""
    total = sum(target.values())
    way = Wait({partition: end for partition, end in target.items() if end})
    while True:
        try:
            stillness.asks(f"PostgreSQL at {place(here.dsn)}")
            async with await _connection(here.dsn) as connection:
                await connection.execute(f"LISTEN {positions.CHANNEL}")
                while True:
                    await _refuse_halted(connection, processor)
                    if processor == "resolve":
                        way = await advance(connection, way)
                    at = await positions.positions(connection, processor)
                    if way.done if processor == "resolve" else all(at.get(partition, 0) >= end for partition, end in target.items()):
                        break
                    await stillness.look(connection)
                    on_progress(Progress(min(sum(at.values()), total), total))
                    async for _ in connection.notifies(timeout=_pause(latest), stop_after=1):
                        pass
                on_progress(Progress(total, total))
                return
        except psycopg.OperationalError as error:
            stillness.failed(reason(error).partition("\n")[0])
            await asyncio.sleep(_pause(latest))  # PostgreSQL is being restarted


async def dying(connection: AsyncConnection[tuple[Any, ...]]) -> dict[str, list[str]]:
    """Where workers die again and again and nobody gets further, as sentences, by processor."""
    found: dict[str, list[str]] = {}
    for processor, partition, offset, died in await positions.deaths(connection):
        found.setdefault(processor, []).append(
            f"its worker died {died} times at record {offset} of partition {partition}: the worker's log says of what. A record that kills"
            " again and again becomes a dead letter."
        )
    return found


class _Stillness:
    """Says now and then where workers die again and again, that nothing moves, or which engine does not answer."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._at: list[Any] = []
        self._next = 0.0
        self._asked, self._why = "", ""  # who was asked last, and why he did not answer
        self._answered = asyncio.get_running_loop().time()
        self._away_from = self._answered + SILENT  # when he counts as away, if he has not answered by then

    def asks(self, whom: str) -> None:
        """Now this engine is asked."""
        if whom != self._asked:
            self._asked, self._why, self._answered = whom, "", asyncio.get_running_loop().time()
            self._away_from = self._answered + SILENT

    def failed(self, why: str) -> None:
        """It did not answer."""
        self._why, self._away_from = why, asyncio.get_running_loop().time()

    def who_is_away(self) -> str:
        """Which engine is asked and does not answer, for whoever waits no longer; empty when all answer, or have not had the time."""
        away = asyncio.get_running_loop().time() >= self._away_from
        return f"{self._asked} does not answer{self._reason()}" if away else ""

    def _reason(self) -> str:
        return f" ({self._why})" if self._why else ""

    async def tell_who_is_away(self) -> None:
        """Also of who takes a question and never answers: whoever asks cannot tell then."""
        clock = asyncio.get_running_loop().time
        while True:
            quiet = self._answered + QUIET
            await asyncio.sleep(max(quiet - clock(), 0))
            if self._answered + QUIET <= clock():
                self._say(f"{self._asked} does not answer{self._reason()}: it is waited for.")
                self._answered = clock()

    async def look(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        now = self._answered = asyncio.get_running_loop().time()
        self._why, self._away_from = "", now + SILENT
        if now < self._next:
            return
        first, self._next = not self._next, now + QUIET
        cursor = await connection.execute("SELECT processor, partition, next_offset FROM streams.positions ORDER BY 1, 2")
        before, self._at = self._at, await cursor.fetchall()
        if first:
            return
        for name, said in (await dying(connection)).items():
            self._say(f"The processor {name} gets no further: {' '.join(said)}")
            before = []
        if self._at == before:
            self._say(f"Nothing has moved for {QUIET:g} s: `yekta status` shows what lags, and what does not run.")


async def _refuse_halted(connection: AsyncConnection[tuple[object, ...]], processor: str) -> None:
    for needed in (processor, "customer") if processor == "resolve" else (processor,):
        if halted := await positions.halted(connection, needed):
            raise Refusal(f"The processor {needed} stands still: {halted}")
