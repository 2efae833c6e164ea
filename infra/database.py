"""PostgreSQL connections, and the migrations that make its schema what this version expects."""

import asyncio
import hashlib
import re
import select
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from infra import generations
from infra.errors import Refusal

MIGRATIONS = Path(__file__).with_name("migrations")
PAUSE = 0.5  # seconds between two questions whether PostgreSQL can be used by now
_ONE_AT_A_TIME = 0x59454B5441  # "YEKTA": the advisory lock of those who migrate

_MISSING = r'database ".*" does not exist'
_SHUT = re.compile(
    r'authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in|role ".*" does not exist|'
    rf"permission denied for database|{_MISSING}"
)

Connection = psycopg.AsyncConnection[tuple[object, ...]]


class Pool(AsyncConnectionPool[Connection]):
    """A pool that lends nothing to who was cancelled meanwhile.

    Before Python 3.12, a wait with a time limit that is cancelled in the moment it succeeds forgets the cancellation (asyncio.wait_for,
    which the pool waits with), and who was asked to end would go on for ever.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109 -- the signature is the pool's
        task = asyncio.current_task()
        asked = task.cancelling() if task else 0
        connection = await super().getconn(timeout)
        if task and task.cancelling() > asked:
            await self.putconn(connection)
            raise asyncio.CancelledError
        return connection


async def alive(connection: Connection) -> None:
    """An idle connection on which something can be read was closed by the server: that is seen without asking it."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await connection.execute("SELECT 1")


async def connect(dsn: str, *, name: str = "yekta", autocommit: bool = False) -> Connection:
    """One connection, or a Refusal that says what is wrong with the DSN or the server."""
    try:
        return await psycopg.AsyncConnection.connect(dsn, connect_timeout=10, autocommit=autocommit, application_name=name)
    except psycopg.ProgrammingError as error:
        raise _unreadable() from error
    except psycopg.OperationalError as error:
        raise unusable(dsn, error) from error


def unusable(dsn: str, error: psycopg.OperationalError) -> Refusal:
    """Why nobody gets in, as a sentence."""
    return Refusal(
        f"PostgreSQL at {place(dsn)} cannot be used: {reason(error)}.",
        "Where `yekta up` runs it, `yekta status` shows how it is; for a PostgreSQL of your own see YEKTA_POSTGRES__DSN.",
    )


def shut(error: psycopg.OperationalError) -> bool:
    """Whether the server is there and lets nobody in who comes so: that does not mend itself, as a server that is away does."""
    return _SHUT.search(str(error)) is not None


def _is_to_come(error: BaseException | None) -> bool:
    """Whether whoever is started first may wait for it: a server that is away, or the database that somebody is about to make there."""
    return isinstance(error, psycopg.OperationalError) and (not shut(error) or re.search(_MISSING, str(error)) is not None)


@asynccontextmanager
async def open_pool(
    dsn: str, *, name: str = "yekta", smallest: int = 1, largest: int = 8, patience: float | None = None
) -> AsyncIterator[Pool]:
    """A pool whose connections are looked at before they are lent, so a restarted server is met with new ones.

    Whoever stands still in a transaction for longer than `patience` seconds loses it, and with it the locks that others wait for.
    """

    async def limit(connection: Connection) -> None:
        if patience is not None:
            await connection.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (f"{patience:g}s",))
            await connection.commit()

    pool = Pool(
        dsn,
        kwargs={"application_name": name},
        min_size=smallest,
        max_size=largest,
        open=False,
        name=name,
        check=alive,
        reconnect_timeout=0,
        configure=limit,
    )
    async with pool:
        yield pool


