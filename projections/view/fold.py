"""Folds a customer's facts into what the view shows. Reading order: evolve, openings, needs_history, asks, begin, finish.

The state after any order of arrival is the state that folding in `(at, event_id)` order gives, to the byte. Nearly everything is a count,
a sum, or the latest word, and does not mind the order. Where it would show, `needs_history` says so before the fact is folded, and the
runner folds the customer's whole history anew, once for all such facts of a batch:

    state = begin()
    for fact in history: state = evolve(state, fact)    # in (at, event_id) order, in as many steps as it likes
    state = finish(state)
"""

from collections.abc import Sequence

from msgspec.structs import replace

from aggregates.fact import Fact
from aggregates.wire import CustomerEvent, tokens
from projections.view import channels, consent, contacts, matters, orders, subscriptions, traits
from projections.view.channels import ORDER_CANCELLED, ORDER_PLACED
from projections.view.state import NO_ORDERS, Seen, State

ORDERS = frozenset({ORDER_PLACED, ORDER_CANCELLED})
CONSENT = frozenset({"consent.given", "consent.withdrawn"})
SUBSCRIPTIONS = frozenset({"subscription.started", "subscription.renewed", "subscription.cancelled"})

HEARSAY = frozenset({"profile", "score", "segment", "signal", "timer"})
"""Channels that speak of the customer without having met him: they do not move when he was seen."""

INITIAL = State()


def initial() -> State:
    """Nothing is known."""
    return INITIAL


def evolve(state: State, fact: Fact) -> State:
    """The state after one more fact. Each event is folded once: duplicates end at the timeline."""
    at, type_ = fact.at, fact.type
    first, last = state.first, state.last
    if fact.channel not in HEARSAY:
        if first is None or at < first:
            first = at
        if last is None or (last.at, last.event) < (at, fact.event_id):
            last = Seen(at, fact.event_id, type_[:100])
    state = replace(
        state,
        events=state.events + 1,
        first=first,
        last=last,
        wall=state.wall or fact.clock != "event",
        simulated=state.simulated + fact.simulated,
        future=state.future + (fact.flag == "future"),
        past=state.past + (fact.flag == "past"),
        contacts=contacts.evolve(state.contacts, fact),
        channels=channels.evolve(state.channels, fact),
    )
    step = matters.STEPS.get(type_)
    if step is not None:
        state = replace(state, matters=step(state.matters, fact))
    if type_ in ORDERS:
        return replace(state, orders=orders.evolve(state.orders, fact))
    if type_ in traits.TELLING:
        return replace(state, traits=traits.evolve(state.traits, fact))
    if type_ in CONSENT:
        return replace(state, consents=consent.evolve(state.consents, fact))
    if type_ in SUBSCRIPTIONS:
        return replace(state, subscriptions=subscriptions.evolve(state.subscriptions, fact))
    return state


def openings(state: State, events: Sequence[CustomerEvent]) -> list[bool]:
    """Of the events that are folded next: which must be opened for it. They name somebody new, or tell what he is."""
    unknown = contacts.unknown(state.contacts, [tokens(event.yektawho) for event in events])
    return [event.yektaseal > 0 and (new or event.type in traits.TELLING) for new, event in zip(unknown, events, strict=True)]


def needs_history(state: State, fact: Fact, words: orders.Words | None = None) -> bool:
    """Whether the customer's whole history must be folded to take this fact in. Rare: see `orders` and `subscriptions`; and rarer still
    where the words on those orders are known that `asks` names."""
    if fact.type in ORDERS:
        return orders.needs_history(state.orders, fact, words)
    return fact.type in SUBSCRIPTIONS and subscriptions.needs_history(state.subscriptions, fact)


def asks(state: State, facts: Sequence[Fact]) -> set[str]:
    """The ids of orders on whose words it depends whether these facts need the history; none where they cannot help."""
    told = [fact for fact in facts if fact.type in ORDERS]
    return orders.asks(state.orders, told) if told else set()


def begin() -> State:
    """Where a fold over a whole history begins: it remembers every order, for the cancellations to come."""
    return replace(INITIAL, orders=replace(NO_ORDERS, archive=()))


def finish(state: State) -> State:
    """The state of a fold over a whole history, as it is kept."""
    return replace(state, orders=replace(state.orders, archive=None))
