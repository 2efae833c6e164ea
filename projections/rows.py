"""Brings many rows to one statement: few as arrays that ride along with it, many by COPY into a table of the connection's own.

COPY takes three ways to the server and a table that is emptied at the commit: of thirty rows that is most of what they cost, and a batch
of a partition that keeps up is seldom larger. Of thousands an array costs more. Reading order: Columns, bring.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection, AsyncCopy, AsyncCursor
from psycopg.pq import TransactionStatus

Connection = AsyncConnection[tuple[Any, ...]]
Cursor = AsyncCursor[tuple[Any, ...]]

FEW = 200
"""Rows that ride along with a statement."""


class Columns(NamedTuple):
    """What rows are like: the name that a statement knows them by, and each column's type."""

    name: str
    types: Mapping[str, str]

    @property
    def all(self) -> str:
        """The columns' names, as a list in SQL."""
        return ", ".join(self.types)


class Brought(NamedTuple):
    """What a statement reads the rows from: what stands after its FROM, and the values of its placeholders."""

    source: str
    values: Sequence[str]


async def bring(connection: Connection, columns: Columns, rows: Sequence[Sequence[Any]]) -> Brought:
    """Rows for the next statement of this transaction, which reads them once. No column may be an array."""
    _in_transaction(connection)
    if len(rows) <= FEW:
        arrays = [_array(type_, values) for type_, values in zip(columns.types.values(), zip(*rows, strict=True), strict=True)]
        unnested = ", ".join(f"%s::{type_}[]" for type_ in columns.types.values())
        return Brought(f"unnest({unnested}) AS {columns.name}({columns.all})", arrays)
    await stage(connection, columns.name, ", ".join(f"{name} {type_}" for name, type_ in columns.types.items()))
    async with connection.cursor() as cursor, cursor.copy(f"COPY {columns.name} ({columns.all}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(columns.types.values()))
        write_row = copy.formatter.write_row
        for row in rows:
            if full := write_row(row):
                await copy.write(full)
    return Brought(columns.name, ())


async def stage(connection: Connection, name: str, columns: str) -> None:
    """An empty table of this connection, by which COPY brings rows into a statement that decides what becomes of them."""
    _in_transaction(connection)
    await connection.execute(  # one way to the server and back
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({columns}) ON COMMIT DELETE ROWS; DELETE FROM {name}", prepare=False
    )


def _in_transaction(connection: Connection) -> None:
    if connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
        raise RuntimeError("a stage table is emptied at every commit: begin a transaction first")


async def write(copy: AsyncCopy, row: Sequence[Any]) -> None:
    """Add a row to a COPY. What `write_row` does, without its wait for rows that only fill its buffer."""
    if full := copy.formatter.write_row(row):
        await copy.write(full)


def uuids(ids: Iterable[UUID]) -> str:
    """Ids as the text of a PostgreSQL array: psycopg looks at each element of a list for its type, which costs more than the look-up."""
    return "{" + ",".join([f"{id_.int:032x}" for id_ in ids]) + "}"


def texts(words: Iterable[str]) -> str:
    """The same of texts."""
    return "{" + ",".join([_quoted(word) for word in words]) + "}"


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "uuid": lambda id_: f"{id_.int:032x}",
    "text": _quoted,
    "bytea": lambda raw: f'"\\\\x{raw.hex()}"',
    "timestamptz": lambda at: f'"{at.isoformat()}"',
    "bool": lambda yes: "t" if yes else "f",
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), str),
    **dict.fromkeys(("float4", "float8"), repr),
}
"""How a value of a type is written in the text of an array (PostgreSQL 18, section 8.15.6)."""


def _array(type_: str, values: Iterable[Any]) -> str:
    written = WRITTEN[type_]
    return "{" + ",".join(["NULL" if value is None else written(value) for value in values]) + "}"
