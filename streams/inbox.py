"""The door for foreign Kafka producers: reads `inbox`, checks as the HTTP doors do, seals, and appends under the right key.

Partitioners differ between clients, so the record's own place says nothing about order: it is re-keyed by source and subject.
Reading order: Inbox.apply, binary_attributes.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aggregates import cloudevents
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import seal
from aggregates.source import Source
from streams.record import Batch, Bury, Connection, Effect, Keys, Memoryless, Publication, Record

SOURCE = Source("inbox")
"""Whoever may write to the topic speaks as this source; its name is part of every event id (docs/encodings.md)."""


class Inbox(Memoryless):
    """The processor. Nothing of it is in PostgreSQL but its position: what is published twice dies at the receipt."""

    name = "inbox"
    topic = "inbox"
    durable_outbox = False

    def __init__(self, keys: Keys, replenish: Callable[[], Awaitable[None]], source: Source = SOURCE) -> None:
        self._keys, self._replenish, self._source = keys, replenish, source

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        del connection
        await self._replenish()
        return [self._appended(record) for record in batch.records]

    def _appended(self, record: Record) -> Effect:
        headers = {name.lower(): value.decode("utf-8", "replace") for name, value in record.headers}
        content_type = headers.get("content-type", "")
        value = record.value or b""
        attributes = binary_attributes(headers, content_type)
        event = cloudevents.structured(value) if attributes is None else cloudevents.binary(attributes, value, content_type)
        received = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        understood = event if isinstance(event, Refusal) else read(event, self._source, received)
        if isinstance(understood, Refusal):
            why = understood
            raw = value if attributes is None else cloudevents.restored(attributes, value)
            return Bury(record, why.reason, why.detail, why.pointer, why.mend, self._source.name, raw, content_type)
        return Publication("touchpoints", *seal(understood, self._keys))


def binary_attributes(headers: Mapping[str, str], content_type: str) -> dict[str, str] | None:
    """The attributes of a Kafka message in binary mode; None: it is in structured mode.

    CloudEvents Kafka Protocol Binding 1.0.2, section 3.
    """
    attributes = {name.removeprefix("ce_"): text for name, text in headers.items() if name.startswith("ce_")}
    if attributes.get("specversion", "undefined") == "undefined":
        return None
    if content_type and content_type != "undefined":
        attributes["datacontenttype"] = content_type
    return attributes
