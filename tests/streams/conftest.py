"""A database for each test; histories in it keep apart by their own partitions, identifiers and events."""

from collections.abc import AsyncIterator, Iterator
from random import Random
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from infra import database
from infra.endpoints import Endpoints
from infra.sealing import KeyRing
from streams import lane
from streams.record import Connection
from tests.streams.crew import Connections
from tests.streams.ground import Ground
from tests.streams.keys import MASTER
from tests.streams.memory import Memory
from tests.streams.scored import HORIZON, Play, playing


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Faults pass at once here: how long a lane waits between two tries is of no interest, and chance may make it try many times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "PAUSES", (0.001, 0.002, 0.005, 0.01))
        yield


@pytest.fixture
async def dsn(engines: Endpoints, template: str) -> AsyncIterator[str]:
    """A database of the test's own; the log is in memory."""
    name = f"s{uuid4().hex[:12]}"
    yield await database.create_database(engines.dsn, name, template=template)
    await database.drop_database(engines.dsn, name)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Connections]:
    """Connections of the workers."""
    connections = Connections(dsn)
    yield connections
    await connections.close()


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[Connection]:
    """A connection of the test itself, that sees what was committed."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as opened:
        yield opened


@pytest.fixture
async def keys(dsn: str) -> KeyRing:
    """The door's keys, which are the readers' too."""
    ring = KeyRing(MASTER, 200)
    async with database.open_pool(dsn) as pool:
        await ring.lease(pool)
    return ring


@pytest.fixture
def ground(pool: Connections, connection: Connection, keys: KeyRing) -> Ground:
    """Where one story plays."""
    return Ground(Memory(Random(1)), pool, connection, keys)


@pytest.fixture
async def play(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Where scores are given."""
    async with playing(ground, monkeypatch, {"horizon": HORIZON}) as play:
        yield play


@pytest.fixture
def histories(request: pytest.FixtureRequest) -> int:
    """How many histories to play."""
    return int(request.config.getoption("--histories"))
