"""`yekta wait`: returns when all that was accepted before is visible, and says so when it never will be."""

import asyncio
import re

import msgspec
import pytest
from psycopg.conninfo import make_conninfo

from aggregates.wire import encoder
from infra import waiting
from infra.errors import Refusal
from infra.settings import PostgresSettings
from infra.status import status
from tests.conftest import World
from tests.streams.barest import CUSTOMER_EVENT
from tests.streams.crew import until
from tests.streams.house import House, hops, house
from tests.streams.test_without_engines_nothing_is_claimed import GONE, standing_still

pytestmark = pytest.mark.engines


async def test_it_returns_when_all_that_was_sent_before_is_in_the_views(world: World) -> None:
    async with house(world, hops(piece=5)) as home:
        for number in range(50):
            await home.send(f"{number}", who={"email": "a@x.ir"})
        await home.visible()
        assert await home.ask("SELECT events FROM read_1.view") == [(50,)]


async def test_it_says_so_when_it_took_too_long(world: World) -> None:
    async with house(world, lambda _: ()) as home:
        await home.send("1")
        with pytest.raises(Refusal, match=r"Not everything is visible after 0\.5 s\. `"):
            await waiting.wait(world.settings, within=0.5)


async def test_it_looks_once_before_it_gives_up(world: World) -> None:
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()
        await waiting.wait(world.settings, within=0)
    async with house(world, lambda _: ()) as home:
        await home.send("2")
        with pytest.raises(Refusal, match=r"Not everything is visible after 0 s\. `"):
            await waiting.wait(world.settings, within=0)


async def test_it_says_why_a_partition_stands_still_whichever_hop_it_is(world: World) -> None:
    newer = msgspec.structs.replace(CUSTOMER_EVENT, type="call.ended", yektaversion=99)
    async with house(world, hops(piece=5)) as home:
        await home.parts.publisher.publish(world.topics.customer_events, [(b"x", encoder.encode(newer), ())])
        await until(lambda: stands_still(home))
        with pytest.raises(Refusal, match=r"The processor customer stands still: call\.ended version 99"):
            await waiting.wait(world.settings, within=30)


async def stands_still(home: House) -> bool:
    return bool(await home.ask("SELECT 1 FROM streams.positions WHERE halted <> ''"))


async def test_it_says_where_a_worker_dies_again_and_again_and_so_does_the_status(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "QUIET", 0.2)
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()
    async with house(world, lambda _: ()) as home:
        await home.send("2", who={"email": "a@x.ir"})
        assert await first_said(world) == "Nothing has moved for 0.2 s: `yekta status` shows what lags, and what does not run."
        assert not any(hop.halted for hop in (await status(world.settings)).hops.values())
        dying = "UPDATE streams.positions SET deaths = 4 WHERE processor = 'resolve' AND next_offset = 1 RETURNING partition"
        ((where,),) = await home.ask(dying)
        died = f"its worker died 3 times at record 1 of partition {where}: "
        assert (await first_said(world)).startswith(f"The processor resolve gets no further: {died}")
        seen = await status(world.settings)
    assert (seen.well, [one.startswith(died) for one in seen.hops["resolve"].halted]) == (False, [True])


async def first_said(world: World) -> str:
    """What a wait says first, engines apart: on a busy machine they too may take longer than the moment that the tests make of `QUIET`."""
    said: asyncio.Queue[str] = asyncio.Queue()
    waits = asyncio.create_task(waiting.wait(world.settings, say=said.put_nowait))
    async with asyncio.timeout(60):
        while "does not answer" in (first := await said.get()):
            pass
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    return first


async def test_it_goes_on_waiting_when_its_connection_is_lost(world: World) -> None:
    async with house(world, lambda _: ()) as home:
        await home.send("1", who={"email": "a@x.ir"})
        waited = asyncio.create_task(waiting.wait(world.settings, within=60))
        await until(lambda: listens(home))
        await home.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'yekta-wait'")
        async with house(world, hops(piece=5)):
            await waited
    assert await home.ask("SELECT events FROM read_1.view") == [(1,)]


async def test_it_says_that_postgresql_does_not_answer_while_it_waits_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "QUIET", 0.2)

    async def waits_in_vain(address: str, why: str) -> None:
        said: list[str] = []
        away = {"dsn": f"postgresql://yekta:none@{address}/none"}
        settings = world.settings.model_copy(update={"postgres": PostgresSettings.model_validate(away)})
        with pytest.raises(Refusal) as gave_up:
            await waiting.wait(settings, within=5, say=said.append)
        said = [one for one in said if not one.startswith("Kafka")]
        assert len(said) >= 2
        assert all(re.fullmatch(rf"PostgreSQL at {address}/none does not answer{why}: it is waited for\.", one) for one in said), said
        named = rf"Not everything is visible after 5 s: PostgreSQL at {address}/none does not answer{why}\."
        assert re.fullmatch(named, gave_up.value.sentence), gave_up.value.sentence

    async with standing_still() as still:
        await asyncio.gather(waits_in_vain(still, r""), waits_in_vain(GONE, r" \(.+\)"))


@pytest.mark.parametrize(
    ("wrong", "why"), [({"password": "wrong"}, "password authentication failed"), ({"dbname": "none"}, "does not exist")]
)
async def test_whom_postgresql_does_not_let_in_does_not_wait(world: World, wrong: dict[str, str], why: str) -> None:
    settings = world.settings.model_copy(update={"postgres": PostgresSettings.model_validate({"dsn": make_conninfo(world.dsn, **wrong)})})
    with pytest.raises(Refusal, match=f"^PostgreSQL at .+ cannot be used: .*{why}"):
        await waiting.wait(settings, within=30)


async def listens(home: House) -> bool:
    return bool(await home.ask("SELECT 1 FROM pg_stat_activity WHERE application_name = 'yekta-wait' AND datname = current_database()"))
