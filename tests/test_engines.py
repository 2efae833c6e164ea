"""The embedded engines serve, and what is built on them at start: topics, migrations, isolated worlds."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from infra import database, topics
from infra.engines import jars, ports, warm_start
from infra.engines.kafka import Kafka
from infra.engines.supervisor import Supervisor
from infra.errors import Refusal
from infra.running import jar_cache
from infra.settings import load
from infra.topic_ids import ask, topic_ids
from infra.topics import create_topics
from tests.conftest import PARTITIONS, World

pytestmark = pytest.mark.engines


async def test_every_topic_has_an_id_and_the_partitions_that_were_set(world: World) -> None:
    there = (await ask(world.kafka, [world.topics.touchpoints, world.topics.churn_examples])).topics
    assert {name: topic.partitions for name, topic in there.items()} == {
        world.topics.touchpoints: PARTITIONS,
        world.topics.churn_examples: 1,
    }
    assert await topic_ids(world.kafka, world.topic_ids) == world.topic_ids
    assert len(set(world.topic_ids.values())) == 7


async def test_creating_topics_again_changes_nothing(world: World) -> None:
    again = await create_topics(world.kafka, prefix=world.settings.kafka.prefix, partitions=PARTITIONS)
    assert {name: topic.id for name, topic in again.items()} == world.topic_ids


async def test_topics_keep_the_partitions_they_have_where_no_number_is_set(world: World) -> None:
    """Who made them when another number was usual is not refused by a later version."""
    again = await create_topics(world.kafka, prefix=world.settings.kafka.prefix)
    assert {topic.partitions for name, topic in again.items() if name != world.topics.churn_examples} == {PARTITIONS}


async def test_new_topics_have_two_partitions_each_for_more_make_everybody_wait_longer(world: World) -> None:
    made = await create_topics(world.kafka, prefix=f"{world.settings.kafka.prefix}new.")
    assert Counter(topic.partitions for topic in made.values()) == {topics.PARTITIONS: 6, 1: 1}
    assert topics.PARTITIONS == 2


async def test_another_partition_count_is_refused_in_one_sentence(world: World) -> None:
    with pytest.raises(Refusal, match="has 4 partitions, and 8 are set"):
        await create_topics(world.kafka, prefix=world.settings.kafka.prefix, partitions=8)


async def test_a_world_has_the_schema(world: World) -> None:
    async with await database.connect(world.dsn) as connection:
        assert await database.migrate(connection) == []


@pytest.mark.chaos
async def test_kafka_starts_whatever_is_in_the_file_that_makes_it_start_faster(tmp_path: Path) -> None:
    """A torn or foreign file costs seconds, never the start."""
    class_path = await asyncio.to_thread(jars.fetch, jar_cache(load()))
    (tmp_path / "torn.aot").write_bytes(b"half a file")
    port = ports.choose()
    kafka = Kafka(
        tmp_path / "kafka",
        tmp_path / "kafka.log",
        port,
        ports.choose(taken={port}),
        class_path,
        java_options=(f"-XX:AOTCache={tmp_path / 'torn.aot'}",),
    )
    await asyncio.to_thread(kafka.prepare)
    supervisor = Supervisor(notice=lambda *_: None, changed=lambda: None)
    try:
        await supervisor.start(kafka.program())
        assert await kafka.answers()
    finally:
        await supervisor.stop()


@pytest.mark.chaos
async def test_kafka_keeps_its_data_in_its_folder_whatever_letters_are_in_it_and_fetches_what_strayed(tmp_path: Path) -> None:
    class_path = await asyncio.to_thread(jars.fetch, jar_cache(load()))
    port = ports.choose()
    kafka = Kafka(
        tmp_path / "خانه‌ی \\ ما 🌹 #!=" / "kafka", tmp_path / "kafka.log", port, ports.choose(taken={port}), class_path, heap_mb=128
    )
    await asyncio.to_thread(kafka.prepare)
    assert _names_in(tmp_path) == {kafka.folder.parent.name}
    formatted = (kafka.folder / "data" / "meta.properties").read_bytes()
    strayed = tmp_path / kafka.folder.parent.name.encode().decode("latin-1") / "kafka" / "data"
    strayed.parent.mkdir(parents=True)
    (kafka.folder / "data").rename(strayed)  # where it was kept before
    await asyncio.to_thread(kafka.prepare)
    assert (kafka.folder / "data" / "meta.properties").read_bytes() == formatted


def test_a_folder_that_kafka_takes_for_two_is_refused(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "a,b" / "kafka", tmp_path / "kafka.log", 1, 2, ())
    with pytest.raises(Refusal, match="comma"):
        kafka.prepare()


@pytest.mark.chaos
async def test_what_kafka_needs_to_start_faster_is_learnt_once(tmp_path: Path) -> None:
    class_path = await asyncio.to_thread(jars.fetch, jar_cache(load()))
    kafka = Kafka(tmp_path / "never-used", tmp_path / "kafka.log", ports.choose(), ports.choose(), class_path)
    target = warm_start.cache_file(tmp_path, class_path)
    await warm_start.learn(kafka, target)
    made = target.stat()
    assert made.st_size > 10_000_000
    await warm_start.learn(kafka, target)
    assert target.stat() == made
    assert _names_in(tmp_path) == {target.name, target.with_suffix(".lock").name}


def _names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}
