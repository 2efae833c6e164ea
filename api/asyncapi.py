"""Describes the topics of the log as AsyncAPI 3.0: what a producer may write into `inbox`, what a subscriber finds in the others.

Reading order: document, then the channels.
"""

from typing import Any

import msgspec

from aggregates import wire
from aggregates.contracts import CONTRACTS, json_schema
from api.ports import Topics
from projections.churn.published import Published
from projections.value.given import SCORE as VALUE
from projections.value.given import Given

VERSION = "3.0.0"
HEADERS = {
    "type": "object",
    "description": "CloudEvents attributes in binary mode: `ce_id`, `ce_source`, `ce_type`, `ce_specversion` …, and `content-type`;"
    " `yekta-key`: the write key of the source that speaks.",
    "additionalProperties": True,
}


def document(topics: Topics) -> dict[str, Any]:
    """The document, with the topics' real names as addresses."""
    messages = {_name(type_): _message(type_) for type_ in sorted(CONTRACTS)}
    return {
        "asyncapi": VERSION,
        "id": "urn:yekta:log",
        "info": {
            "title": "Yekta: the log",
            "version": "1",
            "description": "Events come in through `inbox` (or HTTP), and leave attributed to customers through `customer-events`."
            " What is personal is sealed in the log and is read through the API.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "inbox": {
                "address": topics.inbox,
                "description": "The door for foreign Kafka producers: CloudEvents, structured or binary, any key and partitioner.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            },
            "touchpoints": _sealed(topics.touchpoints, "What was witnessed, sealed; the truth.", "sealedTouchpoint"),
            "customerEvents": _sealed(topics.customer_events, "Touchpoints and words of identity, keyed by customer.", "customerEvent"),
            "scores": {
                "address": topics.scores,
                "description": "A customer's score when it moved by the definition's step or over a threshold, and his value when it moved"
                " by a tenth, where a rule or a segment asks for it. Keyed by customer.",
                "messages": {"scoreGiven": {"$ref": "#/components/messages/scoreGiven"}},
            },
            "deadLetters": _sealed(topics.dead_letters, "What was refused: headers say why, the value is sealed.", "deadLetter"),
        },
        "operations": {
            "sendEvent": {"action": "receive", "channel": {"$ref": "#/channels/inbox"}, "summary": "Yekta takes events."},
            "subscribeToCustomers": {"action": "send", "channel": {"$ref": "#/channels/customerEvents"}, "summary": "Yekta tells events."},
            "subscribeToScores": {"action": "send", "channel": {"$ref": "#/channels/scores"}, "summary": "Yekta tells scores."},
            "keepTouchpoints": {"action": "send", "channel": {"$ref": "#/channels/touchpoints"}, "summary": "Yekta keeps the truth."},
            "keepDeadLetters": {"action": "send", "channel": {"$ref": "#/channels/deadLetters"}, "summary": "Yekta keeps what it refused."},
        },
        "components": {"messages": messages | _records()},
    }


def _message(type_: str) -> dict[str, Any]:
    contract = CONTRACTS[type_]
    example = {"specversion": "1.0", "id": "1", "source": "/example", "type": type_, "time": "2026-05-01T10:00:00+03:30"}
    return {
        "name": type_,
        "title": type_,
        "contentType": "application/cloudevents+json",
        "headers": HEADERS,
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "minLength": 1},
                "source": {"type": "string", "minLength": 1},
                "type": {"const": type_},
                "time": {"type": "string", "format": "date-time"},
                "data": json_schema(type_),
            },
        },
        "examples": [{"name": "typical", "payload": example | {"data": contract.example}}],
    }


def _records() -> dict[str, Any]:
    return {
        "sealedTouchpoint": _struct("A touchpoint, sealed", wire.SealedTouchpoint),
        "customerEvent": _struct("A customer event", wire.CustomerEvent),
        "scoreGiven": _score(),
        "deadLetter": {
            "name": "dead letter",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "required": ["yekta_id"], "properties": {"yekta_id": {"type": "string", "format": "uuid"}}},
            "payload": {"type": "string", "format": "binary"},
        },
    }


def _score() -> dict[str, Any]:
    """A score as it is published: a customer event whose data says the score and what it was before; of churn also the weightiest reasons,
    of what a customer is worth also the parts."""
    message = _struct("A score of a customer", wire.CustomerEvent)
    _, components = msgspec.json.schema_components([Published, Given], ref_template="#/$defs/{name}")
    churn, worth = components["Published"], components["Given"]
    churn["properties"]["reasons"]["items"] = components["Reason"]
    churn["properties"]["score"] |= {"not": {"const": VALUE}}
    worth["properties"]["score"] = {"const": VALUE}
    data = {"oneOf": [churn, worth]}
    payload = message["payload"] | {"properties": message["payload"]["properties"] | {"type": {"const": "score.given"}, "data": data}}
    return message | {"name": "score.given", "payload": payload}


def _struct(title: str, struct: type[msgspec.Struct]) -> dict[str, Any]:
    (reference,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    payload = components[reference["$ref"].rpartition("/")[2]]
    return {"name": struct.__name__, "title": title, "contentType": "application/cloudevents+json", "payload": payload}


def _sealed(address: str, description: str, message: str) -> dict[str, Any]:
    return {"address": address, "description": description, "messages": {message: {"$ref": f"#/components/messages/{message}"}}}


def _name(type_: str) -> str:
    return type_.replace(".", "_")
