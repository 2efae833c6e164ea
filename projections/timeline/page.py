"""Turns the pages of a customer's timeline, newest first, for people. A cursor is opaque: the place of the last row given out."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.rows import class_row

from projections.rows import Connection

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Item(NamedTuple):
    """An event as a page shows it; the record is opened by whoever may."""

    event_id: UUID
    at: datetime
    occurred: datetime
    recorded: datetime
    type: str
    channel: str
    source: str
    ref: str | None
    amount: Decimal | None
    currency: str | None
    decider: str
    seal: int
    flags: int
    log_partition: int
    log_offset: int
    record: bytes


class BadCursor(Exception):
    """The cursor is not one that a page gave out."""


def cursor_of(item: Item) -> str:
    """The place of a row, in a form that nobody is tempted to read."""
    place = (item.at - _BEGINNING) // _MICROSECOND
    return urlsafe_b64encode(place.to_bytes(8, "big", signed=True) + item.event_id.bytes).decode()


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """The place that a cursor stands for. Raises `BadCursor`."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii"))
        if len(raw) != 24:
            raise BadCursor(cursor)
        return _BEGINNING + int.from_bytes(raw[:8], "big", signed=True) * _MICROSECOND, UUID(bytes=raw[8:])
    except (UnicodeEncodeError, binascii.Error, OverflowError) as error:
        raise BadCursor(cursor) from error


async def page(
    connection: Connection,
    schema: str,
    customer: UUID,
    cursor: str | None = None,
    limit: int = 50,
    *,
    channel: str | None = None,
    type_: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Sequence[Item], str | None]:
    """Up to `limit` events before the cursor's place, newest first, and the cursor of the next page; None at the end.

    `since` is inside, `until` is outside, both by effective time. Raises `BadCursor`.
    """
    conditions: list[tuple[str, tuple[Any, ...]]] = [("customer_id = %s", (customer,))]
    if cursor is not None:
        conditions.append(("(at, event_id) < (%s, %s)", place_of(cursor)))
    for condition, value in (("channel = %s", channel), ("type = %s", type_), ("at >= %s", since), ("at < %s", until)):
        if value is not None:
            conditions.append((condition, (value,)))
    where = " AND ".join(condition for condition, _ in conditions)
    values = [value for _, values in conditions for value in values]
    async with connection.cursor(binary=True, row_factory=class_row(Item)) as found:
        await found.execute(
            f"SELECT {', '.join(Item._fields)} FROM {schema}.timeline WHERE {where} ORDER BY at DESC, event_id DESC LIMIT %s",
            (*values, limit + 1),
        )
        items = await found.fetchall()
    more = len(items) > limit
    items = items[:limit]
    return items, cursor_of(items[-1]) if more and items else None
