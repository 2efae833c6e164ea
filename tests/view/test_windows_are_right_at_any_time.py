"""Windows: what they mean, and that SQL means the same."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.serving import planned_once
from projections.rows import Connection
from projections.timeline import table as timeline
from projections.timeline.row import row_of
from projections.view import table as views
from projections.view.windows import Counted, Window, count, windows
from tests.view.histories import histories
from tests.view.telling import BEGINNING, CUSTOMER, Happening, folded, happened

TYPES = (
    *("sales.order_placed", "sales.order_cancelled", "sales.payment_received", "sales.quote_sent", "web.page_viewed"),
    *("reseller.sale_reported", "reseller.return_reported", "subscription.renewed", "subscription.cancelled"),
)


def day(days: float) -> datetime:
    return BEGINNING + timedelta(days=days)


def counted(happening: Happening) -> Counted:
    row = row_of(happening.event, b"", CUSTOMER, 0, 0)
    return Counted(row.at, row.event_id, row.type, row.channel, row.ref, row.amount, row.currency)


def order(number: str, total: str, on: float) -> Happening:
    return happened("sales.order_placed", {"order_id": number, "total": total, "currency": "USD"}, day=on)


def test_a_window_has_its_end_and_not_its_beginning() -> None:
    rows = [counted(happened("web.page_viewed", {"url": "/"}, day=on)) for on in (0, 7)]
    assert windows(rows, day(7))[7] == {"web": Window(1)}
    assert windows(rows, day(7) - timedelta(microseconds=1))[7] == {"web": Window(1)}
    assert windows(rows, day(7))[30] == {"web": Window(2)}
    assert windows(rows, day(13))[7] == {"web": Window(1)}
    assert windows(rows, day(14)) == {7: {}, 30: {"web": Window(2)}, 90: {"web": Window(2)}, 365: {"web": Window(2)}}
    assert windows(rows, day(-1)) == {7: {}, 30: {}, 90: {}, 365: {}}


def test_money_is_of_orders_that_stand() -> None:
    history = [
        order("a", "10", 0),
        order("b", "20.50", 20),
        order("b", "30.50", 21),  # sent again, with another total
        order("c", "5", 22),
        happened("sales.order_cancelled", {"order_id": "c"}, day=22),
        happened("sales.payment_received", {"order_id": "b", "amount": "30.50", "currency": "USD"}, day=23),
    ]
    rows = [counted(happening) for happening in history]
    now = windows(rows, day(25))
    assert now[7]["sales"] == Window(5, {"USD": "30.5"})
    assert now[30]["sales"] == Window(6, {"USD": "40.5"})
    assert windows(rows, day(20))[30]["sales"] == Window(2, {"USD": "30.5"})


def test_what_comes_back_to_a_reseller_is_taken_off() -> None:
    sale = {"reseller": "n", "sale_id": "s", "lines": [], "total": "7", "currency": "EUR"}
    history = [
        happened("reseller.sale_reported", sale),
        happened("reseller.return_reported", {"reseller": "n", "sale_id": "s", "amount": "9", "currency": "EUR"}, day=1),
        happened("reseller.return_reported", {"reseller": "n", "sale_id": "s"}, day=2),
    ]
    assert windows([counted(happening) for happening in history], day(3))[7] == {"reseller": Window(3, {"EUR": "-2"})}


def test_sums_are_exact() -> None:
    rows = [
        Counted(day(0), happened("x.y", id_=str(n)).fact.event_id, "reseller.sale_reported", "reseller", None, Decimal("0.1"), "EUR")
        for n in range(10)
    ]
    assert windows(rows, day(1))[7]["reseller"].money == {"EUR": "1"}


@pytest.mark.engines
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(TYPES), at=st.integers(-10, 400), scale=st.sampled_from([1, 500, 20_000]))
async def test_sql_counts_the_same(connection: Connection, schema: str, history: list[Happening], at: int, scale: int) -> None:
    rows = []
    for happening in history:
        row = row_of(happening.event, b"", CUSTOMER, 0, 0)
        rows.append(row._replace(at=BEGINNING + scale * (row.at - BEGINNING)))
    now, known_at = BEGINNING + timedelta(days=at), BEGINNING + timedelta(minutes=40)
    await timeline.insert(connection, schema, rows)
    known = [Counted(row.at, row.event_id, row.type, row.channel, row.ref, row.amount, row.currency) for row in rows]
    assert await count(connection, schema, CUSTOMER, now) == windows(known, now)
    heard = [counted for counted, row in zip(known, rows, strict=True) if row.recorded <= known_at]
    assert await count(connection, schema, CUSTOMER, now, known_at=known_at) == windows(heard, now)
    await views.save(connection, schema, [(CUSTOMER, folded(history), 0, 0)])
    looked = await views.look(connection, schema, CUSTOMER, now)
    assert looked is not None
    assert looked.windows == windows(known, looked.at)
    await connection.rollback()


@pytest.mark.engines
async def test_customers_that_are_looked_at_one_after_the_other_are_read_by_one_plan(connection: Connection, schema: str) -> None:
    connection.prepare_threshold = 0
    await planned_once(connection)
    for number in range(10):
        assert await views.look(connection, schema, UUID(int=number), BEGINNING) is None
    cursor = await connection.execute(
        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s", (f"%FROM {schema}.timeline %",)
    )
    assert await cursor.fetchall() == [(10, 0)]
