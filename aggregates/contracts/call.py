"""What a call centre says of calls. All facts of one call share its `call_id`, by which their order runs."""

from typing import Annotated, Literal

from msgspec import Struct

from aggregates.contracts.contract import Contract, Data, Earlier, renamed
from aggregates.contracts.fields import Id, Name, Place, Seconds, Text, When, says

Direction = Literal["inbound", "outbound"]

CallId = Annotated[Id, says("The call's id in the telephone system.")]
Queue = Annotated[Name | None, says("The queue that the call came in by.")]
Agent = Annotated[Name | None, says("Who took or made the call.")]
Wait = Annotated[Seconds | None, says("How long the caller waited before somebody answered or the call ended.")]


class Ringing(Struct, frozen=True):
    """A call rings at somebody's place: the moment at which the customer's view opens."""

    call_id: CallId
    direction: Annotated[Direction, says("Who calls: inbound, the customer; outbound, we.")]
    number: Annotated[Name | None, says("The customer's number as the telephone system shows it.")] = None
    queue: Queue = None
    extension: Annotated[Name | None, says("The extension that rings: it tells whose desk shows the call.")] = None
    trunk: Annotated[Name | None, says("The line that the call came in by.")] = None


class Queued(Struct, frozen=True):
    """A caller waits in a queue."""

    call_id: CallId
    queue: Annotated[Name | None, says("The queue.")] = None
    position: Annotated[Place | None, says("The caller's place in the queue at the beginning.")] = None


class Answered(Struct, frozen=True):
    """Somebody took the call."""

    call_id: CallId
    agent: Annotated[Id, says("Who took the call.")]
    extension: Annotated[Name | None, says("The extension that it was taken at.")] = None
    queue: Queue = None
    wait_seconds: Wait = None


class EndedV1(Struct, frozen=True):
    """A call was over; talking time was called `duration`."""

    call_id: Annotated[Id | None, says("The call's id in the telephone system.")] = None
    direction: Annotated[Direction | None, says("Who called.")] = None
    queue: Queue = None
    agent: Agent = None
    wait_seconds: Wait = None
    duration: Annotated[Seconds | None, says("How long they talked.")] = None
    hold_seconds: Annotated[Seconds | None, says("How long of it the customer was on hold.")] = None
    reason: Annotated[Name | None, says("What the call was about.")] = None
    outcome: Annotated[Name | None, says("What came of it.")] = None
    note: Annotated[Text | None, says("What the agent wrote down.")] = None
    recording: Annotated[Name | None, says("Where its recording is kept.")] = None


class Ended(Struct, frozen=True):
    """A call that was answered is over."""

    call_id: Annotated[Id | None, says("The call's id in the telephone system.")] = None
    direction: Annotated[Direction | None, says("Who called.")] = None
    queue: Queue = None
    agent: Agent = None
    wait_seconds: Wait = None
    talk_seconds: Annotated[Seconds | None, says("How long they talked, holding included.")] = None
    hold_seconds: Annotated[Seconds | None, says("How long of it the customer was on hold.")] = None
    reason: Annotated[Name | None, says("What the call was about.")] = None
    outcome: Annotated[Name | None, says("What came of it.")] = None
    note: Annotated[Text | None, says("What the agent wrote down.")] = None
    recording: Annotated[Name | None, says("Where its recording is kept.")] = None


class Abandoned(Struct, frozen=True):
    """The caller gave up before anybody answered."""

    call_id: Annotated[Id | None, says("The call's id in the telephone system.")] = None
    queue: Queue = None
    wait_seconds: Wait = None
    position: Annotated[Place | None, says("The caller's place in the queue at the end.")] = None


class WrappedUp(Struct, frozen=True):
    """What the agent wrote down when the call was over: how it ended for the customer, and what we promised."""

    call_id: CallId
    agent: Agent = None
    outcome: Annotated[Name | None, says("What came of it.")] = None
    note: Annotated[Text | None, says("What the agent wrote down.")] = None
    promise: Annotated[Text | None, says("What the agent promised.")] = None
    due: Annotated[When | None, says("By when it was promised.")] = None
    request_id: Annotated[Name | None, says("The service request that goes on from here.")] = None


def talked(data: Data) -> Data:
    """Version 1 said `duration`, and systems filled it with ringing and waiting too; `talk_seconds` says what is meant."""
    return renamed(data, "duration", "talk_seconds")


WHO = {"phone": "09121234567"}

CONTRACTS = (
    Contract(
        "call.ringing",
        Ringing,
        subject=("call_id",),
        personal=frozenset({"number"}),
        implied=(("number", "phone"),),
        ref="call_id",
        example={"who": WHO, "call_id": "c-1001", "direction": "inbound", "number": "09121234567", "queue": "sales", "extension": "204"},
    ),
    Contract(
        "call.queued",
        Queued,
        subject=("call_id",),
        ref="call_id",
        example={"who": WHO, "call_id": "c-1001", "queue": "sales", "position": 2},
    ),
    Contract(
        "call.answered",
        Answered,
        subject=("call_id",),
        ref="call_id",
        example={"who": WHO, "call_id": "c-1001", "agent": "maryam", "queue": "sales", "wait_seconds": 12},
    ),
    Contract(
        "call.ended",
        Ended,
        version=2,
        earlier={1: Earlier(EndedV1, talked)},
        subject=("call_id",),
        personal=frozenset({"note"}),
        ref="call_id",
        example={
            "who": WHO,
            "call_id": "c-1001",
            "direction": "inbound",
            "agent": "maryam",
            "talk_seconds": 187.5,
            "reason": "delivery",
            "outcome": "solved",
            "note": "Asked for the parcel's number.",
        },
    ),
    Contract(
        "call.abandoned",
        Abandoned,
        subject=("call_id",),
        ref="call_id",
        example={"who": WHO, "call_id": "c-1002", "queue": "support", "wait_seconds": 240, "position": 3},
    ),
    Contract(
        "call.wrapped_up",
        WrappedUp,
        subject=("call_id",),
        personal=frozenset({"note", "promise"}),
        ref="call_id",
        example={
            "who": WHO,
            "call_id": "c-1001",
            "agent": "maryam",
            "outcome": "promised",
            "promise": "A call by noon.",
            "due": "2026-11-25",
        },
    ),
)
