"""A copy of a resolved world has its records where they were, and its database takes the copy's log for its own."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from infra import waiting
from infra.bench import ground, throughput, workers
from infra.bench.feed import append, prepare
from infra.bench.ground import World, customer_events, touchpoints
from infra.bench.resolved import Resolved
from infra.bench.workload import Mix
from infra.endpoints import Endpoints
from infra.settings import load

pytestmark = pytest.mark.engines


async def test_a_copy_has_what_was_resolved_where_it_was(engines: Endpoints, tmp_path: Path) -> None:
    settings = load(home=tmp_path, kafka={"bootstrap_servers": engines.bootstrap_servers}, postgres={"dsn": engines.dsn})
    async with ground.existing(settings) as here, prepare(here, Mix(7), 120) as prepared, here.world(like=prepared.world) as world:
        first, more = prepared.records[:100], prepared.records[100:]
        await append(world, first)
        await throughput.resolve(here, world)
        async with (await Resolved.of(world, first)).copy(here) as copy:
            for topic in (touchpoints, customer_events):
                assert await _held(copy, topic(copy)) == await _held(world, topic(world))
            positions = await _positions(copy)
            assert positions == {place: (offset, copy.topic_ids[touchpoints(copy)]) for place, (offset, _) in positions.items()}
            assert {place: offset for place, (offset, _) in positions.items()} == await waiting.ends(copy.endpoints, touchpoints(copy))
            await append(copy, more)
            await throughput.resolve(here, copy)  # goes on where it was: it ends when the log is not the one that it knows
            assert sum((await waiting.ends(copy.endpoints, customer_events(copy))).values()) >= len(prepared.records)


async def _held(world: World, topic: str) -> dict[int, list[tuple[bytes, bytes]]]:
    """The records of a topic, by partition."""
    consumer = AIOKafkaConsumer(**world.endpoints.kafka_client_kwargs, enable_auto_commit=False)
    await consumer.start()
    try:
        held: dict[int, list[tuple[bytes, bytes]]] = {}
        for partition, end in (await waiting.ends(world.endpoints, topic)).items():
            consumer.assign([TopicPartition(topic, partition)])
            consumer.seek(TopicPartition(topic, partition), 0)
            records = [await consumer.getone() for _ in range(end)]
            assert [record.offset for record in records] == list(range(end))
            held[partition] = [(record.key, record.value) for record in records]
        return held
    finally:
        await consumer.stop()


async def _positions(world: World) -> dict[int, tuple[int, str]]:
    async with workers.watching(world) as connection:
        rows = await connection.execute("SELECT partition, next_offset, topic_id FROM streams.positions WHERE processor = 'resolve'")
        return {partition: (offset, topic_id) for partition, offset, topic_id in await rows.fetchall()}
