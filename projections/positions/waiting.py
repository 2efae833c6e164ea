"""Waits for what was sent, also while more is being sent: every end is taken once and then waited for, so a busy log cannot outrun it.

First resolving passes the position; then folding passes what had been published by then, and what that sent from one customer to another:
a move is told to the old customer, who hands over to the new one. It ends with the round that sent nothing on.
Reading order: Wait, advance, together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from psycopg import AsyncConnection

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
    (further,) = await together(connection, [wait])
    return further


async def together(connection: Connection, waits: Sequence[Wait]) -> list[Wait]:
    """The same for many: what they ask for is asked once."""
    resolved = await _resolved(connection, {partition for wait in waits if wait.ends is None for partition in wait.position})
    found = [replace(wait, ends=_published(resolved, wait.position)) if wait.ends is None else wait for wait in waits]
    going = {nth: wait.ends for nth, wait in enumerate(found) if wait.ends is not None and not wait.done}
    while going:
        folded = await _folded(connection, {partition for ends in going.values() for partition in ends})
        for nth, ends in list(going.items()):
            further, rounds = _sent_on(folded, ends), found[nth].rounds + 1
            if further is not None:
                found[nth] = replace(found[nth], ends=further, rounds=rounds, done=further == ends or rounds == ROUNDS)
                going[nth] = further
            if further is None or found[nth].done:
                del going[nth]
    return found


class _Folded(NamedTuple):
    """How far folding is in a partition."""

    offset: int
    published: Mapping[str, int]
    unsent: int | None  # the offset of the first record of which something is on its way to other customers
    asked: int | None  # the offset of the first record that asked for long work which is not done


async def _resolved(connection: Connection, partitions: Collection[int]) -> dict[int, tuple[int, Mapping[str, int]]]:
    """By partition how far resolving is, and what it had published by then."""
    if not partitions:
        return {}
    cursor = await connection.execute(
        "SELECT partition, next_offset, published FROM streams.positions WHERE processor = 'resolve' AND partition = ANY(%s)",
        (list(partitions),),
    )
    return {partition: (offset, published) for partition, offset, published in await cursor.fetchall()}


def _published(resolved: Mapping[int, tuple[int, Mapping[str, int]]], position: Mapping[int, int]) -> Mapping[int, int] | None:
    """What had been published when resolving had passed the position; None while it has not."""
    ends: dict[int, int] = {}
    for partition, wanted in position.items():
        offset, published = resolved.get(partition, (-1, {}))
        if offset < wanted:
            return None
        _extend(ends, published)
    return ends


async def _folded(connection: Connection, partitions: Collection[int]) -> dict[int, _Folded]:
    """By partition how far folding is, and what is on its way from there."""
    if not partitions:
        return {}
    cursor = await connection.execute(
        "SELECT p.partition, p.next_offset, p.published,"
        ' (SELECT min(o."offset") FROM streams.outbox o WHERE o.processor = p.processor AND o.partition = p.partition'
        " AND o.topic = 'customer-events'),"  # what is told to others is no part of any view
        " (SELECT min(c.asked_offset) FROM streams.chores c WHERE c.partition = p.partition)"
        " FROM streams.positions p WHERE p.processor = 'customer' AND p.partition = ANY(%s)",
        (list(partitions),),
    )
    return {partition: _Folded(*stands) for partition, *stands in await cursor.fetchall()}


def _sent_on(folded: Mapping[int, _Folded], ends: Mapping[int, int]) -> Mapping[int, int] | None:
    """What had been forwarded when folding had passed these ends with nothing of them on its way; None while it has not."""
    further = dict(ends)
    for partition, end in ends.items():
        stands = folded.get(partition)
        if stands is None or stands.offset < end or any(at is not None and at < end for at in (stands.unsent, stands.asked)):
            return None
        _extend(further, stands.published)
    return further


def _extend(ends: dict[int, int], published: Mapping[str, int]) -> None:
    for target, end in published.items():
        ends[int(target)] = max(ends.get(int(target), 0), end)
