"""What the log hears of a request: every fact but what only its other half needs, as an event of the customer who asked."""

from typing import Any

import msgspec

from aggregates.decision import Decision, Told
from aggregates.service_request.request import Absorbed, Event, Opened

KEPT = "service"
"""What stands before the first dot of the tags of a request's facts."""

NAMES = {"calls": "call_ids", "orders": "order_ids", "promise": "promise_id", "text": "promise"}
"""Fields that customers' timelines call otherwise."""

INSIDE = frozenset({"type", "at", "request", "who", "article", "response_due", "other", "other_number"})


class Kept(msgspec.Struct, frozen=True):
    """A fact as the store keeps it: with whose and which request it is of, so that one row tells everything."""

    request: str
    number: str
    who: dict[str, Any]
    event: Event


decoder = msgspec.json.Decoder(Kept)
encoder = msgspec.json.Encoder()


def told(decision: Decision) -> Told | None:
    """The event of the customer's timeline."""
    kept = decoder.decode(decision.state)
    event = kept.event
    if isinstance(event, Absorbed):
        return None
    fields: dict[str, Any] = msgspec.to_builtins(event)
    data = {NAMES.get(name, name): value for name, value in fields.items() if name not in INSIDE and value not in ("", None, [], ())}
    if isinstance(event, Opened):
        data["response_due"] = event.response_due.isoformat()
    return Told(decision.tag, event.at, kept.who, {"request_id": kept.request, "number": kept.number} | data)
