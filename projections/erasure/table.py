"""Who was erased, what went with him, and how far it has come.

The decision is written by `resolve`, behind the identity lock; rows are taken by the partition of their customer.

An event is an erased customer's when its decider was his and a door received it before the erasure was asked for, or when it was attributed
to him at all. Reading order: Gone, gone, begin, Judged, judge, take, of_request, Receipt.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from aggregates.identifier import Token
from aggregates.identity import Erase
from aggregates.normal import persian
from projections.identity import table as identity
from projections.rows import Connection, Cursor


class Gone(NamedTuple):
    """An identifier that was an erased customer's."""

    at: datetime  # what a door received before it was his
    customer: UUID


_DECISIONS = (
    "WITH gone AS (DELETE FROM identity.decisions WHERE tokens && %(his)s RETURNING event_id)"
    " INSERT INTO identity.erased_events (event_id, erasure) SELECT event_id, %(event)s FROM gone ON CONFLICT DO NOTHING"
)
"""Why people decided what about him was told in words; their key is destroyed as that of his events (`keys.reasons`)."""


async def latest(connection: Connection) -> Cursor:
    """Ask for the number of the erasure done last, 0 before the first: who remembers owners remembers them as of one."""
    return await connection.execute("SELECT COALESCE(max(number), 0) FROM identity.erasures")


async def gone(connection: Connection) -> dict[Token, Gone]:
    """Every identifier of everybody who was erased, as of his last erasure."""
    cursor = await connection.execute(
        "SELECT t.identifier, t.at, e.customer_id FROM identity.erased_tokens t JOIN identity.erasures e ON e.id = t.erasure ORDER BY t.at"
    )
    return {Token(row[0]): Gone(row[1], row[2]) for row in await cursor.fetchall()}


async def begin(connection: Connection, event: UUID, decision: Erase, tokens: Collection[Token], number: int, why: str) -> None:
    """Write the decision down, before its identifiers lose their owner: from here on nobody has him."""
    cursor = await connection.execute(
        "INSERT INTO identity.erasures (id, customer_id, number, at, by_key, why) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (event, decision.customer, number, decision.at, decision.by, why),
    )
    if await cursor.fetchone() is None:
        return
    his = list(tokens)
    ids = [decision.customer, *await led_to(connection, decision.customer, his)]
    await connection.execute(
        "INSERT INTO identity.erased (customer_id, erasure) SELECT unnest(%s::uuid[]), %s ON CONFLICT DO NOTHING", (ids, event)
    )
    await connection.execute(
        "INSERT INTO identity.erased_tokens (identifier, at, erasure) SELECT unnest(%s::text[]), %s, %s", (his, decision.at, event)
    )
    for statement in (
        "DELETE FROM identity.moves WHERE identifier = ANY(%(his)s)",
        "DELETE FROM identity.members WHERE identifier = ANY(%(his)s)",
        _DECISIONS,
        "DELETE FROM identity.conflicts WHERE between_tokens && %(his)s OR customer_id = ANY(%(ids)s)",
    ):
        await connection.execute(statement, {"his": his, "ids": ids, "event": event})


async def led_to(connection: Connection, customer: UUID, his: list[Token]) -> list[UUID]:
    """Those whose ids led to him: they own nothing any more, and he became of them."""
    cursor = await connection.execute(
        "SELECT DISTINCT m.before FROM identity.moves m WHERE m.identifier = ANY(%s) AND m.before <> %s"
        " AND NOT EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.customer_id = m.before)",
        (his, customer),
    )
    found = [row[0] for row in await cursor.fetchall()]
    return [one for one in found if await identity.successor(connection, one) == customer]


class Judged(NamedTuple):
    """An event that came, as far as it matters whether it is an erased customer's."""

    event: str
    customer: str
    decider: str
    recorded: datetime


