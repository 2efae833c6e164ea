"""What is taken of an erased customer beside his rows: whatever is kept under his id, and whatever names his identifiers.

Each table with a customer in it is here or in KEPT, and a test says so. Reading order: OF_CUSTOMER, KEPT, scrub, letters.
"""

from collections.abc import AsyncIterator, Collection
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from aggregates.identifier import Token
from projections.contacts import belonging

Connection = AsyncConnection[tuple[Any, ...]]

OF_CUSTOMER = (
    "streams.rule_states",
    "streams.rule_marks",
    "streams.segment_states",
    "streams.timers",
    "signals.given",
    "signals.members",
    "signals.changes",
    "contacts.customers",
    "contacts.made",
    "contacts.decisions",
    "contacts.deliveries",
    "contacts.tasks",
    "contacts.responses",
    "contacts.names",
    "contacts.smpp_taken",
    "contacts.smpp_given",
    "churn.states",
    "churn.marks",
    "churn.given",
    "churn.examples",
    "churn.evidence",
    "value.states",
    "identity.due",
    "identity.blocks",
    "identity.addresses",
)
"""Tables of which the customer's rows go."""

KEPT = (
    "access.looks",  # who looked at whom stays; why, which may be words of a search, goes
    "identity.conflicts",  # his went with the decision
    "identity.customers",  # when he was founded, and by which event
    "identity.erased",
    "identity.erasures",
    "identity.identifiers",  # his lost their owner with the decision
    "identity.moved",  # so that his events are looked at
    "identity.receipts",  # tokens and hashes, by which a retry is known
    "streams.chores",  # they end by themselves
)
"""Tables of which rows with his id stay, or went already."""

_REQUESTS = "SELECT id FROM service.requests WHERE decider = ANY(%(free)s) OR decider = ANY(%(tokens)s) AND opened_at < %(at)s"

_CALLED = (
    "INSERT INTO identity.erased_requests (id, number, erasure)"
    f" SELECT id, number, %(erasure)s FROM service.requests WHERE id IN ({_REQUESTS}) ON CONFLICT DO NOTHING"
)
"""Who asks for a request of his is told that it is gone: its id and its number stay, and nothing that was in it."""

OF_IDENTIFIERS = {
    "service.resolved_by": f"DELETE FROM service.resolved_by WHERE request IN ({_REQUESTS})",
    "decisions.commands": f"DELETE FROM decisions.commands WHERE id IN ({_REQUESTS})",
    "decisions.events": f"DELETE FROM decisions.events WHERE originator_id IN ({_REQUESTS})",
    "service.requests": f"DELETE FROM service.requests WHERE id IN ({_REQUESTS})",
    "service.calls": "DELETE FROM service.calls WHERE who && %(free)s OR who && %(tokens)s AND changed < %(at)s",
    "contacts.smpp_receipts": "DELETE FROM contacts.smpp_receipts WHERE phone = ANY(%(free)s) OR phone = ANY(%(tokens)s) AND at < %(at)s",
    "identity.members": "DELETE FROM identity.members WHERE identifier = ANY(%(free)s)",
    "identity.duplicates": "DELETE FROM identity.duplicates WHERE one = ANY(%(ids)s) OR other = ANY(%(ids)s)",
}
"""How what names his identifiers goes, in this order: what hangs on a request before the request. An identifier that somebody has again
is his from then on: of what names it only what was there before the erasure goes."""


async def scrub(connection: Connection, erasure: UUID) -> None:
    """Take it, and add to the receipt how much it was. Doing it again takes what came in between."""
    ids = [row[0] for row in await _all(connection, "SELECT customer_id FROM identity.erased WHERE erasure = %s", erasure)]
    ((at,),) = await _all(connection, "SELECT at FROM identity.erasures WHERE id = %s", erasure)
    tokens = await tokens_of(connection, erasure)
    names = {"ids": ids, "tokens": tokens, "free": await _free(connection, tokens), "at": at}
    counts: dict[str, int] = {}
    await connection.execute(_CALLED, names | {"erasure": erasure})
    await belonging.settle(connection, ids)
    for table in OF_CUSTOMER:
        counts[table] = (await connection.execute(f"DELETE FROM {table} WHERE customer_id = ANY(%s)", (ids,))).rowcount
    for table, statement in OF_IDENTIFIERS.items():
        counts[table] = (await connection.execute(statement, names)).rowcount
    await connection.execute("UPDATE access.looks SET why = '' WHERE customer_id = ANY(%s) AND why <> ''", (ids,))
    for schema in await _older(connection):
        for name in ("timeline", "view", "terms"):
            await connection.execute(f"DELETE FROM {schema}.{name} WHERE customer_id = ANY(%s)", (ids,))
    await add(connection, erasure, counts)


