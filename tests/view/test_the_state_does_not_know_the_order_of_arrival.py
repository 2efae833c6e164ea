"""The state of a customer is a matter of what happened, not of when we heard of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from projections.view import channels, consent, contacts, matters, orders, subscriptions, traits
from projections.view.state import decode, encode
from tests.view.histories import DATA, arrivals
from tests.view.telling import Happening, arriving, folded

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


@MANY
@given(arrivals())
def test_a_state_survives_being_written(arrived: Arrivals) -> None:
    state = arriving(arrived[1])
    assert decode(encode(state)) == state
    assert encode(decode(encode(state))) == encode(state)
