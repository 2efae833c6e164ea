"""What is simulated says so, can belong to nobody, is the same everywhere, and knows nothing of the future."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.normal import normalise
from aggregates.reading import Refusal, read
from infra.demo.feed import END, feed
from infra.demo.simulated import spelling
from infra.demo.simulated.customer import told_of
from infra.demo.simulated.dice import Dice
from infra.demo.simulated.person import CAST, CHURNER, person, stirred
from infra.demo.simulated.telling import Told, event
from infra.demo.sources import SOURCES
from tests.demo.invented import KNOWN, day, orders

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOURCE = {source.name: source for source in SOURCES}
GOLDEN = "38b5de012a373bffeea96d31b975d60793291aa057273ea1de64442a330f044d"
"""SHA-256 of all that is fed for some customers."""

DAYS = st.lists(st.integers(0, 545), min_size=1, max_size=12).map(sorted)


def everything() -> Iterator[Told]:
    """What is told of a thousand customers who ordered three times."""
    for number in KNOWN[:1000]:
        yield from told_of(number, [day(0), day(40), day(200)], END)


@settings(deadline=None)
@given(number=st.sampled_from(KNOWN), days=DAYS, now=st.integers(0, 545))
def test_what_is_told_up_to_a_day_follows_from_the_orders_up_to_that_day(number: str, days: list[int], now: int) -> None:
    until = day(now)
    all_orders = [day(one) for one in days]
    so_far = [at for at in all_orders if at <= until]
    assert [told for told in told_of(number, all_orders, END) if told.at < until] == list(told_of(number, so_far, until))


@settings(deadline=None)
@given(number=st.sampled_from(KNOWN), days=DAYS)
def test_nothing_happens_before_the_first_order_or_after_the_data(number: str, days: list[int]) -> None:
    for told in told_of(number, [day(one) for one in days], END):
        assert day(days[0]).date() <= told.at.astimezone(UTC).date()
        assert told.at < END
        assert told.arrives >= told.at


def test_the_same_seed_tells_the_same_everywhere() -> None:
    some = feed(orders(*((number, (3, 50, 51, 300)) for number in KNOWN[:200])))
    told = hashlib.sha256(b"\n".join(f"{one.arrives} {one.source} ".encode() + one.body for one in some)).hexdigest()
    assert told == GOLDEN, "what is fed has changed: raise feed.VERSION, and put the new sum here"


def test_another_seed_tells_something_else() -> None:
    assert list(told_of(CHURNER, [day(0)], END, seed="another")) != list(told_of(CHURNER, [day(0)], END))


def test_every_event_says_that_it_is_simulated() -> None:
    for told in everything():
        sent = event(told)
        assert sent["yektasimulated"] is True
        assert "simulated" in sent["source"]
        assert SOURCE[told.source].simulated
        assert SOURCE[told.source].clock == "event"


def test_every_event_is_one_that_its_own_strict_source_may_send() -> None:
    refused = [found for told in everything() if isinstance(found := read(event(told), SOURCE[told.source], NOW), Refusal)]
    assert refused == []


def test_ids_of_a_source_are_its_events_own() -> None:
    told = [(one.source, one.id) for one in everything()]
    assert len(told) == len(set(told))


def test_no_phone_and_no_address_can_belong_to_anybody() -> None:
    seen = set()
    for told in everything():
        who = told.data["who"]
        for kind in ("phone", "email"):
            given = who.get(kind, [])
            seen |= {normalise(kind, one) for one in (given if isinstance(given, list) else [given])}
    assert len(seen) > 1000
    for identifier in seen:
        assert identifier.value.startswith(("+98955", "+98956", "+98957")) or identifier.value.endswith("@mail.example")


def test_simulated_money_is_never_in_the_real_orders_currency() -> None:
    currencies = {told.data["currency"] for told in everything() if "currency" in told.data}
    assert currencies == {"IRR"}


@settings(deadline=None)
@given(st.integers(0, 9_999_999), st.randoms(use_true_random=False))
def test_every_spelling_of_a_phone_is_the_same_phone(number: int, random: Any) -> None:
    phone = f"+98955{number:07d}"
    assert normalise("phone", spelling.phone(phone, Dice(random.random()))).value == phone


@settings(deadline=None)
@given(st.integers(0, 9_999_999), st.integers(0, 9_999_999))
def test_different_customers_have_different_phones(one: int, other: int) -> None:
    assert (stirred(one) == stirred(other)) == (one == other)


@pytest.mark.parametrize("number", sorted(CAST))
def test_the_people_of_the_story_are_seen_by_every_channel_soon_after_their_first_order(number: str) -> None:
    channels = {told.type.partition(".")[0] for told in told_of(number, [day(0)], day(90))}
    assert channels == {"profile", "consent", "web", "call", "reseller"}


def test_a_few_events_come_twice_some_late_and_some_before_what_happened_earlier() -> None:
    sent = [one for one in feed(orders(*((number, (3, 50, 90)) for number in KNOWN[:1500]))) if one.source != "cdnow"]
    assert 0 < len(sent) - len({(one.source, one.body) for one in sent}) < len(sent) / 200
    latest: dict[str, str] = {}
    overtaken = 0
    for one in sent:
        at = datetime.fromisoformat(msgspec.json.decode(one.body)["time"]).astimezone(UTC).isoformat()
        overtaken += at < latest.get(one.customer, "")
        latest[one.customer] = max(at, latest.get(one.customer, ""))
    assert overtaken > 10


def test_households_share_a_phone_and_a_name() -> None:
    sharing: dict[str, list[str]] = {}
    for number in KNOWN:
        if phone := person(number).family_phone:
            sharing.setdefault(phone, []).append(number)
    families = [numbers for numbers in sharing.values() if len(numbers) > 1]
    assert len(families) > 5
    for first, second in families:
        assert person(first).family == person(second).family
        assert person(first).phone != person(second).phone
