"""What commands say when an engine is gone, or stands still: one sentence where they can do nothing, and nothing that they cannot know."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from psycopg.conninfo import make_conninfo

from infra import database
from infra.cli.status import _show
from infra.engines import ports
from infra.errors import Refusal
from infra.status import Engine, Hop, Status
from tests.conftest import World
from tests.shell import yekta
from tests.streams.house import hops, house

pytestmark = pytest.mark.engines

GONE = "127.0.0.1:1"


@asynccontextmanager
async def standing_still() -> AsyncIterator[str]:
    """The address of a broker that takes connections and says nothing."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: taken.append(writer), "127.0.0.1", 0)
    try:
        yield "{}:{}".format(*server.sockets[0].getsockname())
    finally:
        server.close()
        for writer in taken:
            writer.close()


def without_kafka(world: World, address: str) -> World:
    return replace(world, endpoints=replace(world.endpoints, bootstrap_servers=address))


async def lived(world: World) -> None:
    """Something was sent and folded."""
    async with house(world, hops(piece=5)) as home:
        await home.send("1", who={"email": "a@x.ir"})
        await home.visible()


async def test_status_says_that_it_does_not_know_what_is_on_its_way(world: World) -> None:
    await lived(world)
    known = json.loads((await yekta(world, "status", "--json")).out)
    assert known["view_age_seconds"] == 0
    assert all(known["hops"][name]["lag"] == 0 for name in ("resolve", "customer"))
    async with standing_still() as still:
        gone, stands = without_kafka(world, GONE), without_kafka(world, still)
        shown, *answers = await asyncio.gather(yekta(gone, "status"), *(yekta(away, "status", "--json") for away in (gone, stands)))
        for said in answers:
            assert said.code == 1
            seen = json.loads(said.out)
            assert (seen["kafka"]["up"], bool(seen["kafka"]["why"])) == (False, True)
            assert (seen["view_age_seconds"], {hop["lag"] for hop in seen["hops"].values()}) == (None, {None})
            assert (seen["customers"], seen["events"]) == (1, 1)
        assert "everything is visible" not in shown.out
        assert shown.out.count("not known") >= 1 + len(seen["hops"])


async def test_status_says_that_it_does_not_know_what_is_kept_without_postgresql(world: World) -> None:
    away = replace(world, endpoints=replace(world.endpoints, dsn="postgresql://yekta:none@127.0.0.1:1/none"))
    said = await yekta(away, "status", "--json")
    assert said.code == 1
    seen = json.loads(said.out)
    assert (seen["postgres"]["up"], seen["postgres"]["why"]) == (False, "Connection refused")
    assert [seen[name] for name in ("customers", "events", "dead_letters", "view_age_seconds", "read_models")] == [None] * 5
    assert (await yekta(away, "status")).out.count("not known") == 5


@pytest.mark.parametrize("command", ["verify", "rebuild"])
async def test_what_cannot_be_done_without_postgresql_is_said_at_once_and_in_one_sentence(world: World, command: str) -> None:
    away = replace(world, endpoints=replace(world.endpoints, dsn="postgresql://yekta:none@127.0.0.1:1/none"))
    async with asyncio.timeout(25):  # a pool alone would try for thirty
        said = await yekta(away, command)
    assert (said.code, said.err.count("\n")) == (78, 1), said.err
    assert said.err.startswith("yekta: PostgreSQL at 127.0.0.1:1/none cannot be used: "), said.err


async def test_what_cannot_be_done_is_one_sentence(world: World) -> None:
    await lived(world)
    async with standing_still() as still:
        commands = ((GONE, "wait"), (GONE, "verify"), (GONE, "rebuild"), (still, "wait", "--timeout", "1"))
        answers = await asyncio.gather(*(yekta(without_kafka(world, address), *words) for address, *words in commands))
        for said in answers:
            assert said.code == 78, said
            assert said.err.startswith("yekta: "), said.err
            assert said.err.count("\n") == 1, said.err


