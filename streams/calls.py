"""Knows which call goes on where, before anybody knows whose it is: reads calls straight from `touchpoints`, for the desks.

A ring must be on the agent's desk within a blink, so it waits neither for identity nor for the view. What is personal stays sealed in the
row. Reading order: Calls, call_of.
"""

from datetime import datetime
from typing import Any

import msgspec

from aggregates.normal.persian import plain
from aggregates.wire import SealedTouchpoint
from projections.calls import table
from projections.calls.table import Call
from streams.record import Batch, Connection, Effect, Memoryless

MARK = b'"call.'
"""In the bytes of every event of a call; whatever else has it is told apart after decoding."""

_decoder = msgspec.json.Decoder(SealedTouchpoint)


class Calls(Memoryless):
    """The processor. What it cannot read, resolving puts aside; to read a call again changes nothing."""

    name = "calls"
    topic = "touchpoints"
    durable_outbox = True

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        calls: list[Call] = []
        done: list[tuple[str, datetime]] = []
        for record in batch.records:
            if record.value is None or MARK not in record.value:
                continue
            try:
                event = _decoder.decode(record.value)
                call = call_of(event, record.value)
            except msgspec.MsgspecError:
                continue
            if call is not None and call.stage == "wrapped_up":
                done.append((call.call_id, call.at))
            elif call is not None:
                calls.append(call)
        await table.put(connection, calls)
        await table.wrapped_up(connection, done)
        return []


def call_of(event: SealedTouchpoint, record: bytes) -> Call | None:
    """What an event says of a call that goes on; None when it is of none, or of history."""
    channel, _, stage = event.type.partition(".")
    if channel != "call" or stage not in table.RANKS or event.yektabackfill or event.yektaclock == "event":
        return None
    data: dict[str, Any] = msgspec.json.decode(event.data)
    call_id = data.get("call_id")
    if not isinstance(call_id, str) or not call_id:
        return None
    direction, queue, extension, agent = (_text(data, name) for name in ("direction", "queue", "extension", "agent"))
    at = min(event.time, event.yektarecorded)
    return Call(
        key=event.yektakey,
        call_id=call_id,
        stage=stage,
        direction=direction,
        queue=queue,
        extension=plain(extension),  # whatever digits it is told in: an agent may say his in others
        agent=agent,
        who=event.yektawho.split(),
        rang_at=at if stage == "ringing" else None,
        at=at,
        record=record,
    )


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
