"""The life of a service request as facts, and how it stands after each. Reading order: facts, Request, evolve."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from aggregates.contracts.service import Priority

State = Literal["new", "open", "waiting", "resolved", "closed", "reopened"]
LIVE: frozenset[State] = frozenset({"new", "open", "waiting", "reopened"})


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and by whom."""

    at: datetime
    by: str


class Opened(Fact, frozen=True, tag="service.request_opened"):
    """Somebody wants something."""

    request: UUID
    number: str
    who: dict[str, Any]
    title: str
    note: str
    category: str
    priority: Priority
    queue: str
    owner: str
    calls: tuple[str, ...]
    orders: tuple[str, ...]
    response_due: datetime
    due: datetime


class Changed(Fact, frozen=True, tag="service.request_changed"):
    """What is absent stays; an empty owner is nobody."""

    title: str | None = None
    category: str | None = None
    priority: Priority | None = None
    queue: str | None = None
    owner: str | None = None
    response_due: datetime | None = None
    due: datetime | None = None


class Linked(Fact, frozen=True, tag="service.request_linked"):
    """It is about these too."""

    calls: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


class Noted(Fact, frozen=True, tag="service.request_noted"):
    """Somebody wrote something down."""

    note: str = ""


class Waited(Fact, frozen=True, tag="service.request_waiting"):
    """It waits for the customer; its clock stands still."""

    note: str = ""


class Resumed(Fact, frozen=True, tag="service.request_resumed"):
    """It goes on; what was left of its time is left."""

    due: datetime
    note: str = ""


class Promised(Fact, frozen=True, tag="service.request_promised"):
    """We promised something."""

    promise: str
    text: str
    due: datetime | None = None


class PromiseKept(Fact, frozen=True, tag="service.promise_kept"):
    """What was promised was done."""

    promise: str


class PromiseBroken(Fact, frozen=True, tag="service.promise_broken"):
    """What was promised was not done in time."""

    promise: str


class Escalated(Fact, frozen=True, tag="service.request_escalated"):
    """Somebody above is told."""

    level: int
    reason: str
    queue: str | None = None
    owner: str | None = None


class Resolved(Fact, frozen=True, tag="service.request_resolved"):
    """The customer has what he wanted, or knows why not."""

    note: str = ""
    article: UUID | None = None  # the article by which it was resolved


class SatisfactionAsked(Fact, frozen=True, tag="service.satisfaction_asked"):
    """The customer is to be asked how content he is."""


class Rated(Fact, frozen=True, tag="service.request_rated"):
    """The customer said how content he is."""

    score: int
    note: str = ""


class Reopened(Fact, frozen=True, tag="service.request_reopened"):
    """It was not resolved after all."""

    response_due: datetime
    due: datetime
    note: str = ""


class Closed(Fact, frozen=True, tag="service.request_closed"):
    """Nothing more is to be done."""

    note: str = ""


class Cancelled(Fact, frozen=True, tag="service.request_cancelled"):
    """Nothing was to be done."""

    note: str = ""


class Merged(Fact, frozen=True, tag="service.request_merged"):
    """It goes on in another."""

    into: UUID
    into_number: str


class Absorbed(Fact, frozen=True, tag="service.request_absorbed"):
    """Another goes on here."""

    other: UUID
    other_number: str
    calls: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


Event = (
    Opened
    | Changed
    | Linked
    | Noted
    | Waited
    | Resumed
    | Promised
    | PromiseKept
    | PromiseBroken
    | Escalated
    | Resolved
    | SatisfactionAsked
    | Rated
    | Reopened
    | Closed
    | Cancelled
    | Merged
    | Absorbed
)


class Promise(msgspec.Struct, frozen=True):
    """What we promised, by when, and what became of it."""

    id: str
    text: str
    due: datetime | None
    by: str
    at: datetime
    state: Literal["open", "kept", "broken"] = "open"


