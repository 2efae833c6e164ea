"""The ground that is measured on: engines of our own in a throw-away home, and for every measurement a database and topics of its own.

Databases are copied from one that is prepared once: the schema, and for many also the data keys that the records of the workload are sealed
with. So the very same records are appended to each of their worlds. Reading order: Ground, own, existing, World.
"""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from infra import database, run_state
from infra.bench.usage import KAFKA, POSTGRES
from infra.endpoints import Endpoints, endpoints
from infra.engines import jars, ports
from infra.home import Home
from infra.running import running
from infra.settings import ApiSettings, DeliverySettings, KafkaSettings, PostgresSettings, Settings
from infra.topics import create_topics, topic_names


@dataclass(frozen=True, slots=True)
class World:
    """What one measurement has for itself; its settings make children that work in it."""

    settings: Settings
    endpoints: Endpoints
    topic_ids: Mapping[str, str]
    partitions: int

    @property
    def prefix(self) -> str:
        return self.settings.kafka.prefix


@dataclass(slots=True)
class Ground:
    """Engines to measure on."""

    settings: Settings  # of the worlds, but for their database, prefix and port
    endpoints: Endpoints
    engines: Mapping[str, int]  # the pids of those that run on this machine as ours
    folder: Path
    schema: str  # the database that has nothing but the schema
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @asynccontextmanager
    async def world(self, *, like: "World | None" = None) -> AsyncIterator[World]:
        """A database, a copy of that of `like` if given, and topics; removed at the end."""
        name = f"{_name(self.folder)}_{next(self._numbers)}"
        template = self.schema if like is None else _database_of(like)
        dsn = await database.create_database(self.endpoints.dsn, name, template=template)
        kafka = {"bootstrap_servers": self.endpoints.bootstrap_servers, "prefix": f"{name}."}
        settings = self.settings.model_copy(
            update={
                "kafka": self.settings.kafka.model_copy(update=kafka),
                "postgres": PostgresSettings(dsn=SecretStr(dsn)),
                "api": ApiSettings(host=ports.LOOPBACK, port=ports.choose()),
                "delivery": DeliverySettings(allow=ports.LOOPBACK, webhook_pace=10_000),  # webhooks of the bench itself
            }
        )
        here = endpoints(settings)
        try:
            topics = await create_topics(here.kafka_client_kwargs, prefix=f"{name}.", partitions=settings.kafka.partitions)
            try:
                yield World(settings, here, {topic: made.id for topic, made in topics.items()}, topics[f"{name}.touchpoints"].partitions)
            finally:
                await _delete(here, list(topics))
        finally:
            await database.drop_database(self.endpoints.dsn, name)


@asynccontextmanager
async def own(settings: Settings, *, progress: jars.Progress = jars.unseen) -> AsyncIterator[Ground]:
    """Embedded engines in a home that is thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="yekta-bench-"))
    try:
        kafka = KafkaSettings(partitions=settings.kafka.partitions, heap_mb=settings.kafka.heap_mb, jars_from=settings.kafka.jars_from)
        plain = settings.model_copy(update={"home": folder, "kafka": kafka, "postgres": PostgresSettings(), "master_key": None})
        async with (
            running(plain, notice=lambda _name, _what: None, progress=progress) as here,
            _ground(plain, here.endpoints, _pids(plain), folder) as ground,
        ):
            yield ground
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def existing(settings: Settings) -> AsyncIterator[Ground]:
    """The engines that the settings name, or that run in the home. What is in them is not touched."""
    folder = Path(tempfile.mkdtemp(prefix="yekta-bench-"))
    try:
        apart = settings.model_copy(update={"home": folder, "master_key": None})
        async with _ground(apart, endpoints(settings), _pids(settings), folder) as ground:
            yield ground
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _ground(settings: Settings, here: Endpoints, engines: Mapping[str, int], folder: Path) -> AsyncIterator[Ground]:
    """Ground whose schema is made: copying it takes a tenth of making it."""
    ground = Ground(settings, here, engines, folder, f"{_name(folder)}_schema")
    ground.logs.mkdir(exist_ok=True)
    dsn = await database.create_database(here.dsn, ground.schema)
    try:
        async with await database.connect(dsn) as connection:
            await database.migrate(connection)
        yield ground
    finally:
        await database.drop_database(here.dsn, ground.schema)


def _name(folder: Path) -> str:
    """What the names of all databases and topics on this ground begin with."""
    return f"bench_{folder.name.lower().replace('-', '_')}"


def _pids(settings: Settings) -> dict[str, int]:
    """Of the embedded engines: only their CPU time can be known."""
    children = run_state.read(Home(settings.home).run_state).children
    ours = [name for name, embedded in ((KAFKA, settings.embeds_kafka), (POSTGRES, settings.embeds_postgres)) if embedded]
    return {name: children[name].pid for name in ours if name in children and children[name].runs()}


def _database_of(world: World) -> str:
    dsn = world.settings.postgres.dsn
    assert dsn is not None  # noqa: S101 - every world names its database
    return database.place(dsn.get_secret_value()).rpartition("/")[2]


async def _delete(here: Endpoints, topics: list[str]) -> None:
    admin = AIOKafkaAdminClient(**here.kafka_client_kwargs)
    await admin.start()
    try:
        await admin.delete_topics(topics)
    finally:
        await admin.close()


def touchpoints(world: World) -> str:
    """The full name of the topic that doors write to."""
    return topic_names(world.prefix).touchpoints


def customer_events(world: World) -> str:
    """The full name of the topic that is folded."""
    return topic_names(world.prefix).customer_events
