"""Says where in a message stands what a refusal points at in the event that it became."""

from collections.abc import Mapping
from typing import Any

from aggregates.segment.fields import is_said

ENVELOPE = {"id": "/messageId", "type": "/event", "source": ""}
WHO = {"user_id": "/userId", "device": "/anonymousId"}
FIELDS = {"store": "affiliation", "payment": "payment_method"}
TOTALS = ("total", "revenue", "subtotal", "value")
ELSEWHERE = {
    "event": (("event",),),
    "url": (("context", "page", "url"), ("properties", "path"), ("context", "page", "path"), ("name",)),
    "title": (("context", "page", "title"),),
    "referrer": (("context", "page", "referrer"),),
    "locale": (("context", "locale"),),
    "user_agent": (("context", "userAgent"),),
    "page": (("name",), ("properties", "name")),
    "screen": (("name",), ("properties", "name")),
    "category": (("category",),),
    "account": (("groupId",),),
    "campaign": (("context", "campaign", "name"),),
}
"""Where a field comes from that the properties do not have themselves, the first that is there."""

LINES = {"sku": ("sku", "product_id"), "unit_price": ("price",)}


def back(pointer: str, message: Mapping[str, Any]) -> str:
    """The RFC 6901 pointer into the message."""
    steps = pointer.split("/")[1:]
    match steps:
        case ["time"]:
            return "/timestamp" if message.get("timestamp") else "/originalTimestamp"
        case ["data", "total"]:
            return f"/properties/{next((name for name in TOTALS if is_said(_properties(message).get(name))), 'total')}"
        case [name]:
            return ENVELOPE.get(name, "")
        case ["data", "who", kind, *_]:
            return WHO.get(kind, "")
        case ["data", "lines", number, name]:
            known = _product(message, number)
            theirs = LINES.get(name, (name,))
            return f"/properties/products/{number}/{next((one for one in theirs if one in known), theirs[0])}"
        case ["data", "lines", *further]:
            return "/".join(["/properties/products", *further])
        case ["data", ("context" | "traits") as part, *further]:
            return "/".join(["", part, *further])
        case ["data", name, *further] if name not in _properties(message) and (place := _elsewhere(message, name)):
            return "/".join(["", *place, *further])
        case ["data", "properties", *further] | ["data", *further]:
            return "/".join(["/properties", *(FIELDS.get(further[0], further[0]), *further[1:])]) if further else ""
        case _:
            return ""


def _elsewhere(message: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return next((place for place in ELSEWHERE.get(name, ()) if _is_there(message, place)), ())


def _is_there(message: Any, steps: tuple[str, ...]) -> bool:
    for step in steps:
        if not isinstance(message, dict) or not message.get(step):
            return False
        message = message[step]
    return True


def _properties(message: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = message.get("properties")
    return properties if isinstance(properties, dict) else {}


def _product(message: Mapping[str, Any], number: str) -> Mapping[str, Any]:
    try:
        product = _properties(message)["products"][int(number)]
    except (KeyError, TypeError, IndexError, ValueError):
        return {}
    return product if isinstance(product, dict) else {}
