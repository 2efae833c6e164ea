"""The SQL of deliveries: each thing to each receiver once, leased by senders, retried, resent. Reading order: Delivery, add, claim, finish.

A sender takes rows by moving `due` ahead (a lease) in a short transaction with SKIP LOCKED, and says what became of them in another; of
those who took a row only the latest may. So no transaction is open while a receiver thinks, and who dies loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

Connection = AsyncConnection[tuple[Any, ...]]

WEBHOOK = "webhook:"
EVERYTHING, CHANNEL, RULE = "everything", "channel:", "rule:"
LEASE = 30.0
"""Seconds after which what a sender took is another's, unless it says that the try goes on."""


class Pace(NamedTuple):
    """How much a lane may send: contacts of a channel and posts to a webhook, a second; and at once after a rest."""

    contacts: float
    posts: float
    burst: float = 5.0


AT_WILL = Pace(1e6, 1e6, 1e6)


class New(NamedTuple):
    """A delivery to be made."""

    id: UUID  # of what and to whom: adding it twice is once
    message: UUID
    lane: str
    type: str
    rule: str
    customer_id: UUID | None
    signal: UUID | None
    body: bytes
    channel: str = ""  # by which he is approached as this is sent; empty: sending it approaches nobody


class Taken(NamedTuple):
    """A delivery that a sender has leased."""

    id: UUID
    message: UUID
    lane: str
    type: str
    rule: str
    customer_id: UUID | None
    signal: UUID | None
    body: bytes
    attempts: int
    lease: int
    created: datetime
    channel: str
    failures: int  # of the lane, in a row
    resends: int = 0  # how often somebody had it sent anew that was done with


class Shown(NamedTuple):
    """A delivery as people see it."""

    id: UUID
    message: UUID
    lane: str
    type: str
    rule: str
    customer_id: UUID | None
    signal: UUID | None
    state: str
    created: datetime
    due: datetime
    attempts: int
    ended: datetime | None
    status: int | None
    error: str


class Trouble(NamedTuple):
    """How a receiver that does not take what it is sent stands."""

    failures: int  # in a row
    waiting: int  # at most MOST_COUNTED
    error: str  # of what was tried and waits, the next that is due
    due: datetime | None  # when it is tried again; None: nothing waits for it


MOST_COUNTED = 10_000

_NEW = ", ".join(New._fields)
_SHOWN = ", ".join(Shown._fields)


async def add(connection: Connection, rows: Sequence[New]) -> None:
    """Have these delivered; what was added before is left as it is."""
    if not rows:
        return
    lanes = sorted({row.lane for row in rows})
    await connection.execute("INSERT INTO contacts.lanes (lane) SELECT * FROM unnest(%s::text[]) ON CONFLICT DO NOTHING", (lanes,))
    await connection.execute(
        f"INSERT INTO contacts.deliveries ({_NEW}, state) SELECT *, 'waiting' FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[],"
        " %s::text[], %s::uuid[], %s::uuid[], %s::bytea[], %s::text[]) ON CONFLICT DO NOTHING",
        [list(column) for column in zip(*rows, strict=True)],
    )
    await connection.execute("NOTIFY yekta_deliveries")


