"""Keeps the contact policy: each version an event, its text beside it for who decides, in one transaction.

What was put off as it was to leave, until quiet hours that may be others now, is asked about again.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from aggregates.contact_policy import published
from aggregates.contact_policy.published import ID, PUBLISHED, PolicyPublished
from aggregates.decision import Also, Decision, Decisions, Overtaken
from aggregates.touchpoint import derive
from projections.contacts import tasks
from projections.contacts.policies import other_hours
from projections.contacts.reserving import QUIET
from projections.declared.table import announce
from projections.deliveries import table as deliveries

TRIES = 5

_event = msgspec.json.Decoder(PolicyPublished)


class PolicyStore:
    """The adapter of `api.ports.Policies`."""

    def __init__(self, decisions: Decisions, clock: Callable[[], datetime]) -> None:
        self._decisions, self._clock = decisions, clock

    async def publish(self, by: str, text: str) -> int:
        """Put a policy in force; its version. The same text again is the same version."""
        for _ in range(TRIES):
            held = published.replay(_event.decode(decision.state) for decision in await self._decisions.load(ID))
            event = published.publish(held, self._clock(), by, text)
            if event is None:
                assert held is not None  # noqa: S101 - it has this text
                return held.version
            row = (
                "INSERT INTO contacts.policy (version, at, by, text) VALUES (%s, %s, %s, %s)",
                (event.version, event.at, event.by, event.text),
            )
            anew = [deliveries.hurried(QUIET), tasks.hurried()] if other_hours(held.text if held else None, text) else []
            try:
                await self._decisions.record(
                    [Decision(ID, event.version, PUBLISHED, msgspec.json.encode(event))], [row, _told(event), *anew]
                )
            except Overtaken:
                continue
            return event.version
        raise Overtaken("Others publish all the time: try again.")


def _told(event: PolicyPublished) -> Also:
    """Every partition of `customer-events` hears of it, where it stands in the log."""
    data = {"version": event.version, "text": event.text, "by": event.by}
    return announce(derive(PUBLISHED, str(event.version)), PUBLISHED, data)
