"""What an agent is shown of a customer: the answer of `GET /v1/customers/{id}`, made of his state and his windows. Pure.

Everything that passes with time (an offer, a consent, a call that nobody ended) is judged at `at`. Reading order: answer, then `read`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from aggregates.identifier import kind_of
from aggregates.identity.publishing import TraitRule
from aggregates.touchpoint import channel_of
from projections.money import average, shown
from projections.view import consent, matters
from projections.view.answer import (
    CallShown,
    CartShown,
    ChannelShown,
    ConsentShown,
    ContactPoint,
    Displaced,
    Flagged,
    LeadShown,
    OpenMatters,
    OrdersShown,
    QuoteShown,
    SubscriptionShown,
    TraitShown,
    View,
    WorthShown,
)
from projections.view.channels import ORDER_PLACED, OURS
from projections.view.precedence import NO_RULES, believed
from projections.view.state import State
from projections.view.traits import name_of
from projections.view.windows import Window, Windows

SALES = channel_of(ORDER_PLACED)


def read(
    customer: UUID,
    state: State,
    windows: Windows,
    at: datetime,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    position: str = "",
    moving: bool = False,
    rules: Sequence[TraitRule] = NO_RULES,
) -> View:
    """The view of a customer at a time, from the state of what had happened by then; of traits the rules say whom to believe."""
    last, traits = state.last, believed(state.traits, rules)
    return View(
        customer_id=customer,
        name=name_of(traits),
        contact_points=contact_points(state),
        traits={
            name: TraitShown(
                trait.value,
                trait.at,
                trait.event,
                trait.source,
                trait.cut,
                trait.verified,
                [Displaced(one.value, one.at, one.event, one.source, one.verified) for one in trait.others],
            )
            for name, trait in sorted(traits.items())
            if trait.value is not None
        },
        first_seen=state.first,
        last_seen=last.at if last else None,
        last_channel=channel_of(last.type) if last else None,
        last_type=last.type if last else None,
        events=state.events - sum(state.channels[name].count for name in OURS & state.channels.keys()),
        channels=channels(state),
        windows={
            f"{days}d": {name: Window(window.events, amounts(window.money)) for name, window in by_channel.items() if name not in OURS}
            for days, by_channel in windows.items()
        },
        orders=orders(state),
        consents=consents(state, at),
        subscriptions=[
            SubscriptionShown(key, known.state, known.plan, known.ends)
            for key, known in sorted(state.subscriptions.known.items())
            if known.running(at)
        ],
        open=open_matters(state, at),
        simulated=state.simulated,
        flagged=Flagged(state.future, state.past),
        clock="wall" if state.wall else "event",
        at=at,
        as_of=as_of,
        known_at=known_at,
        position=position,
        moving=moving,
    )


def contact_points(state: State) -> list[ContactPoint]:
    """Identifiers, those met last first."""
    points = sorted(state.contacts.points.items(), key=lambda item: (item[1].last, item[0]), reverse=True)
    return [
        ContactPoint(kind_of(token), contact.value, contact.first, contact.last, contact.event, contact.source) for token, contact in points
    ]


def channels(state: State) -> dict[str, ChannelShown]:
    """Each channel in which others were heard; what was bought by order is in the orders' channel."""
    worth = {currency: worth.total for currency, worth in state.orders.worth.items()}
    return {
        name: ChannelShown(channel.count, channel.first, channel.last, amounts(channel.money | worth if name == SALES else channel.money))
        for name, channel in sorted(state.channels.items())
        if name not in OURS
    }


def orders(state: State) -> OrdersShown:
    """Counts and worth of orders."""
    known = state.orders
    return OrdersShown(
        placed=known.placed,
        cancelled=known.cancelled,
        worth={
            currency: WorthShown(worth.count, shown(worth.total), shown(average(worth.total, worth.count)))
            for currency, worth in sorted(known.worth.items())
        },
        first_at=known.first,
        last_at=known.last[0] if known.last else None,
    )


def consents(state: State, at: datetime) -> list[ConsentShown]:
    """By purpose and channel the word that counts there: a later one about all channels is also about this one."""
    spoken = [key.rpartition(" ")[::2] for key in sorted(state.consents)]
    counting = [(purpose, channel, consent.deciding(state.consents, purpose, channel)) for purpose, channel in spoken]
    return [
        ConsentShown(purpose, channel, word.given, word.in_force(at), word.at, word.until, word.event)
        for purpose, channel, word in counting
        if word is not None
    ]


def open_matters(state: State, at: datetime) -> OpenMatters:
    """What is open at a time, the newest of each first."""
    known = state.matters
    cart = matters.open_cart(known)
    return OpenMatters(
        calls=[
            CallShown(key, call.stage, call.at, call.direction, call.queue, call.agent, call.extension, call.event)
            for key, call in newest_first(matters.open_calls(known, at))
        ],
        quotes=[
            QuoteShown(key, shown(quote.total), quote.currency, quote.at, quote.until, quote.event)
            for key, quote in newest_first(matters.open_quotes(known, at))
        ],
        cart=CartShown(cart.lines, shown(cart.total), cart.currency, cart.at, cart.event) if cart else None,
        leads=[
            LeadShown(lead.reseller, lead.lead_id, lead.interest, shown(lead.value), lead.currency, lead.at, lead.event)
            for _, lead in newest_first(matters.open_leads(known))
        ],
    )


def newest_first(known: dict[str, matters.AnyMatter]) -> list[tuple[str, matters.AnyMatter]]:
    """Matters with the one spoken of last in front."""
    return sorted(known.items(), key=lambda item: item[1].rank, reverse=True)


def amounts(money: dict[str, str]) -> dict[str, str]:
    """Sums as people write them."""
    return {currency: shown(sum_) for currency, sum_ in sorted(money.items())}
