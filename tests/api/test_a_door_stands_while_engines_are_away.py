"""PostgreSQL may be away: events are accepted all the same. Kafka may be away: nothing is accepted, and it is said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog.testing
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aggregates.log import Entry, NotAcknowledged
from api.app import create
from api.key_ring import KeyRing
from infra import database, publishing
from infra.endpoints import endpoints
from infra.publishing import Publisher
from infra.serving import dependencies
from infra.settings import load
from projections.positions import stalls
from tests.api.conftest import Api, answered, serving, until
from tests.api.events import event
from tests.conftest import World

pytestmark = pytest.mark.engines


class Line:
    """A line to PostgreSQL that can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        """Let connections through."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Close every connection and let no other through."""
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._to)
        self._ends |= {writer, there_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(1 << 16):
        writer.write(content)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def behind_a_line(world: World) -> AsyncIterator[tuple[Api, Line]]:
    """The API whose PostgreSQL is behind a line."""
    options = conninfo_to_dict(world.dsn)
    line = Line(str(options["host"]), int(str(options["port"])))
    await line.mend()
    dsn = make_conninfo(world.dsn, port=line.port)
    try:
        async with serving(replace(world, endpoints=replace(world.endpoints, dsn=dsn))) as api:
            yield api, line
    finally:
        line.cut()


async def test_with_postgresql_away_the_door_accepts_and_says_what_it_cannot_read(world: World) -> None:
    async with behind_a_line(world) as (api, line):
        key, admin = await api.write_key(), await api.token()
        assert (await api.client.get("/readyz")).json()["postgres"]
        line.cut()
        for number in range(20):
            answer = await api.client.post("/v1/events", json=event(f"away-{number}"), auth=(key, ""))
            assert answer.status_code == 200, answer.text
        ready = await api.client.get("/readyz")
        assert ready.status_code == 200
        assert not ready.json()["postgres"]
        refused = await api.client.get("/v1/customers?q=sara", auth=(admin, ""))
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await api.client.get("/metrics")).status_code == 200
        await line.mend()
        await answered(lambda: api.client.get("/v1/customers?q=sara", auth=(admin, "")), lambda answer: answer.status_code != 503)
        revoked = await api.made.keys.create("tests", role="agent")
        await until(lambda: api.made.ring.of_secret(revoked.secret) is not None)  # the listener came back too


async def test_what_stands_still_behind_the_door_is_named_while_it_accepts(world: World) -> None:
    async with behind_a_line(world) as (api, line):
        key = await api.write_key()
        assert (await api.client.get("/readyz")).json()["halted"] == []
        async with await database.connect(world.dsn) as connection:
            await connection.execute(
                "INSERT INTO streams.positions (processor, partition, topic, topic_id, next_offset, halted)"
                " VALUES ('customer', 1, %(topic)s, '', 0, ''), ('customer', 2, %(topic)s, '', 0, 'the log is shorter than the database')",
                {"topic": world.topics.customer_events},
            )
            for _ in range(2):
                await stalls.add(connection, [("resolve", 3)])
        assert (await api.client.post("/v1/events", json=event("waits"), auth=(key, ""))).status_code == 200
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["halted"]) == (200, "ready", ["customer-2"])
        told = (await api.client.get("/metrics")).text
        for number, still in ((1, "0.0"), (2, "1.0")):
            assert f'yekta_halted{{partition="{number}",processor="customer"}} {still}' in told
        assert 'yekta_stalled_total{partition="3",processor="resolve"} 2.0' in told
        line.cut()
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"], ready.json()["halted"]) == (200, False, None)


