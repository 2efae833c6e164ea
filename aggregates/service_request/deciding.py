"""Decides what a command does to a request: the facts that follow, or in one sentence why it is refused.

Reading order: Command, Refused, open_request, decide, overdue.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from aggregates.contracts.service import Priority
from aggregates.service_request import targets
from aggregates.service_request.hours import Hours, add, between
from aggregates.service_request.request import (
    Absorbed,
    Cancelled,
    Changed,
    Closed,
    Escalated,
    Event,
    Linked,
    Merged,
    Noted,
    Opened,
    PromiseBroken,
    Promised,
    PromiseKept,
    Rated,
    Reopened,
    Request,
    Resolved,
    Resumed,
    SatisfactionAsked,
    State,
    Waited,
)

QUEUE = "support"
"""Where a request goes of which nobody says into which queue."""

HIGHEST = 3
"""After so many escalations there is nobody above."""

AFTER = timedelta(microseconds=1)
"""Of two facts at one moment the second is told a little later, so that timelines keep their order."""

Short = Annotated[str, Meta(max_length=256)]
Title = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"\S")]
NobodyOr = Annotated[str, Meta(max_length=256, pattern=r"^\Z|\S")]
"""An owner, or the empty text for nobody: a name that nobody sees is neither."""

Long = Annotated[str, Meta(max_length=10_000)]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(max_length=100)]


class NewRequest(msgspec.Struct, frozen=True):
    """What the customer wants."""

    title: Title
    note: Long = ""
    category: Short = ""
    priority: Priority = "normal"
    queue: Short = ""
    owner: NobodyOr = ""
    call_ids: Names = ()
    order_ids: Names = ()


class Command(msgspec.Struct, frozen=True):
    """What is to be done with a request; each verb looks at what it needs."""

    note: Long = ""
    title: Title | None = None
    category: Short | None = None
    priority: Priority | None = None
    queue: Short | None = None
    owner: NobodyOr | None = None
    call_ids: Names = ()
    order_ids: Names = ()
    promise: Long = ""
    promise_id: Short = ""
    due: datetime | None = None
    score: Annotated[int, Meta(ge=1, le=5)] | None = None
    into: UUID | None = None
    article_id: UUID | None = None


class Refused(Exception):
    """The request is not in a state in which that can be done, or something is missing."""

    def __init__(self, why: str, pointer: str = "") -> None:
        super().__init__(why)
        self.pointer = pointer  # where in the command the fault is; empty: in the state of the request


def open_request(request: UUID, number: str, who: Mapping[str, Any], wanted: NewRequest, at: datetime, by: str, hours: Hours) -> Opened:
    """A request is opened; from now on its clock runs."""
    response, due = targets.dues(wanted.priority, at, hours)
    return Opened(
        at,
        by,
        request,
        number,
        dict(who),
        wanted.title,
        wanted.note,
        wanted.category,
        wanted.priority,
        wanted.queue or QUEUE,
        wanted.owner,
        wanted.call_ids,
        wanted.order_ids,
        response,
        due,
    )


def decide(request: Request, verb: str, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    """What follows; nothing when it is so already. Raises Refused. Merging concerns two requests: see `merge`."""
    events = VERBS[verb](request, command, at, by, hours)
    return (*events, *_besides(command, at, by)) if verb in BARE else events


def _besides(command: Command, at: datetime, by: str) -> Sequence[Event]:
    """What was written down along with a command whose own fact has no room for it."""
    return (Noted(at + AFTER, by, command.note),) if command.note.strip() else ()


def merge(request: Request, other: Request, at: datetime, by: str) -> tuple[Merged, Absorbed]:
    """`request` is the same as `other` and goes on there."""
    _among(request, "merged", *LIVE)
    if request.id == other.id:
        raise Refused("A request is not merged into itself.", "/into")
    if not other.live:
        raise Refused(f"Request {other.number} is {other.state}: nothing can go on there.", "/into")
    merged = Merged(at, by, other.id, other.number)
    return merged, Absorbed(at, by, request.id, request.number, request.calls, request.orders)


def overdue(request: Request, at: datetime) -> Sequence[Event]:
    """What passes because time has passed: a promise is broken, or somebody above is told. Once for each."""
    if not request.live:
        return ()
    found: list[Event] = [
        PromiseBroken(at, "", promise.id)
        for promise in request.promises
        if promise.state == "open" and promise.due is not None and promise.due <= at
    ]
    level = request.escalation
    reasons = ["promise_late"] if found else []
    if request.responded_at is None and request.response_due <= at and level < 1:
        reasons.append("response_late")
    if request.state != "waiting" and request.due <= at and level < HIGHEST - 1:
        reasons.append("resolution_late")
    if reasons and level < HIGHEST:
        # What breaks the time to resolve goes to the second level at once: it is late for the customer, not only for us.
        found.append(Escalated(at, "", HIGHEST - 1 if "resolution_late" in reasons else max(level, 1), reasons[-1]))
    return found


def next_due(request: Request) -> datetime | None:
    """When `overdue` may say something next; None: never, as it stands."""
    if not request.live:
        return None
    times = [promise.due for promise in request.promises if promise.state == "open" and promise.due is not None]
    if request.responded_at is None and request.escalation < 1:
        times.append(request.response_due)
    if request.state != "waiting" and request.escalation < HIGHEST - 1:
        times.append(request.due)
    return min(times, default=None)


LIVE: tuple[State, ...] = ("new", "open", "waiting", "reopened")


def _among(request: Request, what: str, *states: State) -> None:
    if request.merged_into is not None:
        raise Refused(f"Request {request.number} goes on in another one and cannot be {what}.")
    if request.cancelled:
        raise Refused(f"Request {request.number} was cancelled and cannot be {what}.")
    if request.state not in states:
        raise Refused(f"Request {request.number} is {request.state} and cannot be {what}: it would have to be {' or '.join(states)}.")


def _change(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    _among(request, "changed", *LIVE)
    command = replace(command, queue=QUEUE) if command.queue == "" else command
    wanted = {
        name: value
        for name in ("title", "category", "priority", "queue", "owner")
        if (value := getattr(command, name)) is not None and value != getattr(request, name)
    }
    if not wanted:
        return ()
    if "priority" in wanted:
        wanted["response_due"], wanted["due"] = _dues(request, wanted["priority"], hours)
    return (Changed(at, by, **wanted),)


def _dues(request: Request, priority: Priority, hours: Hours) -> tuple[datetime, datetime]:
    """By when it would have to be answered and resolved, had it been of this priority since its clock began: waiting stopped it."""
    response, due = targets.dues(priority, request.began_anew or request.opened_at, hours)
    counted = targets.hours_of(priority, hours)
    for since, until in request.waits:
        if (left := between(since, due, counted)) > 0:
            due = add(until, left, counted)
    return response, due


def _assign(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    if command.owner is None and command.queue is None:
        raise Refused("Say to whom, or into which queue.", "/owner")
    return _change(request, Command(owner=command.owner, queue=command.queue), at, by, hours)


def _take(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    """What nobody has: who is faster has it, and only `assign` takes it from him."""
    del command
    _among(request, "changed", *LIVE)
    if request.owner not in ("", by):
        raise Refused(f"Request {request.number} is with {request.owner} already: to take it over, assign it to yourself.")
    return _change(request, Command(owner=by), at, by, hours)


def _prioritise(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    if command.priority is None:
        raise Refused("Say how urgent it is.", "/priority")
    return _change(request, Command(priority=command.priority), at, by, hours)


def _link(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "linked", *LIVE, "resolved", "closed")
    calls = tuple(call for call in command.call_ids if call not in request.calls)
    orders = tuple(order for order in command.order_ids if order not in request.orders)
    if not command.call_ids and not command.order_ids:
        raise Refused("Say which calls or orders it is about.", "/call_ids")
    return (Linked(at, by, calls, orders),) if calls or orders else ()


def _note(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "noted", *LIVE, "resolved")
    if not command.note.strip():
        raise Refused("There is nothing in the note.", "/note")
    return (Noted(at, by, command.note),)


def _wait(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "set waiting", "open", "reopened")
    return (Waited(at, by, command.note),)


def _resume(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    _among(request, "resumed", "waiting")
    counted = targets.hours_of(request.priority, hours)
    left = between(request.waiting_since or at, request.due, counted)
    return (Resumed(at, by, add(at, left, counted) if left > 0 else request.due, command.note),)


def _promise(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "promised anything", *LIVE)
    if not command.promise.strip():
        raise Refused("Say what is promised.", "/promise")
    if command.due is not None and command.due <= at:
        raise Refused("A promise is for a time to come.", "/due")
    return (Promised(at, by, str(len(request.promises) + 1), command.promise, command.due),)


def _keep(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    promise = next((each for each in request.promises if each.id == command.promise_id), None)
    if promise is None:
        raise Refused("The request has no such promise.", "/promise_id")
    return () if promise.state == "kept" else (PromiseKept(at, by, promise.id),)


def _break(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    """Somebody says so before its time has passed, or of one that had none."""
    del hours
    promise = next((each for each in request.promises if each.id == command.promise_id), None)
    if promise is None:
        raise Refused("The request has no such promise.", "/promise_id")
    if promise.state == "kept":
        raise Refused("That promise was kept.")
    return () if promise.state == "broken" else (PromiseBroken(at, by, promise.id),)


def _escalate(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "escalated", *LIVE)
    if request.escalation >= HIGHEST:
        raise Refused(f"Request {request.number} is on the highest level already.")
    return (Escalated(at, by, request.escalation + 1, "by_hand", command.queue, command.owner),)


def _resolve(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "resolved", *LIVE)
    return (Resolved(at, by, command.note, command.article_id), SatisfactionAsked(at + AFTER, by))


def _reopen(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    _among(request, "reopened", "resolved", "closed")
    response, due = targets.dues(request.priority, at, hours)
    return (Reopened(at, by, response, due, command.note),)


def _close(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "closed", "resolved")
    return (Closed(at, by, command.note),)


def _cancel(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "cancelled", *LIVE)
    return (Cancelled(at, by, command.note),)


def _rate(request: Request, command: Command, at: datetime, by: str, hours: Hours) -> Sequence[Event]:
    del hours
    _among(request, "rated", "resolved", "closed")
    if command.score is None:
        raise Refused("Say how content the customer is, from 1 to 5.", "/score")
    return (Rated(at, by, command.score, command.note),)


BARE = frozenset({"assign", "take", "change", "prioritise", "link", "promise", "keep-promise", "break-promise", "escalate"})
"""Verbs whose own facts have no room for a note."""

Verb = Callable[[Request, Command, datetime, str, Hours], Sequence[Event]]

VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "assign": _assign,
        "take": _take,
        "change": _change,
        "prioritise": _prioritise,
        "link": _link,
        "note": _note,
        "wait": _wait,
        "resume": _resume,
        "promise": _promise,
        "keep-promise": _keep,
        "break-promise": _break,
        "escalate": _escalate,
        "resolve": _resolve,
        "reopen": _reopen,
        "close": _close,
        "cancel": _cancel,
        "rate": _rate,
    }
)
