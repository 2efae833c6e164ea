"""Real engines for the tests, and an isolated world in them for each test that wants one.

* `engines` (session): one embedded Kafka and one PostgreSQL, shared by all pytest-xdist workers of the session, started by
  the first test that asks (about 4 s) and stopped when the last worker is gone. `YEKTA_TEST_ENGINES=/some/home` uses that
  home instead: the engines of its `yekta up` if that runs, else its data (then sessions at the same time share the engines).
* `world` (function) and `shared_world` (module): a fresh database with the schema in it and a fresh topic prefix with its
  topics (about 0.2 s). Its `settings` name both as external engines, so every part of Yekta can be built from them.

Nothing here sleeps for its own sake, and nothing is left running.
"""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import randrange
from typing import Any
from zlib import crc32

import pytest
import uvloop
from hypothesis import settings as property_tests

from infra import database, generations
from infra.endpoints import Endpoints, endpoints
from infra.settings import Settings, load
from infra.topics import TopicNames, create_topics, topic_names
from tests.engine_keeper import KEPT, visiting

_TEMPLATE = "yekta_template"
PARTITIONS = 4
"""Of the worlds of tests: more than an installation makes, so that customers of one worker become one across partitions in all ways."""

# The same examples on every machine, however busy it is; `--hypothesis-profile=default` and `--new` look for new ones.
property_tests.register_profile("repeatable", derandomize=True, deadline=None)
property_tests.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much the random tests do."""
    random = parser.getgroup("random tests")
    random.addoption("--seed", type=int, default=None, help="begin with this seed instead of the test's own")
    random.addoption("--new", action="store_true", help="begin with seeds that nobody tried")
    random.addoption("--histories", type=int, default=60, help="how many random histories both hops play on PostgreSQL")
    random.addoption("--requests", type=int, default=10, help="how many requests of each kind every operation of the API gets")
    random.addoption("--kills", type=int, default=50, help="how often the chaos tests kill a process")
    random.addoption("--hang", action="store_true", help="also freeze a worker for as long as it takes others to take over")
    random.addoption("--standstill", type=float, default=5, help="for how many seconds PostgreSQL stands still in the chaos tests")


def pytest_configure() -> None:
    """Tests run on the loop that production runs on.

    Not by pytest-asyncio's hook for loop factories: that makes the loop a parameter of every async test, and pytest then
    groups them across modules, which sets up every module's fixtures twice.
    """
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Where a random test begins."""
    return seed_of(request)


def seed_of(request: pytest.FixtureRequest) -> int:
    """The same for a test on every machine, unless `--new` or `--seed` says otherwise; printed, so that `--seed` repeats it."""
    seed: int | None = request.config.getoption("--seed")
    if seed is None:
        seed = randrange(1_000_000) if request.config.getoption("--new") else crc32(request.node.nodeid.encode()) % 1_000_000
    print(f"--seed {seed}")
    return seed


@dataclass(frozen=True, slots=True)
class World:
    """What one test has for itself."""

    settings: Settings  # home, database and prefix are its own
    endpoints: Endpoints
    topics: TopicNames
    topic_ids: Mapping[str, str]
    partitions: int

    @property
    def dsn(self) -> str:
        return self.endpoints.dsn

    @property
    def kafka(self) -> Mapping[str, Any]:
        """For every aiokafka client."""
        return self.endpoints.kafka_client_kwargs


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """One Kafka and one PostgreSQL for the session."""
    base = tmp_path_factory.getbasetemp()
    session = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = Path(os.environ.get(KEPT, session / "engines"))
    with visiting(home):
        yield endpoints(load(home=home))


@pytest.fixture(scope="session")
def template(engines: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with the schema in it: copying it takes a tenth of making it."""
    return asyncio.run(_make_template(engines.dsn))


@pytest.fixture
async def world(engines: Endpoints, template: str, tmp_path: Path) -> AsyncIterator[World]:
    """A database and topics of this test alone."""
    async with _new_world(engines, template, tmp_path) as new:
        yield new


@pytest.fixture(scope="module")
async def shared_world(engines: Endpoints, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A database and topics shared by the tests of one module."""
    async with _new_world(engines, template, tmp_path_factory.mktemp("world")) as new:
        yield new


@asynccontextmanager
async def _new_world(engines: Endpoints, template: str, home: Path) -> AsyncIterator[World]:
    name = f"w{uuid.uuid4().hex[:12]}"
    dsn = await database.create_database(engines.dsn, name, template=template)
    settings = load(
        home=home,
        kafka={"bootstrap_servers": engines.bootstrap_servers, "prefix": f"{name}.", "partitions": PARTITIONS},
        postgres={"dsn": dsn},
    )
    here = endpoints(settings)
    topics = await create_topics(here.kafka_client_kwargs, prefix=settings.kafka.prefix, partitions=settings.kafka.partitions)
    try:
        yield World(settings, here, topic_names(settings.kafka.prefix), {topic: made.id for topic, made in topics.items()}, PARTITIONS)
    finally:
        await database.drop_database(engines.dsn, name)


async def _make_template(dsn: str) -> str:
    """Made anew when the migrations changed: their sums are in its name."""
    files = [*sorted(database.MIGRATIONS.glob("*.sql")), *generations.tables()]
    sums = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    name = f"{_TEMPLATE}_{sums}"
    async with await database.connect(dsn, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(1)")  # other workers wait here until it is whole
        known = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if await known.fetchone() is None:
            unborn = await database.create_database(dsn, f"{name}_new")
            async with await database.connect(unborn) as fresh:
                await database.migrate(fresh)
            await connection.execute(f'ALTER DATABASE "{name}_new" RENAME TO "{name}"')
    return name
