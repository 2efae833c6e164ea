"""People who were one by mistake and were split are, in all that is so now, as if the link had never been: told twice, and compared."""

from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from infra import database
from infra.endpoints import Endpoints
from infra.sealing import KeyRing
from projections.triggers import table
from projections.triggers.state import Signal
from tests.streams.crew import Connections
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import PARTITIONS, Memory
from tests.streams.people import BEGINNING
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
                owners = set(await story.owners())
                members = await story.ground.ask("SELECT customer_id, segment FROM signals.members")
                told = await members_as_told(story.ground)
                assert {one for one in told if one[0] in owners} == {one for one in members if one[0] in owners}
        except BaseException as error:
            error.add_note(f"--seed {seed + number} --histories 1: {joined}")
            raise


async def test_whom_a_signal_left_does_not_withdraw_it_from_whom_it_went_to(ground: Ground) -> None:
    """The customers of a split are in two partitions: one may claim what is his while the other still holds it for his own."""
    await ground.work()
    loser, owner = uuid4(), uuid4()
    signal = Signal(uuid4(), "often", 1, "/shop", "1", uuid4(), BEGINNING, BEGINNING, late=False)
    async with ground.pool.connection() as connection:
        assert await table.give(connection, 0, [(loser, signal)]) == {signal.id}
        await connection.execute("UPDATE signals.given SET customer_id = %s WHERE id = %s", (owner, signal.id))
        assert await table.withdraw(connection, [(loser, signal.id)]) == []
        (gone,) = await table.withdraw(connection, [(owner, signal.id)])
        assert (gone.id, gone.customer_id, gone.withdrawn) == (signal.id, owner, True)
        assert await table.give(connection, 0, [(loser, signal)]) == {signal.id}
