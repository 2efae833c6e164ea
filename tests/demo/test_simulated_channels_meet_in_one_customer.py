"""Identity over all that is told: every customer's channels come together, and no two customers do."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
import pytest

from aggregates.identifier import Identifier, Token, kind_of
from aggregates.identity import DEFAULT_RULES, Knowledge, attribute
from aggregates.normal.who import read_who
from aggregates.touchpoint import event_id
from infra.demo.feed import feed
from infra.demo.simulated.person import TWICE_KNOWN, person
from infra.demo.try_it import TIE
from tests.demo.invented import KNOWN, orders

SOME = sorted({*KNOWN[:600], TWICE_KNOWN})


def token(identifier: Identifier) -> Token:
    """In the clear: here nobody reads along."""
    return Token(f"{identifier.kind}:{identifier.value}")


def tell(known: Knowledge, source: str, event: Mapping[str, object]) -> UUID | None:
    """Attribute one event, and learn from it."""
    data = event["data"]
    assert isinstance(data, dict)
    tokens = [token(identifier) for identifier in read_who(data["who"])]
    id_ = event_id(source, str(event["source"]), str(event["id"]))
    found = attribute(known, id_, tokens, DEFAULT_RULES)
    if found.customer is not None:
        known.learn(found.customer, found.change)
    return found.customer


@pytest.fixture(scope="module")
def known() -> Knowledge:
    """What identity knows after 600 customers who ordered three times."""
    known = Knowledge()
    for one in feed(orders(*((number, (number_of_day(number), 100, 300)) for number in SOME))):
        tell(known, one.source, msgspec.json.decode(one.body))
    return known


def number_of_day(number: str) -> int:
    return int(number) % 90


def test_every_customer_is_one_under_all_that_is_his_own(known: Knowledge) -> None:
    for number in SOME:
        who = person(number)
        own = [("customer_number", number), ("email", who.email), ("user_id", who.user_id)]
        if number != TWICE_KNOWN:
            own += [("phone", who.phone)] if Token(f"phone:{who.phone}") in known.owners else []
        owners = {known.owners[token(Identifier(*one))] for one in own}
        assert len(owners) == 1, number


def test_the_phones_of_nearly_all_are_known(known: Knowledge) -> None:
    assert sum(Token(f"phone:{person(number).phone}") in known.owners for number in SOME) > 0.98 * len(SOME)


def test_no_two_customers_became_one(known: Knowledge) -> None:
    numbers = [owner for held, owner in known.owners.items() if kind_of(held) == "customer_number"]
    assert len(numbers) == len(set(numbers)) == len(SOME)


def test_a_shared_phone_joins_nobody(known: Knowledge) -> None:
    families: dict[str, set[UUID]] = {}
    for number in SOME:
        if phone := person(number).family_phone:
            families.setdefault(phone, set()).add(known.owners[Token(f"customer_number:{number}")])
    assert any(len(owners) == 2 for owners in families.values())
    for phone, owners in families.items():
        assert known.owners[Token(f"phone:{phone}")] in owners


def test_the_caller_and_the_customer_are_two_until_one_event_ties_them(known: Knowledge) -> None:
    number, phone = Token(f"customer_number:{TWICE_KNOWN}"), Token(f"phone:{person(TWICE_KNOWN).phone}")
    assert known.owners[number] != known.owners[phone]
    tell(known, "simulated-crm", TIE)
    assert known.owners[number] == known.owners[phone]
