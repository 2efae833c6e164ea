"""What a customer allows: for each purpose and channel his latest word.

Two words at the same time go by their ids. At most `LIMIT` words are kept, the latest. That is safe: a word that was dropped is
older than all that are kept, so what would have outweighed it still does, and where nothing is left the answer is no. What no contract
takes, but stands in a log that is evaluated, never allows more than was said: half a word is no consent, and a whole withdrawal.
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
    id: str = ""  # the one that its source gave

    @property
    def rank(self) -> tuple[datetime, str, UUID]:
        """Of two words the one that ranks higher counts."""
        return self.at, self.id, self.event

    def in_force(self, at: datetime) -> bool:
        """Whether it allows anything at this time: given, and not run out."""
        return self.given and (self.until is None or at < self.until)


def evolve(consents: dict[str, Consent], fact: Fact) -> dict[str, Consent]:
    """Take a customer's word."""
    purpose = word(fact.data, "purpose", 64).strip().lower()
    if not purpose or not counts(fact):
        return consents
    said = Consent(fact.type == GIVEN, fact.at, fact.event_id, until(fact), fact.id)
    now = dict(consents)
    for channel in channels_of(fact):
        known = now.get(f"{purpose} {channel}")
        if known is None or known.rank < said.rank:
            now[f"{purpose} {channel}"] = said
    if len(now) > LIMIT:
        now = {key: now[key] for key in sorted(now, key=lambda key: (now[key].rank, key))[-LIMIT:]}
    return now


def counts(fact: Fact) -> bool:
    """Whether it is a customer's word: a consent that a simulator made up allows nothing, where the time is not replayed as well."""
    return fact.type != GIVEN or not fact.simulated or fact.clock == "event"


def until(fact: Fact) -> datetime | None:
    """When a consent ends by itself, if it does: one whose end nobody can read has ended."""
    said = fact.data.get("valid_until")
    return None if said is None or fact.type != GIVEN else moment(said) or fact.at


def channels_of(fact: Fact) -> list[str]:
    """The channels a word is about; all when it names none."""
    named = fact.data.get("channels")
    if named is None:
        return [ALL]
    several = named if isinstance(named, list) else [named]
    found = {"".join(channel.lower().split())[:64] for channel in several if isinstance(channel, str) and channel.strip()}
    return sorted(found) if found or fact.type == GIVEN else [ALL]


def deciding(consents: dict[str, Consent], purpose: str, channel: str) -> Consent | None:
    """The word that counts: the latest of the one about this channel and the one about all."""
    purpose = purpose.strip().lower()
    words = [consent for key in (f"{purpose} {channel.lower()}", f"{purpose} {ALL}") if (consent := consents.get(key))]
    return max(words, key=lambda consent: consent.rank, default=None)
