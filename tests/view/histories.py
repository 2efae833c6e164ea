"""Histories that Hypothesis makes up: few ids, few times, small limits' neighbourhood, so that everything meets everything."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.view.telling import BEGINNING, Happening, happened

MONEY = st.sampled_from(["0", "1", "12.50", "0.10", "999999999999999999.99999999", "3.000"])
CURRENCY = st.sampled_from(["USD", "IRR", "EUR"])
IDS = st.sampled_from([f"n{number}" for number in range(6)])
WHO = st.lists(
    st.tuples(st.sampled_from(["phone", "email", "device", "card"]), st.sampled_from([f"v{number}" for number in range(5)])),
    max_size=3,
    unique=True,
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Data with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


TIMES = st.sampled_from(["2026-03-01", "2026-03-02T10:00:00Z", "2027-01-01T00:00:00+03:30", "nonsense"])
TRAITS = st.dictionaries(
    st.sampled_from(["name", "given_name", "family_name", "city", "x", "y"]),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4))
    | st.lists(st.integers(0, 3), max_size=2),
    max_size=3,
)
ORDER = st.fixed_dictionaries({"order_id": IDS}, optional={"total": MONEY, "currency": CURRENCY})
SUBSCRIPTION = st.fixed_dictionaries(
    {"subscription_id": IDS}, optional={"plan": IDS, "amount": MONEY, "currency": CURRENCY, "ends_at": TIMES}
)
CALL = st.fixed_dictionaries({"call_id": IDS}, optional={"direction": st.just("inbound"), "queue": IDS, "agent": IDS})
CONSENT = st.fixed_dictionaries(
    {"purpose": st.sampled_from(["marketing", "Service"])},
    optional={"channels": st.lists(st.sampled_from(["sms", "email", "call"]), max_size=2), "valid_until": TIMES},
)
DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sales.order_placed": ORDER,
    "sales.order_cancelled": ORDER,
    "sales.payment_received": ORDER,
    "sales.quote_sent": optional(quote_id=IDS, total=MONEY, currency=CURRENCY, valid_until=TIMES),
    "subscription.started": SUBSCRIPTION,
    "subscription.renewed": SUBSCRIPTION,
    "subscription.cancelled": SUBSCRIPTION,
    "call.ringing": CALL,
    "call.answered": CALL,
    "call.ended": CALL,
    "web.page_viewed": optional(url=IDS, page=IDS),
    "web.identified": optional(traits=TRAITS),
    "profile.reported": optional(traits=TRAITS),
    "web.cart_updated": optional(lines=st.lists(st.just({"sku": "s"}), max_size=2), total=MONEY, currency=CURRENCY),
    "consent.given": CONSENT,
    "consent.withdrawn": CONSENT,
    "reseller.sale_reported": optional(reseller=IDS, sale_id=IDS, total=MONEY, currency=CURRENCY),
    "reseller.return_reported": optional(reseller=IDS, sale_id=IDS, amount=MONEY, currency=CURRENCY),
    "reseller.lead_registered": optional(reseller=IDS, lead_id=IDS, value=MONEY, currency=CURRENCY),
    "unheard.of": optional(anything=IDS),
    "another.thing": optional(anything=IDS),
}


@st.composite
def happenings(draw: st.DrawFn, types: tuple[str, ...] = tuple(DATA)) -> Happening:
    """One event, of one of these types."""
    type_ = draw(st.sampled_from(types))
    minutes = draw(st.integers(0, 30))
    at = BEGINNING + timedelta(minutes=minutes)
    received = at + draw(st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(days=-2)]))
    return happened(
        type_,
        draw(DATA[type_]),
        who=draw(WHO),
        at=at,
        recorded=received,
        id_=str(draw(st.integers(0, 10**9))),
        yektasimulated=draw(st.booleans()),
        yektaclock=draw(st.sampled_from(["", "event"])),
    )


def histories(types: tuple[str, ...] = tuple(DATA), longest: int = 40) -> st.SearchStrategy[list[Happening]]:
    """A customer's events, each once."""
    return st.lists(happenings(types), max_size=longest, unique_by=lambda happening: happening.event.yektaevent)


@st.composite
def arrivals(draw: st.DrawFn, types: tuple[str, ...] = tuple(DATA), longest: int = 40) -> tuple[list[Happening], list[list[Happening]]]:
    """A history, and the batches in which it arrived, in any order."""
    history = draw(histories(types, longest))
    arrived = draw(st.permutations(history))
    batches: list[list[Happening]] = [[]]
    for happening in arrived:
        if draw(st.booleans()):
            batches.append([])
        batches[-1].append(happening)
    return history, batches
