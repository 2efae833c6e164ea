"""Waits for what was sent, also while more is being sent: every end is taken once and then waited for, so a busy log cannot outrun it.

First resolving passes the position; then folding passes what had been published by then, and what that sent from one customer to another:
a move is told to the old customer, who hands over to the new one. It ends with the round that sent nothing on.
Reading order: Wait, advance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

Connection = AsyncConnection[tuple[Any, ...]]

ROUNDS = 10
"""More than any event needs to come home; others' events may be sent on all the while."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How far a wait has come."""

    position: Mapping[int, int]  # next offsets in `touchpoints`
    ends: Mapping[int, int] | None = None  # next offsets in `customer-events`, once resolved
    rounds: int = 0
    done: bool = False  # all of it is in the views


async def advance(connection: Connection, wait: Wait) -> Wait:
    """Go as far as the positions allow now."""
    if wait.ends is None:
        wait = replace(wait, ends=await _resolved(connection, wait.position))
    while wait.ends is not None and not wait.done:
        further = await _folded(connection, wait.ends)
        if further is None:
            break
        rounds = wait.rounds + 1
        wait = replace(wait, ends=further, rounds=rounds, done=further == wait.ends or rounds == ROUNDS)
    return wait


async def _resolved(connection: Connection, position: Mapping[int, int]) -> Mapping[int, int] | None:
    """What had been published when resolving had passed the position; None while it has not."""
    cursor = await connection.execute(
        "SELECT partition, next_offset, published FROM streams.positions WHERE processor = 'resolve' AND partition = ANY(%s)",
        (list(position),),
    )
    ends: dict[int, int] = {}
    passed = set()
    for partition, offset, published in await cursor.fetchall():
        if offset >= position[partition]:
            passed.add(partition)
            _extend(ends, published)
    return ends if passed == set(position) else None


async def _folded(connection: Connection, ends: Mapping[int, int]) -> Mapping[int, int] | None:
    """What had been forwarded when folding had passed these ends with nothing of them on its way; None while it has not."""
    cursor = await connection.execute(
        "WITH ends AS (SELECT key::int AS partition, value::bigint AS next FROM jsonb_each_text(%s))"
        " SELECT p.partition, p.next_offset, p.published,"
        " EXISTS (SELECT 1 FROM streams.outbox o WHERE o.processor = p.processor AND o.partition = p.partition"
        " AND o.topic = 'customer-events'"  # what is told to others is no part of any view
        ' AND o."offset" < ends.next)'
        " OR EXISTS (SELECT 1 FROM streams.chores c WHERE c.partition = p.partition AND c.asked_offset < ends.next)"
        " FROM ends JOIN streams.positions p USING (partition) WHERE p.processor = 'customer'",
        (Jsonb({str(partition): end for partition, end in ends.items()}),),
    )
    further = dict(ends)
    passed = set()
    for partition, offset, published, on_its_way in await cursor.fetchall():
        if offset >= ends[partition] and not on_its_way:
            passed.add(partition)
            _extend(further, published)
    return further if passed == set(ends) else None


def _extend(ends: dict[int, int], published: Mapping[str, int]) -> None:
    for target, end in published.items():
        ends[int(target)] = max(ends.get(int(target), 0), end)
