"""What is said of service requests, here or in another system. Facts of one request share its `request_id`, by which their order runs."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from aggregates.contracts.contract import Contract
from aggregates.contracts.fields import Id, Name, Place, Score, Text, When, mended, says

Priority = Literal["urgent", "high", "normal", "low"]

RequestId = Annotated[Id, says("The request's id in the system that keeps it.")]
Number = Annotated[Name | None, says("The number that people call it by.")]
Title = Annotated[Name | None, says("What it is about, in a line.")]
Note = Annotated[Text | None, says("What was written down.")]
Category = Annotated[Name | None, says("What kind: complaint, delivery, billing …")]
Queue = Annotated[Name | None, says("In which queue it waits.")]
Owner = Annotated[Name | None, says("Who sees to it.")]
By = Annotated[Name | None, says("Who did it.")]
Urgency = Annotated[Priority | None, says("How urgent it is.")]
Due = Annotated[When | None, says("By when.")]
Ids = Annotated[list[Id], Meta(max_length=100, extra=mended("name at most 100"))]
Calls = Annotated[Ids | None, says("Calls that it is about.")]
Orders = Annotated[Ids | None, says("Orders that it is about.")]


class Opened(Struct, frozen=True):
    """A customer wants something of us that somebody has to see to."""

    request_id: RequestId
    number: Number = None
    title: Title = None
    note: Note = None
    category: Category = None
    priority: Urgency = None
    queue: Queue = None
    owner: Owner = None
    call_ids: Calls = None
    order_ids: Orders = None
    response_due: Due = None
    due: Due = None
    by: By = None


class Changed(Struct, frozen=True):
    """Its title, category, priority, queue or owner is another; what is absent stays."""

    request_id: RequestId
    number: Number = None
    title: Title = None
    category: Category = None
    priority: Urgency = None
    queue: Queue = None
    owner: Owner = None
    due: Due = None
    by: By = None


class Linked(Struct, frozen=True):
    """It is about these calls and orders too."""

    request_id: RequestId
    number: Number = None
    call_ids: Calls = None
    order_ids: Orders = None
    by: By = None


class Noted(Struct, frozen=True):
    """It goes on in some way, and somebody may have written why."""

    request_id: RequestId
    number: Number = None
    note: Note = None
    by: By = None
    due: Due = None


class Promised(Struct, frozen=True):
    """We promised the customer something."""

    request_id: RequestId
    number: Number = None
    promise_id: Annotated[Name | None, says("The promise's id.")] = None
    promise: Annotated[Text | None, says("What was promised.")] = None
    due: Due = None
    by: By = None


class Escalated(Struct, frozen=True):
    """It is late, and somebody above is told."""

    request_id: RequestId
    number: Number = None
    level: Annotated[Place | None, says("How far up.")] = None
    reason: Annotated[Name | None, says("response_late, resolution_late, promise_late, or by hand.")] = None
    queue: Queue = None
    owner: Owner = None
    by: By = None


class Merged(Struct, frozen=True):
    """It is the same as another, and goes on there."""

    request_id: RequestId
    number: Number = None
    into: Annotated[Name | None, says("The id of the other.")] = None
    into_number: Annotated[Name | None, says("The number of the other.")] = None
    by: By = None


class Rated(Struct, frozen=True):
    """The customer says how content he is."""

    request_id: RequestId
    score: Annotated[Score, says("From 1, bad, to 5, good.")]
    number: Number = None
    note: Note = None
    by: By = None


WHO = {"phone": "09121234567"}
THIS = {"who": WHO, "request_id": "r-17", "number": "1017"}
LATER = "2026-11-25T12:00:00+03:30"
PERSONAL = frozenset({"title", "note", "promise"})


def contract(name: str, data: type[Struct], **example: object) -> Contract:
    """The contract of one type of this channel."""
    return Contract(
        f"service.{name}",
        data,
        subject=("request_id",),
        personal=PERSONAL & set(data.__struct_fields__),
        ref="number",
        example=THIS | example,
    )


CONTRACTS = (
    contract(
        "request_opened",
        Opened,
        title="Parcel has not come",
        category="delivery",
        priority="high",
        queue="support",
        call_ids=["c-1001"],
        order_ids=["o-4711"],
        due=LATER,
        by="maryam",
    ),
    contract("request_changed", Changed, priority="urgent", owner="reza", by="maryam"),
    contract("request_linked", Linked, call_ids=["c-1002"], by="maryam"),
    contract("request_noted", Noted, note="The carrier looks for it.", by="maryam"),
    contract("request_waiting", Noted, note="The customer sends a photo.", by="maryam"),
    contract("request_resumed", Noted, due=LATER, by="maryam"),
    contract("request_promised", Promised, promise_id="1", promise="A call by noon.", due=LATER, by="maryam"),
    contract("promise_kept", Promised, promise_id="1", by="maryam"),
    contract("promise_broken", Promised, promise_id="1", due=LATER),
    contract("request_escalated", Escalated, level=1, reason="resolution_late"),
    contract("request_resolved", Noted, note="Delivered.", by="maryam"),
    contract("satisfaction_asked", Noted),
    contract("request_rated", Rated, score=5, note="Quick."),
    contract("request_reopened", Noted, note="It was the wrong parcel.", by="maryam"),
    contract("request_closed", Noted, by="maryam"),
    contract("request_cancelled", Noted, note="Opened by mistake.", by="maryam"),
    contract("request_merged", Merged, into="r-16", into_number="1016", by="maryam"),
)
