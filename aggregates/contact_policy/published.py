"""The contact policy as it was put in force, version by version: who, when, and its text as it was written."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

import msgspec

from aggregates.touchpoint import derive

ID = derive("contact_policy", "contact")
"""There is one policy for all; its history is one aggregate."""

PUBLISHED = "contact_policy.published"


class PolicyPublished(msgspec.Struct, frozen=True, tag=PUBLISHED):
    """This text binds every contact from now on."""

    version: int
    at: datetime
    by: str
    text: str


def publish(held: PolicyPublished | None, at: datetime, by: str, text: str) -> PolicyPublished | None:
    """Put a text in force that was read and found right; the same text again says nothing."""
    if held is not None and held.text == text:
        return None
    return PolicyPublished(1 if held is None else held.version + 1, at, by, text)


def evolve(held: PolicyPublished | None, event: PolicyPublished) -> PolicyPublished:
    """The latest is in force."""
    return event if held is None or event.version > held.version else held


def replay(events: Iterable[PolicyPublished]) -> PolicyPublished | None:
    """What is in force."""
    return reduce(evolve, events, None)
