"""`yekta verify` and `yekta rebuild` beside live traffic: what the log says is what the tables say, and what was tampered with is found."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from random import Random
from uuid import UUID

import psycopg
import pytest
from msgspec.structs import replace

from infra import database, generations, refolding
from infra.errors import Refusal
from infra.refolding import Connection, rebuild, verify
from infra.status import rebuild_wanted
from projections.positions import table as positions
from projections.view.state import decode, encode
from tests.api.conftest import breath
from tests.conftest import World
from tests.shell import yekta
from tests.streams.house import House, hops, house

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
async def settled(shared_world: World) -> AsyncIterator[House]:
    """A house in which something has happened, merges included, and everything is at rest."""
    async with house(shared_world, hops(piece=5)) as home:
        await home.send_some(Random(7), "", people=3, count=60)
        await home.visible()
        yield home


async def test_what_nobody_touched_is_equal_and_has_the_same_hash_every_time(settled: House) -> None:
    first, again = await verify(settled.world.settings), await verify(settled.world.settings)
    assert first.equal
    assert first == again
    assert first.touchpoints == first.events == len(settled.sent)
    ((customers,),) = await settled.ask("SELECT count(*) FROM read_1.view")
    assert first.customers == customers > 0


TAMPERING = {
    "type": "'web.page_viewed'",
    "channel": "'web'",
    "source": "'elsewhere'",
    "amount": "99",
    "at": "at + interval '1 hour'",
    "occurred": "occurred + interval '1 hour'",
    "recorded": "recorded + interval '1 hour'",
    "decider": "'email:x'",
    "flags": "flags + 1",
    "record": "record || '\\x20'::bytea",
}
NAMES = {"at": "time"}


@pytest.mark.parametrize("column", TAMPERING)
async def test_a_row_that_was_tampered_with_is_found(settled: House, column: str) -> None:
    ((event, customer, before),) = await settled.ask(
        f"SELECT event_id, customer_id, {column} FROM read_1.timeline WHERE decider <> '' ORDER BY event_id LIMIT 1"
    )
    await settled.ask(f"UPDATE read_1.timeline SET {column} = {TAMPERING[column]} WHERE event_id = %s", event)
    try:
        verdict = await verify(settled.world.settings)
        assert not verdict.equal
        assert verdict.different == (str(customer),)
        assert verdict.how[str(customer)] == (f"the row of {event}: {NAMES.get(column, column)}",)
    finally:
        await settled.ask(f"UPDATE read_1.timeline SET {column} = %s WHERE event_id = %s", before, event)


async def test_a_search_that_finds_somebody_by_other_words_is_found(settled: House) -> None:
    """After an upgrade that takes names apart in another way nobody is found by it until a rebuild."""
    ((customer, kind, term),) = await settled.ask("SELECT customer_id, kind, term FROM read_1.terms ORDER BY 1, 2, 3 LIMIT 1")
    await settled.ask("DELETE FROM read_1.terms WHERE customer_id = %s AND kind = %s AND term = %s", customer, kind, term)
    try:
        verdict = await verify(settled.world.settings)
        assert verdict.how == {str(customer): (f"what he is found by: {kind}",)}
    finally:
        await settled.ask("INSERT INTO read_1.terms VALUES (%s, %s, %s)", customer, kind, term)


async def test_a_view_that_was_tampered_with_is_found(settled: House) -> None:
    ((customer, state),) = await settled.ask("SELECT customer_id, state FROM read_1.view LIMIT 1")
    wrong = encode(replace(decode(state), events=7, wall=False))
    await settled.ask("UPDATE read_1.view SET state = %s WHERE customer_id = %s", wrong, customer)
    try:
        verdict = await verify(settled.world.settings)
        assert verdict.how == {str(customer): ("the view: events, wall",)}
    finally:
        await settled.ask("UPDATE read_1.view SET state = %s WHERE customer_id = %s", state, customer)


async def test_a_row_that_is_missing_is_found_by_customer_and_by_event(settled: House) -> None:
    ((event, customer),) = await settled.ask("SELECT event_id, customer_id FROM read_1.timeline WHERE decider <> '' LIMIT 1")
    await settled.ask("CREATE TABLE read_1.kept AS SELECT * FROM read_1.timeline WHERE event_id = %s", event)
    await settled.ask("DELETE FROM read_1.timeline WHERE event_id = %s", event)
    try:
        verdict = await verify(settled.world.settings)
        assert verdict.how == {str(customer): (f"rows that are missing: {event}",)}
        assert verdict.missing == (str(event),)
    finally:
        await settled.ask("INSERT INTO read_1.timeline SELECT * FROM read_1.kept")
        await settled.ask("DROP TABLE read_1.kept")


async def test_an_event_that_is_under_two_customers_is_found(settled: House) -> None:
    ((event,),) = await settled.ask("SELECT event_id FROM read_1.timeline WHERE decider <> '' LIMIT 1")
    other = UUID(int=7)
    await settled.ask("CREATE TABLE read_1.copied AS SELECT * FROM read_1.timeline WHERE event_id = %s", event)
    await settled.ask("UPDATE read_1.copied SET customer_id = %s", other)
    await settled.ask("INSERT INTO read_1.timeline SELECT * FROM read_1.copied")
    try:
        verdict = await verify(settled.world.settings)
        assert verdict.how == {str(other): (f"rows that are not his: {event}",)}
    finally:
        await settled.ask("DELETE FROM read_1.timeline WHERE customer_id = %s", other)
        await settled.ask("DROP TABLE read_1.copied")


async def test_a_receipt_that_is_missing_is_found(settled: House) -> None:
    ((event,),) = await settled.ask("SELECT event_id FROM identity.receipts LIMIT 1")
    await settled.ask("CREATE TABLE identity.kept AS SELECT * FROM identity.receipts WHERE event_id = %s", event)
    await settled.ask("DELETE FROM identity.receipts WHERE event_id = %s", event)
    try:
        assert (await verify(settled.world.settings)).missing == (str(event),)
    finally:
        await settled.ask("INSERT INTO identity.receipts SELECT * FROM identity.kept")
        await settled.ask("DROP TABLE identity.kept")


async def test_verifying_leaves_nothing_behind(settled: House) -> None:
    await verify(settled.world.settings)
    assert await settled.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'verify'") == []
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"  # beside it other tests have theirs
    assert await settled.ask(f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND {here}") == []


@pytest.mark.parametrize("command", ["verify", "rebuild"])
async def test_one_at_a_time_folds_again_and_leaves_nothing_when_it_is_told_to_end(settled: House, command: str) -> None:
    """A second rebuild dropped what the first had just put in force."""
    words = (sys.executable, "-m", "infra.cli", command)
    made = "SELECT nspname FROM pg_namespace WHERE nspname IN ('verify', 'read_2')"
    async with await database.connect(settled.world.dsn) as beside:
        await beside.execute("LOCK TABLE streams.positions")
        environment = os.environ | settled.world.settings.environment()
        first = await asyncio.create_subprocess_exec(*words, env=environment, stdout=-1, stderr=-1)
        async with asyncio.timeout(60):
            while not await settled.ask(made):
                await breath()
        second = await yekta(settled.world, command)
        assert (second.code, second.err) == (78, f"yekta: Another `yekta {command}` is at work. Wait until it ends, or stop it.\n")
        first.terminate()
        async with asyncio.timeout(60):
            assert [await first.communicate(), first.returncode] == [(b"", b""), 130]
        assert await settled.ask(made) == []


async def test_verifying_says_so_when_nobody_works(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refolding, "REST_WITHIN", 0.2)
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()
    await home.ask("UPDATE streams.positions SET written = written + 1 WHERE processor = 'resolve'")
    with pytest.raises(Refusal, match="did not come to rest"):
        await verify(world.settings)


@pytest.mark.parametrize("piece", [2, 5000])
async def test_a_rebuild_beside_live_traffic_equals_live(world: World, piece: int) -> None:
    async with house(world, hops(piece)) as home:
        random = Random(piece)
        await home.send_some(random, "a", people=3, count=40)
        rebuilding = asyncio.create_task(rebuild(world.settings))
        batch = 0
        async with asyncio.timeout(120):
            while not rebuilding.done():
                await home.send_some(random, f"b{batch}", people=3, count=10)
                batch += 1
        assert await rebuilding == 2
        await home.send_some(random, "c", people=3, count=20)
        await home.visible()
        verdict = await verify(world.settings)
        assert verdict.equal, verdict
        assert verdict.events == len(home.sent)
        assert await home.ask("SELECT number FROM streams.generation") == [(2,)]


async def test_while_a_rebuild_comes_in_force_nobody_begins_to_fold_a_partition(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What he folded would be in the read models of before, and in none since."""
    switch, tried = generations.switch, 0

    async def switched(connection: Connection, number: int, home: Callable[[UUID], int]) -> None:
        nonlocal tried
        async with await database.connect(world.dsn) as beside:
            await beside.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await positions.assigned(beside, "customer", 0, world.topics.customer_events, "an id", 0, attempt=False)
            tried += 1
        await switch(connection, number, home)

    monkeypatch.setattr(generations, "switch", switched)
    assert await rebuild(world.settings) == 2
    assert tried == 1


