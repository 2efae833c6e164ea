"""What happened in the last days, channel by channel: counted when it is read, so that it is right also when nothing more happens.

A window of W days at a time is `(time - W, time]`, by effective time. Money counts as in the view: an order where its latest word says that
it stands, at the time of its placing; a reseller's sale and return, a subscription's period as reported. `windows` is the meaning in
Python, `count` the same in SQL, over the rows of the timeline.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from aggregates.contracts import CONTRACTS
from projections.money import EXACT, ZERO, plus, text_of
from projections.rows import Connection
from projections.view.channels import ORDER_CANCELLED, ORDER_PLACED

DAYS = (7, 30, 90, 365)
TURNOVER = {contract.type: contract.turnover for contract in CONTRACTS.values() if contract.turnover and contract.type != ORDER_PLACED}


class Counted(NamedTuple):
    """What windows read of an event."""

    at: datetime
    event_id: UUID
    type: str
    channel: str
    ref: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


class Window(Struct, frozen=True):
    """What passed in one channel in one window."""

    events: int
    money: dict[str, str] = {}


Windows = dict[int, dict[str, Window]]
"""By days, then by channel; a channel in which nothing happened is absent."""


def windows(rows: Iterable[Counted], at: datetime) -> Windows:
    """The windows at a time, of a customer's events in any order; what happened later does not count."""
    happened = [row for row in rows if row.at <= at]
    return {days: _window([row for row in happened if row.at > at - timedelta(days)], happened) for days in DAYS}


def _window(rows: list[Counted], happened: list[Counted]) -> dict[str, Window]:
    standing = _standing(happened)
    counts: dict[str, int] = {}
    money: dict[str, dict[str, str]] = {}
    for row in rows:
        counts[row.channel] = counts.get(row.channel, 0) + 1
        sign = int(row.event_id in standing) if row.type == ORDER_PLACED else TURNOVER.get(row.type, 0)
        if sign and row.amount is not None and row.currency is not None:
            sums = money.setdefault(row.channel, {})
            sums[row.currency] = plus(sums.get(row.currency, ZERO), EXACT.multiply(row.amount, sign))
    return {channel: Window(counts[channel], money.get(channel, {})) for channel in sorted(counts)}


def _standing(happened: list[Counted]) -> set[UUID]:
    """The events that are the latest word on their order and say that it stands."""
    latest: dict[str, tuple[datetime, bool, UUID]] = {}
    for row in happened:
        if row.type in (ORDER_PLACED, ORDER_CANCELLED) and row.ref is not None:
            word = (row.at, row.type == ORDER_CANCELLED, row.event_id)
            latest[row.ref] = max(word, latest.get(row.ref, word))
    return {event_id for _, cancelled, event_id in latest.values() if not cancelled}


_SIGNS = ", ".join(f"('{type_}', {sign})" for type_, sign in TURNOVER.items())


def _each(aggregate: str) -> str:
    """An aggregate over each window; all rows are within the longest."""
    within = [f"{aggregate} FILTER (WHERE at > %(at)s - interval '{days} days')" for days in DAYS[:-1]]
    return ", ".join(f"({one})::numeric" for one in (*within, aggregate))


_COUNTS, _SUMS = _each("count(*)"), _each("sum(amount)")


def sql(schema: str, known: str = "") -> str:
    """The counts (currency null) and sums of every channel, one row each: channel, currency, one number per window."""
    return f"""
        WITH facts AS MATERIALIZED (
            SELECT at, event_id, type, channel, ref, amount, currency FROM {schema}.timeline
            WHERE customer_id = %(customer)s AND at > %(at)s - interval '{DAYS[-1]} days' AND at <= %(at)s{known}
        ), latest AS (
            SELECT DISTINCT ON (ref) at, type, channel, amount, currency FROM facts
            WHERE type IN ('{ORDER_PLACED}', '{ORDER_CANCELLED}') AND ref IS NOT NULL
            ORDER BY ref, at DESC, type = '{ORDER_CANCELLED}' DESC, event_id DESC
        ), money AS (
            SELECT at, channel, amount, currency FROM latest WHERE type = '{ORDER_PLACED}' AND amount IS NOT NULL
            UNION ALL
            SELECT at, channel, amount * sign, currency FROM facts JOIN (VALUES {_SIGNS}) AS turnover(type, sign) USING (type)
            WHERE amount IS NOT NULL
        )
        SELECT channel, NULL::text AS currency, {_COUNTS} FROM facts GROUP BY channel
        UNION ALL
        SELECT channel, currency, {_SUMS} FROM money GROUP BY channel, currency
    """


async def count(connection: Connection, schema: str, customer: UUID, at: datetime, *, known_at: datetime | None = None) -> Windows:
    """The windows at a time, of what had been received by `known_at`."""
    known = " AND recorded <= %(known_at)s" if known_at is not None else ""
    cursor = await connection.execute(sql(schema, known=known), {"customer": customer, "at": at, "known_at": known_at})
    return assembled(await cursor.fetchall())


def assembled(rows: Iterable[tuple[Any, ...]]) -> Windows:
    """The windows that the rows of the query come to."""
    counts: dict[int, dict[str, int]] = {days: {} for days in DAYS}
    money: dict[int, dict[str, dict[str, str]]] = {days: {} for days in DAYS}
    for channel, currency, *numbers in rows:
        for days, number in zip(DAYS, numbers, strict=True):
            if number is None:
                continue
            if currency is None:
                if number:
                    counts[days][channel] = int(number)
            else:
                money[days].setdefault(channel, {})[currency] = text_of(Decimal(number))
    return {
        days: {channel: Window(counts[days][channel], money[days].get(channel, {})) for channel in sorted(counts[days])} for days in DAYS
    }
