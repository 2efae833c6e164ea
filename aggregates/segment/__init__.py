"""Understands the messages of analytics clients that speak the Segment dialect: each becomes the event that `reading.read` judges.

Pure: what was sent, of which source and when it was received goes in, a touchpoint or a refusal comes out. A refusal points into the
message as it was sent. Reading order: judged, then spelling, message (kinds of message), names (of events), commerce (their fields),
fields, clock, pointers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aggregates import cloudevents
from aggregates.moment import read_moment
from aggregates.reading import LONGEST_ID, agreed, attribute, fact
from aggregates.refusal import Refusal, Refused
from aggregates.segment import clock
from aggregates.segment.clock import sent_at
from aggregates.segment.message import KINDS, event, own_id
from aggregates.segment.pointers import back
from aggregates.source import Source
from aggregates.touchpoint import Touchpoint

__all__ = ["KINDS", "judged", "own_id", "sent_at", "understood"]

NOTHING: Mapping[str, Any] = {}
PLACES = {f"api/v1/{kind}": kind for kind in (*KINDS, "batch")}
"""Where the doors of the dialect say that a message was refused, and of which kind one is that does not say so itself."""


def understood(raw: bytes, place: str, source: Source, received: datetime, sent: str = "") -> Touchpoint | Refusal | None:
    """The touchpoint that a kept message is, or why it is none; None for what did not come through this dialect's doors.

    `sent`: when its batch said that it was sent, for a message knows only its own clock.
    """
    if place not in PLACES:
        return None
    message = cloudevents.decoded(raw)
    if isinstance(message, Refusal):
        return message
    if isinstance(message, dict) and "specversion" in message:
        return None
    kind = PLACES[place]
    return judged(message, source, received, "" if kind == "batch" else kind, sent)


def judged(
    message: Any, source: Source, received: datetime, kind: str = "", sent: str = "", around: Mapping[str, Any] = NOTHING
) -> Touchpoint | Refusal:
    """The touchpoint that a message is; `kind` by its address, `sent` and the context around as its batch says, when it does not itself."""
    try:
        id_, type_, time, data = event(message, source, received, kind, sent, around)
    except Refused as problem:
        return problem.refusal
    try:
        shape = agreed(NOTHING, source, type_)
        attribute({"id": id_}, "id", LONGEST_ID)
        if time is None:  # stamped on arrival: there is no other clock to correct
            return fact(source, received, source.name, id_, type_, shape, "", received, data)
        # Corrected only when it counts as having happened: the body keeps the time as it was sent, so that a retry is the same event.
        own = sent_at(message) if "sentAt" in message or "sent_at" in message else ""
        occurred = clock.corrected(read_moment(time, source.zone, "/time"), clock.ahead(own or sent, received))
        return fact(source, received, source.name, id_, type_, shape, time, occurred, data)
    except Refused as problem:
        refusal = problem.refusal
        return Refusal(refusal.reason, back(refusal.pointer, message), refusal.detail, refusal.mend)
