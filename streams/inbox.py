"""The door for foreign Kafka producers: reads `inbox`, checks as the HTTP doors do, seals, and appends under the right key.

Partitioners differ between clients, so the record's own place says nothing about order: it is re-keyed by source and subject.
A record may carry a write key in the header `yekta-key`; then it is that key's source that speaks, as at the HTTP doors.
Reading order: Inbox.apply, texts, binary_attributes.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime

from aggregates import cloudevents
from aggregates.reading import read
from aggregates.refusal import Refusal
from aggregates.sealing import seal
from aggregates.source import Source
from streams.record import Batch, Bury, Connection, Effect, Keys, Memoryless, Publication, Record

SOURCE = Source("inbox")
"""Whoever may write to the topic speaks as this source, without a key; its name is part of every event id (docs/encodings.md)."""

KEY = "yekta-key"
"""The header with a write key."""

Whose = Callable[[Connection, Collection[str]], Awaitable[Mapping[str, Source]]]
"""The sources of these write keys; those that open nothing are left out."""

UNKNOWN = "unknown_key", "The record carries a key that is not known, or was ended.", f"Send a write key in the header {KEY}, or none."
DISABLED = "source_disabled", "The source is disabled.", "Ask an admin to enable it."


async def nobodys(connection: Connection, keys: Collection[str]) -> Mapping[str, Source]:
    """No key is known."""
    del connection, keys
    return {}


class Inbox(Memoryless):
    """The processor. Nothing of it is in PostgreSQL but its position: what is published twice dies at the receipt."""

    name = "inbox"
    topic = "inbox"
    durable_outbox = False

    def __init__(self, keys: Keys, replenish: Callable[[], Awaitable[None]], whose: Whose = nobodys) -> None:
        self._keys, self._replenish, self._whose = keys, replenish, whose

    async def apply(self, connection: Connection, batch: Batch) -> list[Effect]:
        await self._replenish()
        headers = [texts(record.headers) for record in batch.records]
        carried = {one[KEY] for one in headers if KEY in one}
        known = await self._whose(connection, carried) if carried else {}
        return [self._appended(record, one, known) for record, one in zip(batch.records, headers, strict=True)]

    def _appended(self, record: Record, headers: Mapping[str, str], known: Mapping[str, Source]) -> Effect:
        source = known.get(headers[KEY]) if KEY in headers else SOURCE
        content_type = headers.get("content-type", "")
        value = record.value or b""
        attributes = binary_attributes(record.headers, content_type)
        event = cloudevents.structured(value) if attributes is None else cloudevents.binary(attributes, value, content_type)

        def buried(reason: str, detail: str, mend: str, pointer: str = "") -> Bury:
            raw = value if attributes is None else cloudevents.restored(attributes, value)
            name = (source or SOURCE).name
            id_ = cloudevents.named_event(name, attributes if attributes is not None and isinstance(event, Refusal) else event)
            return Bury(record, reason, detail, pointer, mend, name, raw, content_type, id_)

        if source is None or source.disabled:
            return buried(*(UNKNOWN if source is None else DISABLED))
        received = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        understood = event if isinstance(event, Refusal) else read(event, source, received)
        if isinstance(understood, Refusal):
            return buried(understood.reason, understood.detail, understood.mend, understood.pointer)
        return Publication("touchpoints", *seal(understood, self._keys))


def texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The headers of a record. One without a value, which Kafka allows, is as if it were absent; a key without one opens nothing."""
    return {
        name: cloudevents.header_text(value or b"")
        for name, value in ((name.lower(), value) for name, value in headers)
        if value is not None or name == KEY
    }


def binary_attributes(headers: Iterable[tuple[str, bytes | None]], content_type: str) -> cloudevents.Attributes | None:
    """The attributes of a Kafka message in binary mode; None: it is in structured mode, as its content type says or for want of attributes.

    CloudEvents Kafka Protocol Binding 1.0.2, section 3.
    """
    if content_type.lower().startswith("application/cloudevents"):
        return None
    attributes = cloudevents.gathered(
        (name[3:], cloudevents.header_text(value)) for name, value in headers if value is not None and name[:3].lower() == "ce_"
    )
    if attributes.get("specversion", "undefined") == "undefined":
        return None
    if content_type and content_type != "undefined":
        return {**attributes, "datacontenttype": content_type}
    return attributes
