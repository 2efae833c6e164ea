"""The embedded engines serve, and what is built on them at start: topics, migrations, isolated worlds."""

import pytest

from infra import database
from infra.errors import Refusal
from infra.topic_ids import ask, topic_ids
from infra.topics import create_topics
from tests.conftest import World

pytestmark = pytest.mark.engines


async def test_every_topic_has_an_id_and_the_partitions_that_were_set(world: World) -> None:
    there = (await ask(world.kafka, [world.topics.touchpoints, world.topics.churn_examples])).topics
    assert {name: topic.partitions for name, topic in there.items()} == {world.topics.touchpoints: 4, world.topics.churn_examples: 1}
    assert await topic_ids(world.kafka, world.topic_ids) == world.topic_ids
    assert len(set(world.topic_ids.values())) == 7


async def test_creating_topics_again_changes_nothing(world: World) -> None:
    again = await create_topics(world.kafka, prefix=world.settings.kafka.prefix, partitions=4)
    assert {name: topic.id for name, topic in again.items()} == world.topic_ids


async def test_another_partition_count_is_refused_in_one_sentence(world: World) -> None:
    with pytest.raises(Refusal, match="has 4 partitions, and 8 are set"):
        await create_topics(world.kafka, prefix=world.settings.kafka.prefix, partitions=8)


async def test_a_world_has_the_schema(world: World) -> None:
    async with await database.connect(world.dsn) as connection:
        assert await database.migrate(connection) == []