class Deaf:
    """A log that never answers."""

    async def publish(self, topic: str, records: Sequence[Entry]) -> Mapping[int, int]:
        raise NotAcknowledged(f"{topic} did not take {len(records)} records.")

    async def reachable(self) -> bool:
        return False

    async def ends(self, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        raise NotAcknowledged(f"Nobody knows where {len(topics)} topics end.")


async def test_a_door_that_has_not_read_its_keys_yet_asks_for_patience(api: Api) -> None:
    """A 401 would tell a client that its key is wrong, and make it drop what it holds."""
    key = await api.write_key()
    transport = httpx.ASGITransport(create(replace(api.made, ring=KeyRing())))
    async with httpx.AsyncClient(transport=transport, base_url="http://yekta") as client:
        answer = await client.post("/v1/events", json=event("early"), auth=(key, ""))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_a_desk_that_has_not_read_its_keys_yet_sends_nobody_away(api: Api) -> None:
    """What an agent wrote is sent again until it is answered, and a page listens again: a 401 would end both."""
    token = await api.token("agent")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://yekta") as client:
        assert (await client.post("/sign-in", data={"token": token})).status_code == 200
        session = client.cookies
    unread = httpx.ASGITransport(create(replace(api.made, ring=KeyRing())))
    for transport, expected in ((httpx.ASGITransport(api.app), (303, 200)), (unread, (503, 503))):
        async with httpx.AsyncClient(transport=transport, base_url="http://yekta", cookies=session) as client:
            seated, signed_in = (
                await client.post("/extension", data={"extension": "7"}),
                await client.post("/sign-in", data={"token": token}),
            )
            assert (seated.status_code, signed_in.status_code) == expected
    async with httpx.AsyncClient(transport=unread, base_url="http://yekta", cookies=session) as client:
        assert {path: (await client.get(path)).status_code for path in ("/", "/board", "/live")} == {"/": 503, "/board": 503, "/live": 503}


async def test_under_a_wrong_master_key_nothing_is_accepted_whatever_is_sent(api: Api, tmp_path: Path) -> None:
    """Its hashes would be wrong for ever, also those of events in which nothing is to be sealed."""
    key = await api.write_key()
    settings = load(
        home=tmp_path,
        kafka=api.world.settings.kafka.model_dump(),
        postgres=api.world.settings.postgres.model_dump(),
        master_key="A" * 43,
    )
    with structlog.testing.capture_logs() as said:
        async with dependencies(settings, api.world.endpoints) as made:
            await until(lambda: made.ring.loaded and bool(said))
            transport = httpx.ASGITransport(create(made), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://yekta") as client:
                for content in (event("sealed"), event("clear", data={}), [event("batch")], event(type="")):
                    answer = await client.post("/v1/events", json=content, auth=(key, ""))
                    assert answer.status_code == 503, answer.text
                    assert answer.headers["retry-after"]
                assert not (await client.get("/readyz")).is_success
    shut = [line for line in said if line["log_level"] == "critical"]
    assert len(shut) == 1
    assert "The master key is not the one this database was sealed with." in shut[0]["why"]


async def test_what_kafka_does_not_acknowledge_is_not_accepted(api: Api) -> None:
    app = create(replace(api.made, log=Deaf()))
    key = await api.write_key()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://yekta") as client:
        for content in (event(), [event()], event(type="")):
            answer = await client.post("/v1/events", json=content, auth=(key, ""))
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["type"] == "/problems/unavailable"
        assert (await client.get("/readyz")).status_code == 503
        assert "yekta_lag{" not in (await client.get("/metrics")).text


async def test_a_publisher_without_a_broker_refuses_at_once_and_starts_all_the_same() -> None:
    publisher = Publisher({"bootstrap_servers": "127.0.0.1:1"}, timeout=1)
    starting = asyncio.create_task(publisher.start())
    with pytest.raises(NotAcknowledged):
        await publisher.publish("t", [(b"k", b"v", [])])
    assert not await publisher.reachable()
    starting.cancel()
    await publisher.stop()


async def test_a_producer_that_says_nothing_more_is_replaced(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a kill of the broker one stood still for good, and whoever published through it with it."""
    monkeypatch.setattr(publishing, "SILENT", 0.05)
    topic, send = api.world.topics.scores, AIOKafkaProducer.send_batch
    publisher = Publisher(endpoints(api.world.settings).kafka_client_kwargs)
    await publisher.start()

    async def silent(*arguments: Any, **more: Any) -> asyncio.Future[Any]:
        monkeypatch.setattr(AIOKafkaProducer, "send_batch", send)
        return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(AIOKafkaProducer, "send_batch", silent)
    with pytest.raises(NotAcknowledged):
        await publisher.publish(topic, [(b"k", b"lost", ())])
    monkeypatch.setattr(publishing, "SILENT", 30.0)

    async def published() -> bool:
        with contextlib.suppress(NotAcknowledged):
            await publisher.publish(topic, [(b"k", b"kept", ())])
            return True
        return False

    async with asyncio.timeout(30):
        while not await published():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)
    await publisher.stop()
    assert [record.value for record in await api.records(topic) if record.key == b"k"][-1] == b"kept"


async def test_who_is_asked_where_topics_end_and_never_answers_is_replaced(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers and `/metrics` ask through one client: if it hung, no timer would ring any more."""
    topic, ends = api.world.topics.inbox, AIOKafkaConsumer.end_offsets
    publisher = Publisher(endpoints(api.world.settings).kafka_client_kwargs)
    await publisher.start()
    known = await publisher.ends([topic])
    hanging = publisher._consumer

    async def never(self: Any, places: Any) -> Any:
        return await (asyncio.Event().wait() if self is hanging else ends(self, places))

    monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", never)
    monkeypatch.setattr(publishing, "ANSWER", 0.05)
    with pytest.raises(NotAcknowledged):
        await publisher.ends([topic])
    monkeypatch.setattr(publishing, "ANSWER", 30.0)
    assert await publisher.ends([topic]) == known
    await publisher.stop()


async def test_what_is_published_at_the_same_time_is_all_there_in_the_order_of_each(api: Api) -> None:
    topic = api.world.topics.inbox
    await asyncio.gather(
        *(api.made.log.publish(topic, [(b"%d" % sender, b"%d" % number, ()) for number in range(300)]) for sender in range(20))
    )
    heard: dict[bytes, list[int]] = {}
    for record in await api.records(topic):
        heard.setdefault(record.key, []).append(int(record.value))
    assert heard == {b"%d" % sender: list(range(300)) for sender in range(20)}


async def test_a_record_larger_than_a_batch_goes_alone(api: Api) -> None:
    topic = api.world.topics.dead_letters
    before = len(await api.records(topic))
    large = b"x" * (9 << 20)
    await asyncio.gather(*(api.made.log.publish(topic, [(b"", content, ())]) for content in (b"small", large, b"small")))
    after = (await api.records(topic))[before:]
    assert sorted(len(record.value) for record in after) == [5, 5, len(large)]