async def test_whoever_was_joined_during_a_rebuild_is_whole_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuild has folded both when they become one; what it remembers of them must not outlive that."""
    async with house(world, hops(piece=5000)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()
        await home.send("2", who={"account": "b"})
        await home.visible()
        folded = refolding.Refold.up_to
        times = 0

        async def up_to(self: refolding.Refold, *arguments: object) -> None:
            nonlocal times
            await folded(self, *arguments)  # type: ignore[arg-type]
            times += 1
            if times == 1:
                await home.send("3", who={"email": "a@x.ir", "account": "b"})
                await home.visible()
                await folded(
                    self, dict(await home.ask("SELECT partition, next_offset FROM streams.positions WHERE processor = 'customer'"))
                )
                await home.send("4", who={"email": "a@x.ir"})
                await home.visible()

        monkeypatch.setattr(refolding.Refold, "up_to", up_to)
        await rebuild(world.settings)
        assert times > 1
        assert await home.ask("SELECT events FROM read_2.view") == [(4,)]
        assert (await verify(world.settings)).equal


async def test_a_rebuild_that_fails_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()

        async def fail(*_: object) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr(refolding.Refold, "up_to", fail)
        with pytest.raises(OSError, match="full"):
            await rebuild(world.settings)
        assert await home.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'read_2'") == []
        assert await home.ask("SELECT number FROM streams.generation") == [(1,)]


async def test_of_rebuilt_read_models_the_last_are_kept_until_the_next_time(world: World) -> None:
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()
        assert not (await verify(world.settings)).outdated
        await home.ask("COMMENT ON SCHEMA read_1 IS NULL")  # as it was made before there were marks
        assert (await verify(world.settings)).outdated
        assert await rebuild_wanted(home.world.endpoints)
        assert await rebuild(world.settings) == 2
        assert not await rebuild_wanted(home.world.endpoints)
        assert await rebuild(world.settings) == 3
        assert await home.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read%' ORDER BY 1") == [("read_2",), ("read_3",)]
        assert (await verify(world.settings)).equal
