"""Service requests' SQL. Rows are written with the decision they follow from. Reading order: put, load, page, of_customer, late, board."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from aggregates.identifier import Token
from aggregates.service_request.deciding import next_due
from aggregates.service_request.request import Request

Connection = AsyncConnection[tuple[Any, ...]]

SOON = timedelta(hours=1)
"""What is due within it is about to be late."""

COLUMNS = (
    *("id", "number", "version", "state", "live", "queue", "owner", "priority", "category", "decider", "opened_at", "changed_at"),
    *("response_due", "responded_at", "due", "waiting", "escalation", "score", "next_due", "body"),
)
_SET = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in ("id", "number", "decider"))
PUT = (
    f"INSERT INTO service.requests ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
    f" ON CONFLICT (id) DO UPDATE SET {_SET} WHERE service.requests.version < excluded.version"
)

TOLD: tuple[str, Sequence[Any]] = ("NOTIFY yekta_changed, 'service'", ())
"""Wakes live pages."""

_request = msgspec.json.Decoder(Request)


class Row(NamedTuple):
    """A request, and whose it is now."""

    request: Request
    customer: UUID | None


class Filter(NamedTuple):
    """Which requests are wanted; None: all."""

    owner: str | None = None
    queue: str | None = None
    state: str | None = None
    customer: UUID | None = None
    sla: str | None = None  # ok, soon, late


class Standing(NamedTuple):
    """How many requests of a queue or an owner stand how."""

    name: str
    live: int
    unowned: int
    waiting: int
    soon: int
    late: int
    oldest: datetime | None


def put(request: Request, decider: Token) -> tuple[str, Sequence[Any]]:
    """The statement that makes the row what the request is."""
    values = (
        *(request.id, request.number, request.version, request.state, request.live, request.queue, request.owner, request.priority),
        *(request.category, decider, request.opened_at, request.changed_at, request.response_due, request.responded_at, request.due),
        *(request.state == "waiting", request.escalation, request.score, next_due(request), msgspec.json.encode(request).decode()),
    )
    return PUT, values


def resolved_by(article: UUID, request: UUID, at: datetime) -> tuple[str, Sequence[Any]]:
    """The statement that counts a request for the article that resolved it."""
    return "INSERT INTO service.resolved_by (article, request, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (article, request, at)


async def number(connection: Connection) -> str:
    """A number that no other request has."""
    row = await (await connection.execute("SELECT nextval('service.number')")).fetchone()
    assert row is not None  # noqa: S101 - a sequence has a next value
    return str(row[0])


_FROM = "FROM service.requests r LEFT JOIN identity.identifiers i ON i.identifier = r.decider"


async def load(connection: Connection, id_: UUID) -> Row | None:
    """One request."""
    cursor = await connection.execute(f"SELECT r.body::text, i.customer_id {_FROM} WHERE r.id = %s", (id_,))
    row = await cursor.fetchone()
    return Row(_request.decode(row[0]), row[1]) if row else None


async def numbered(connection: Connection, number: str) -> UUID | None:
    """The request that people call by this number."""
    row = await (await connection.execute("SELECT id FROM service.requests WHERE number = %s", (number,))).fetchone()
    return row[0] if row else None


async def page(
    connection: Connection, wanted: Filter, now: datetime, after: tuple[datetime, UUID] | None, limit: int, *, live: bool
) -> list[Row]:
    """Requests by due time, those that are due first first."""
    where: list[str] = ["r.live"] if live else []
    values: list[Any] = []
    for name in ("owner", "queue", "state"):
        value = getattr(wanted, name)
        if value is not None:
            where.append(f"r.{name} = %s")
            values.append(value)
    if wanted.customer is not None:
        where.append("i.customer_id = %s")
        values.append(wanted.customer)
    if wanted.sla is not None:
        where.append("r.live AND NOT r.waiting")
        ranges = {"late": ("-infinity", now), "soon": (now, now + SOON), "ok": (now + SOON, "infinity")}
        where.append("r.due > %s::timestamptz AND r.due <= %s::timestamptz")
        values += ranges[wanted.sla]
    if after is not None:
        where.append("(r.due, r.id) > (%s, %s)")
        values += after
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    cursor = await connection.execute(
        f"SELECT r.body::text, i.customer_id {_FROM} {condition} ORDER BY r.due, r.id LIMIT %s", (*values, limit)
    )
    return [Row(_request.decode(body), customer) for body, customer in await cursor.fetchall()]


async def of_customer(connection: Connection, customer: UUID, limit: int) -> list[Request]:
    """A customer's requests: the live ones first, by due time; then the others, the newest first."""
    cursor = await connection.execute(
        f"SELECT r.body::text {_FROM} WHERE i.customer_id = %s"
        " ORDER BY r.live DESC, CASE WHEN r.live THEN r.due END, r.opened_at DESC LIMIT %s",
        (customer, limit),
    )
    return [_request.decode(body) for (body,) in await cursor.fetchall()]


async def late(connection: Connection, now: datetime, limit: int) -> list[UUID]:
    """Requests for which time alone may have changed something."""
    cursor = await connection.execute("SELECT id FROM service.requests WHERE next_due <= %s ORDER BY next_due LIMIT %s", (now, limit))
    return [row[0] for row in await cursor.fetchall()]


async def board(connection: Connection, by: str, now: datetime) -> list[Standing]:
    """How the live requests of each queue, or of each owner, stand."""
    column = {"queue": "queue", "owner": "owner"}[by]
    cursor = await connection.execute(
        f"SELECT {column}, count(*), count(*) FILTER (WHERE owner = ''), count(*) FILTER (WHERE waiting),"
        " count(*) FILTER (WHERE NOT waiting AND due > %(now)s AND due <= %(soon)s),"
        " count(*) FILTER (WHERE NOT waiting AND due <= %(now)s),"
        f" min(opened_at) FROM service.requests WHERE live GROUP BY {column} ORDER BY 6 DESC, 2 DESC, 1 LIMIT 200",
        {"now": now, "soon": now + SOON},
    )
    return [Standing(*row) for row in await cursor.fetchall()]
