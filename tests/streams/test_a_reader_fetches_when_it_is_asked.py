"""A lane's own consumer: what came during a batch is in the next one, not in the one after it."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.reader import Reader, started
from tests.conftest import World

pytestmark = pytest.mark.engines


@pytest.fixture
async def producer(world: World) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**world.kafka) as one:
        yield one


async def test_what_came_during_a_batch_is_taken_together_after_it(world: World, producer: AIOKafkaProducer) -> None:
    place = TopicPartition(world.topics.touchpoints, 1)
    reader = await started(lambda _: Reader(**world.kafka, enable_auto_commit=False, auto_offset_reset="none"), place)
    try:
        reader.seek(place, 0)
        taken = []
        for count in (1, 3, 2):
            for _ in range(count):  # each is there before the next is sent: who asks at once gets the first of them alone
                await producer.send_and_wait(place.topic, b"{}", partition=place.partition)
            taken.append(len((await reader.getmany(place, timeout_ms=10_000, max_records=2000))[place]))
        assert taken == [1, 3, 2]
    finally:
        await reader.stop()


async def test_it_begins_where_it_is_sent_and_goes_back_when_it_is_sent_back(world: World, producer: AIOKafkaProducer) -> None:
    place = TopicPartition(world.topics.touchpoints, 1)
    for number in range(5):
        await producer.send_and_wait(place.topic, b"%d" % number, partition=place.partition)
    reader = await started(lambda _: Reader(**world.kafka, enable_auto_commit=False, auto_offset_reset="none"), place)
    try:
        for begin in (3, 1):
            reader.seek(place, begin)
            records = (await reader.getmany(place, timeout_ms=10_000, max_records=2000))[place]
            assert [record.offset for record in records] == list(range(begin, 5))
    finally:
        await reader.stop()
