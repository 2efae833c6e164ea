"""What Yekta decides reaches the log in order and each decision once, whoever dies while telling."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from aggregates.decision import Decision, Overtaken, Told
from infra.decisions import DecisionStore
from streams.points import Point, passed
from streams.relay import Relay
from tests.streams.crew import Gate, until
from tests.streams.ground import Ground
from tests.streams.people import BEGINNING

pytestmark = pytest.mark.engines


def tell(decision: Decision) -> Told | None:
    """Everything is told, but secrets."""
    if decision.tag == "notes.hidden":
        return None
    type_ = "sales.order_placed" if decision.tag == "notes.broken" else decision.tag
    at = BEGINNING + timedelta(minutes=decision.version)
    return Told(type_, at, {"email": "sara@x.ir"}, msgspec.json.decode(decision.state))


def decoded(value: bytes | None) -> Any:
    return msgspec.json.decode(value or b"")


def note(id_: UUID, version: int, tag: str = "notes.taken") -> Decision:
    return Decision(id_, version, tag, msgspec.json.encode({"number": version}))


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[DecisionStore]:
    opened = DecisionStore(dsn)
    yield opened
    opened.close()


@asynccontextmanager
async def relaying(ground: Ground, dsn: str, at: Point = passed) -> AsyncIterator[None]:
    """A process that tells; it is killed at the end."""

    async def replenish() -> None:
        return

    relay = Relay({"notes": tell}, ground.keys, ground.memory, dsn=dsn, prefix="", zone="UTC", replenish=replenish, at=at)
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(ground: Ground, notification: int) -> None:
    await until(lambda: ground.has("SELECT notification >= %s FROM decisions.relayed", notification))


async def test_decisions_become_events_of_the_customer_they_concern(ground: Ground, dsn: str, store: DecisionStore) -> None:
    id_ = uuid4()
    async with relaying(ground, dsn):
        await store.record([note(id_, 1), note(id_, 2, "notes.hidden")])
        await told(ground, await store.record([note(id_, 3)]))
    records = [decoded(record.value) for record in ground.memory.all("touchpoints")]
    assert [record["id"] for record in records] == [f"{id_}.1", f"{id_}.3"]
    assert {record["source"] for record in records} == {"/yekta/notes"}
    assert {record["yektakey"] for record in records} == {"yekta"}
    assert all("sara" not in str(record) for record in records)
    await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(2,)]


@pytest.mark.parametrize("point", ["relay.published"])
async def test_who_dies_after_telling_tells_again_and_it_counts_once(ground: Ground, dsn: str, store: DecisionStore, point: str) -> None:
    id_ = uuid4()
    last = await store.record([note(id_, version) for version in range(1, 6)])
    gate = Gate(point)
    async with relaying(ground, dsn, gate):
        await gate.wait()
    assert await ground.ask("SELECT notification FROM decisions.relayed") == [(0,)]
    async with relaying(ground, dsn):
        await told(ground, last)
    assert len(ground.memory.all("touchpoints")) == 10
    await ground.work()
    assert await ground.ask("SELECT events FROM read_1.view") == [(5,)]


async def test_of_two_processes_one_tells_and_the_other_goes_on(ground: Ground, dsn: str, store: DecisionStore) -> None:
    id_ = uuid4()
    first = relaying(ground, dsn)
    await first.__aenter__()
    await told(ground, await store.record([note(id_, 1)]))
    async with relaying(ground, dsn):
        await told(ground, await store.record([note(id_, 2)]))
        await first.__aexit__(None, None, None)
        await told(ground, await store.record([note(id_, 3)]))
    assert [decoded(record.value)["id"] for record in ground.memory.all("touchpoints")] == [f"{id_}.{n}" for n in (1, 2, 3)]


async def test_a_decision_that_breaks_its_contract_is_put_aside(ground: Ground, dsn: str, store: DecisionStore) -> None:
    id_ = uuid4()
    async with relaying(ground, dsn):
        await told(ground, await store.record([note(id_, 1, "notes.broken"), note(id_, 2)]))
    assert [decoded(record.value)["id"] for record in ground.memory.all("touchpoints")] == [f"{id_}.2"]
    (letter,) = ground.memory.all("dead-letters")
    assert dict(letter.headers)["yekta_reason"] == b"missing_field"


async def test_of_two_decisions_about_the_same_version_one_stands(ground: Ground, store: DecisionStore) -> None:
    id_ = uuid4()
    also = ("INSERT INTO decisions.commands (key, asked, id, version) VALUES (%s, '', %s, 1)", ("k", id_))
    await store.record([note(id_, 1)], [also])
    with pytest.raises(Overtaken):
        await store.record([note(id_, 1)], [("DELETE FROM decisions.commands", ())])
    assert await ground.ask("SELECT key FROM decisions.commands") == [("k",)]
    assert [decision.version for decision in await store.load(id_)] == [1]