async def test_a_database_that_is_not_migrated_yet_is_one_sentence_that_says_what_to_do(world: World) -> None:
    async with await database.connect(world.dsn) as connection:
        await connection.execute("ALTER TABLE streams.positions DROP let_go, DROP let_go_at")
        await connection.execute("DELETE FROM meta.migrations WHERE name = '0991_let_go'")
    said = await yekta(world, "status")
    assert (said.code, said.out) == (78, "")
    assert said.err == (
        f"yekta: The database at {database.place(world.dsn)} is older than this Yekta: it lacks the migration 0991_let_go."
        " Restart `yekta up`, or run `yekta prepare` where processes are started one by one.\n"
    )
    name = f"m{uuid4().hex[:12]}"
    empty = replace(world, endpoints=replace(world.endpoints, dsn=await database.create_database(world.dsn, name)))
    try:
        for words in (["wait", "--timeout", "5"], ["verify"], ["rebuild"], ["keys", "list"], ["learn"]):
            said = await yekta(empty, *words)
            assert (said.code, said.err.count("\n")) == (78, 1), (words, said.err)
            assert re.search(r"it lacks the migration 0001_\w+ and \d+ more\. Restart `yekta up`", said.err), said.err
    finally:
        await database.drop_database(world.dsn, name)
    assert (await yekta(world, "prepare")).code == 0
    assert (await yekta(world, "status")).code == 0


async def test_who_waits_where_the_topics_are_not_hears_that_and_not_that_kafka_is_away(world: World) -> None:
    kafka = world.settings.kafka.model_copy(update={"prefix": "nobodys."})
    said = await yekta(replace(world, settings=world.settings.model_copy(update={"kafka": kafka})), "wait")
    assert (said.code, said.err.count("\n")) == (78, 1), said.err
    assert said.err.startswith(f"yekta: Kafka at {world.endpoints.bootstrap_servers} has no topic nobodys.inbox. "), said.err


async def test_who_is_started_before_the_database_says_what_it_waits_for_and_goes_on_when_that_is_there(world: World) -> None:
    name = f"m{uuid4().hex[:12]}"
    dsn = make_conninfo(world.dsn, dbname=name)
    said: asyncio.Queue[object] = asyncio.Queue()
    waiting = asyncio.create_task(database.answering(dsn, said.put_nowait, migrated=True))
    try:
        assert re.search(rf"^PostgreSQL at .*{name} cannot be used: .*does not exist. It is waited for. Where", str(await said.get()))
        await database.answering(await database.create_database(world.dsn, name), said.put_nowait)
        told = str(await said.get())
        assert re.search(r"it lacks the migration 0001_\w+ and \d+ more\. It is waited for\. .* run `yekta prepare`", told), told
        async with await database.connect(dsn) as connection:
            await database.migrate(connection)
        await waiting
    finally:
        await database.drop_database(world.dsn, name)
    with pytest.raises(Refusal, match="DSN cannot be read"):
        await database.answering("host=here nonsense=1", said.put_nowait)


@pytest.mark.parametrize("command", ["api", "worker"])
async def test_a_process_that_is_started_before_the_database_says_so(world: World, command: str) -> None:
    away = world.settings.environment() | {"YEKTA_POSTGRES__DSN": "postgresql://yekta:none@127.0.0.1:1/none"}
    away |= {"YEKTA_API__PORT": str(ports.choose())}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "infra.cli", command, env=os.environ | away, stdout=-3, stderr=-1)
    assert process.stderr is not None
    said = (await process.stderr.readline()).decode()
    process.kill()
    await process.wait()
    assert said.startswith("yekta: PostgreSQL at 127.0.0.1:1/none cannot be used: "), said
    assert " It is waited for. " in said


@pytest.mark.parametrize("command", ["api", "worker"])
async def test_a_process_that_postgresql_never_lets_in_ends_with_a_sentence(world: World, command: str) -> None:
    shut_out = replace(world, endpoints=replace(world.endpoints, dsn=make_conninfo(world.dsn, password="wrong")))
    async with asyncio.timeout(25):
        said = await yekta(shut_out, command, *(["--port", str(ports.choose())] if command == "api" else []))
    assert (said.code, said.err.count("\n")) == (78, 1), said.err
    assert said.err.startswith(f"yekta: PostgreSQL at {database.place(world.dsn)} cannot be used: password authentication failed"), said.err


def test_why_something_stands_still_is_shown_as_it_was_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    why = "Odd [/red] [bold]"
    _show(Status(Engine(True, ""), Engine(True, ""), {}, {"customer": Hop(1, 0.0, None, (why,))}, None, None, None, None, None))
    assert "".join(capsys.readouterr().out.split()).count("Odd[/red][bold]") == 1
