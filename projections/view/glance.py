"""State and windows in one statement that can be planned once for all customers: most can be read so, and it costs a third.

Of orders only their latest word counts. Where no order was cancelled or told of twice, that is every word, and one pass over the rows will
do; else the glance says that it is not enough, and `windows.count` has the answer. Reading order: statement, parameters, told.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from projections.view.channels import ORDER_CANCELLED, ORDER_PLACED
from projections.view.windows import DAYS, TURNOVER, Windows, assembled

_SIGNS = " ".join(f"WHEN '{type_}' THEN {sign}" for type_, sign in TURNOVER.items())
_MONEY = f"amount * CASE type WHEN '{ORDER_PLACED}' THEN CASE WHEN ref IS NOT NULL THEN 1 END {_SIGNS} END"
_EACH = ", ".join(
    f"count(*) FILTER (WHERE at > %(days{days})s) AS events{days}, sum({_MONEY}) FILTER (WHERE at > %(days{days})s) AS money{days}"
    for days in DAYS
)
_PLACED = f"count(ref) FILTER (WHERE type = '{ORDER_PLACED}')"
_ORDERS = f"count(DISTINCT ref) FILTER (WHERE type = '{ORDER_PLACED}')"

RULES = "SELECT (document -> 'traits')::text FROM identity.rule_sets ORDER BY version DESC LIMIT 1"
"""Whom to believe of traits, as it was published last."""

EVENTS, MONEY = slice(0, None, 2), slice(1, None, 2)


def statement(schema: str) -> str:
    """One row per channel and currency; a customer without events in the longest window has one row of nulls."""
    return f"""
        SELECT v.state, v.log_partition, v.log_offset, v.moving, ({RULES}), w.*
        FROM {schema}.view v LEFT JOIN (
            SELECT channel, currency, {_PLACED} AS placed, {_PLACED} <> {_ORDERS} OR bool_or(type = '{ORDER_CANCELLED}') AS unclear, {_EACH}
            FROM {schema}.timeline WHERE customer_id = %(customer)s AND at > %(days{DAYS[-1]})s AND at <= %(at)s
            GROUP BY channel, currency
        ) w ON true
        WHERE v.customer_id = %(customer)s
    """


def parameters(customer: UUID, at: datetime) -> dict[str, Any]:
    """What the statement is asked with."""
    return {"customer": customer, "at": at} | {f"days{days}": at - timedelta(days) for days in DAYS}


def told(rows: Sequence[tuple[Any, ...]]) -> Windows | None:
    """The windows that the rows come to; None when some order's latest word has to be looked for."""
    groups = [row for row in rows if row[0] is not None]
    ordered = sum(1 for _, _, placed, *_ in groups if placed)
    if ordered > 1 or any(unclear for _, _, _, unclear, *_ in groups):  # an order may have been told again in another currency
        return None
    return assembled(_parts(groups))


def _parts(groups: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """As `windows.sql` has them: the events of a channel, and its money by currency."""
    events: dict[str, list[int]] = {}
    for channel, currency, _, _, *numbers in groups:
        held = events.setdefault(channel, [0] * len(DAYS))
        events[channel] = [sum_ + more for sum_, more in zip(held, numbers[EVENTS], strict=True)]
        if currency is not None:
            yield channel, currency, *numbers[MONEY]
    for channel, counts in events.items():
        yield channel, None, *counts
