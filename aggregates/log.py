"""Appending to the log, as narrow as it can be: the port that doors and processors share; the adapter lives in `infra`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

Headers = Sequence[tuple[str, bytes]]
Entry = tuple[bytes, bytes, Headers]
"""Key, value and headers of a record to be."""


class NotAcknowledged(Exception):
    """Kafka did not say in time that it has the records: perhaps it has, perhaps not. The same records may be sent again."""


class Log(Protocol):
    """Appends to the topics of the log."""

    async def publish(self, topic: str, records: Sequence[Entry]) -> Mapping[int, int]:
        """Return when every in-sync replica has the records: per partition the offset after the last. Raises NotAcknowledged."""
        ...