async def migrate(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Run the numbered SQL files that have not run yet, in order, each in its own transaction; return their names."""
    files = _migrations(folder)
    await connection.set_autocommit(True)
    await connection.execute("SELECT pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
    try:
        done = await _already_run(connection)
        if unknown := sorted(done.keys() - files.keys()):
            raise Refusal(f"The database was made by a newer Yekta: it has the migration {unknown[-1]}, which this version does not know.")
        ran = [name for name, text in files.items() if await _run(connection, name, text, done.get(name))]
        if folder == MIGRATIONS:
            await generations.ensure(connection)
        return ran
    finally:
        await connection.execute("SELECT pg_advisory_unlock(%s)", (_ONE_AT_A_TIME,))


async def behind(dsn: str, folder: Path = MIGRATIONS) -> Refusal | None:
    """Why what this version reads is not there: the database lacks migrations; None when all have run. Changes nothing."""
    async with await connect(dsn, autocommit=True) as connection:
        there = await (await connection.execute("SELECT to_regclass('meta.migrations') IS NOT NULL")).fetchone()
        rows = await (await connection.execute("SELECT name FROM meta.migrations")).fetchall() if there and there[0] else []
    missing = sorted(_migrations(folder).keys() - {str(row[0]) for row in rows})
    if not missing:
        return None
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return Refusal(
        f"The database at {place(dsn)} is older than this Yekta: it lacks the migration {missing[0]}{more}.",
        "Restart `yekta up`, or run `yekta prepare` where processes are started one by one.",
    )


async def answering(dsn: str, say: Callable[[object], None], *, migrated: bool = False) -> None:
    """Return once PostgreSQL can be used, and if so wanted has run all migrations. `say` hears what is waited for, each reason once.

    Raises Refusal where no waiting helps: the DSN cannot be read, or the server does not let in who comes so.
    """
    told = ""
    while True:
        try:
            if not migrated:
                await (await connect(dsn)).close()
                return
            missing = await behind(dsn)
        except Refusal as away:
            if not _is_to_come(away.__cause__):
                raise
            missing = away
        except psycopg.OperationalError as error:  # it went away while it was asked
            missing = Refusal(f"PostgreSQL at {place(dsn)} went away: {reason(error)}.")
        if missing is None:
            return
        if str(missing) != told:
            told = str(missing)
            say(f"{missing.sentence} It is waited for. {missing.hint}".strip())
        await asyncio.sleep(PAUSE)


async def create_database(dsn: str, name: str, *, template: str | None = None) -> str:
    """Create a database beside the DSN's own, a copy of `template` if given; return its DSN."""
    async with await connect(dsn, autocommit=True) as connection:
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            command += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
        await connection.execute(command)
    return make_conninfo(dsn, dbname=name)


async def drop_database(dsn: str, name: str) -> None:
    async with await connect(dsn, autocommit=True) as connection:
        await connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def place(dsn: str) -> str:
    """Where a DSN points to, without its password: fit to be shown. Raises Refusal where it is none."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise _unreadable() from error
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _unreadable() -> Refusal:
    return Refusal(
        "The PostgreSQL DSN cannot be read.", "It looks like postgresql://user:password@host:5432/database; see YEKTA_POSTGRES__DSN."
    )


async def _already_run(connection: Connection) -> dict[str, str]:
    async with connection.transaction():
        await connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS meta.migrations"
            " (name text PRIMARY KEY, sha256 text NOT NULL, ran timestamptz NOT NULL DEFAULT now())"
        )
    rows = await connection.execute("SELECT name, sha256 FROM meta.migrations")
    return {str(name): str(sha256) async for name, sha256 in rows}


def _migrations(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in sorted(folder.glob("[0-9]*.sql"))}


async def _run(connection: Connection, name: str, text: bytes, ran_as: str | None) -> bool:
    sha256 = hashlib.sha256(text).hexdigest()
    if ran_as is not None:
        if ran_as != sha256:
            raise Refusal(
                f"The migration {name} is not the one this database ran.", "A migration that ran is never changed: add another one."
            )
        return False
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute("INSERT INTO meta.migrations (name, sha256) VALUES (%s, %s)", (name, sha256))
    return True


def reason(error: psycopg.Error) -> str:
    """The server's or the system's own word, out of a message that repeats the address and gives advice."""
    lines = [line for line in str(error).strip().splitlines() if "failed: " in line] or [str(error).strip() or type(error).__name__]
    return lines[-1].rsplit("failed: ", 1)[-1].removeprefix("FATAL:").strip().rstrip(".")