class Request(msgspec.Struct, frozen=True):
    """A request as it stands."""

    id: UUID
    number: str
    version: int
    state: State
    title: str
    note: str
    category: str
    priority: Priority
    queue: str
    owner: str
    who: dict[str, Any]
    calls: tuple[str, ...]
    orders: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    changed_at: datetime
    response_due: datetime
    responded_at: datetime | None
    due: datetime
    resolved_at: datetime | None = None
    waiting_since: datetime | None = None
    promises: tuple[Promise, ...] = ()
    escalation: int = 0
    satisfaction_asked_at: datetime | None = None
    score: int | None = None
    cancelled: bool = False
    merged_into: UUID | None = None
    merged: tuple[UUID, ...] = ()
    began_anew: datetime | None = None  # its clock, as it was reopened
    waits: tuple[tuple[datetime, datetime], ...] = ()  # since then: from when until when it waited for the customer

    @property
    def live(self) -> bool:
        """Whether somebody has something to do."""
        return self.state in LIVE


def evolve(request: Request | None, event: Event) -> Request:
    """The request after the event."""
    if isinstance(event, Opened):
        return _opened(event)
    if request is None:
        raise ValueError("a request begins by being opened")
    now = replace(request, version=request.version + 1, changed_at=event.at)
    match event:
        case Changed():
            fields = ("title", "category", "priority", "queue", "owner", "response_due", "due")
            changed = {name: value for name in fields if (value := getattr(event, name)) is not None}
            state: State = "open" if now.state == "new" and changed.get("owner") else now.state
            return replace(now, state=state, **changed)
        case Linked():
            return replace(now, calls=_joined(now.calls, event.calls), orders=_joined(now.orders, event.orders))
        case Noted():
            return _answered(now, event.at)
        case Waited():
            return replace(_answered(now, event.at), state="waiting", waiting_since=event.at)
        case Resumed():
            waits = now.waits if now.waiting_since is None else (*now.waits, (now.waiting_since, event.at))
            return replace(now, state="open", waiting_since=None, due=event.due, waits=waits)
        case Promised():
            promise = Promise(event.promise, event.text, event.due, event.by, event.at)
            return replace(_answered(now, event.at), promises=(*now.promises, promise))
        case PromiseKept():
            return replace(now, promises=_fulfilled(now.promises, event.promise, "kept"))
        case PromiseBroken():
            return replace(now, promises=_fulfilled(now.promises, event.promise, "broken"))
        case Escalated():
            queue, owner = now.queue if event.queue is None else event.queue, now.owner if event.owner is None else event.owner
            return replace(now, escalation=event.level, queue=queue, owner=owner)
        case Resolved():
            return replace(_answered(now, event.at), state="resolved", resolved_at=event.at, waiting_since=None)
        case SatisfactionAsked():
            return replace(now, satisfaction_asked_at=event.at)
        case Rated():
            return replace(now, score=event.score)
        case Reopened():
            again: dict[str, Any] = {"response_due": event.response_due, "due": event.due, "resolved_at": None, "responded_at": None}
            return replace(now, state="reopened", escalation=0, began_anew=event.at, waits=(), **again)
        case Closed():
            return replace(now, state="closed")
        case Cancelled():
            return replace(now, state="closed", cancelled=True, waiting_since=None)
        case Merged():
            return replace(now, state="closed", merged_into=event.into, waiting_since=None)
        case Absorbed():
            calls, orders = _joined(now.calls, event.calls), _joined(now.orders, event.orders)
            return replace(now, merged=(*now.merged, event.other), calls=calls, orders=orders)
        case _:
            assert_never(event)


def replay(events: Iterable[Event]) -> Request | None:
    """The request that its facts make."""
    return reduce(evolve, events, None)


def _opened(event: Opened) -> Request:
    return Request(
        id=event.request,
        number=event.number,
        version=1,
        state="open" if event.owner else "new",
        title=event.title,
        note=event.note,
        category=event.category,
        priority=event.priority,
        queue=event.queue,
        owner=event.owner,
        who=event.who,
        calls=event.calls,
        orders=event.orders,
        opened_at=event.at,
        opened_by=event.by,
        changed_at=event.at,
        response_due=event.response_due,
        responded_at=None,
        due=event.due,
    )


def _answered(request: Request, at: datetime) -> Request:
    """The first answer counts."""
    return request if request.responded_at is not None else replace(request, responded_at=at)


def _joined(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))


def _fulfilled(promises: tuple[Promise, ...], id_: str, state: Literal["kept", "broken"]) -> tuple[Promise, ...]:
    return tuple(replace(promise, state=state) if promise.id == id_ else promise for promise in promises)
