"""The state of a customer is a matter of what happened, not of when we heard of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.view import channels, consent, contacts, matters, orders, subscriptions, traits
from projections.view.fold import asks as asks_of
from projections.view.fold import needs_history
from projections.view.orders import Worth
from projections.view.state import decode, encode
from tests.view.histories import DATA, arrivals
from tests.view.telling import BEGINNING, Happening, arriving, folded, happened, spoken_of

Arrivals = tuple[list[Happening], list[list[Happening]]]

ORDER_TYPES = tuple(type_ for type_ in DATA if type_.startswith("sales."))
MANY = settings(max_examples=300, deadline=None)


@pytest.fixture(scope="module")
def little_memory() -> Iterator[None]:
    """Limits so small that histories of a test pass them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "LIMIT", 3)
        patch.setattr(orders, "SHELF", 2)
        patch.setattr(subscriptions, "LIMIT", 2)
        patch.setattr(contacts, "LIMIT", 4)
        patch.setattr(traits, "LIMIT", 3)
        patch.setattr(channels, "LIMIT", 7)
        patch.setattr(consent, "LIMIT", 3)
        patch.setattr(matters, "CALLS", 2)
        patch.setattr(matters, "QUOTES", 2)
        patch.setattr(matters, "LEADS", 2)
        yield


@MANY
@given(arrivals())
def test_any_order_and_batching_gives_the_same_bytes(arrived: Arrivals) -> None:
    history, batches = arrived
    assert encode(arriving(batches)) == encode(folded(history))


@pytest.mark.usefixtures("little_memory")
@MANY
@given(arrivals())
def test_so_it_is_when_more_came_than_is_kept(arrived: Arrivals) -> None:
    history, batches = arrived
    assert encode(arriving(batches)) == encode(folded(history))


@pytest.mark.usefixtures("little_memory")
@MANY
@given(arrivals(ORDER_TYPES))
def test_so_it_is_for_orders_that_are_forgotten_repeated_and_cancelled(arrived: Arrivals) -> None:
    history, batches = arrived
    assert encode(arriving(batches)) == encode(folded(history))


@pytest.mark.usefixtures("little_memory")
@MANY
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans()), max_size=14), st.data())
def test_so_it_is_for_orders_that_come_a_little_late(told: list[tuple[int, int, bool]], data: st.DataObject) -> None:
    """Most have a number of their own: those find their places without the history."""
    history = [
        happened(
            "sales.order_cancelled" if cancelled and not back else "sales.order_placed",
            {"order_id": f"o{max(0, nth - back)}", "total": str(nth), "currency": "USD"},
            at=BEGINNING + timedelta(minutes=nth - late),
            id_=str(nth),
        )
        for nth, (late, back, cancelled) in enumerate(told)
    ]
    arrived = sorted(history, key=lambda happening: int(happening.event.id))
    size = data.draw(st.integers(1, 4))
    assert encode(arriving([arrived[at : at + size] for at in range(0, len(arrived), size)])) == encode(folded(history))


@pytest.mark.usefixtures("little_memory")
def test_a_late_order_asks_for_the_history_only_where_its_place_is_not_known() -> None:
    """What is remembered are the last three; of the orders after it, none may be older than it."""

    def order(number: int, minute: float, word: str = "placed") -> Happening:
        at = BEGINNING + timedelta(minutes=minute)
        return happened(f"sales.order_{word}", {"order_id": f"o{number}"}, at=at, id_=f"{number} {minute}")

    past = [order(number, number) for number in range(6)]
    again = order(2, 5.5)  # by then it was forgotten
    for history, late, asks in (
        (past, order(9, 4.5), False),
        (past, order(9, 2.5), True),  # it would be forgotten itself
        (past, order(0, 4.5), True),  # its number was there before
        ([*past, again], order(9, 5.2), True),
        ([*past, again, order(7, 6)], order(9, 5.7), False),
    ):
        told = [*history, late]
        state = folded(history)
        words = spoken_of(told, asks_of(state, [late.fact]))
        assert needs_history(state, late.fact)
        assert needs_history(state, late.fact, words) is asks
    assert not needs_history(folded(past), order(4, 4.5, "cancelled").fact)


@pytest.mark.usefixtures("little_memory")
@MANY
@given(st.data())
def test_the_worth_of_orders_is_the_sum_of_those_that_stand(data: st.DataObject) -> None:
    placings = data.draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 99)), max_size=12))
    cancellings = data.draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20)), max_size=6, unique_by=lambda each: each[1]))
    history = [
        happened("sales.order_placed", {"order_id": f"o{number}", "total": str(total), "currency": "USD"}, day=on)
        for number, (on, total) in enumerate(placings)
    ] + [
        happened("sales.order_cancelled", {"order_id": f"o{number}"}, day=on, id_=f"{number} {on} {n}")
        for n, (number, on) in enumerate(cancellings)
    ]
    standing = [
        total
        for number, (on, total) in enumerate(placings)
        if not any(cancelled == number and when >= on for cancelled, when in cancellings)
    ]
    state = arriving([[happening] for happening in data.draw(st.permutations(history))])
    assert (state.orders.placed, state.orders.cancelled) == (len(placings), len(placings) - len(standing))
    assert state.orders.worth == ({"USD": Worth(len(standing), str(sum(standing)))} if standing else {})


@MANY
@given(arrivals())
def test_a_state_survives_being_written(arrived: Arrivals) -> None:
    state = arriving(arrived[1])
    assert decode(encode(state)) == state
    assert encode(decode(encode(state))) == encode(state)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("tie", range(8))
def test_a_forgotten_cancellation_of_nothing_does_not_swallow_a_later_one(tie: int) -> None:
    early = happened("sales.order_cancelled", {"order_id": "late"}, day=0, id_="early")
    others = [happened("sales.order_placed", {"order_id": f"o{n}", "total": "1", "currency": "USD"}, day=1) for n in range(4)]
    placed = happened("sales.order_placed", {"order_id": "late", "total": "1", "currency": "USD"}, day=5, id_=f"placed {tie}")
    cancelled = happened("sales.order_cancelled", {"order_id": "late"}, day=5, id_=f"cancelled {tie}")  # before or after it, by its id
    assert folded([early, *others, placed, cancelled]).orders.cancelled == 1