async def judge(connection: Connection, events: Sequence[Judged]) -> dict[str, UUID]:
    """Which of these are an erased customer's, and by which erasure. What was found once stays so."""
    if not events:
        return {}
    ids, customers, deciders, recorded = zip(*events, strict=True)
    cursor = await connection.execute(
        "SELECT u.event_id::text, COALESCE(x.erasure, t.erasure, h.erasure, n.erasure)"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[]) AS u(event_id, customer_id, decider, recorded)"
        " LEFT JOIN identity.erased_events x ON x.event_id = u.event_id"
        " LEFT JOIN identity.erased h ON h.customer_id = u.customer_id"
        " LEFT JOIN identity.identifiers i ON i.identifier = u.decider"
        " LEFT JOIN LATERAL (SELECT e.erasure FROM identity.erased_tokens e WHERE e.identifier = u.decider"
        " AND (u.recorded < e.at OR e.erasure = h.erasure) ORDER BY e.at LIMIT 1) t ON true"
        " LEFT JOIN LATERAL (SELECT e.erasure FROM identity.erased_tokens e WHERE e.identifier = u.decider AND i.identifier IS NULL"
        " ORDER BY e.at DESC LIMIT 1) n ON true"
        " WHERE x.erasure IS NOT NULL OR t.erasure IS NOT NULL OR n.erasure IS NOT NULL"
        " OR h.erasure IS NOT NULL AND i.identifier IS NULL",
        (list(ids), list(customers), list(deciders), list(recorded)),
    )
    return dict(await cursor.fetchall())


async def note(connection: Connection, events: Mapping[str, UUID], seals: Iterable[tuple[int, UUID]]) -> None:
    """Remember that these events are erased customers', and have the keys of what is sealed of them destroyed."""
    await connection.execute(
        "INSERT INTO identity.erased_events (event_id, erasure) SELECT * FROM unnest(%s::uuid[], %s::uuid[]) ON CONFLICT DO NOTHING",
        (list(events), list(events.values())),
    )
    doomed = [(number, erasure) for number, erasure in seals if number > 0]
    if doomed:
        numbers, erasures = zip(*doomed, strict=True)
        await connection.execute(
            "INSERT INTO secrets.doomed (number, erasure) SELECT * FROM unnest(%s::bigint[], %s::uuid[]) ON CONFLICT DO NOTHING",
            (list(numbers), list(erasures)),
        )


async def doom_copies(connection: Connection, events: Iterable[str]) -> None:
    """What erased customers' events were sealed with when they were sent again is to be destroyed too."""
    await connection.execute(
        "INSERT INTO secrets.doomed (number, erasure) SELECT DISTINCT c.number, x.erasure FROM secrets.copies c"
        " JOIN identity.erased_events x USING (event_id) JOIN secrets.data_keys k USING (number)"
        " WHERE c.event_id = ANY(%s::uuid[]) AND k.wrapped IS NOT NULL ON CONFLICT DO NOTHING",
        (list(events),),
    )


OF_ROW = (
    "SELECT 1 FROM identity.erased_tokens e LEFT JOIN identity.erased h ON h.customer_id = t.customer_id"
    " WHERE e.identifier = t.decider AND (t.recorded < e.at OR e.erasure = h.erasure)"
)
"""Whether a row `t` of a timeline is an erased customer's, whoever its decider belongs to by now."""


