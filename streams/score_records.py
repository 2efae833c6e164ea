"""The record that tells a score: a fact of the customer that rules hear, and the same on `scores` for everybody outside."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from streams.record import Publication
from streams.words import SCORES, told


def given(
    customer: str, id_: UUID, data: Struct, at: datetime, recorded: datetime, *, replayed: bool, decider: str, backfill: bool = False
) -> list[Publication]:
    """A score of a customer at a time; `replayed`: in the time of sources that replay their own."""
    clock = "event" if replayed else ""
    fact = told(SCORES, "score.given", customer, id_, data, at, backfill=backfill, clock=clock, decider=decider, recorded=recorded)
    return [fact, fact._replace(topic="scores")]
