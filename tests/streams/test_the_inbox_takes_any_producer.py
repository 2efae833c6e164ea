"""What any Kafka client writes to `inbox` is checked, sealed and appended under the right key; what is wrong is kept as it was."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from aggregates import dead_letter
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import record_key
from aggregates.source import Source
from aggregates.touchpoint import event_id
from aggregates.wire import touchpoint_decoder
from infra.access import KeyStore
from infra.parts import Parts
from infra.status import status
from projections.positions import table as positions
from streams.inbox import KEY, SOURCE
from tests.api.conftest import breath, serving, working
from tests.conftest import World
from tests.shell import yekta

pytestmark = pytest.mark.engines

DATA = {"who": {"device": "d-1"}, "url": "https://kafka.example/"}
BINARY = {"ce_specversion": "1.0", "ce_id": "b-1", "ce_source": "kafka.example", "ce_type": "web.page_viewed", "ce_subject": "undefined"}


@asynccontextmanager
async def inbox(world: World) -> AsyncIterator[Parts]:
    """The processor at work."""
    parts = Parts(world.settings, world.endpoints, "inbox-test")
    await parts.open()
    running = asyncio.create_task(parts.runner(parts.processors()[0]()).run())
    try:
        yield parts
    finally:
        running.cancel()
        await asyncio.wait([running])
        await parts.stack.aclose()


async def taken(world: World, topic: str, count: int) -> list[Any]:
    """The first records of a topic."""
    consumer = AIOKafkaConsumer(topic, **world.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def write(world: World, value: bytes, headers: Mapping[str, str | None], key: bytes | None = None) -> None:
    """A foreign producer."""
    encoded = [(name, None if text is None else text.encode()) for name, text in headers.items()]
    async with AIOKafkaProducer(**world.kafka) as producer:
        await producer.send_and_wait(world.topics.inbox, value, key=key, headers=encoded)


async def test_binary_and_structured_events_become_touchpoints_under_their_subjects_key(world: World) -> None:
    structured = {"specversion": "1.0", "id": "s-1", "source": "kafka.example", "type": "web.page_viewed", "data": DATA}
    await write(world, json.dumps(DATA).encode(), BINARY, key=b"whatever")
    await write(world, json.dumps(structured).encode(), {"content-type": "application/cloudevents+json"}, key=b"another")
    async with inbox(world) as parts:
        records = await taken(world, world.topics.touchpoints, 2)
        touchpoint = read(structured, SOURCE, datetime.now(UTC))
        assert not isinstance(touchpoint, Refusal)
        expected = record_key(parts.keys, "inbox", "kafka.example", touchpoint.subject)
    assert {record.key for record in records} == {expected}
    assert {touchpoint_decoder.decode(record.value).id for record in records} == {"b-1", "s-1"}
    assert {touchpoint_decoder.decode(record.value).yektakey for record in records} == {"inbox"}


async def test_what_is_wrong_is_a_dead_letter_with_its_bytes_and_its_neighbour_goes_on(world: World) -> None:
    await write(world, b"{no json", {})
    await write(world, json.dumps({"who": {"device": "d-1"}}).encode(), BINARY | {"ce_id": "b-2"})
    await write(world, json.dumps(DATA).encode(), BINARY | {"ce_id": "b-3"})
    async with inbox(world) as parts:
        (record,) = await taken(world, world.topics.touchpoints, 1)
        letters = [dead_letter.read(r.key, r.value, r.headers) for r in await taken(world, world.topics.dead_letters, 2)]
        async with parts.pool.connection() as connection:
            await parts.keys.fetch(connection, [letter.seal for letter in letters if isinstance(letter, dead_letter.DeadLetter)])
        kept = {letter.reason: dead_letter.unearth(letter, parts.keys) for letter in letters if isinstance(letter, dead_letter.DeadLetter)}
    assert touchpoint_decoder.decode(record.value).id == "b-3"
    named = {letter.reason: letter.event for letter in letters if isinstance(letter, dead_letter.DeadLetter)}
    assert named == {"not_json": None, "missing_field": event_id("inbox", "kafka.example", "b-2")}  # by it its sender asks
    assert kept["not_json"] == b"{no json"
    assert json.loads(kept["missing_field"])["id"] == "b-2"


async def test_a_day_of_a_source_whose_zone_nobody_knows_costs_no_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = KeyStore(world.dsn, lambda: datetime.now(UTC))
    with closing(store), monkeypatch.context() as before:  # keys were made so before zones were looked at
        before.setattr("aggregates.access.known_zone", lambda name: name)
        lost = (await store.create("tests", source=Source("lost", zone="Foo/Bar"))).secret
    for id_, time in (("day", "2026-11-25"), ("moment", "2026-11-25T10:00:00Z")):
        await write(world, json.dumps(DATA).encode(), BINARY | {"ce_id": id_, "ce_time": time, KEY: lost})
    async with inbox(world):
        (record,) = await taken(world, world.topics.touchpoints, 1)
        (letter,) = [dead_letter.read(r.key, r.value, r.headers) for r in await taken(world, world.topics.dead_letters, 1)]
    assert touchpoint_decoder.decode(record.value).id == "moment"
    assert isinstance(letter, dead_letter.DeadLetter)
    assert (letter.source, letter.reason, letter.pointer) == ("lost", "wrong_time", "/time")


async def test_a_record_with_a_write_key_is_its_sources_and_one_with_another_key_is_refused(world: World) -> None:
    store = KeyStore(world.dsn, lambda: datetime.now(UTC))
    with closing(store):
        shop = (await store.create("tests", source=Source("shop", types=("web.*",)))).secret
        ended = await store.create("tests", source=Source("gone"))
        await store.revoke(ended.key.id, "tests")
    for number, (secret, type_) in enumerate(((shop, "web.page_viewed"), (shop, "sales.order_placed"), (ended.secret, "web.page_viewed"))):
        headers = BINARY | {"ce_id": f"k-{number}", "ce_type": type_, KEY.title(): secret}
        await write(world, json.dumps(DATA).encode(), headers)
    async with inbox(world):
        (record,) = await taken(world, world.topics.touchpoints, 1)
        letters = [dead_letter.read(r.key, r.value, r.headers) for r in await taken(world, world.topics.dead_letters, 2)]
    assert touchpoint_decoder.decode(record.value).yektakey == "shop"
    assert {(one.source, one.reason, one.event) for one in letters if isinstance(one, dead_letter.DeadLetter)} == {
        ("shop", "type_not_allowed", event_id("shop", "kafka.example", "k-1")),
        ("inbox", "unknown_key", event_id("inbox", "kafka.example", "k-2")),
    }


async def test_a_header_without_a_value_is_as_if_it_were_absent_and_costs_no_worker(world: World) -> None:
    await write(world, json.dumps(DATA).encode(), BINARY | {"ce_id": "n-1", "ce_time": None, "trace": None})
    await write(world, json.dumps(DATA).encode(), BINARY | {"ce_id": "n-2", KEY: None})
    async with inbox(world):
        (record,) = await taken(world, world.topics.touchpoints, 1)
        (letter,) = [dead_letter.read(r.key, r.value, r.headers) for r in await taken(world, world.topics.dead_letters, 1)]
    assert touchpoint_decoder.decode(record.value).id == "n-1"
    assert isinstance(letter, dead_letter.DeadLetter)
    assert (letter.reason, letter.event) == ("unknown_key", event_id("inbox", "kafka.example", "n-2"))


@pytest.mark.parametrize("while_it_works", [False, True])
async def test_what_was_let_go_before_anybody_read_it_is_counted_and_the_rest_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, while_it_works: bool
) -> None:
    """The topic keeps its records for seven days, and nobody may have worked for longer."""
    for number in range(5):
        await write(world, json.dumps(DATA).encode(), BINARY | {"ce_id": f"g-{number}"}, key=b"one partition")
    consumer = AIOKafkaConsumer(world.topics.inbox, **world.kafka)
    await consumer.start()
    (there,) = [tp for tp, end in (await consumer.end_offsets(list(consumer.assignment()))).items() if end]
    await consumer.stop()
    await _let_go(world, there, before=3)
    if while_it_works:
        unasked = [there]

        async def as_it_was_at_first(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            if partitions == unasked:
                unasked.clear()
                return {there: 0}
            return dict(await AIOKafkaConsumer.beginning_offsets(consumer, partitions))

        monkeypatch.setattr("infra.parts.AIOKafkaConsumer", type("Before", (AIOKafkaConsumer,), {"beginning_offsets": as_it_was_at_first}))
    async with inbox(world) as parts:
        records = await taken(world, world.topics.touchpoints, 2)
        async with asyncio.timeout(60), parts.pool.connection() as connection:
            while (await positions.positions(connection, "inbox")).get(there.partition) != 5:
                await breath()
    assert {touchpoint_decoder.decode(record.value).id for record in records} == {"g-3", "g-4"}
    told = (await status(world.settings)).hops["inbox"]
    assert (told.let_go, told.lag, told.halted) == (3, 0, ())
    assert told.let_go_at is not None
    said = await yekta(world, "status")
    assert "3 records of inbox were let go unread" in said.out
    async with serving(world) as api:
        assert f'yekta_let_go_total{{partition="{there.partition}",processor="inbox"}} 3.0' in (await api.client.get("/metrics")).text


async def _let_go(world: World, there: TopicPartition, before: int) -> None:
    admin = AIOKafkaAdminClient(**world.kafka)
    await admin.start()
    try:
        await admin.delete_records({there: RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()


@pytest.mark.parametrize("binary", [True, False])
async def test_whoever_sent_what_is_refused_is_told_so_under_its_id(shared_world: World, binary: bool) -> None:
    id_ = f"refused-{binary}"
    data = {"url": "https://kafka.example/", "who": {"phone": "12"}}
    event = {"specversion": "1.0", "id": id_, "source": "kafka.example", "type": "web.page_viewed", "data": data}
    sent = (json.dumps(data), BINARY | {"ce_id": id_}) if binary else (json.dumps(event), {})
    async with serving(shared_world) as api, working(shared_world):
        await write(shared_world, sent[0].encode(), sent[1])
        agent = await api.token("agent")
        async with asyncio.timeout(60):
            while (told := await api.client.get(f"/v1/events/kafka.example/{id_}?key=inbox", auth=(agent, ""))).status_code == 404:
                await breath()
    assert (told.json()["state"], told.json()["refused"]["pointer"]) == ("refused", "/data/who/phone")
