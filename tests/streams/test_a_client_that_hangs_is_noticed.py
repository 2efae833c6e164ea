"""A Kafka client that hangs ends its worker, which is started again; who rightly gets nothing is left alone."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from infra import database
from infra.watching import Asking, Stalled
from streams.stillness import OUTSIDE, Mark, Place, Watch, lacking, looked, overdue
from tests.conftest import World
from tests.streams.house import House, hops, house

EVERY, PATIENCE = 15.0, 60.0
ASSIGNED = dict.fromkeys(range(4), Mark(1, 0))
BEHIND = {("resolve", 1): Mark(1, 7)}


def watched(*looks: tuple[float, Mapping[Place, Mark] | None]) -> list[Place]:
    """Who is overdue after these looks."""
    watch = Watch(0.0)
    for at, lack in looks:
        watch = looked(watch, at, lack, every=EVERY)
    return overdue(watch, PATIENCE)


def test_only_who_has_something_to_read_lacks_it() -> None:
    waiting = {("resolve", 0): Mark(1, 5), ("resolve", 1): Mark(1, 7), ("yekta", 0): Mark(0, 0)}
    kept = {("resolve", 0): range(5), ("resolve", 1): range(8), ("yekta", 0): range(9, 9)}  # the last has let all of it go
    assert lacking(waiting, kept) == BEHIND


def test_who_lacks_the_same_for_long_is_overdue() -> None:
    looks = [(at, BEHIND) for at in (15.0, 30.0, 45.0, 60.0, 75.0)]
    assert watched(*looks[:-1]) == []
    assert watched(*looks) == [("resolve", 1)]
    assert watched(*((at, {("resolve", OUTSIDE): Mark()}) for at, _ in looks)) == [("resolve", OUTSIDE)]


@pytest.mark.parametrize(
    "between",
    [{}, None, {("resolve", 1): Mark(1, 8)}, {("resolve", 1): Mark(2, 7)}],
    ids=["nothing more was there", "Kafka did not answer", "it got further", "it was given anew"],
)
def test_whoever_lacked_nothing_in_between_has_his_time_again(between: Mapping[Place, Mark] | None) -> None:
    looks = [(15.0, BEHIND), (30.0, BEHIND), (45.0, between), (60.0, BEHIND), (75.0, BEHIND), (90.0, BEHIND), (105.0, BEHIND)]
    assert watched(*looks) == []
    assert watched(*looks, (120.0, BEHIND)) == [("resolve", 1)]


def test_a_process_that_was_frozen_does_not_take_that_time_for_standing_still() -> None:
    looks = [(15.0, BEHIND), (30.0, BEHIND), (330.0, BEHIND), (345.0, BEHIND), (360.0, BEHIND), (375.0, BEHIND)]
    assert watched(*looks) == []
    assert watched(*looks, (390.0, BEHIND)) == [("resolve", 1)]


class Hours:
    """A watch that looks as often as it would in some minutes, at once."""

    def __init__(self, home: House) -> None:
        self.now = 0.0
        self.watching = home.parts.watching(Asking(home.world.kafka), lambda: self.now)

    async def pass_by(self, looks: int = 6) -> None:
        for _ in range(looks):
            self.now += EVERY
            await self.watching.look()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def waiting(home: House, group: str) -> Mapping[int, Mark] | None:
    """In which partitions a processor waits for Kafka alone."""
    return next(reader.waiting() for reader in home.parts.watched if reader.group == f"{home.world.settings.kafka.prefix}{group}")


def hang(monkeypatch: pytest.MonkeyPatch, client: str, *, only: type | None) -> asyncio.Event:
    """From now on, until the event, this client and those of its partitions wait for answers, of one kind of request or of all."""
    send, until = AIOKafkaClient.send, asyncio.Event()

    async def never(self: Any, node: Any, request: Any, **more: Any) -> Any:
        if self._client_id.startswith(client) and (only is None or isinstance(request, only)):
            await until.wait()
        return await send(self, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", never)
    return until


@pytest.mark.engines
@pytest.mark.parametrize("only", [FetchRequest, None], ids=["it gets no records", "it does not join"])
async def test_a_client_that_hangs_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch, only: type | None) -> None:
    ends = hang(monkeypatch, "yekta-tests-resolve", only=only)
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        readers = ("customer", "inbox", "letters", *(["resolve"] if only else []))
        await until(lambda: all(waiting(home, group) == ASSIGNED for group in readers))  # who begins yet has another mark soon
        passing = Hours(home)
        await passing.pass_by(4)
        with pytest.raises(Stalled, match=rf"^Nothing comes of resolve{'-[0-3]' if only else ''}, "):
            await passing.pass_by(1)
        ((name, partition, times),) = await home.ask("SELECT processor, partition, times FROM streams.stalls")
        assert (name, partition >= 0, times) == ("resolve", only is not None, 1)
        ends.set()  # else it could not even be closed
        await until(lambda: only is not None or any(mark.settled for mark in (waiting(home, "resolve") or {}).values()))


@pytest.mark.engines
async def test_nobody_is_blamed_while_postgresql_stands_still(world: World) -> None:
    async with house(world, hops(piece=5)) as home, await database.connect(world.dsn) as beside:
        await until(lambda: waiting(home, "resolve") == ASSIGNED)
        await beside.execute("LOCK TABLE streams.positions")
        await home.send("1", who={"email": "a@x.ir"})
        await until(lambda: len(waiting(home, "resolve") or {}) == 3)
        await Hours(home).pass_by()
        await beside.commit()
        await home.visible()


@pytest.mark.engines
async def test_nobody_is_blamed_while_somebody_elses_transaction_is_open(world: World) -> None:
    async with (
        house(world, hops(piece=5)) as home,
        AIOKafkaProducer(**world.kafka, transactional_id=world.topics.inbox) as shop,
        AIOKafkaConsumer(**world.kafka) as anybody,
    ):
        async with shop.transaction():
            place = (await shop.send_and_wait(world.topics.inbox, b"{}", partition=0)).topic_partition
            await home.send("1", who={"email": "a@x.ir"})
            await until(lambda: waiting(home, "inbox") is not None)
            assert (await anybody.end_offsets([place]))[place] == 1
            await Hours(home).pass_by()
        await home.visible()


@pytest.mark.engines
async def test_nobody_is_blamed_while_kafka_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = hang(monkeypatch, "yekta-tests-resolve", only=FetchRequest)
    async with house(world, hops(piece=5)) as home:
        await until(lambda: waiting(home, "resolve") == ASSIGNED)
        await home.send("1", who={"email": "a@x.ir"})
        passing = Hours(home)
        passing.watching = home.parts.watching(Asking({"bootstrap_servers": "127.0.0.1:1"}), lambda: passing.now)
        await passing.pass_by()
        ends.set()
        await home.visible()


DEAF = """
import asyncio
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from infra.bootstrap import run_worker
from infra.settings import load

send = AIOKafkaClient.send

async def never(self, node, request, **more):
    if self._client_id == "yekta-deaf-agents" and isinstance(request, FetchRequest):
        await asyncio.Event().wait()
    return await send(self, node, request, **more)

AIOKafkaClient.send = never
run_worker(load(), "deaf")
"""


@pytest.mark.engines
async def test_a_worker_of_which_one_client_hangs_ends_and_says_of_what_nothing_came(world: World) -> None:
    async with AIOKafkaProducer(**world.kafka) as producer:
        await producer.send_and_wait(world.topics.signals, b"{}", partition=2)
    settings = world.settings.environment() | {"YEKTA_STANDSTILL": "3"}
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", DEAF, env=os.environ | settings, stdout=-1)
    async with asyncio.timeout(60):
        out, _ = await worker.communicate()
    said = [json.loads(line) for line in out.splitlines()]
    assert (worker.returncode, said[-1]["event"], said[-1]["error"]) == (70, "worker ends", "Stalled")
    hung = next(line for line in said if line["event"] == "kafka_client_hangs")
    assert hung["stalled"] == ["signals-2"]
