"""By what a customer is recognised and can be reached: every identifier met with his events.

At most `LIMIT` are kept: personal ones before devices and cards, and of these the ones seen last. When some had to go, when and by which
event the others came is no longer told, for it could depend on the order of arrival.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from aggregates.fact import Fact
from aggregates.identifier import Token, kind_of

LIMIT = 50
WEAK = frozenset({"device", "card"})


class Contact(Struct, frozen=True, array_like=True, gc=False):
    """One identifier of a customer."""

    value: str | None  # None: never opened, or its key was destroyed
    last: datetime
    first: datetime | None
    event: UUID | None  # the event that brought it
    source: str


class Contacts(Struct, frozen=True, array_like=True, gc=False):
    """All identifiers kept; `crowded` when there were more than fit."""

    points: dict[Token, Contact] = {}
    crowded: bool = False


def evolve(contacts: Contacts, fact: Fact) -> Contacts:
    """Meet the identifiers of a fact."""
    if not fact.identifiers:
        return contacts
    at, event = fact.at, fact.event_id
    points = contacts.points.copy()
    for token, value in fact.identifiers:
        known = points.get(token)
        if known is None:
            points[token] = Contact(value, at, at, event, fact.key[:64])
        elif known.first is None or (known.first, known.event) <= (at, event):
            if at > known.last or known.value is None:
                points[token] = Contact(known.value or value, max(at, known.last), known.first, known.event, known.source)
        else:
            points[token] = Contact(known.value or value, known.last, at, event, fact.key[:64])
    if contacts.crowded or len(points) > LIMIT:
        return Contacts(crowd(points), True)
    return Contacts(points)


def crowd(points: dict[Token, Contact]) -> dict[Token, Contact]:
    """The identifiers that are kept of too many, without what may not be told any more."""
    kept = sorted(points, key=lambda token: (kind_of(token) not in WEAK, points[token].last, token))[-LIMIT:]
    return {token: Contact(points[token].value, points[token].last, None, None, "") for token in kept}


def latest(contacts: Contacts, kind: str) -> str:
    """The identifier of a kind that was met last, by which he is reached; empty: none is known."""
    known = [(point.last, point.value) for token, point in contacts.points.items() if kind_of(token) == kind and point.value]
    return max(known)[1] if known else ""


def unknown(contacts: Contacts, met: Sequence[Sequence[Token]]) -> list[bool]:
    """Of several facts, by the tokens that each meets: whether the value behind one of them is not known.

    When the facts together may bring more than is kept, all are said to be: what is known now may have gone when it is met again.
    """
    points = contacts.points
    new: set[Token] = set()
    answers = []
    for tokens in met:
        answer = False
        for token in tokens:
            contact = points.get(token)
            if contact is None:
                new.add(token)
                answer = True
            elif contact.value is None:
                answer = True
        answers.append(answer)
    return answers if not contacts.crowded and len(points) + len(new) <= LIMIT else [True] * len(met)
