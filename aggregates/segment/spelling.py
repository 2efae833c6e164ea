"""Brings a message that is spelt unlike the others into the usual spelling: kinds in capitals or left out, names with underscores.

Only what nothing else could be meant by is understood. Reading order: recognised.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

Message = dict[str, Any]

USUAL: Mapping[str, str] = MappingProxyType(
    {
        "user_id": "userId",
        "anonymous_id": "anonymousId",
        "group_id": "groupId",
        "previous_id": "previousId",
        "message_id": "messageId",
        "original_timestamp": "originalTimestamp",
    }
)
UNUSUAL = frozenset({*USUAL, "distinct_id"})
ALSO: Mapping[str, str] = MappingProxyType({"capture": "track", "pageview": "page", "screenview": "screen"})
TELLING = (("event", "track"), ("groupId", "group"), ("previousId", "alias"), ("traits", "identify"))
"""A member that only one kind of message has."""


def recognised(message: Message, kind: str) -> tuple[Message, str]:
    """The message in the usual spelling, and of which kind it is: as it says, as its address says, as its members tell."""
    usual = message
    if not UNUSUAL.isdisjoint(message):
        usual = {USUAL.get(name, name): value for name, value in message.items()} | {
            name: value for name, value in message.items() if name not in USUAL
        }
    if "distinct_id" in usual and not usual.get("userId") and not usual.get("anonymousId"):
        distinct = usual["distinct_id"]
        usual = usual | {"anonymousId" if isinstance(distinct, str) and is_uuid(distinct) else "userId": distinct}
    said = usual.get("type")
    if not said or not isinstance(said, str):
        return usual, kind or next((told for member, told in TELLING if member in usual), "")
    said = said.strip().lower()
    return usual, ALSO.get(said, said)


def is_uuid(text: str) -> bool:
    """Clients make anonymous ids that are uuids; a user id seldom is one, and a customer can have few user ids."""
    try:
        return len(text) == 36 and bool(UUID(text))
    except ValueError:
        return False