async def claim(
    connection: Connection, room: Mapping[str, int], usual: int, lanes: Iterable[str] | None = None, pace: Pace = AT_WILL
) -> list[Taken]:
    """Lease what is due and not paused: of each lane at most its `room`, of one without `usual`; of a lane in trouble one.

    What a lane may send by its pace is kept with it, for whichever process asks; two that ask at once do not get it twice. A webhook that
    is disabled keeps what waits for it; of one that was deleted it is taken too, to be told that it fails.
    """
    cursor = connection.cursor(row_factory=class_row(Taken))
    await cursor.execute(
        """
        WITH paced AS (
            SELECT l.lane, l.failures, COALESCE(r.room, %(usual)s) room, LEAST(
                GREATEST(1, LEAST(%(burst)s, p.pace)), l.allowance + GREATEST(0, EXTRACT(epoch FROM now() - l.allowed_at)) * p.pace
            ) may
            FROM contacts.lanes l LEFT JOIN unnest(%(lanes)s::text[], %(rooms)s::int[]) r (lane, room) ON r.lane = l.lane
            CROSS JOIN LATERAL (SELECT CASE WHEN l.lane LIKE 'webhook:%%' THEN %(posts)s ELSE %(contacts)s END::float8 pace) p
            WHERE l.not_before <= now() AND COALESCE(r.room, 1) > 0
              AND (%(only)s::text[] IS NULL OR l.lane = ANY(%(only)s))
              AND NOT EXISTS (SELECT 1 FROM contacts.pauses p WHERE p.scope IN ('everything', 'channel:' || split_part(l.lane, ':', 1)))
              AND (l.lane NOT LIKE 'webhook:%%'
                   OR EXISTS (SELECT 1 FROM contacts.webhooks w WHERE w.id::text = substr(l.lane, 9)
                       AND (w.enabled OR w.state ->> 'deleted' IS NOT NULL)))
              AND EXISTS (SELECT 1 FROM contacts.deliveries d WHERE d.lane = l.lane AND d.state = 'waiting' AND d.due <= now())
            FOR UPDATE OF l SKIP LOCKED
        ), open AS (
            SELECT lane, failures, may, LEAST(CASE WHEN failures >= 3 THEN 1 ELSE room END, floor(may)::int) room FROM paced
        ), picked AS (
            SELECT due.id, open.lane, open.failures FROM open CROSS JOIN LATERAL (
                SELECT d.id FROM contacts.deliveries d
                WHERE d.lane = open.lane AND d.state = 'waiting' AND d.due <= now()
                  AND NOT EXISTS (SELECT 1 FROM contacts.pauses p WHERE p.scope IN ('rule:' || d.rule, 'channel:' || d.channel))
                ORDER BY d.due LIMIT open.room FOR UPDATE SKIP LOCKED
            ) due
        ), spent AS (
            UPDATE contacts.lanes l SET allowance = open.may - taken.many, allowed_at = now()
            FROM open JOIN (SELECT lane, count(*) many FROM picked GROUP BY lane) taken USING (lane) WHERE l.lane = open.lane
        )
        UPDATE contacts.deliveries d SET due = now() + make_interval(secs => %(lease)s), attempts = attempts + 1, lease = lease + 1
        FROM picked WHERE d.id = picked.id
        RETURNING d.id, message, d.lane, type, rule, customer_id, signal, body, attempts, lease, created, channel, picked.failures,
            d.resends
        """,
        {
            "usual": usual,
            "lanes": list(room),
            "rooms": list(room.values()),
            "lease": LEASE,
            "only": None if lanes is None else list(lanes),
            "contacts": pace.contacts,
            "posts": pace.posts,
            "burst": pace.burst,
        },
    )
    return await cursor.fetchall()


async def keep(connection: Connection, taken: Taken) -> None:
    """The try goes on: what was leased stays this sender's for as long again."""
    await connection.execute(
        "UPDATE contacts.deliveries SET due = now() + make_interval(secs => %s) WHERE id = %s AND lease = %s AND state = 'waiting'",
        (LEASE, taken.id, taken.lease),
    )


async def finish(connection: Connection, taken: Taken, state: str, *, status: int | None = None, error: str = "") -> bool:
    """What was leased is done with: sent, failed or silent. Whether it still was this sender's."""
    cursor = await connection.execute(
        "UPDATE contacts.deliveries SET state = %s, ended = now(), status = %s, error = %s"
        " WHERE id = %s AND lease = %s AND state = 'waiting'",
        (state, status, error, taken.id, taken.lease),
    )
    return cursor.rowcount == 1


async def later(
    connection: Connection, taken: Taken, seconds: float, *, status: int | None = None, error: str = "", counts: bool = True
) -> bool:
    """Try it again after so many seconds; what does not count as an attempt was never tried."""
    cursor = await connection.execute(
        "UPDATE contacts.deliveries SET due = now() + make_interval(secs => %s), status = %s, error = %s, attempts = attempts - %s"
        " WHERE id = %s AND lease = %s AND state = 'waiting'",
        (seconds, status, error, 0 if counts else 1, taken.id, taken.lease),
    )
    return cursor.rowcount == 1


def hurried(reason: str) -> tuple[str, Sequence[Any]]:
    """The statement by which what was put off for a reason is asked about at once.

    Not what a sender has: that is due within its lease, by a clock that goes on while others take.
    """
    statement = (
        "UPDATE contacts.deliveries SET due = now()"
        " WHERE state = 'waiting' AND error = %s AND due > clock_timestamp() + make_interval(secs => %s)"
    )
    return statement, (reason, LEASE)


async def fared(connection: Connection, lane: str, failures: int, *, rest: float = 0.0) -> None:
    """A lane answered (0), or has failed so often in a row and rests for so many seconds. Tries under way together fail as one."""
    if failures:
        await connection.execute(
            "UPDATE contacts.lanes SET failures = GREATEST(failures, %s),"
            " not_before = GREATEST(not_before, now() + make_interval(secs => %s)) WHERE lane = %s",
            (failures, rest, lane),
        )
    else:
        await connection.execute(
            "UPDATE contacts.lanes SET failures = 0, not_before = '-infinity' WHERE lane = %s AND failures > 0", (lane,)
        )


