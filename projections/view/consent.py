"""What a customer allows: for each purpose and channel his latest word.

Of two words at the same time the withdrawal counts. At most `LIMIT` words are kept, the latest. That is safe: a word that was dropped is
older than all that are kept, so what would have outweighed it still does, and where nothing is left the answer is no.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from aggregates.fact import Fact
from projections.view.values import moment, word

LIMIT = 64
ALL = "*"
GIVEN = "consent.given"


class Consent(Struct, frozen=True, array_like=True, gc=False):
    """The latest word on one purpose in one channel."""

    given: bool
    at: datetime
    event: UUID
    until: datetime | None = None

    @property
    def rank(self) -> tuple[datetime, bool, UUID]:
        """Of two words the one that ranks higher counts."""
        return self.at, not self.given, self.event

    def in_force(self, at: datetime) -> bool:
        """Whether it allows anything at this time: given, and not run out."""
        return self.given and (self.until is None or at < self.until)


def evolve(consents: dict[str, Consent], fact: Fact) -> dict[str, Consent]:
    """Take a customer's word."""
    purpose = word(fact.data, "purpose", 64).strip().lower()
    if not purpose:
        return consents
    said = Consent(fact.type == GIVEN, fact.at, fact.event_id, moment(fact.data.get("valid_until")) if fact.type == GIVEN else None)
    now = dict(consents)
    for channel in channels_of(fact):
        known = now.get(f"{purpose} {channel}")
        if known is None or known.rank < said.rank:
            now[f"{purpose} {channel}"] = said
    if len(now) > LIMIT:
        now = {key: now[key] for key in sorted(now, key=lambda key: (now[key].rank, key))[-LIMIT:]}
    return now


def channels_of(fact: Fact) -> list[str]:
    """The channels a word is about; all when it names none."""
    named = fact.data.get("channels")
    if not isinstance(named, list) or not named:
        return [ALL]
    return sorted({"".join(channel.lower().split())[:64] for channel in named if isinstance(channel, str) and channel.strip()})


def deciding(consents: dict[str, Consent], purpose: str, channel: str) -> Consent | None:
    """The word that counts: the latest of the one about this channel and the one about all."""
    purpose = purpose.strip().lower()
    words = [consent for key in (f"{purpose} {channel.lower()}", f"{purpose} {ALL}") if (consent := consents.get(key))]
    return max(words, key=lambda consent: consent.rank, default=None)
