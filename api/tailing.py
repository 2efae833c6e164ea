"""A source's own events as they land in the log, as server-sent events: what was accepted, and what was refused and why.

What is personal stays sealed: the integrator knows what he sent. Reading order: stream, _live, accepted, refused.
"""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import StreamingResponse

from aggregates.log import NotAcknowledged
from aggregates.wire import touchpoint_decoder
from api.lasting import lasting
from api.ports import Appended, Dependencies

ANSWER = {
    "200": {
        "description": "Server-sent events: `ready` (from now on nothing is missed), `accepted` and `refused`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def stream(request: Request, dependencies: Dependencies, source: str) -> StreamingResponse:
    """What the source sends from now on."""
    return lasting(request, dependencies, _live(dependencies, source))


async def _live(dependencies: Dependencies, source: str) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\n\n"
    topics = dependencies.topics
    try:
        async with dependencies.follow([topics.touchpoints, topics.dead_letters]) as following:
            yield _event("ready", {"source": source, "at": dependencies.clock()})
            while True:
                appended = await following()
                for record in appended:
                    if record.topic == topics.touchpoints:
                        told = accepted(record, source)
                        if told is not None:
                            yield _event("accepted", told)
                    elif (refusal := refused(record, source)) is not None:
                        yield _event("refused", refusal)
                if not appended:
                    yield b": still here\n\n"
    except NotAcknowledged:
        return  # the browser comes back by itself


def accepted(record: Appended, source: str) -> dict[str, Any] | None:
    """What a record of the log says, if the source sent it."""
    try:
        event = touchpoint_decoder.decode(record.value)
    except msgspec.MsgspecError:
        return None
    if event.yektakey != source:
        return None
    return {
        "event_id": event.yektaevent,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "received": event.yektarecorded,
        "identifiers": [token.partition(":")[0] for token in event.yektawho.split()],
        "data": event.data,
        "simulated": event.yektasimulated,
    }


def refused(record: Appended, source: str) -> dict[str, Any] | None:
    """What a dead letter says, if the source sent it; the fact of a replay says nothing here."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
    if headers.get("yekta_source") != source or "yekta_control" in headers:
        return None
    return {
        "dead_letter": headers.get("yekta_id"),
        "reason": headers.get("yekta_reason"),
        "pointer": headers.get("yekta_pointer"),
        "detail": headers.get("yekta_detail"),
        "mend": headers.get("yekta_mend"),
        "received": headers.get("yekta_recorded"),
    }


def _event(name: str, content: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(content) + b"\n\n"