async def add(connection: Connection, erasure: UUID, counts: dict[str, int]) -> None:
    """Add to what a receipt says was taken."""
    row = await (await connection.execute("SELECT counts FROM identity.erasures WHERE id = %s FOR UPDATE", (erasure,))).fetchone()
    before: dict[str, int] = row[0] if row else {}
    total = before | {name: before.get(name, 0) + count for name, count in counts.items() if count}
    await connection.execute("UPDATE identity.erasures SET counts = %s WHERE id = %s", (Jsonb(total), erasure))


async def tokens_of(connection: Connection, erasure: UUID) -> list[Token]:
    """The identifiers that were his."""
    rows = await _all(connection, "SELECT identifier FROM identity.erased_tokens WHERE erasure = %s", erasure)
    return [Token(row[0]) for row in rows]


async def _free(connection: Connection, tokens: list[Token]) -> list[Token]:
    """Those that are nobody's."""
    rows = await _all(
        connection,
        "SELECT t FROM unnest(%s::text[]) AS t WHERE NOT EXISTS (SELECT 1 FROM identity.identifiers i WHERE i.identifier = t)",
        tokens,
    )
    return [Token(row[0]) for row in rows]


async def events_of(connection: Connection, erasure: UUID) -> set[UUID]:
    """The ids of his events."""
    return {row[0] for row in await _all(connection, "SELECT event_id FROM identity.erased_events WHERE erasure = %s", erasure)}


async def _older(connection: Connection) -> list[str]:
    """Read models that a rebuild has replaced, and keeps until the next."""
    rows = await _all(
        connection,
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^read_[0-9]+$'"
        " AND substr(nspname, 6)::int < (SELECT number FROM streams.generation)",
    )
    return [row[0] for row in rows]


class Letter(NamedTuple):
    """A dead letter, still sealed."""

    id: UUID
    seal: int
    sealed: bytes
    event: UUID | None


async def letters(connection: Connection, erasure: UUID, at_once: int) -> AsyncIterator[list[Letter]]:
    """All dead letters from before an erasure that hold anything, some at a time."""
    after = UUID(int=0)
    while True:
        rows = await _all(
            connection,
            "SELECT id, seal, sealed, event FROM letters.letters WHERE id > %s AND sealed <> ''"
            " AND recorded < (SELECT at FROM identity.erasures WHERE id = %s) ORDER BY id LIMIT %s",
            after,
            erasure,
            at_once,
        )
        if not rows:
            return
        yield [Letter(*row) for row in rows]
        after = rows[-1][0]


async def empty_letters(connection: Connection, erasure: UUID, taken: Collection[Letter]) -> None:
    """Nothing is left in these but where and when they were refused; their keys are to be destroyed."""
    ids = [letter.id for letter in taken]
    await connection.execute(
        "UPDATE letters.letters SET status = 'erased', sealed = '', key = '', detail = '', mend = '', pointer = '' WHERE id = ANY(%s)",
        (ids,),
    )
    await connection.execute(
        "DELETE FROM secrets.anew WHERE number = ANY(%s) AND context = ANY(%s)",
        ([letter.seal for letter in taken], [str(id_).encode() for id_ in ids]),
    )
    await connection.execute(
        "INSERT INTO secrets.doomed (number, erasure) SELECT DISTINCT n, %s::uuid FROM unnest(%s::bigint[]) AS n WHERE n > 0"
        " ON CONFLICT DO NOTHING",
        (erasure, [letter.seal for letter in taken]),
    )
    await add(connection, erasure, {"letters.letters": len(ids)})


async def _all(connection: Connection, statement: str, *values: Any) -> list[Any]:
    return await (await connection.execute(statement, values or None)).fetchall()
