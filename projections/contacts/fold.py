"""Folds a customer's facts into what the contact policy asks. Reading order: Known, evolve, contacted, named."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from aggregates.fact import Fact
from projections.triggers.evidence import Stamp
from projections.view import consent
from projections.view.consent import Consent
from projections.view.matters import LONGEST_CALL
from projections.view.values import reference, word

CONSENT = frozenset({"consent.given", "consent.withdrawn"})
TELLING = frozenset({"profile.reported", "web.identified"})
CALLS = {"call.answered": True, "call.ended": False, "call.abandoned": False}
OPENED = "service.request_opened"
REQUESTS = {
    OPENED: True,
    "service.request_reopened": True,
    "service.request_resolved": False,
    "service.request_closed": False,
    "service.request_cancelled": False,
}
CONTACTED = "contact.made"
"""Somebody else approached the customer: an agent's offer, a reseller's visit; `{channel: agent_offer}`."""

ANSWERS = {"contact.opened": True, "contact.clicked": True, "contact.answered": True, "contact.refused": False}
"""What came back of a contact, and whether it was an answer. That it arrived says nothing of whom it reached."""

TYPES = CONSENT | TELLING | CALLS.keys() | REQUESTS.keys() | ANSWERS.keys() | {CONTACTED}
"""No other event changes anything here."""

LASTING = CONSENT | TELLING | REQUESTS.keys()
"""Of these what somebody said long ago may still hold."""

COMPLAINT = "complaint"
MOST_MATTERS = 1_000
MOST_CONTACTS = 2_000
MOST_ANSWERS = 200


class Matter(Struct, frozen=True, array_like=True, gc=False):
    """The last word on a call or a request."""

    stamp: Stamp
    open: bool
    complaint: bool = True
    opened: Stamp | None = None  # of a request: where it was opened last


class Answer(Struct, frozen=True, array_like=True, gc=False, order=True):
    """What came back of a contact: of the one that it names, else of his latest by this channel."""

    at: datetime
    good: bool
    signal: str
    channel: str


class Known(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one customer; it is what `decide` calls his standing."""

    consents: dict[str, Consent] = {}
    named: tuple[Stamp, str] | None = None
    calls: dict[str, Matter] = {}
    requests: dict[str, Matter] = {}
    contacts: tuple[tuple[datetime, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    sent: dict[str, tuple[datetime, str]] = {}  # by the signal of a contact

    @property
    def responses(self) -> tuple[tuple[datetime, str, bool], ...]:
        """One of each contact that was answered or refused: an answer counts for more than a refusal, the first of its kind."""
        found: dict[object, tuple[datetime, str, bool]] = {}
        for answer in sorted(self.answers, key=lambda answer: (not answer.good, answer)):
            made: tuple[object, str] = self.sent.get(answer.signal) or self._latest(answer.at, answer.channel)
            if answer.signal and answer.signal not in self.sent:
                made = answer.signal, answer.channel or made[1]  # of a contact that is not known here
            if made[1]:
                found.setdefault(made, (answer.at, made[1], answer.good))
        return tuple(found.values())

    def _latest(self, at: datetime, channel: str) -> tuple[datetime, str]:
        """His latest contact by a channel, or by any; as if made at that time, where there is none."""
        return max(((when, by) for when, by in self.contacts if when <= at and channel in ("", by)), default=(at, channel))

    @property
    def preferred(self) -> str:
        """The channel that he named last."""
        return self.named[1] if self.named else ""

    def allows(self, purpose: str, channel: str, at: datetime) -> bool:
        """Whether he allows it; never asked, withdrawn and run out are all no."""
        said = consent.deciding(self.consents, purpose, channel)
        return said is not None and said.in_force(at)

    def states(self, at: datetime) -> frozenset[str]:
        """The states he is in. A call whose end was never told is over after a while."""
        found = []
        over = self.calls.get("")  # an end without a number ends them all
        for call in self.calls.values():
            if call.open and at - call.stamp[0] <= LONGEST_CALL and not (over and not over.open and over.stamp > call.stamp):
                found.append("in_call")
        if any(request.open and request.complaint for request in self.requests.values()):
            found.append("open_complaint")
        return frozenset(found)


NOTHING = Known()


def evolve(known: Known, fact: Fact) -> Known:
    """What is known after one more fact, of a type among `TYPES`."""
    type_ = fact.type
    if type_ in CONSENT:
        return replace(known, consents=consent.evolve(known.consents, fact))
    if type_ in TELLING:
        return _told(known, fact)
    if type_ in CALLS:
        matter = Matter(_stamp(fact), CALLS[type_])
        return replace(known, calls=_newest(known.calls, reference(fact.data.get("call_id")) or "", matter))
    if type_ in REQUESTS:
        return _requested(known, fact)
    if type_ in ANSWERS:
        return _answered(known, fact)
    if type_ == CONTACTED and (channel := word(fact.data, "channel", 64).strip().lower()):
        if named(fact.data) in known.sent:
            return known  # it is counted since it was decided
        return contacted(known, fact.at, channel)
    return known


def contacted(known: Known, at: datetime, channel: str, signal: str = "") -> Known:
    """What is known after the customer was approached."""
    contacts = (*known.contacts, (at, channel))
    sent = known.sent | {signal: (at, channel)} if signal else known.sent
    return replace(known, contacts=tuple(sorted(contacts)[-MOST_CONTACTS:]), sent=sent)


def united(one: Known, other: Known) -> Known:
    """What is known of two customers who are one."""
    named = max(filter(None, (one.named, other.named)), default=None)
    consents, calls, requests = dict(one.consents), one.calls, one.requests
    for key, said in other.consents.items():
        if key not in consents or consents[key].rank < said.rank:
            consents[key] = said
    for key, call in other.calls.items():
        calls = _newest(calls, key, call)
    for key, request in other.requests.items():
        requests = _newest(requests, key, _joined(requests.get(key, request), request))
    contacts = tuple(sorted((*one.contacts, *other.contacts))[-MOST_CONTACTS:])
    answers = tuple(sorted((*one.answers, *other.answers))[-MOST_ANSWERS:])
    return Known(consents, named, calls, requests, contacts, answers, one.sent | other.sent)


def named(data: Mapping[str, Any]) -> str:
    """The signal that a receipt names: as it is, or as the Message-ID of an e-mail has it; what is none of ours stays as it was said."""
    said = word(data, "signal", 64).strip().lower()
    try:
        return str(UUID(said.removeprefix("<").partition("@")[0]))
    except ValueError:
        return said


def _stamp(fact: Fact) -> Stamp:
    return fact.at, fact.id, fact.source


def _told(known: Known, fact: Fact) -> Known:
    traits = fact.data.get("traits")
    if not isinstance(traits, dict) or "preferred_channel" not in traits:
        return known
    channel = word(traits, "preferred_channel", 64).strip().lower()
    if known.named and known.named[0] > _stamp(fact):
        return known
    return replace(known, named=(_stamp(fact), channel))


def _answered(known: Known, fact: Fact) -> Known:
    if fact.simulated:
        return known
    channel = word(fact.data, "channel", 64).strip().lower()
    answers = (*known.answers, Answer(fact.at, ANSWERS[fact.type], named(fact.data), channel))
    return replace(known, answers=tuple(sorted(answers)[-MOST_ANSWERS:]))


def _requested(known: Known, fact: Fact) -> Known:
    """A request is a complaint when the fact that opened it last says so; later words on it only say whether it is open."""
    key = reference(fact.data.get("request_id")) or ""
    complaint = any(word(fact.data, field).strip().lower() == COMPLAINT for field in ("category", "kind", "reason"))
    stamp = _stamp(fact)
    request = Matter(stamp, REQUESTS[fact.type], complaint, stamp if fact.type == OPENED else None)
    return replace(known, requests=_newest(known.requests, key, _joined(known.requests.get(key, request), request)))


def _joined(one: Matter, other: Matter) -> Matter:
    """What two words on one request say together."""
    last = max(one, other, key=lambda word: word.stamp)
    opening = max((word for word in (one, other) if word.opened), key=lambda word: word.opened or word.stamp, default=None)
    complaint = opening.complaint if opening else one.complaint or other.complaint
    return Matter(last.stamp, last.open, complaint, opening.opened if opening else None)


def _newest(matters: dict[str, Matter], key: str, matter: Matter) -> dict[str, Matter]:
    before = matters.get(key)
    if before and before.stamp > matter.stamp:
        return matters
    now = matters | {key: matter}
    if len(now) > MOST_MATTERS:
        del now[min(now, key=lambda key: (now[key].open and now[key].complaint, now[key].stamp))]  # what still matters stays
    return now
