"""The record that tells a score: a fact of the customer that rules hear, and the same on `scores` for everybody outside.

Reading order: moved, written, given.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from aggregates.churn import DAY, Definition
from aggregates.touchpoint import derive
from projections.churn import reasons
from projections.churn.kept import Kept, Said
from projections.churn.published import Published, Reason
from streams.record import Publication
from streams.words import SCORES, told

REASONS = 3


def moved(
    customer: str, definition: Definition, kept: Kept, said: Said, summands: Mapping[str, float], snapshot: int, now: datetime
) -> list[Publication]:
    """A churn score that moved far, with its weightiest reasons; `now` is ours."""
    why = reasons.weightiest(summands, said.scored.features, definition, said.scored.state, REASONS)
    at = datetime.fromtimestamp(said.at * DAY, UTC)
    data = Published(
        score=definition.name,
        version=definition.version,
        value=written(said.scored.score),
        before=None if kept.told is None else written(kept.told),
        silent=said.silent,
        model=snapshot,
        reasons=tuple([Reason(r.topic, round(r.level, 6), r.fa, r.en) for r in why]),
    )
    # a source's own time may stand still while one champion after the other scores: so our now is part of the id
    version, change = str(definition.version), f"{data.before} {data.value}"
    id_ = derive("score", customer, definition.name, version, at.isoformat(), now.isoformat(), change)
    return given(customer, id_, data, at, now, replayed=kept.replayed, decider=kept.decider)


def written(score: float) -> float:
    """A score as it is told: what the next one was before is this to the digit."""
    return round(score, 6)


def given(
    customer: str, id_: UUID, data: Struct, at: datetime, recorded: datetime, *, replayed: bool, decider: str, backfill: bool = False
) -> list[Publication]:
    """A score of a customer at a time; `replayed`: in the time of sources that replay their own."""
    clock = "event" if replayed else ""
    fact = told(SCORES, "score.given", customer, id_, data, at, backfill=backfill, clock=clock, decider=decider, recorded=recorded)
    return [fact, Publication("scores", fact.key, fact.value)]
