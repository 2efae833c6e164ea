"""What every batch of `customer` asks first, behind the lock on its position, in one statement: of few events, statements cost most.

Reading order: Standing, ask.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from projections import generation
from projections.rows import texts
from streams.record import Connection


class Standing(NamedTuple):
    """How things stand for a batch."""

    schema: str  # the read models in force
    marked: frozenset[str]  # who of those that events came of ever lost an identifier
    erased: frozenset[UUID]  # who of those that were spoken to was erased


async def ask(connection: Connection, came: Iterable[str], called: Iterable[str]) -> Standing:
    """How it stands with those of whom events came, and those to whom timers speak; an empty id is nobody's."""
    cursor = await connection.execute(
        f"SELECT ({generation.NUMBER}), ARRAY(SELECT customer_id::text FROM identity.moved WHERE customer_id = ANY(%s::uuid[])),"
        " ARRAY(SELECT customer_id FROM identity.erased WHERE customer_id = ANY(%s::uuid[]))",
        (texts(filter(None, came)), texts(filter(None, called))),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - it selects from nothing
    number, marked, erased = row
    return Standing(generation.called(number), frozenset(marked), frozenset(erased))