async def take(connection: Connection, schema: str, customers: Sequence[UUID], limit: int, *, effects: bool) -> int:
    """Take rows that are an erased customer's from these customers' timelines; how many. Live, their keys are to be destroyed."""
    noted = (
        ", noted AS (INSERT INTO identity.erased_events (event_id, erasure) SELECT event_id, erasure FROM his ON CONFLICT DO NOTHING)"
        ", doomed AS (INSERT INTO secrets.doomed (number, erasure) SELECT DISTINCT seal, erasure FROM his WHERE seal > 0"
        " ON CONFLICT DO NOTHING)"
    )
    cursor = await connection.execute(
        f"""
        WITH his AS MATERIALIZED (
            SELECT t.customer_id, t.event_id, t.seal, COALESCE(k.erasure, h.erasure) AS erasure
            FROM {schema}.timeline t
            LEFT JOIN identity.erased h ON h.customer_id = t.customer_id
            LEFT JOIN LATERAL (
                SELECT e.erasure FROM identity.erased_tokens e WHERE e.identifier = t.decider
                AND (t.recorded < e.at OR e.erasure = h.erasure) ORDER BY e.at LIMIT 1
            ) k ON true
            WHERE t.customer_id = ANY(%(customers)s) AND (k.erasure IS NOT NULL OR h.erasure IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.identifier = t.decider))
            LIMIT %(limit)s
        ), taken AS (
            DELETE FROM {schema}.timeline t USING his WHERE t.customer_id = his.customer_id AND t.event_id = his.event_id
        ){noted if effects else ""}
        SELECT count(*) FROM his
        """,
        {"customers": list(customers), "limit": limit},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def erased(connection: Connection, customers: Iterable[UUID]) -> dict[UUID, UUID]:
    """Those of these customers who were erased, with the erasure."""
    cursor = await connection.execute("SELECT customer_id, erasure FROM identity.erased WHERE customer_id = ANY(%s)", (list(customers),))
    return dict(await cursor.fetchall())


async def of_token(connection: Connection, token: Token) -> UUID | None:
    """The last erasure of somebody whose identifier this was."""
    cursor = await connection.execute("SELECT erasure FROM identity.erased_tokens WHERE identifier = %s ORDER BY at DESC LIMIT 1", (token,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def of_request(connection: Connection, request: UUID) -> UUID | None:
    """The erasure with which a service request went, or is about to go."""
    return await _of_request(connection, "id", request)


async def of_words(connection: Connection, words: str) -> UUID | None:
    """The erasure of whom somebody looks for by an id, of a customer or of a request, or by the number of a request."""
    try:
        id_ = UUID(words.strip())
    except ValueError:
        pass
    else:
        return (await erased(connection, [id_])).get(id_) or await of_request(connection, id_)
    number = persian.plain(words).lstrip("#")
    if not number.isdecimal():
        return None
    return await _of_request(connection, "number", number)


async def _of_request(connection: Connection, column: str, value: UUID | str) -> UUID | None:
    """Of a request of his that is still there too: it goes some seconds after him."""
    cursor = await connection.execute(
        f"SELECT erasure FROM identity.erased_requests WHERE {column} = %(value)s"
        " UNION ALL SELECT t.erasure FROM service.requests r JOIN identity.erased_tokens t ON t.identifier = r.decider"
        f" WHERE r.{column} = %(value)s AND (r.opened_at < t.at"
        " OR NOT EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.identifier = r.decider)) LIMIT 1",
        {"value": value},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


class Receipt(NamedTuple):
    """What is known of an erasure: nothing of a person."""

    id: UUID
    customer_id: UUID
    at: datetime
    by: str
    why: str
    done_at: datetime | None
    events: int
    identifiers: int
    keys: int
    counts: Mapping[str, int]


_RECEIPT = (
    "SELECT e.id, e.customer_id, e.at, e.by_key, e.why, e.done_at,"
    " (SELECT count(*) FROM identity.erased_events x WHERE x.erasure = e.id),"
    " (SELECT count(*) FROM identity.erased_tokens t WHERE t.erasure = e.id),"
    " (SELECT count(*) FROM secrets.data_keys k WHERE k.erasure = e.id), e.counts FROM identity.erasures e"
)


async def receipt(connection: Connection, erasure: UUID) -> Receipt | None:
    """The receipt of an erasure."""
    row = await (await connection.execute(f"{_RECEIPT} WHERE e.id = %s", (erasure,))).fetchone()
    return Receipt(*row) if row else None


async def receipts(connection: Connection, before: tuple[datetime, UUID] | None, limit: int) -> list[Receipt]:
    """The receipts, the latest first."""
    where, values = ("", ()) if before is None else (" WHERE (e.at, e.id) < (%s, %s)", before)
    cursor = await connection.execute(f"{_RECEIPT}{where} ORDER BY e.at DESC, e.id DESC LIMIT %s", (*values, limit))
    return [Receipt(*row) for row in await cursor.fetchall()]
