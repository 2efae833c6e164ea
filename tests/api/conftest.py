"""The API over real engines, in this process: a client, and keys for everyone."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import FastAPI

from aggregates.access import Role
from aggregates.source import Source
from api.app import create
from api.ports import Dependencies
from infra.serving import dependencies
from tests.conftest import World

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one world."""

    world: World
    made: Dependencies
    app: FastAPI
    client: httpx.AsyncClient
    log: "Log"

    async def write_key(self, name: str = "web", **settings: Any) -> str:
        """A write key that the door knows already."""
        minted = await self.made.keys.create("tests", source=Source(name, **settings))
        return await self._known(minted.secret)

    async def token(self, role: Role = "admin") -> str:
        """A staff token that the API knows already."""
        minted = await self.made.keys.create("tests", role=role)
        return await self._known(minted.secret)

    async def _known(self, secret: str) -> str:
        await until(lambda: self.made.ring.of_secret(secret) is not None)
        return secret

    async def send(self, key: str, *events: dict[str, Any]) -> str:
        """Have events accepted; the position to wait for."""
        answer = await self.client.post("/v1/events", json=list(events), auth=(key, ""))
        assert [item["status"] for item in answer.json()["items"]] == ["accepted"] * len(events), answer.text
        return str(answer.json()["position"])

    async def get(self, token: str, path: str, *, after: str | None = None, status: int = 200, **query: str) -> Any:
        """What the API answers, once what was sent before is visible."""
        parameters = query | ({"after": after} if after else {})

        async def asked() -> httpx.Response:
            return await self.client.get(path, params=parameters, auth=(token, ""), timeout=60)

        answer = await answered(asked, lambda answer: answer.status_code != 504, 120)  # a worker takes a while to start
        assert answer.status_code == status, answer.text
        return answer.json()

    async def records(self, topic: str) -> list[Any]:
        """All records of a topic so far."""
        return await self.log.all(topic)


class Log:
    """Reads topics to their ends, each record once."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: int) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._read: dict[str, list[Any]] = {}

    async def all(self, topic: str) -> list[Any]:
        """What was read before, and what is new."""
        known = self._read.setdefault(topic, [])
        places = [TopicPartition(topic, number) for number in range(self._partitions)]
        ends = await self._consumer.end_offsets(places)
        self._consumer.assign(places)
        for place in places:
            self._consumer.seek(place, sum(1 for record in known if record.partition == place.partition))
        async with asyncio.timeout(60):
            while len(known) < sum(ends.values()):
                for some in (await self._consumer.getmany(timeout_ms=1000)).values():
                    known.extend(some)
        return known


async def breath() -> None:
    """Between two questions where nobody is told when the answer is there: who asks without pause holds the core on which it is made."""
    await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition; fail when it does not come."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)
    except TimeoutError as late:
        raise AssertionError(f"What was waited for has not come within {seconds:g} s") from late


async def answered(ask: Callable[[], Awaitable[Answer]], enough: Callable[[Answer], object] = bool, seconds: float = 60.0) -> Answer:
    """Ask until an answer is enough; fail with the last one when none comes. For what tells nobody that it is there."""
    last: object = "none at all"
    try:
        async with asyncio.timeout(seconds):
            while not enough(answer := await ask()):
                last = answer
                await breath()
            return answer
    except TimeoutError as late:
        raise AssertionError(f"After {seconds:g} s the last answer was still not enough: {last!r}") from late


@asynccontextmanager
async def running(
    world: World, name: str, *command: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command over the same world, as a process of its own."""
    postgres = world.settings.postgres.dsn
    assert postgres is not None
    variables = os.environ | {
        "YEKTA_HOME": str(world.settings.home),
        "YEKTA_KAFKA__BOOTSTRAP_SERVERS": world.endpoints.bootstrap_servers,
        "YEKTA_KAFKA__PREFIX": world.settings.kafka.prefix,
        "YEKTA_POSTGRES__DSN": postgres.get_secret_value(),
        **(environment or {}),
    }
    log = Path(world.settings.home) / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.cli", *command, env=variables, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def working(
    world: World, name: str = "w1", environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker over the same world, once it has all partitions: what is published before anybody works is in force some time later."""
    async with running(world, name, "worker", "--name", name, environment=environment) as process:
        await at_work(world, process)
        yield process


async def at_work(world: World, process: asyncio.subprocess.Process, seconds: float = 60.0) -> None:
    """Wait until the world's partitions are somebody's; fail when he who should have them ends."""
    postgres = world.settings.postgres.dsn
    assert postgres is not None
    async with asyncio.timeout(seconds), await psycopg.AsyncConnection.connect(postgres.get_secret_value(), autocommit=True) as connection:
        while True:
            cursor = await connection.execute("SELECT count(*) FROM streams.positions WHERE processor = 'customer'")
            row = await cursor.fetchone()
            if row is not None and row[0] >= world.partitions:
                return
            assert process.returncode is None
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def live(shared_world: World) -> AsyncIterator[Api]:
    """The API of the module's world, with a worker behind it."""
    async with serving(shared_world) as made, working(shared_world):
        yield made


@pytest.fixture(scope="module")
async def api(shared_world: World) -> AsyncIterator[Api]:
    """The API of the module's world."""
    async with serving(shared_world) as made:
        yield made


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[Api]:
    """The API over a world, ready to accept."""
    async with dependencies(world.settings, world.endpoints) as made:
        app = create(made)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://yekta") as client:
            await until(lambda: made.ring.loaded and made.secrets.free > 0)
            consumer = AIOKafkaConsumer(**world.kafka, enable_auto_commit=False)
            await consumer.start()
            try:
                yield Api(world, made, app, client, Log(consumer, world.partitions))
            finally:
                await consumer.stop()
