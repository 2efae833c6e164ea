"""People who were one by mistake and were split are, in all that is so now, as if the link had never been: told twice, and compared."""

from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from infra import database
from infra.endpoints import Endpoints
from infra.sealing import KeyRing
from tests.streams.crew import Connections
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import PARTITIONS, Memory
from tests.streams.twins import Story, members_as_told, so_now

pytestmark = pytest.mark.engines

AT_MOST = 4


@pytest.fixture
async def twin(engines: Endpoints, template: str) -> AsyncIterator[Ground]:
    """A second installation: nothing of the first is known there."""
    name = f"s{uuid4().hex[:12]}"
    dsn = await database.create_database(engines.dsn, name, template=template)
    pool, keys = Connections(dsn), KeyRing(MASTER, 200)
    async with database.open_pool(dsn) as lending:
        await keys.lease(lending)
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        yield Ground(Memory(Random(1)), pool, connection, keys)
    await pool.close()
    await database.drop_database(engines.dsn, name)


def one_more(ground: Ground, number: int) -> Ground:
    """The same installation, with partitions of this story's own."""
    return Ground(Memory(Random(1), base=number * PARTITIONS), ground.pool, ground.connection, ground.keys)


async def test_what_is_so_now_is_as_if_the_link_had_never_been(ground: Ground, twin: Ground, seed: int, histories: int) -> None:
    for number in range(min(AT_MOST, histories)):
        joined = Story(one_more(ground, number), seed + number, forbidden=False)
        never = Story(one_more(twin, number), seed + number, forbidden=True)
        try:
            for story in (joined, never):
                await story.play()
                assert not story.ground.letters
            found, expected = await so_now(joined), await so_now(never)
            for what, so in expected.items():
                assert found[what] == so, what
            for story in (joined, never):
                members = set(await story.ground.ask("SELECT customer_id, segment FROM signals.members"))
                assert await members_as_told(story.ground) == members
        except BaseException as error:
            error.add_note(f"--seed {seed + number} --histories 1: {joined}")
            raise
