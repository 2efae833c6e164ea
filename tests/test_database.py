"""Migrations run once each, in order, whole or not at all, whoever starts at the same time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from infra import database, generations
from infra.endpoints import Endpoints
from infra.errors import Refusal

pytestmark = pytest.mark.engines


@pytest.fixture
async def dsn(engines: Endpoints) -> AsyncIterator[str]:
    """An empty database."""
    name = f"m{uuid4().hex[:12]}"
    yield await database.create_database(engines.dsn, name)
    await database.drop_database(engines.dsn, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_shelf.sql").write_text("CREATE TABLE shelf (book text); INSERT INTO shelf VALUES ('Shahnameh');")
    (tmp_path / "0002_reader.sql").write_text("ALTER TABLE shelf ADD reader text;")
    (tmp_path / "notes.txt").write_text("not a migration")
    return tmp_path


async def migrate(dsn: str, folder: Path) -> list[str]:
    async with await database.connect(dsn) as connection:
        return await database.migrate(connection, folder)


async def ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with await database.connect(dsn) as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_each_runs_once_in_order(dsn: str, folder: Path) -> None:
    assert await migrate(dsn, folder) == ["0001_shelf", "0002_reader"]
    assert await migrate(dsn, folder) == []
    (folder / "0003_more.sql").write_text("INSERT INTO shelf VALUES ('Masnavi', 'Sara');")
    assert await migrate(dsn, folder) == ["0003_more"]
    assert await ask(dsn, "SELECT book, reader FROM shelf ORDER BY book") == [("Masnavi", "Sara"), ("Shahnameh", None)]


async def test_a_folder_without_migrations_is_fine(dsn: str, tmp_path: Path) -> None:
    assert await migrate(dsn, tmp_path) == []


async def test_one_that_fails_leaves_nothing_and_those_before_it_stay(dsn: str, folder: Path) -> None:
    (folder / "0003_broken.sql").write_text("CREATE TABLE half (a int); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(psycopg.errors.UndefinedTable):
        await migrate(dsn, folder)
    assert await ask(dsn, "SELECT to_regclass('half') IS NULL, to_regclass('shelf') IS NOT NULL") == [(True, True)]
    (folder / "0003_broken.sql").write_text("CREATE TABLE half (a int);")
    assert await migrate(dsn, folder) == ["0003_broken"]


async def test_processes_that_start_together_run_it_once(dsn: str, folder: Path) -> None:
    ran = await asyncio.gather(*(migrate(dsn, folder) for _ in range(5)))
    assert sorted(ran) == [[], [], [], [], ["0001_shelf", "0002_reader"]]


async def test_one_that_was_changed_after_it_ran_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0002_reader.sql").write_text("ALTER TABLE shelf ADD reader integer;")
    with pytest.raises(Refusal, match="0002_reader is not the one this database ran"):
        await migrate(dsn, folder)


async def test_a_database_of_a_newer_version_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0002_reader.sql").unlink()
    with pytest.raises(Refusal, match="made by a newer Yekta: it has the migration 0002_reader"):
        await migrate(dsn, folder)


async def test_no_table_is_cut_into_parts_that_each_statement_is_planned_for(dsn: str) -> None:
    async with await database.connect(dsn) as connection:
        await database.migrate(connection)
        await generations.ensure(connection)
    assert await ask(dsn, "SELECT partrelid::regclass::text FROM pg_partitioned_table") == []


async def test_what_was_kept_in_tables_that_were_cut_is_kept(dsn: str, tmp_path: Path) -> None:
    before, whole = tmp_path / "before", sorted(database.MIGRATIONS.glob("*.sql"))
    before.mkdir()
    for migration in whole:
        if migration.name < "1004":
            (before / migration.name).write_bytes(migration.read_bytes())
    await migrate(dsn, before)
    tables = {
        "churn.states": "SELECT gen_random_uuid(), 1, n % 2, false, n, '\\x01'::bytea, 'a', .5, .5, .4 FROM generate_series(1, 100) n",
        "value.states": "SELECT gen_random_uuid(), n % 2, false, '\\x02'::bytea, n, 'b' FROM generate_series(1, 100) n",
        "streams.rule_states": "SELECT gen_random_uuid(), 'r' || n, 1, n % 2, '\\x03'::bytea FROM generate_series(1, 100) n",
    }
    async with await database.connect(dsn) as connection:
        for table, rows in tables.items():
            await connection.execute(f"INSERT INTO {table} {rows}".encode())
        await connection.commit()
    kept = [await ask(dsn, f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    (last,) = (migration for migration in whole if migration.name.startswith("1004"))
    (before / last.name).write_bytes(last.read_bytes())
    await migrate(dsn, before)
    assert [await ask(dsn, f"SELECT * FROM {table} ORDER BY 1") for table in tables] == kept
    assert list(map(len, kept)) == [100, 100, 100]


async def test_read_models_that_were_made_before_have_what_is_written_now(dsn: str) -> None:
    async with await database.connect(dsn) as connection:
        await database.migrate(connection)
        await generations.create(connection, "read_2")  # a rebuild's, not in force yet
        now = [await columns(dsn, schema) for schema in ("read_1", "read_2")]
        await connection.execute("ALTER TABLE read_1.timeline DROP ref_folded")
        await connection.execute("ALTER TABLE read_2.timeline DROP ref_folded")
        await connection.execute("DELETE FROM meta.migrations WHERE name = '0963_folded_references'")
        assert await database.migrate(connection) == ["0963_folded_references"]
    assert [await columns(dsn, schema) for schema in ("read_1", "read_2")] == now


async def columns(dsn: str, schema: str) -> set[tuple[object, ...]]:
    """The columns of a timeline, and its indexes."""
    return {
        *await ask(dsn, f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{schema}'"),
        *await ask(dsn, f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}' AND tablename = 'timeline'"),
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": "1"}, "Connection refused"),
    ],
)
async def test_a_wrong_dsn_is_one_sentence_without_its_password(dsn: str, wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence) as refused:
        await database.connect(psycopg.conninfo.make_conninfo(dsn, **wrong))
    assert "\n" not in str(refused.value)
    assert refused.value.hint.startswith("Where `yekta up` runs it, `yekta status` shows how it is; ")
    assert refused.value.hint.endswith("see YEKTA_POSTGRES__DSN.")
    assert str(psycopg.conninfo.conninfo_to_dict(dsn)["password"]) not in str(refused.value)


async def test_what_is_no_dsn_at_all_is_one_sentence() -> None:
    with pytest.raises(Refusal, match="DSN cannot be read"):
        await database.connect("localhost:5432")


async def test_a_pool_survives_a_restart_of_its_connections(dsn: str) -> None:
    async with database.open_pool(dsn, largest=2) as pool:
        async with pool.connection() as one:
            await one.execute("SELECT 1")
        async with await database.connect(dsn, autocommit=True) as other:
            await other.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        async with pool.connection() as again:
            assert await (await again.execute("SELECT 1")).fetchone() == (1,)


@pytest.mark.parametrize("later", range(12))
async def test_who_is_cancelled_while_a_connection_comes_to_him_ends(engines: Endpoints, later: int) -> None:
    async with database.open_pool(engines.dsn, largest=1) as pool:

        async def borrow() -> None:
            async with pool.connection():
                went_on.append(asyncio.current_task())

        went_on: list[object] = []
        held = await pool.getconn()
        waiting = asyncio.create_task(borrow())
        async with asyncio.timeout(60):
            while not pool.get_stats().get("requests_waiting"):  # noqa: ASYNC110 -- each tick of the loop counts here
                await asyncio.sleep(0)
        await pool.putconn(held)
        for _ in range(later):
            await asyncio.sleep(0)
        before = len(went_on)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert len(went_on) == before, "he went on although he was cancelled before"
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")
