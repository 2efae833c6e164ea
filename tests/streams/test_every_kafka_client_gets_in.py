"""The producers that channels have write to `inbox` as they please: their partitioners differ, and every event lands once, under one key.

librdkafka (confluent-kafka, kcat), aiokafka and kafkajs are the published packages, unmodified.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from aggregates.wire import touchpoint_decoder
from infra import waiting
from infra.topics import TopicNames
from projections.positions import table as positions
from tests.api.conftest import breath
from tests.browser.npm import NODE, Package, Unfetched, fetched, program
from tests.conftest import World
from tests.streams.test_the_inbox_takes_any_producer import inbox, taken

pytestmark = pytest.mark.engines

KAFKAJS = Package("kafkajs", "2.2.4", "j/YeapB1vfPT2iOIUn/vxdyKEuhuY2PxMBvf5JWux6iSaukAccrMtXEY/Lb7OvavDhOWME589bpLrEdnVHjfjA==")
DEVICES = 12
EACH = 24

SEND_JS = """
const { Kafka, Partitioners, logLevel } = require(process.argv[1]);
const [bootstrap, topic] = process.argv.slice(2);
let told = '';
process.stdin.on('data', (some) => { told += some; }).on('end', async () => {
  const kafka = new Kafka({ clientId: 'shop', brokers: [bootstrap], logLevel: logLevel.ERROR });
  const producer = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: JSON.parse(told).map(([key, value]) => (
    { key, value, headers: { 'content-type': 'application/cloudevents+json' } })) });
  await producer.disconnect();
});
"""


@dataclass(frozen=True, slots=True)
class Message:
    """An event as a producer has it."""

    key: str
    value: str


def messages(client: str) -> list[Message]:
    """Events of twelve devices, in turn."""
    made = []
    for number in range(EACH):
        device = f"d-{number % DEVICES}"
        data = {"who": {"device": device}, "url": "https://kafka.example/"}
        event = {"specversion": "1.0", "id": f"{client}-{number}", "source": "kafka.example", "type": "web.page_viewed", "data": data}
        made.append(Message(device, json.dumps(event)))
    return made


async def by_aiokafka(world: World, topic: str, sent: Sequence[Message]) -> None:
    async with AIOKafkaProducer(**world.kafka, acks="all") as producer:
        for one in sent:
            await producer.send(topic, one.value.encode(), key=one.key.encode())


async def by_confluent(world: World, topic: str, sent: Sequence[Message]) -> None:
    from confluent_kafka import Producer

    def produce() -> int:
        producer = Producer({"bootstrap.servers": world.endpoints.bootstrap_servers, "acks": "all"})
        for one in sent:
            producer.produce(topic, one.value, key=one.key, headers={"content-type": "application/cloudevents+json"})
        return int(producer.flush(30))

    assert await asyncio.to_thread(produce) == 0


async def by_kafkajs(world: World, topic: str, sent: Sequence[Message]) -> None:
    try:
        package = await asyncio.to_thread(fetched, KAFKAJS)
    except Unfetched as error:
        pytest.skip(str(error))
    told = json.dumps([[one.key, one.value] for one in sent])
    await _run([str(NODE), "-e", SEND_JS, str(package), world.endpoints.bootstrap_servers, topic], told)


async def by_kcat(world: World, topic: str, sent: Sequence[Message]) -> None:
    kcat = program("kcat", "kafkacat")
    if kcat is None:
        pytest.skip("there is no kcat on this machine")
    lines = "".join(f"{one.key}|{one.value}\n" for one in sent)
    await _run([kcat, "-P", "-b", world.endpoints.bootstrap_servers, "-t", topic, "-K", "|", "-X", "acks=all"], lines)


CLIENTS = {"aiokafka": by_aiokafka, "confluent-kafka": by_confluent, "kafkajs": by_kafkajs, "kcat": by_kcat}


async def _run(command: list[str], told: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1, stderr=-1)
    async with asyncio.timeout(60):
        _, complained = await process.communicate(told.encode())
    assert process.returncode == 0, complained.decode()


async def placed(world: World, topics: TopicNames, count: int) -> dict[str, dict[str, set[int]]]:
    """In which partitions of the inbox each client put each key."""
    consumer = AIOKafkaConsumer(topics.inbox, **world.kafka, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    try:
        for _ in range(count):
            record = await asyncio.wait_for(consumer.getone(), 30)
            client = json.loads(record.value)["id"].rpartition("-")[0]
            found[client][record.key.decode()].add(record.partition)
    finally:
        await consumer.stop()
    return found


async def by_available(world: World) -> list[str]:
    """Send with every client that there is; their names."""
    sent = []
    for name, send in CLIENTS.items():
        try:
            await send(world, world.topics.inbox, messages(name))
        except pytest.skip.Exception:
            continue
        sent.append(name)
    return sent


async def test_every_client_gets_in_and_its_partitioner_does_not_matter(world: World) -> None:
    sent = await by_available(world)
    assert {"aiokafka", "confluent-kafka"} <= set(sent)
    where = await placed(world, world.topics, EACH * len(sent))
    assert any(where["aiokafka"][key] != where["confluent-kafka"][key] for key in where["aiokafka"])  # they do not agree
    async with inbox(world):
        records = await taken(world, world.topics.touchpoints, EACH * len(sent))
    ids = [touchpoint_decoder.decode(record.value).id for record in records]
    assert sorted(ids) == sorted(json.loads(one.value)["id"] for name in sent for one in messages(name))
    homes: dict[bytes, set[int]] = defaultdict(set)
    order: dict[tuple[bytes, str], list[int]] = defaultdict(list)
    for record in records:
        homes[record.key].add(record.partition)
        client, _, number = touchpoint_decoder.decode(record.value).id.rpartition("-")
        order[record.key, client].append(int(number))
    assert len(homes) == DEVICES
    assert all(len(partitions) == 1 for partitions in homes.values())  # one subject, one partition, whoever sent
    assert all(numbers == sorted(numbers) for numbers in order.values())


@pytest.mark.parametrize("name", ["kafkajs", "kcat"])
async def test_clients_that_may_be_missing_are_named_when_they_are(world: World, name: str) -> None:
    await CLIENTS[name](world, world.topics.inbox, messages(name))
    where: dict[str, Any] = await placed(world, world.topics, EACH)
    assert set(where) == {name}


async def test_what_a_client_packs_is_read_whatever_it_packs_with(world: World) -> None:
    from confluent_kafka import Producer

    def produce(codec: str) -> int:
        producer = Producer({"bootstrap.servers": world.endpoints.bootstrap_servers, "acks": "all", "compression.type": codec})
        for one in messages(codec):
            producer.produce(world.topics.inbox, one.value, key=one.key)
        return int(producer.flush(30))

    codecs = ("gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        assert await asyncio.to_thread(produce, codec) == 0
    async with inbox(world):
        records = await taken(world, world.topics.touchpoints, EACH * len(codecs))
    got = {touchpoint_decoder.decode(record.value).id for record in records}
    assert got == {f"{codec}-{number}" for codec in codecs for number in range(EACH)}


async def test_what_a_transaction_took_back_was_never_said_and_nobody_waits_for_its_end(world: World) -> None:
    from confluent_kafka import Producer

    def produce() -> None:
        producer = Producer({"bootstrap.servers": world.endpoints.bootstrap_servers, "transactional.id": "shop"})
        producer.init_transactions(30)
        for client in ("taken-back", "said"):
            producer.begin_transaction()
            for one in messages(client):
                producer.produce(world.topics.inbox, one.value, key=one.key)
            producer.flush(30)
            (producer.commit_transaction if client == "said" else producer.abort_transaction)(30)

    await asyncio.to_thread(produce)
    async with inbox(world) as parts:
        records = await taken(world, world.topics.touchpoints, EACH)
        stand = await waiting.ends(world.endpoints, world.topics.inbox)
        async with asyncio.timeout(30), parts.pool.connection() as connection:
            while not await positions.passed(connection, "inbox", stand):
                await breath()
    assert {touchpoint_decoder.decode(record.value).id for record in records} == {f"said-{number}" for number in range(EACH)}