async def troubles(connection: Connection, lanes: Sequence[str]) -> dict[str, Trouble]:
    """Of these lanes those whose last try failed."""
    cursor = await connection.execute(
        "SELECT l.lane, l.failures, w.waiting, COALESCE(e.error, ''), GREATEST(w.due, l.not_before) FROM contacts.lanes l"
        " CROSS JOIN LATERAL (SELECT count(*) waiting, min(due) due FROM (SELECT due FROM contacts.deliveries"
        " WHERE lane = l.lane AND state = 'waiting' ORDER BY due LIMIT %s) w) w"
        " LEFT JOIN LATERAL (SELECT error FROM contacts.deliveries WHERE lane = l.lane AND state = 'waiting' AND error <> ''"
        " ORDER BY due LIMIT 1) e ON true WHERE l.lane = ANY(%s) AND l.failures > 0",
        (MOST_COUNTED, list(lanes)),
    )
    rows = await cursor.fetchall()
    return {lane: Trouble(failures, waiting, error, due if waiting else None) for lane, failures, waiting, error, due in rows}


async def tried(connection: Connection, id_: UUID) -> bool:
    """Whether anybody took it to send it, whatever came of it."""
    cursor = await connection.execute("SELECT attempts > 0 OR state <> 'waiting' FROM contacts.deliveries WHERE id = %s", (id_,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def next_due(connection: Connection) -> float | None:
    """Seconds until something is due that is not yet; None when nothing waits for a time."""
    cursor = await connection.execute(
        "SELECT extract(epoch FROM min(due) - now())::float8 FROM contacts.lanes l CROSS JOIN LATERAL"
        " (SELECT due FROM contacts.deliveries d WHERE d.lane = l.lane AND state = 'waiting' AND due > now() ORDER BY due LIMIT 1) d"
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def resend(connection: Connection, id_: UUID) -> Shown | None:
    """Have a delivery tried again from the start, whatever became of it; the message keeps its id, and its lane rests no longer.

    What was done with goes out as a message of its own; what still waits for a try is only hurried.
    """
    cursor = connection.cursor(row_factory=class_row(Shown))
    await cursor.execute(
        "UPDATE contacts.deliveries SET state = 'waiting', due = now(), attempts = 0, ended = NULL, lease = lease + 1, error = '',"
        " resends = resends + (state <> 'waiting')::int"
        f" WHERE id = %s RETURNING {_SHOWN}",
        (id_,),
    )
    found = await cursor.fetchone()
    if found is not None:
        await connection.execute("UPDATE contacts.lanes SET not_before = '-infinity' WHERE lane = %s AND not_before > now()", (found.lane,))
        await connection.execute("NOTIFY yekta_deliveries")
    return found


async def one(connection: Connection, id_: UUID) -> Shown | None:
    """One delivery."""
    cursor = connection.cursor(row_factory=class_row(Shown))
    await cursor.execute(f"SELECT {_SHOWN} FROM contacts.deliveries WHERE id = %s", (id_,))
    return await cursor.fetchone()


async def page(
    connection: Connection,
    limit: int,
    *,
    before: tuple[datetime, UUID] | None = None,
    state: str | None = None,
    lane: str | None = None,
    rule: str | None = None,
    customers: list[UUID] | None = None,
) -> list[Shown]:
    """Deliveries, the newest first."""
    conditions = {"state = %s": state, "lane = %s": lane, "rule = %s": rule, "customer_id = ANY(%s)": customers}
    where = [condition for condition, value in conditions.items() if value is not None]
    values: list[Any] = [value for value in conditions.values() if value is not None]
    if before is not None:
        where.append("(created, id) < (%s, %s)")
        values += before
    cursor = connection.cursor(row_factory=class_row(Shown))
    await cursor.execute(
        f"SELECT {_SHOWN} FROM contacts.deliveries WHERE {' AND '.join(where) or 'true'} ORDER BY created DESC, id DESC LIMIT %s",
        (*values, limit),
    )
    return await cursor.fetchall()


async def pause(connection: Connection, scope: str, at: datetime, by: str) -> None:
    """Let nothing of this scope go out."""
    await connection.execute("INSERT INTO contacts.pauses (scope, since, by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (scope, at, by))


async def resume(connection: Connection, scope: str) -> bool:
    """Let it go out again. Whether it was paused."""
    cursor = await connection.execute("DELETE FROM contacts.pauses WHERE scope = %s", (scope,))
    await connection.execute("NOTIFY yekta_deliveries")
    return cursor.rowcount == 1


async def pauses(connection: Connection) -> list[tuple[str, datetime, str]]:
    """What is paused, since when and by whom."""
    cursor = await connection.execute("SELECT scope, since, by FROM contacts.pauses ORDER BY scope")
    return [(scope, since, by) for scope, since, by in await cursor.fetchall()]
