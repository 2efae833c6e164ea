"""The connector against a scripted PBX: reconnects, restarts and files, and each fact of a call is in the log once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aggregates.wire import SealedTouchpoint, touchpoint_decoder
from infra.asterisk import cdr, queue_log
from infra.asterisk.connector import Connector
from infra.asterisk.connector import Pbx as Place
from infra.asterisk.reconcile import bring, merged
from infra.asterisk.store import Store
from infra.errors import Refusal
from tests.api.conftest import Api, breath, serving, until
from tests.api.serving import served
from tests.asterisk.pbx import CALLER, SECRET, USERNAME, Pbx, answered, hung_up, of_call, pbx, ringing
from tests.asterisk.test_what_a_pbx_says_becomes_facts_of_calls import QUEUE_LOG, leg
from tests.conftest import World

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
async def api(shared_world: World) -> AsyncIterator[Api]:
    """The API of the module's world."""
    async with serving(shared_world) as made:
        yield made


@asynccontextmanager
async def listening(there: Pbx, name: str, store: Store, url: str, key: str, secret: str = SECRET) -> AsyncIterator[Connector]:
    """A connector at work; leaving it is its death."""
    made = Connector(Place(name, "127.0.0.1", there.port, USERNAME, secret), store, url, key)
    running = asyncio.create_task(made.run())
    try:
        listens = asyncio.create_task(made.listening.wait())
        await asyncio.wait([listens, running], return_when=asyncio.FIRST_COMPLETED, timeout=20)
        if running.done():
            await running
        yield made
    finally:
        running.cancel()
        await asyncio.wait([running])


async def facts(api: Api, name: str, count: int) -> list[tuple[str, str]]:
    """Call and type of the first facts of a PBX in the log, as they came there."""
    async with asyncio.timeout(60):
        while True:
            told = [(one.id, one.type) for one in await sealed(api, name)]
            if len(told) >= count:
                return told
            await breath()


async def sealed(api: Api, name: str) -> list[SealedTouchpoint]:
    """The records of a PBX."""
    read = [touchpoint_decoder.decode(record.value) for record in await api.records(api.world.topics.touchpoints)]
    return [one for one in read if one.source == f"/asterisk/{name}"]


async def told(store: Store) -> None:
    await until(lambda: not store.waiting(1))


async def test_what_is_heard_is_in_the_log_also_over_a_lost_connection_and_a_restart_of_both(api: Api, tmp_path: Path) -> None:
    key, path = await api.write_key("pbx-1"), tmp_path / "pbx.sqlite"
    async with served(api) as url, pbx() as there:
        store = Store(path)
        async with listening(there, "one", store, url, key) as connector:
            await there.say(ringing())
            assert len(await facts(api, "one", 2)) == 2
            there.live = [of_call(CALLER)]
            await there.stop()  # the line is cut, the call goes on
            await until(lambda: not connector.listening.is_set())
            await there.start()
            await until(connector.listening.is_set)
            await there.say(answered())
            assert len(await facts(api, "one", 3)) == 3
            await told(store)
        store.close()  # the connector died
        there.live = []  # and Asterisk was restarted meanwhile: nobody said how the call ended
        store = Store(path)
        async with listening(there, "one", store, url, key):
            found = await facts(api, "one", 4)
            await told(store)
        store.close()
    assert [type_ for _, type_ in found] == ["call.queued", "call.ringing", "call.answered", "call.ended"]
    assert found[-1][0] == f"{CALLER}:ended"
    talked = [one.data for one in await sealed(api, "one") if one.type == "call.ended"]
    assert 0 <= json.loads(bytes(talked[0]))["talk_seconds"] < 30  # by Asterisk's clock, which is days behind here


async def test_what_was_not_told_before_a_death_is_told_after_it(api: Api, tmp_path: Path) -> None:
    key, path = await api.write_key("pbx-2"), tmp_path / "pbx.sqlite"
    async with pbx() as there:
        store = Store(path)
        async with listening(there, "two", store, "http://127.0.0.1:9", key):  # nobody is at the door
            await there.say([*ringing(), *answered(), *hung_up()])
            await until(lambda: len(store.waiting(10)) == 4)
        store.close()
        store = Store(path)
        async with served(api) as url, listening(there, "two", store, url, key):
            assert len(await facts(api, "two", 4)) == 4
            await told(store)
        store.close()


async def test_files_add_only_what_was_not_heard_live(api: Api, tmp_path: Path) -> None:
    key, store = await api.write_key("pbx-3"), Store(tmp_path / "pbx.sqlite")
    async with served(api) as url, pbx() as there:
        async with listening(there, "three", store, url, key):
            await there.say([*ringing(), *answered(), *hung_up()])
            await facts(api, "three", 4)
            await told(store)
        past = merged(
            queue_log.read(QUEUE_LOG.splitlines()),
            cdr.read([leg(CALLER, "09121234567", "600", talk=102), leg("3.1", "09127654321", "600")], "Asia/Tehran"),
        )
        first = await bring(past, "/asterisk/three", url, key)
        again = await bring(past, "/asterisk/three", url, key)
    store.close()
    assert (first.known, first.accepted, first.rejected) == (3, len(past) - 3, [])
    assert (again.known, again.accepted) == (len(past), 0)
    ends = [id_ for id_, type_ in await facts(api, "three", 4 + first.accepted) if type_ in {"call.ended", "call.abandoned"}]
    assert sorted(ends) == ["1795000000.1:ended", "1795000200.7:abandoned", "3.1:ended"]


async def test_a_wrong_secret_is_said_in_one_sentence(api: Api, tmp_path: Path) -> None:
    store = Store(tmp_path / "pbx.sqlite")
    async with pbx() as there:
        with pytest.raises(ExceptionGroup) as failed:
            async with listening(there, "four", store, "http://127.0.0.1:9", "key", secret="wrong"):
                pass
    store.close()
    assert any(isinstance(one, Refusal) and "does not let yekta in" in str(one) for one in failed.value.exceptions)
