"""The timeline: where duplicates end, and where histories come from."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from projections.rows import Connection
from projections.timeline import page as pages
from projections.timeline import table as timeline
from projections.timeline.row import EVENT_CLOCK, FUTURE, SIMULATED, Row, row_of
from tests.view.telling import BEGINNING, CUSTOMER, Happening, happened

pytestmark = pytest.mark.engines
OTHER = UUID(int=7)


def row(happening: Happening, offset: int = 0, customer: UUID = CUSTOMER) -> Row:
    return row_of(happening.event, happening.record, customer, 1, offset)


def pages_viewed(count: int) -> list[Happening]:
    return [happened("web.page_viewed", {"url": f"/{number}"}, day=number, id_=f"page {number}") for number in range(count)]


async def test_only_new_events_are_given_back(connection: Connection, schema: str) -> None:
    first, second, third = [row(happening, offset) for offset, happening in enumerate(pages_viewed(3))]
    again = second._replace(log_offset=3)
    assert await timeline.insert(connection, schema, [first, second, again]) == {0, 1}
    assert await timeline.insert(connection, schema, [again, third]) == {2}
    await connection.commit()
    assert await timeline.insert(connection, schema, [first, again, third]) == set()
    assert await timeline.insert(connection, schema, []) == set()


async def test_an_event_may_stand_under_two_customers(connection: Connection, schema: str) -> None:
    (event,) = pages_viewed(1)
    assert await timeline.insert(connection, schema, [row(event, 1), row(event, 2, customer=OTHER)]) == {1, 2}


async def test_a_connection_without_a_transaction_is_refused(connection: Connection, schema: str) -> None:
    await connection.set_autocommit(True)
    with pytest.raises(RuntimeError, match="begin a transaction"):
        await timeline.insert(connection, schema, [row(pages_viewed(1)[0])])
    async with connection.transaction():
        assert await timeline.insert(connection, schema, [row(pages_viewed(1)[0])])


async def test_a_row_says_what_the_contract_points_out(connection: Connection, schema: str) -> None:
    order = happened(
        "sales.order_placed",
        {"order_id": "o-1", "lines": [], "total": "12.50", "currency": "USD"},
        recorded=BEGINNING - timedelta(days=1),
        yektasimulated=True,
        yektaclock="event",
    )
    assert await timeline.insert(connection, schema, [row(order, offset=42)])
    (item,), following = await pages.page(connection, schema, CUSTOMER)
    assert following is None
    assert (item.ref, str(item.amount), item.currency) == ("o-1", "12.50", "USD")
    assert item.flags == SIMULATED | FUTURE | EVENT_CLOCK
    assert (item.at, item.occurred) == (BEGINNING - timedelta(days=1), BEGINNING)
    assert (item.log_partition, item.log_offset, item.record) == (1, 42, order.record)


async def test_a_history_comes_in_the_order_folds_go_by(connection: Connection, schema: str) -> None:
    events = pages_viewed(9) + [happened("web.page_viewed", {"url": "/same"}, day=3, id_=f"same time {n}") for n in range(4)]
    shuffled = random.Random(1).sample(events, len(events))
    await timeline.insert(connection, schema, [row(event) for event in shuffled])
    in_order = [event.record for event in sorted(events, key=lambda event: event.fact.stamp)]
    chunks = [chunk async for chunk in timeline.history(connection, schema, CUSTOMER, chunk=4)]
    assert [len(chunk) for chunk in chunks] == [4, 4, 4, 1]
    assert [record for chunk in chunks for record in chunk] == in_order
    pieces = await timeline.piece(connection, schema, CUSTOMER, None, 5)
    pieces += await timeline.piece(connection, schema, CUSTOMER, pieces[-1].at, 50)
    assert [piece.record for piece in pieces] == in_order
    assert len(await timeline.piece(connection, schema, CUSTOMER, pieces[2].at, 2)) == 5, "a piece ends between two rows of one time"


async def test_a_history_can_end_at_a_time_on_either_clock(connection: Connection, schema: str) -> None:
    events = [
        happened("web.page_viewed", {"url": f"/{day}"}, day=day, recorded=BEGINNING + timedelta(days=10 - day), id_=str(day))
        for day in range(5)
    ]
    await timeline.insert(connection, schema, [row(event) for event in events])

    async def days(**until: object) -> list[str]:
        known = {event.record: event.event.id for event in events}
        chunks = [chunk async for chunk in timeline.history(connection, schema, CUSTOMER, **until)]  # type: ignore[arg-type]
        return [known[record] for chunk in chunks for record in chunk]

    assert await days() == ["0", "1", "2", "3", "4"]
    assert await days(as_of=BEGINNING + timedelta(days=2)) == ["0", "1", "2"]
    assert await days(known_at=BEGINNING + timedelta(days=8)) == ["2", "3", "4"]
    assert await days(as_of=BEGINNING + timedelta(days=3), known_at=BEGINNING + timedelta(days=8)) == ["2", "3"]


async def test_pages_turn_from_the_newest_and_miss_nothing(connection: Connection, schema: str) -> None:
    events = pages_viewed(7) + [happened("call.ended", {"call_id": str(n)}, day=3, id_=f"call {n}") for n in range(4)]
    await timeline.insert(connection, schema, [row(event) for event in events])
    newest_first = [event.event.yektaevent for event in sorted(events, key=lambda event: event.fact.stamp, reverse=True)]
    for limit in (1, 3, 11, 50):
        seen, cursor = [], None
        while True:
            items, cursor = await pages.page(connection, schema, CUSTOMER, cursor, limit)
            assert len(items) <= limit
            seen += [str(item.event_id) for item in items]
            assert len(seen) <= len(events)
            if cursor is None:
                break
        assert seen == newest_first


async def test_pages_can_show_one_channel_type_or_time_only(connection: Connection, schema: str) -> None:
    events = pages_viewed(7) + [happened("call.ended", {"call_id": str(n)}, day=3, id_=f"call {n}") for n in range(4)]
    await timeline.insert(connection, schema, [row(event) for event in events])

    async def ids(**filters: object) -> set[str]:
        known = {event.event.yektaevent: event.event.id for event in events}
        items, _ = await pages.page(connection, schema, CUSTOMER, **filters)  # type: ignore[arg-type]
        return {known[str(item.event_id)] for item in items}

    assert await ids(channel="call") == {"call 0", "call 1", "call 2", "call 3"}
    assert await ids(type_="web.page_viewed", since=BEGINNING + timedelta(days=5)) == {"page 5", "page 6"}
    assert await ids(until=BEGINNING + timedelta(days=2)) == {"page 0", "page 1"}
    assert await ids(channel="sales") == set()


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ééé", "A" * 33])
async def test_a_cursor_that_is_none_is_refused(connection: Connection, schema: str, cursor: str) -> None:
    with pytest.raises(pages.BadCursor):
        await pages.page(connection, schema, CUSTOMER, cursor)
