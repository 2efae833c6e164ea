"""Compares live read models with those folded anew from the log: which customers differ, and in what. For `yekta verify`.

Reading order: different, how, sums.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from projections.view.state import State, decode

Connection = AsyncConnection[tuple[Any, ...]]

SHOWN = 5
"""Events that are named of one customer; of more the number is told."""

COLUMNS = {
    "time": "at",
    "occurred": "occurred",
    "recorded": "recorded",
    "type": "type",
    "channel": "channel",
    "source": "source",
    "reference": "ref",
    "amount": "amount",
    "currency": "currency",
    "decider": "decider",
    "data key": "seal",
    "flags": "flags",
    "record": """regexp_replace(convert_from({row}.record, 'UTF8'), '"subject":"[^"]*"', '')""",
}
"""What of a row is compared, by the name that a person is told. Of a record and its forwarded copies any may be kept."""


def fingerprints(schema: str) -> str:
    """One row a customer: what his view, his timeline and that by which he is found are, as one hash."""
    told = ", ".join(f"extract(epoch FROM t.{c})" if c in ("at", "occurred", "recorded") else _of("t", c) for c in COLUMNS.values())
    return f"""
        SELECT customer_id, md5(concat_ws(' ', md5(v.state), t.events, t.sum, s.sum)) AS hash, t.events
        FROM {schema}.view v FULL JOIN (
            SELECT customer_id, count(*) AS events, sum(hashtextextended(concat_ws('|', t.event_id, {told}), 0)) AS sum
            FROM {schema}.timeline t GROUP BY customer_id
        ) t USING (customer_id) FULL JOIN (
            SELECT customer_id, sum(hashtextextended(concat_ws('|', kind, term), 0)) AS sum FROM {schema}.terms GROUP BY customer_id
        ) s USING (customer_id)
    """


async def different(connection: Connection, live: str, apart: str) -> list[str]:
    """The customers of whom something differs."""
    cursor = await connection.execute(
        f"SELECT customer_id::text FROM ({fingerprints(live)}) a FULL JOIN ({fingerprints(apart)}) b USING (customer_id)"
        " WHERE a.hash IS DISTINCT FROM b.hash ORDER BY 1"
    )
    return [row[0] for row in await cursor.fetchall()]


async def how(connection: Connection, live: str, apart: str, customer: str) -> tuple[str, ...]:
    """In what a customer's live view, timeline and search terms differ from the log: sentences without anything personal."""
    said = [one for part in (_rows, _views, _terms) for one in await part(connection, live, apart, customer)]
    return tuple(said) or ("the text of a column",)


async def sums(connection: Connection, schema: str) -> tuple[int, int, str]:
    """How many customers and events there are, and one hash over all."""
    cursor = await connection.execute(
        "SELECT count(*) FILTER (WHERE customer_id <> '00000000-0000-0000-0000-000000000000'), coalesce(sum(events), 0)::bigint,"
        f" md5(coalesce(string_agg(hash, '' ORDER BY customer_id), '')) FROM ({fingerprints(schema)}) f"
    )
    row = await cursor.fetchone()
    return row if row else (0, 0, "")


async def _rows(connection: Connection, live: str, apart: str, customer: str) -> list[str]:
    apart_by = {name: f"{_of('a', column)} IS DISTINCT FROM {_of('b', column)}" for name, column in COLUMNS.items()}
    parts = ", ".join(f"CASE WHEN {differs} THEN '{name}' END" for name, differs in apart_by.items())
    cursor = await connection.execute(
        f"SELECT event_id::text, a.event_id IS NULL, b.event_id IS NULL, array_remove(ARRAY[{parts}], NULL)"
        f" FROM (SELECT * FROM {live}.timeline WHERE customer_id = %(customer)s) a"
        f" FULL JOIN (SELECT * FROM {apart}.timeline WHERE customer_id = %(customer)s) b USING (event_id)"
        f" WHERE a.event_id IS NULL OR b.event_id IS NULL OR {' OR '.join(apart_by.values())}"
        " ORDER BY 1",
        {"customer": customer},
    )
    rows = await cursor.fetchall()
    said = [
        _named("rows that are missing", [event for event, missing, _, _ in rows if missing]),
        _named("rows that are not his", [event for event, _, foreign, _ in rows if foreign]),
    ]
    said += [f"the row of {event}: {', '.join(parts)}" for event, missing, foreign, parts in rows if not missing and not foreign][:SHOWN]
    return [sentence for sentence in said if sentence]


async def _views(connection: Connection, live: str, apart: str, customer: str) -> list[str]:
    states = []
    for schema in (live, apart):
        cursor = await connection.execute(f"SELECT state FROM {schema}.view WHERE customer_id = %s", (UUID(customer),), binary=True)
        states.append(await cursor.fetchone())
    kept, folded = states
    if kept is None or folded is None:
        return [] if kept is folded else ["there is a view" if kept else "there is no view"]
    if bytes(kept[0]) == bytes(folded[0]):
        return []
    one, other = decode(kept[0]), decode(folded[0])
    parts = [field.name for field in msgspec.structs.fields(State) if getattr(one, field.name) != getattr(other, field.name)]
    return [f"the view: {', '.join(parts) or 'the order of its bytes'}"]


async def _terms(connection: Connection, live: str, apart: str, customer: str) -> list[str]:
    cursor = await connection.execute(
        "SELECT DISTINCT coalesce(a.kind, b.kind)"
        f" FROM (SELECT * FROM {live}.terms WHERE customer_id = %(customer)s) a"
        f" FULL JOIN (SELECT * FROM {apart}.terms WHERE customer_id = %(customer)s) b USING (kind, term)"
        " WHERE a.term IS NULL OR b.term IS NULL ORDER BY 1",
        {"customer": customer},
    )
    kinds = [row[0] for row in await cursor.fetchall()]
    return [f"what he is found by: {', '.join(kinds)}"] if kinds else []


def _of(row: str, column: str) -> str:
    return column.format(row=row) if "(" in column else f"{row}.{column}"


def _named(what: str, events: Sequence[str]) -> str:
    if not events:
        return ""
    more = f" and {len(events) - SHOWN} more" if len(events) > SHOWN else ""
    return f"{what}: {', '.join(events[:SHOWN])}{more}"
