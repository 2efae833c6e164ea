"""An erasure leaves a customer's identifiers with nobody, and whoever comes with them again is somebody new."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.identifier import Identifier, Token
from aggregates.identity import Erase, Knowledge
from aggregates.naming import names
from aggregates.normal import normalise
from tests.identity.people import meetings
from tests.identity.telling import Story, tokens

AT = datetime(2026, 1, 1, tzinfo=UTC)


@given(met=meetings(), data=st.data())
def test_his_identifiers_are_nobodys_and_others_keep_theirs(met: list[str], data: st.DataObject) -> None:
    story = Story(*met)
    customer = data.draw(st.sampled_from(sorted(set(story.known.owners.values()))))
    before = dict(story.known.owners)
    change = story.decide(Erase(by="x", at=AT, customer=customer))
    assert story.known.owners == {token: owner for token, owner in before.items() if owner != customer}
    assert {link.token for link in change.links} == {token for token, owner in before.items() if owner == customer}
    again = Knowledge()
    for founded, told in data.draw(st.permutations(story.told)):
        again.learn(founded, told)
    assert again.owners == story.known.owners
    assert not story.decide(Erase(by="x", at=AT, customer=customer)).links


def test_who_comes_back_is_founded_anew() -> None:
    story = Story("phone:p device:d")
    erased = story.owner("phone:p")
    story.decide(Erase(by="x", at=AT, customer=erased))
    story.meet("device:d phone:p")
    assert story.owner("phone:p") == story.owner("device:d") != erased


def test_what_was_taken_from_him_after_it_was_asked_is_erased_too() -> None:
    story = Story("phone:p email:e", "account:a")
    customer = story.owner("phone:p")
    story.decide(Erase(by="x", at=AT, customer=customer, his=tokens("phone:p account:a")))
    assert not story.known.owners


def token(identifier: Identifier) -> Token:
    """What a test compares instead of a hash."""
    return Token(f"{identifier.kind}:{identifier.value}")


HIS = [token(normalise("phone", "09121234567")), token(normalise("email", "a@x.ir")), Token("customer_number:77~2")]


@pytest.mark.parametrize(
    "raw",
    [
        '{"data": {"who": {"phone": "۰۹۱۲ ۱۲۳ ۴۵۶۷"}}}',
        '{"context": {"traits": {"email": ["b@x.ir", "A@X.IR"]}}}',
        '{"row": {"شماره": 77}}',
        "phone=0912 1234567, but no JSON; mailto:a@x.ir",
        "call +989121234567 back",
        "\0\0\0\5\0\1\x01989121234567\0\0\x003000\0",  # of a message center
    ],
)
def test_a_refused_event_names_him_in_any_spelling(raw: str) -> None:
    assert names(raw.encode(), HIS, token)


@pytest.mark.parametrize("raw", ['{"data": {"who": {"phone": "09121234568"}, "minutes": 7}}', "[]", "", "\x00\xff nothing", "true"])
def test_and_does_not_where_it_does_not(raw: str) -> None:
    assert not names(raw.encode("latin-1"), HIS, token)
